"""`penstock reports hours` and `seal`: thin shells over the library."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from queries.commands import present
from queries.commands.backfill_cli import compute_again
from queries.commands.sealed_hours import sealed_hours
from queries.commands.target import Target, report_service
from queries.hours import parse_hour
from queries.refresh.catalog import ReportQuery
from queries.refresh.sealing import sealing_queries
from transforms.contracts import LakeTable

Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
Table = Annotated[
    str | None, typer.Option("--table", help="Table of hours; needed, or --stream, where there are several.")
]
Stream = Annotated[str | None, typer.Option("--stream", help="The stream whose table of hours is meant.")]


def hours(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--from", help="First hour.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last hour, included.")] = None,
    stream: Stream = None,
    table: Table = None,
    as_json: Json = False,
) -> None:
    """Which hours of the events are sealed, open, or were opened again by something late."""
    target: Target = context.obj
    for named in (first, last):
        if named is not None:
            parse_hour(named)
    query = _sealing(target, table, stream)
    found = sealed_hours(report_service(target), query.report.name, first or "", last or "9999")
    rows: list[dict[str, Any]] = [asdict(one) for one in found]
    for row in rows:
        row["sealed_at"] = present.moment(row["sealed_at"])
    present.show(rows, as_json=as_json or target.json)


def seal(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", help="First hour.")],
    last: Annotated[str, typer.Option("--to", help="Last hour, included.")],
    stream: Stream = None,
    table: Table = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    timeout: Annotated[float, typer.Option(help="Give up waiting after this many seconds.")] = 3600,
    as_json: Json = False,
) -> None:
    """Seal hours now, without waiting for their lateness; the pipeline seals each in its time."""
    target: Target = context.obj
    service, query = report_service(target), _sealing(target, table, stream)
    compute_again(
        target,
        service,
        query,
        (first, last),
        words=("hours", "sealed"),
        yes=yes,
        timeout=timeout,
        as_json=as_json,
    )


def _sealing(target: Target, table: str | None, stream: str | None) -> ReportQuery:
    queries = sealing_queries(target.project.tables)
    if stream is not None:
        queries = sealing_queries(_tables_of(target.project.tables, stream))
    if table is None and len(queries) > 1:
        raise typer.BadParameter(
            f"The project has several tables of hours: {', '.join(queries)}. Name one with --table, or its "
            "stream with --stream."
        )
    name = next(iter(queries)) if table is None else table
    if name not in queries:
        raise typer.BadParameter(f"There is no table of hours {name!r}. Name one of: {', '.join(queries)}.")
    return queries[name]


def _tables_of(tables: Mapping[str, LakeTable], stream: str) -> Mapping[str, LakeTable]:
    found = {name: table for name, table in tables.items() if table.stream.name == stream}
    if not found:
        known = ", ".join(table.stream.name for table in tables.values())
        raise typer.BadParameter(f"The project has no stream {stream!r}. It has: {known}.")
    return found
