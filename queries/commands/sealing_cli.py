"""`penstock reports hours` and `seal`: thin shells over the library."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from queries.commands import present
from queries.commands.backfill_cli import compute_again
from queries.commands.sealed_hours import sealed_hours
from queries.commands.target import Target, report_service
from queries.hours import parse_hour
from queries.refresh.sealing import sealing_queries

MAIN_TABLE = next(iter(sealing_queries()))

Json = Annotated[bool, typer.Option("--json", help="The result as JSON.")]
Table = Annotated[str, typer.Option("--table", help=f"One of: {', '.join(sealing_queries())}.")]


def hours(
    context: typer.Context,
    first: Annotated[str | None, typer.Option("--from", help="First hour.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last hour, included.")] = None,
    table: Table = MAIN_TABLE,
    as_json: Json = False,
) -> None:
    """Which hours of the events are sealed, open, or were opened again by something late."""
    target: Target = context.obj
    for named in (first, last):
        if named is not None:
            parse_hour(named)
    found = sealed_hours(report_service(target), _known(table), first or "", last or "9999")
    rows: list[dict[str, Any]] = [asdict(one) for one in found]
    for row in rows:
        row["sealed_at"] = present.moment(row["sealed_at"])
    present.show(rows, as_json=as_json or target.json)


def seal(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", help="First hour.")],
    last: Annotated[str, typer.Option("--to", help="Last hour, included.")],
    table: Table = MAIN_TABLE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    timeout: Annotated[float, typer.Option(help="Give up waiting after this many seconds.")] = 3600,
    as_json: Json = False,
) -> None:
    """Seal hours now, without waiting for their lateness; the pipeline seals each in its time."""
    target: Target = context.obj
    service, query = report_service(target), sealing_queries()[_known(table)]
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


def _known(table: str) -> str:
    if table not in sealing_queries():
        raise typer.BadParameter(
            f"There is no table of hours {table!r}. Name one of: {', '.join(sealing_queries())}."
        )
    return table
