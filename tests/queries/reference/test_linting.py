"""What lint finds in reports that join reference tables, without asking anybody."""

from pathlib import Path

import pytest

from queries.commands.lint import Finding, lint
from queries.reference.declaration import ReferenceTable
from tests.queries.reference.airlines import written
from tests.queries.reports import HEADER
from tests.shop import TABLES

SOUND = """SELECT w.event_hour, a.name AS name, sum(a.founded) AS years, count(*) AS events
FROM web_events AS w JOIN reference_airlines AS a ON a.carrier = w.source
GROUP BY w.event_hour, a.name"""


@pytest.fixture
def airlines(tmp_path: Path) -> ReferenceTable:
    return written(tmp_path)


def findings(sql: str, airlines: ReferenceTable, more: str = "-- reference: airlines\n") -> list[Finding]:
    header = HEADER.format(
        name="sample", grain="event_hour", columns="name varchar, years bigint, events bigint", more=more
    )
    return lint(header + sql, "sample.sql", TABLES, {"airlines": airlines})


def test_a_join_with_a_reference_table_is_sound_without_the_grain(airlines: ReferenceTable) -> None:
    assert findings(SOUND, airlines) == []
    by_name = SOUND.replace("JOIN reference_airlines", "JOIN named")
    named = (
        "WITH named AS (SELECT carrier, max(name) AS name, max(founded) AS founded FROM reference_airlines "
    )
    assert findings(f"{named}GROUP BY carrier)\n{by_name}", airlines) == []
    listed = SOUND.replace("GROUP", "WHERE w.source IN (SELECT carrier FROM reference_airlines) GROUP")
    assert findings(listed, airlines) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "said"),
    [
        ("a.founded", "a.funded", "names", "funded"),
        ("sum(a.founded)", "max(a.name)", "types", "years is VARCHAR and declared bigint"),
        ("reference_airlines", "reference_airports", "tables", "'reference_airports' is not a table"),
        ("a.carrier = w.source", "a.carier = w.source", "names", "carier"),
    ],
)
def test_columns_and_types_of_the_table_are_known(
    airlines: ReferenceTable, old: str, new: str, rule: str, said: str
) -> None:
    found = findings(SOUND.replace(old, new), airlines)
    assert (rule, True) in [(one.rule, said in one.message) for one in found]


def test_a_table_that_the_header_does_not_name_or_the_project_does_not_have_is_refused(
    airlines: ReferenceTable,
) -> None:
    (unnamed,) = (one for one in findings(SOUND, airlines, more="") if one.rule == "tables")
    assert "or a reference table to its reference line" in unnamed.message
    (unknown,) = findings(SOUND, airlines, more="-- reference: airports\n")
    assert (unknown.rule, "There are: airlines" in unknown.message) == ("reference", True)
    (twice,) = findings(SOUND, airlines, more="-- reference: airlines, airlines\n")
    assert twice.rule == "reference"
