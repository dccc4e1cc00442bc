"""`penstock reconcile`."""

import json as json_text
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from infra.command.exits import Exit
from infra.command.progress import Steps
from producers.contracts import echo, printable

if TYPE_CHECKING:
    from infra.accounting.evidence import Places
    from infra.accounting.reconcile import Accounting

_PAUSE = 1.0


def reconcile(
    context: typer.Context,
    wait: Annotated[
        float, typer.Option(help="Look again for so many seconds while events are in flight.")
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Account for every event: produced = landed + failed + dropped + in flight.

    Names what is missing by producer and sequence. Exits with 3 when anything is missing, or when a producer
    has not reported yet how many events it sent. One that ended without a total is named and is not an
    error: all that is known of it is accounted for.
    """
    from infra.accounting.delivered import delivered_until
    from infra.accounting.present import findings, identity, stream_identities
    from infra.demo.demo import evidence_places, stream_tables
    from infra.demo.outcome import by_stream, figures

    places = evidence_places(context.obj)
    with Steps().step("Accounting for every event"):
        accounting = _balanced_within(wait, places, lambda: delivered_until(context.obj))
    if json or context.obj.json:
        missing = [
            {"producer_id": line.name.producer_id, "epoch": line.name.epoch, "seqs": str(line.missing)}
            for line in accounting.incomplete
        ]
        unaudited = [str(line.name) for line in accounting.unaudited]
        ended = [
            {"producer_id": line.name.producer_id, "epoch": line.name.epoch, "known": line.produced}
            for line in accounting.ended
        ]
        facts = {**figures(accounting), "missing": missing, "unaudited": unaudited, "ended_untold": ended}
        facts["unreadable"] = dict(accounting.unreadable)
        facts["streams"] = by_stream(accounting, stream_tables(context.obj))
        echo(json_text.dumps({**facts, "producers": len(accounting.lines)}))
    else:
        own = stream_identities(accounting, stream_tables(context.obj))
        echo("\n".join([*map(printable, findings(accounting)), *own, identity(accounting)]))
    if not accounting.is_balanced:
        raise typer.Exit(Exit.UNBALANCED)


def _balanced_within(seconds: float, places: "Places", delivered_until: Callable[[], float]) -> "Accounting":
    """The first accounting that is balanced, or the last one that time allows."""
    from infra.accounting.evidence import gather
    from infra.accounting.reconcile import reconcile as account

    deadline = time.monotonic() + seconds
    while True:
        until = delivered_until()  # first: what the lake has by then is found afterwards
        accounting = account(gather(places), delivered_until=until)
        if accounting.is_balanced or time.monotonic() >= deadline:
            return accounting
        time.sleep(_PAUSE)
