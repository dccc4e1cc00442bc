"""One event's way through the stages as steps with times (pure). All times are epoch milliseconds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

LIVE_MS = 10 * 60_000
"""An event that arrives within this of its event time is live: its way begins when it happened."""


@dataclass(frozen=True)
class Landed:
    """The event's row in the lake and its record in the stream, as far as they are found."""

    event_id: str
    event_type: str
    producer_id: str
    epoch: int
    seq: int
    event_ms: float
    arrival_ms: float
    event_hour: str = ""
    stream: Mapping[str, Any] = field(default_factory=dict)
    transformed_ms: float | None = None
    transform: Mapping[str, Any] = field(default_factory=dict)
    landed_ms: float | None = None
    object: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reported:
    """The first published version of a report partition that was computed with the event in its input."""

    report: str
    partition: str
    started_ms: float | None = None
    published_ms: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One stage: when it began, counted from the start of the way, and how long it took (None: it waits)."""

    key: str
    title: str
    start_ms: float
    took_ms: float | None
    facts: Mapping[str, Any]


def timeline(landed: Landed, reported: Sequence[Reported]) -> dict[str, Any]:
    """The event's way as the page draws it. It is complete when every report that reads it has it."""
    is_live = 0 <= landed.arrival_ms - landed.event_ms <= LIVE_MS
    origin = landed.event_ms if is_live else landed.arrival_ms
    arrived, transformed = landed.arrival_ms, landed.transformed_ms or landed.landed_ms
    started = min((each.started_ms for each in reported if each.started_ms is not None), default=None)
    happened = {"event_type": landed.event_type, "event_hour": landed.event_hour}

    def step(
        key: str, title: str, facts: Mapping[str, Any], *, begun: float | None, ended: float | None
    ) -> Step:
        if begun is None:
            return Step(key, title, 0.0, None, facts)
        took = None if ended is None else max(0.0, ended - begun)
        return Step(key, title, max(0.0, begun - origin), took, facts)

    steps = [
        step("stream", "Produced, in the stream", {**happened, **landed.stream}, begun=origin, ended=arrived),
        step("transform", "Transformed", landed.transform, begun=arrived, ended=transformed),
        step("lake", "Landed in the lake", landed.object, begun=transformed, ended=landed.landed_ms),
        # An audit event is in no report, so nothing waits for it behind the lake.
        *(
            [step("query", "Notified, query begun", {}, begun=landed.landed_ms, ended=started)]
            if reported
            else []
        ),
        *(
            step(
                "report",
                f"In {each.report}",
                {"partition": each.partition, **each.facts},
                begun=each.started_ms,
                ended=each.published_ms,
            )
            for each in sorted(reported, key=lambda each: (each.published_ms or float("inf"), each.report))
        ),
    ]
    ends = [each.start_ms + each.took_ms for each in steps if each.took_ms is not None]
    return {
        "event_id": landed.event_id,
        "event_type": landed.event_type,
        "producer_id": landed.producer_id,
        "epoch": landed.epoch,
        "seq": landed.seq,
        "is_complete": all(each.took_ms is not None for each in steps),
        "total_ms": max(ends),
        "steps": [asdict(each) for each in steps],
    }
