"""What a reference table's declaration must say."""

from pathlib import Path

import pytest

from queries.contracts import ReportDefinitionError, parse_header
from queries.reference.declaration import (
    ReferenceDefinitionError,
    parse_reference,
    read_references,
    require_known,
)
from tests.queries.reference.airlines import DECLARATION, written
from tests.queries.reports import HEADER


def test_a_declaration_gives_the_table_its_columns_its_key_and_its_place(tmp_path: Path) -> None:
    table = written(tmp_path)
    assert (table.name, table.table, table.prefix) == (
        "airlines",
        "reference_airlines",
        "reference/airlines/",
    )
    assert [(column.name, column.type) for column in table.columns][2:4] == [
        ("founded", "integer"),
        ("fee", "decimal(5,2)"),
    ]
    assert table.keys == ("carrier",)
    assert read_references(tmp_path) == {"airlines": table}
    assert read_references(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('title = "Airlines by their code"\n', "", 1, "'title' is missing"),
        ('owner = "airports"', 'owner = ""', 2, "'owner' says nothing"),
        ('keys = ["carrier"]', "keys = []", 3, "'keys' says nothing"),
        ('keys = ["carrier"]', 'keys = ["code"]', 3, "'code' is not one of the columns: carrier, name"),
        ('founded = "integer"', 'founded = "year"', 8, "Cannot read the column founded of type year"),
        ('founded = "integer"', 'Founded = "integer"', 8, "Cannot read the column Founded"),
        ('founded = "integer"', 'edition = "integer"', 8, "'edition' is the partition column"),
        ('owner = "airports"', 'owner = "a"\nrefresh = "1h"', 3, "Unknown key 'refresh'"),
        ('owner = "airports"', "owner = airports", 2, "This is not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, line: int, said: str) -> None:
    with pytest.raises(ReferenceDefinitionError, match=said) as refused:
        parse_reference(DECLARATION.replace(old, new), "reference/airlines.toml")
    assert refused.value.line == line


def test_a_file_whose_name_cannot_be_a_tables_is_refused() -> None:
    with pytest.raises(ReferenceDefinitionError, match="'Air-Lines' cannot be a table"):
        parse_reference(DECLARATION, "reference/Air-Lines.toml")


def test_a_report_that_joins_what_is_not_declared_is_refused_and_so_is_one_of_the_same_name(
    tmp_path: Path,
) -> None:
    known = {"airlines": written(tmp_path)}

    def header(name: str, more: str) -> str:
        return HEADER.format(name=name, grain="event_hour", columns="events bigint", more=f"{more}\n")

    joined = parse_header(header("sample", "-- reference: airlines"), "sample.sql")
    assert joined.reference_tables == ("reference_airlines",)
    require_known([joined], known)
    other = parse_header(header("sample", "-- reference: airports"), "sample.sql")
    with pytest.raises(ReportDefinitionError, match=r"no reference table 'airports'.*There are: airlines"):
        require_known([other], known)
    same = parse_header(header("reference_airlines", ""), "reference_airlines.sql")
    with pytest.raises(ReferenceDefinitionError, match="Rename one"):
        require_known([same], known)
