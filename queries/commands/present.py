"""Results on the terminal: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from queries.commands.cost import human_bytes
from queries.contracts import Report, echo, printable
from queries.engine.port import Rows
from queries.refresh.freshness import Freshness


def progress_bar(total: int) -> Callable[[int], None]:
    """Shows how many of `total` are done, on stderr."""
    last = -1

    def show_done(done: int) -> None:
        nonlocal last
        if done != last and total:
            filled = "█" * (done * 30 // total)
            echo(f"{filled:<30} {done} of {total} partitions", err=True)
            last = done

    return show_done


def report_row(report: Report, found: Sequence[Freshness], watermark: str | None) -> dict[str, Any]:
    """One report for a list: how many partitions, in what condition, how fresh."""
    published = [one.published_at for one in found if one.published_at is not None]
    return {
        "report": report.name,
        "grain": report.grain,
        "partitions": len(found),
        "stale": sum(one.condition in ("stale", "running") for one in found),
        "quarantined": sum(one.condition == "quarantined" for one in found),
        "rows": sum(one.row_count for one in found),
        "bytes_scanned": sum(one.bytes_scanned for one in found),
        "published_at": moment(max(published, default=None)),
        "complete_until": watermark,
    }


def partition_row(found: Freshness) -> dict[str, Any]:
    """One partition for a list."""
    return {
        "partition": found.report_partition,
        "condition": found.condition,
        "rows": found.row_count,
        "data_as_of": moment(found.data_as_of),
        "published_at": moment(found.published_at),
        "complete": found.is_complete,
        "input_objects": found.input_objects,
        "bytes_scanned": found.bytes_scanned,
        "run": found.run,
        "last_error": found.last_error,
    }


def records(result: Rows) -> list[dict[str, Any]]:
    """The rows as objects of JSON values; numbers stay numbers, times become ISO text."""
    return [
        {name: plain(value) for name, value in zip(result.columns, row, strict=True)} for row in result.rows
    ]


def plain(value: Any) -> Any:
    """A value as JSON has it; decimals that are whole become integers."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case Mapping():
            return {str(name): plain(member) for name, member in value.items()}
        case list() | tuple():
            return [plain(member) for member in value]
    return value


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """A list of objects."""
    if as_json:
        echo(json.dumps([plain(row) for row in rows]))
    elif not rows:
        echo("nothing", err=True)
    else:
        names = list(rows[0])
        table(names, [[_cell(name, row[name]) for name in names] for row in rows])


def show_one(values: Mapping[str, Any], *, as_json: bool) -> None:
    """One object."""
    if as_json:
        echo(json.dumps(plain(values)))
    else:
        for name, value in values.items():
            echo(f"{printable(name)}: {printable(_cell(name, value))}")


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on stdout."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    numeric = [
        all(isinstance(row[at], int | float | Decimal | None) for row in rows) for at in range(len(columns))
    ]
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name, right in zip(columns, numeric, strict=True):
        shown.add_column(Text(printable(name)), justify="right" if right else "left", overflow="fold")
    for row in rows:
        # A `Text` is not read for markup: a value like `[/x]` stays what it is.
        shown.add_row(*(Text("" if value is None else printable(value)) for value in row))
    # A pipe has no width: wrapping there would break the lines that a program reads.
    width = None if sys.stdout.isatty() else 10_000
    console = Console(
        file=sys.stdout, width=width, soft_wrap=True, highlight=False, markup=False, emoji=False
    )
    console.print(shown)


def _cell(name: str, value: Any) -> Any:
    if name.endswith(("bytes", "bytes_scanned")) and isinstance(value, int):
        return human_bytes(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None or value == {} else value


def moment(milliseconds: int | None) -> str | None:
    """Epoch milliseconds as a person reads them."""
    if milliseconds is None:
        return None
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
