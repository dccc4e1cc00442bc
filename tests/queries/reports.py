"""Reports that tests declare."""

from queries.refresh.catalog import ReportQuery, parse_report
from tests.shop import TABLES

HEADER = """-- report: {name}
-- title: A report
-- owner: tests
-- source: web_events
-- grain: {grain}
-- columns: {columns}
-- refresh: debounce 60s, at most every 5m
{more}"""


def declared(
    sql: str = "SELECT event_hour, count(*) AS events FROM web_events GROUP BY event_hour",
    *,
    name: str = "sample",
    grain: str = "event_hour",
    columns: str = "events bigint",
    more: str = "",
) -> ReportQuery:
    """A report with this SQL; `more` holds further header lines, each beginning with `-- `."""
    header = HEADER.format(name=name, grain=grain, columns=columns, more=more + "\n" if more else "")
    return parse_report(header + sql, f"{name}.sql", TABLES)
