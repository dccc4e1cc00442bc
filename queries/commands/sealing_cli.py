"""`penstock reports hours` and `seal`: thin shells over the library."""

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

Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
Table = Annotated[
    str | None, typer.Option("--table", help="Table of hours; the project's first one unless given.")
]


def hours(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--from", help="First hour.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last hour, included.")] = None,
    table: Table = None,
    as_json: Json = False,
) -> None:
    """Which hours of the events are sealed, open, or were opened again by something late."""
    target: Target = context.obj
    for named in (first, last):
        if named is not None:
            parse_hour(named)
    query = _sealing(target, table)
    found = sealed_hours(report_service(target), query.report.name, first or "", last or "9999")
    rows: list[dict[str, Any]] = [asdict(one) for one in found]
    for row in rows:
        row["sealed_at"] = present.moment(row["sealed_at"])
    present.show(rows, as_json=as_json or target.json)


def seal(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", help="First hour.")],
    last: Annotated[str, typer.Option("--to", help="Last hour, included.")],
    table: Table = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    timeout: Annotated[float, typer.Option(help="Give up waiting after this many seconds.")] = 3600,
    as_json: Json = False,
) -> None:
    """Seal hours now, without waiting for their lateness; the pipeline seals each in its time."""
    target: Target = context.obj
    service, query = report_service(target), _sealing(target, table)
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


def _sealing(target: Target, table: str | None) -> ReportQuery:
    queries = sealing_queries(target.project.tables)
    name = next(iter(queries)) if table is None else table
    if name not in queries:
        raise typer.BadParameter(f"There is no table of hours {name!r}. Name one of: {', '.join(queries)}.")
    return queries[name]
