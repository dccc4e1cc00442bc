"""The demo: everything once, on this machine. Up, produce, deliver, refresh, account, show."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from infra.accounting.evidence import Places as EvidencePlaces
from infra.accounting.evidence import failed_names, failed_records, gather
from infra.accounting.intervals import IntervalSet
from infra.accounting.reconcile import Places, ProducerEpoch, reconcile
from infra.command.progress import Detail, Steps
from infra.command.target import Target
from infra.demo.outcome import Outcome, Wanted
from infra.demo.producing import send_file, send_rows, send_simulation
from infra.local.status.reports import standings
from infra.receipts.place import analysts_engine
from producers.commands.feeding import Fed
from producers.commands.hour_guard import HourGuard
from producers.commands.target import sink_of
from producers.simulation.simulator import Simulation
from queries.commands.waiting import Standing as Refreshed
from queries.commands.waiting import refresh_until_fresh
from queries.ledger.dynamodb import DynamoDbLedger

_FLUSH_SECONDS, _FRESH_SECONDS = 240, 240.0


class NotDeliveredError(RuntimeError):
    """The delivery worker did not get through in time."""


@dataclass
class _Timed:
    """Steps whose seconds are kept."""

    steps: Steps
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, key: str, title: str) -> Iterator[Detail]:
        begun = time.monotonic()
        with self.steps.step(title) as detail:
            yield detail
        self.seconds[key] = time.monotonic() - begun


def run(
    wanted: Sequence[Wanted], target: Target, bring_up: Callable[[Detail], bool], steps: Steps
) -> Outcome:
    """Run it. `bring_up` makes sure that the local cloud of `target` is up, and says whether it started it.

    Raises what the stages raise: SourceError, PortTakenError, NotSentError, RefreshError and so on.
    """
    timed = _Timed(steps)
    with timed.step("up", "Local cloud") as detail:
        started = bring_up(detail)
        places = evidence_places(target)
        _, before = failed_names(failed_records(places))
    now, fed = datetime.now(UTC), Fed()
    sent: dict[ProducerEpoch, IntervalSet] = {}
    simulations: list[Simulation] = []
    files = ", ".join(each.file for each in wanted if each.file)
    with timed.step("produce", f"Producing from {files}" if files else "Producing") as detail:
        for each in wanted:
            simulation = None if each.file else each.simulation(now)
            simulations += [simulation] if simulation else []
            more, places_of = _produce(each, simulation, target, detail)
            fed.add(more)
            sent |= places_of
    with timed.step("deliver", "Delivering to the lake") as detail:
        detail(_flush(target))
    with timed.step("refresh", "Refreshing the reports") as detail:
        refreshed = _refresh(target, detail)
    with timed.step("reconcile", "Accounting for every event") as detail:
        accounting = reconcile(gather(places, but=before), sent)
    ledger = DynamoDbLedger(target.client("dynamodb"), target.ledger_table)
    place = target.cloud.context.server_url
    return Outcome(
        accounting=accounting,
        reports=standings(target.project.reports.values(), ledger),
        set_aside=refreshed.quarantined,
        fed=fed,
        seconds=timed.seconds,
        place=place,
        started=started,
        simulation=simulations[0] if simulations else None,
        tables=stream_tables(target),
    )


def stream_tables(target: Target) -> dict[str, str]:
    """The lake table of each stream of the target's project."""
    return {table.stream.name: name for name, table in target.project.tables.items()}


def evidence_places(target: Target) -> EvidencePlaces:
    """Where the evidence of a target lies."""
    names = target.outputs
    return EvidencePlaces(
        analysts_engine(target),
        target.client("s3"),
        target.client("logs"),
        names.lake_bucket,
        [stream.transform_function for stream in names.streams.values()],
        list(target.project.tables),
    )


def _produce(
    wanted: Wanted, simulation: Simulation | None, target: Target, detail: Detail
) -> tuple[Fed, Places]:
    def progress(fed: Fed) -> None:
        detail(f"{fed.put:,} records")

    sink = sink_of(wanted.stream, target.entrance(wanted.stream.name), target.client)
    if simulation is None:
        assert wanted.file is not None
        if wanted.source is not None:
            return send_rows(sink, wanted.source, wanted.stream, wanted.file, progress, target)
        return send_file(sink, wanted.stream, wanted.file, progress, HourGuard(target))
    return send_simulation(sink, simulation, progress)


def _flush(target: Target) -> str:
    """Have the delivery worker deliver what is in the stream now, instead of waiting for its buffers."""
    said = target.cloud.context.ask(
        f"/_firehose/flush?seconds={_FLUSH_SECONDS}", method="POST", timeout=_FLUSH_SECONDS + 30
    )
    if not said["drained"]:
        raise NotDeliveredError(
            f"The delivery worker did not get through within {_FLUSH_SECONDS} s. "
            "Look at: penstock local status"
        )
    counts = said["streams"].values()
    rows, objects = (sum(int(each[name]) for each in counts) for name in ("rows", "objects"))
    return f"{rows:,} rows in {objects:,} objects"


def _refresh(target: Target, detail: Detail) -> Refreshed:
    def progress(standing: Refreshed) -> None:
        aside = len(standing.quarantined)
        fresh = standing.partitions - standing.stale - aside
        said = f"{fresh:,} of {standing.partitions:,} partitions fresh"
        detail(f"{said}, {aside:,} quarantined" if aside else said)

    return refresh_until_fresh(
        lambda_client=target.client("lambda"),
        sqs=target.client("sqs"),
        query_function=target.query_function,
        queue_url=target.queue_url,
        timeout_seconds=_FRESH_SECONDS,
        clock=time.monotonic,
        sleep=time.sleep,
        progress=progress,
    )
