"""Accounting and reports as text for people."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.accounting.reconcile import Accounting
from producers.contracts import printable
from queries.contracts import Report
from queries.engine.port import Reads

FIRST_ROWS = 5


def identity(of: Accounting) -> str:
    """The accounting line: `balanced: 20,000 produced = 19,504 landed + ...`."""
    word = "balanced" if of.is_balanced else "NOT balanced"
    return (
        f"{word}: {of.produced:,} produced = {of.landed:,} landed + {of.failed:,} failed "
        f"+ {of.dropped:,} dropped + {of.in_flight:,} in flight ({of.duplicates:,} duplicates)"
    )


def stream_identities(accounting: Accounting, tables: Mapping[str, str]) -> list[str]:
    """The accounting line of each stream, whose lake table `tables` names; none where there is one stream."""
    if len(tables) < 2:
        return []
    return [f"{stream}: {identity(accounting.of_table(table))}" for stream, table in tables.items()]


def findings(accounting: Accounting) -> list[str]:
    """What keeps it from being balanced, or has to be known of it, by producer and sequence."""
    lines = [
        f"missing: {line.name}: {len(line.missing):,} of {line.produced:,} events: {_short(line.missing)}"
        for line in accounting.incomplete
    ]
    lines += [
        f"unknown total: {line.name} has not reported yet how many events it sent; "
        f"{line.produced:,} are known."
        for line in accounting.unaudited
    ]
    lines += [
        f"ended without a total: {line.name} was killed before it reported how many events it sent; all "
        f"{line.produced:,} that are known are accounted for."
        for line in accounting.ended
        if not line.missing
    ]
    lines += [
        f"unreadable: {hour}: what is in it counts as missing. See docs/recovery.md. Athena says: {reason}"
        for hour, reason in accounting.unreadable.items()
    ]
    if accounting.nameless:
        lines.append(
            f"failed records that show no producer and sequence: {accounting.nameless:,}; as many missing "
            "numbers are taken to be theirs. Look at them with: penstock failed list"
        )
    return lines


def report_tables(engine: Reads, reports: Iterable[Report], console: Console) -> None:
    """Print the newest rows of these reports. Raises QueryFailedError."""
    for report in reports:
        columns = [report.grain, *(column.name for column in report.columns)]
        order = ", ".join(f"{name} DESC" for name in (report.grain, *_measures(report)[:1]))
        sql = f"SELECT {', '.join(columns)} FROM {report.name} ORDER BY {order} LIMIT {FIRST_ROWS}"  # noqa: S608
        console.print(table(report, columns, engine.rows(sql).rows))


def table(report: Report, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Rows of one report."""
    made = Table(
        title=Text(printable(f"{report.title} · {report.name}")), title_justify="left", title_style="bold"
    )
    measures = {report.grain, *report.keys}
    for column in columns:
        made.add_column(
            Text(printable(column)),
            justify="left" if column in measures else "right",
            overflow="ellipsis",
            max_width=44,
        )
    for row in rows:
        made.add_row(*(Text(printable(_cell(value))) for value in row))
    return made


def _measures(report: Report) -> list[str]:
    return [column.name for column in report.columns if column.name not in report.keys]


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _short(numbers: object, most: int = 200) -> str:
    text = str(numbers)
    return text if len(text) <= most else f"{text[:most]}… (all of them with --json)"
