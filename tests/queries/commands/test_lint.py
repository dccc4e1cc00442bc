"""What lint finds in reports."""

from pathlib import Path

import pytest

from queries.commands.lint import lint
from tests.queries.reports import HEADER
from tests.shop import CATALOG, SHOP, TABLES


def rules(sql: str, *, columns: str = "events bigint", more: str = "") -> set[str]:
    text = (
        HEADER.format(name="sample", grain="event_hour", columns=columns, more=more + "\n" if more else "")
        + sql
    )
    return {finding.rule for finding in lint(text, "sample.sql", TABLES)}


@pytest.mark.parametrize("name", CATALOG)
def test_the_shipped_reports_are_sound(name: str) -> None:
    path: Path = SHOP.folders.reports / f"{name}.sql"
    assert lint(path.read_text(encoding="utf-8"), str(path), TABLES) == []


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        ("syntax", "SELECT event_hour, count( AS events FROM web_events"),
        ("syntax", "SELECT event_hour, 1 AS events FROM web_events; SELECT 1"),
        ("syntax", "DROP TABLE web_events"),
        ("grain", "SELECT max(event_hour) AS event_hour, count(*) AS events FROM web_events"),
        (
            "grain",
            "SELECT '2026-11-24-10' AS event_hour, count(*) AS events FROM web_events GROUP BY event_type",
        ),
        ("grain", "SELECT count(*) AS events FROM web_events GROUP BY event_hour"),
        ("grain", "SELECT event_hour, count(*) AS events FROM web_events GROUP BY event_hour LIMIT 10"),
        ("grain", "SELECT event_hour, row_number() OVER (ORDER BY event_time) AS events FROM web_events"),
        (
            "grain",
            "WITH d AS (SELECT DISTINCT client_key FROM web_events) SELECT w.event_hour, count(*) AS events FROM web_events w JOIN d ON d.client_key = w.client_key GROUP BY w.event_hour",
        ),
        (
            "determinism",
            "SELECT event_hour, count_if(event_time < now()) AS events FROM web_events GROUP BY event_hour",
        ),
        (
            "determinism",
            "SELECT event_hour, count_if(random() < 0.5) AS events FROM web_events GROUP BY event_hour",
        ),
        ("names", "SELECT event_hour, count(colour) AS events FROM web_events GROUP BY event_hour"),
        ("columns", "SELECT event_hour, count(*) AS other FROM web_events GROUP BY event_hour"),
        ("types", "SELECT event_hour, max(event_type) AS events FROM web_events GROUP BY event_hour"),
        (
            "pruning",
            "WITH w AS (SELECT * FROM web_events) SELECT event_hour, count(*) AS events FROM w GROUP BY event_hour",
        ),
    ],
)
def test_what_would_be_wrong_is_found_before_it_runs(rule: str, sql: str) -> None:
    assert rule in rules(sql)


def test_a_group_by_position_names_its_column() -> None:
    assert not rules("SELECT event_hour, count(*) AS events FROM web_events GROUP BY 1")


def test_a_finding_says_where() -> None:
    text = HEADER.format(name="sample", grain="event_hour", columns="events bigint", more="") + (
        "SELECT event_hour,\n       count(*) AS events\nFROM web_events\nGROUP BY event_type"
    )
    (finding,) = [one for one in lint(text, "sample.sql", TABLES) if one.rule == "grain"]
    assert finding.file == "sample.sql"
    assert finding.line >= text[: text.index("SELECT")].count("\n") + 1


def test_a_header_that_cannot_be_read_is_one_finding() -> None:
    assert [finding.rule for finding in lint("SELECT 1", "x.sql", TABLES)] == ["header"]


def finding(rule: str, sql: str) -> tuple[int, str]:
    """The one finding of this rule: its line within the SQL, its message."""
    text = HEADER.format(name="sample", grain="event_hour", columns="events bigint", more="") + sql
    (found,) = [one for one in lint(text, "sample.sql", TABLES) if one.rule == rule]
    return found.line - text[: text.index(sql)].count("\n"), found.message


@pytest.mark.parametrize(
    ("rule", "line", "says", "sql"),
    [
        (
            "names",
            2,
            "page_viewed has no field 'pth'. Did you mean 'path'?",
            "SELECT event_hour,\n count(page_viewed.pth) AS events FROM web_events GROUP BY 1",
        ),
        (
            "names",
            2,
            "page_viewed has no field 'satus'. Did you mean 'status'?",
            "WITH v AS (SELECT event_hour, page_viewed FROM web_events)\n"
            "SELECT event_hour, count(v.page_viewed.satus) AS events FROM v GROUP BY 1",
        ),
        (
            "names",
            1,
            "Did you mean 'client_key'?",
            "SELECT event_hour, count(clinet_key) AS events FROM web_events GROUP BY 1",
        ),
        (
            "event types",
            3,
            "There is no event type 'page_view'. Did you mean 'page_viewed'?",
            "SELECT event_hour, count(*) AS events\nFROM web_events\n"
            "WHERE event_type = 'page_view' GROUP BY 1",
        ),
        (
            "event types",
            1,
            "There is no event type 'order_paced'. Did you mean 'order_placed'?",
            "SELECT event_hour, count_if(event_type IN ('page_viewed', 'order_paced')) AS events "
            "FROM web_events GROUP BY 1",
        ),
        (
            "tables",
            2,
            "'customers' is not a table that this report can read.",
            "SELECT w.event_hour, count(*) AS events FROM web_events w\n"
            "JOIN customers c ON c.id = w.client_key GROUP BY 1",
        ),
        (
            "tables",
            1,
            "Did you mean 'web_events'?",
            "SELECT event_hour, count(*) AS events FROM web_event GROUP BY 1",
        ),
        (
            "tables",
            1,
            "'penstock.web_events' is not a table",
            "SELECT event_hour, count(*) AS events FROM penstock.web_events GROUP BY 1",
        ),
    ],
)
def test_a_name_that_the_contracts_do_not_have_is_refused_with_its_line_and_what_was_meant(
    rule: str, line: int, says: str, sql: str
) -> None:
    found_line, message = finding(rule, sql)
    assert says in message
    assert found_line == line


def test_tables_of_its_own_and_literal_rows_are_not_strangers() -> None:
    assert not rules(
        "WITH kinds AS (SELECT * FROM (VALUES ('page_viewed')) AS t (kind)), "
        "w AS (SELECT event_hour, event_type FROM web_events) "
        "SELECT w.event_hour, count(*) AS events FROM w JOIN kinds ON kinds.kind = w.event_type GROUP BY 1"
    ) - {"pruning"}


@pytest.mark.parametrize("version", ["two", "1.5", "0", "-1", "\u0661"])
def test_a_version_that_is_not_a_number_from_1_is_a_finding_in_its_line(version: str) -> None:
    text = HEADER.format(
        name="sample", grain="event_hour", columns="events bigint", more=f"-- version: {version}\n"
    )
    (finding,) = lint(f"{text}SELECT 1", "sample.sql", TABLES)
    assert str(finding).startswith("sample.sql:8: header: Cannot read the version")
