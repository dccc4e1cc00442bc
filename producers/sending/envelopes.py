"""Gives every event its envelope and its place in the producer's sequence (pure: time and chance are passed
in).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import cast

import msgspec

from producers.contracts import Event, EventType, Payload, ProducerAudited
from producers.identity import EventIds
from producers.packing.codec import SchemaViolationError, violation

AUDIT_EVENTS = 20_000  # between two audit events at the most
AUDIT_SECONDS = 60.0


class Envelopes:
    """The sequence of one producer and epoch. Not thread-safe: the producer holds a lock.

    Attributes:
        last_seq: the last place that was taken, 0 before the first.
    """

    def __init__(
        self, producer_id: str, epoch: int, source: str, clock: Callable[[], float], random: Random
    ) -> None:
        self.producer_id = producer_id
        self.epoch = epoch
        self.last_seq = 0
        self._source = source
        self._ids = EventIds(lambda: int(clock() * 1000), random)
        self._audit_at_seq = AUDIT_EVENTS
        self._audit_at_time = clock() + AUDIT_SECONDS

    def next(
        self,
        event: Payload | Event,
        event_time: datetime | None,
        event_id: str | None,
        source: str | None,
        now: float,
    ) -> tuple[Event, str]:
        """The event at the next place, and its partition key. The place is taken by `took`."""
        return self._at(self.last_seq + 1, event, event_time, event_id, source, now)

    def took(self, count: int = 1) -> None:
        """So many places are taken."""
        self.last_seq += count

    def is_audit_due(self, now: float) -> bool:
        """Whether it is time to tell the stream how far the sequence went."""
        return self.last_seq >= self._audit_at_seq or now >= self._audit_at_time

    def audit(self, closed: bool, now: float) -> tuple[Event, str]:
        """The event that tells how far the sequence went, which takes no place in it; and its key."""
        self._audit_at_seq = self.last_seq + AUDIT_EVENTS
        self._audit_at_time = now + AUDIT_SECONDS
        payload = ProducerAudited(producer=self.producer_id, last_seq=self.last_seq, closed=closed)
        return self._at(0, payload, None, None, None, now)

    def _at(
        self,
        seq: int,
        event: Payload | Event,
        event_time: datetime | None,
        event_id: str | None,
        source: str | None,
        now: float,
    ) -> tuple[Event, str]:
        if isinstance(event, Event):
            kind = _event_type(event.payload)
            place = {"producer_id": self.producer_id, "epoch": self.epoch, "seq": seq}
            return msgspec.structs.replace(event, **place), getattr(event.payload, kind.partition_key)
        kind = _event_type(event)
        stamped: Event = kind.event_class(  # type: ignore[call-arg]
            event_id=event_id or self._ids.next(),
            schema_version=kind.version,
            event_time=event_time or datetime.fromtimestamp(int(now * 1000) / 1000, UTC),
            source=source or self._source,
            producer_id=self.producer_id,
            epoch=self.epoch,
            seq=seq,
            payload=event,
        )
        return stamped, getattr(event, kind.partition_key)


def check(event: Event, data: bytes) -> None:
    """Raises SchemaViolationError for an event, encoded as `data`, that breaks its contract."""
    try:
        msgspec.json.decode(data, type=type(event))
    except msgspec.ValidationError as error:
        raise violation(error) from error


def _event_type(payload: Payload) -> EventType:
    # The class's own: what a subclass says is declared for itself.
    event_type = type(payload).__dict__.get("__event_type__")
    if event_type is None:
        raise SchemaViolationError(f"{type(payload).__name__} is the payload of no declared event type")
    return cast("EventType", event_type)
