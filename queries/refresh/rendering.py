"""The statement that a run executes: the analyst's SQL over its input, with declared types, into one folder.

The analyst's SQL is put in whole and never changed. It reads the source table by its name; a WITH clause
around it gives that name to the rows that it shall see. So there is no partition predicate to forget.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from queries.contracts import Report
from queries.hours import ranges
from queries.partitions import input_hours, partitions_between, window
from queries.refresh.catalog import ReportQuery, fingerprint
from queries.store.checks import FAILED_CHECK, failed_check_sql
from transforms.contracts import EVENT_HOUR, LakeTable

EVENT_DATE = "event_date"
FIRST_ARRIVAL = ("arrival_time", "producer_id", "epoch", "seq")
"""Which copy of an event is kept: the first by these."""
COPY = "penstock_copy"
COPY_NUMBER = (
    f"row_number() OVER (PARTITION BY {EVENT_HOUR}, event_id ORDER BY {', '.join(FIRST_ARRIVAL)}) AS {COPY}"
)
"""Numbers the copies of each event; whoever reads those with number 1 reads each event once.

The hour is in the window's partition so that a chunk of hours gives what each hour alone would give, and so
that a condition on the hour reaches the table and prunes.
"""
SOURCE = "penstock_source"
"""Name of the rows before the copies are taken out, with a number from the second table on; no report's SQL
may use it.
"""

_NO_CODE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_EVERY_COLUMN = re.compile(r"(?:\bselect|,|\.|\bdistinct)\s*\*", re.IGNORECASE)
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


def select(query: ReportQuery, partitions: Sequence[str], only: str = "") -> str:
    """The SELECT that gives the rows of these partitions: declared columns, `failed_check`, the grain.

    `only` is a condition on the rows of the tables: what the report would say of those alone.
    """
    return select_from(query, partitions, source(query, partitions, only))


def select_from(query: ReportQuery, partitions: Sequence[str], sources: str) -> str:
    """The same over the rows to which `sources`, common table expressions, give its tables' names."""
    report = query.report
    casts = [f"CAST({column.name} AS {column.type}) AS {column.name}" for column in report.columns]
    casts.append(f"CAST({report.grain} AS varchar) AS {report.grain}")
    names = [column.name for column in report.columns]
    wanted = ", ".join(f"'{partition}'" for partition in sorted(partitions))
    return "\n".join(
        [
            f"SELECT {', '.join(names)}, {failed_check_sql(report)} AS {FAILED_CHECK}, {report.grain}",
            f"FROM (SELECT {', '.join(casts)} FROM (",  # noqa: S608 - names are validated, nothing is data
            f"WITH {sources}",
            "SELECT * FROM (",
            query.sql,
            ") AS analyst) AS computed) AS typed",
            f"WHERE {report.grain} IN ({wanted})",
        ]
    )


def unload(query: ReportQuery, partitions: Sequence[str], target: str) -> str:
    """The statement that writes these partitions below `target` (an s3:// URL), a folder for each."""
    return (
        f"UNLOAD (\n{select(query, partitions)}\n) TO '{target}'\n"
        f"WITH (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = ARRAY['{query.report.grain}'])"
    )


@cache
def sql_sha(query: ReportQuery) -> str:
    """Digest of everything in the statement but the partitions and the target."""
    example = "2000-01-01-00" if query.report.grain == EVENT_HOUR else "2000-01-01"
    return fingerprint(select(query, [example]))


def source(query: ReportQuery, partitions: Sequence[str], only: str = "") -> str:
    """The common table expressions that give its tables' names to just the rows of these partitions."""
    where, date = rows_of(query.report, partitions, only), day_of_row(query.report, partitions)
    return ",\n".join(
        _table_source(query, table, SOURCE if number == 1 else f"{SOURCE}_{number}", where, date)
        for number, table in enumerate(query.tables, start=1)
    )


def _table_source(query: ReportQuery, table: LakeTable, copies: str, where: str, day: str) -> str:
    """The two expressions of one table; `copies` is the name of the first."""
    report = query.report
    columns = source_columns(query, table)
    date = [f"{day} AS {EVENT_DATE}"]
    if not report.dedupe:
        return (
            f"{copies} AS (SELECT {', '.join([*columns, *date])} FROM {table.name} WHERE {where}),\n"  # noqa: S608
            f"{table.name} AS (SELECT * FROM {copies})"
        )
    read = [*dict.fromkeys([*columns, "event_id", *FIRST_ARRIVAL, *(["event_time"] if report.zone else [])])]
    return (
        f"{copies} AS (SELECT {', '.join([*read, COPY_NUMBER])} FROM {table.name} WHERE {where}),\n"  # noqa: S608
        f"{table.name} AS (SELECT {', '.join([*columns, *date])} FROM {copies} WHERE {COPY} = 1)"
    )


def source_columns(query: ReportQuery, table: LakeTable) -> list[str]:
    """The table's columns that the SQL can see: those whose names stand in it, all when it says `*`.

    A superset of what it uses: a column whose name is not in the text cannot be read by it. Fewer columns
    mean fewer bytes, whatever the engine's optimizer does.
    """
    code = _NO_CODE.sub(" ", query.sql)
    names = [column.name for column in table.columns]
    if not _EVERY_COLUMN.search(code.lower().replace("count(*)", "")):
        words = set(_WORD.findall(code.lower()))
        names = [name for name in names if name in words]
    return [*names, EVENT_HOUR]


def rows_of(report: Report, partitions: Sequence[str], only: str = "") -> str:
    """The condition on the rows of a lake table that these partitions read; `only` holds of them besides."""
    where = _predicate(report, partitions)
    return f"({where}) AND ({only})" if only else where


def _predicate(report: Report, partitions: Sequence[str]) -> str:
    runs = ranges(input_hours(report, partitions))
    hours = " OR ".join(
        f"{EVENT_HOUR} = '{first}'" if first == last else f"{EVENT_HOUR} BETWEEN '{first}' AND '{last}'"
        for first, last in runs
    )
    if not report.context_seconds and not report.zone:
        return f"({hours})" if len(runs) > 1 else hours
    context = timedelta(seconds=report.context_seconds)
    bounds = " OR ".join(
        f"(event_time >= {_timestamp(start - context)} AND event_time < {_timestamp(end + context)})"
        for start, end in _spans(report, partitions)
    )
    return f"({hours}) AND ({bounds})"


def _spans(report: Report, partitions: Sequence[str]) -> list[tuple[datetime, datetime]]:
    """The times of these partitions, neighbours joined unless the SQL sees what is around each."""
    spans: list[tuple[datetime, datetime]] = []
    for start, end in (window(report, partition) for partition in sorted(partitions)):
        if spans and spans[-1][1] == start and not report.context_seconds:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def day_of_row(report: Report, partitions: Sequence[str]) -> str:
    """SQL for the day of a row.

    The days of a zone are told apart by the moments between them. The ledger reckons with the same moments:
    an engine whose zone database is another one could put rows into days that do not read them.
    """
    if not report.zone:
        return f"substr({EVENT_HOUR}, 1, 10)"
    context = timedelta(seconds=report.context_seconds)
    days: set[str] = set()
    for start, end in (window(report, partition) for partition in partitions):
        days |= partitions_between(report, start - context, end + context)
    cases = " ".join(
        f"WHEN event_time < {_timestamp(window(report, day)[1])} THEN '{day}'" for day in sorted(days)
    )
    return f"CASE {cases} END"


def _timestamp(moment: datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S}.000'"
