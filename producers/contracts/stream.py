"""A stream: the event types that it carries, the times they may have, and where its events can come from."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Literal

from msgspec import Struct

from producers.contracts.access_log import AccessLogLine
from producers.contracts.audit import PRODUCER_AUDITED
from producers.contracts.envelope import EventType, Payload

HISTORY_SOURCES = frozenset({"import", "replay"})
"""Sources that send old events on purpose; their event times may lie as far back as `history_floor`."""


Ingest = Literal["kinesis", "direct"]


class Stream(Struct, frozen=True, dict=True):
    """One stream of events and the contract of what is on it.

    Attributes:
        name: short name; the lake table is `<name>_events`.
        event_types: what domain code may put on it. `PRODUCER_AUDITED` is always there too.
        allowed_lateness: an event that arrives later than this after its event time is late (it counts).
        accepted_past: an event older than this at arrival fails, unless its source is in `HISTORY_SOURCES`:
            a clock that is wrong must not open lake partitions (Firehose has 500 of them).
        accepted_future: an event further ahead of its arrival than this fails.
        history_floor: no event is older than this, whatever its source.
        traffic: where the simulator finds plausible events of this stream, as `module:function`; the function
            is a `producers.simulation.traffic.Traffic`. A name, since nothing that ships a contract ships it;
            `._module:function` is in a file beside the stream's.
        ingest: `kinesis` puts records on a Kinesis data stream that a delivery stream reads; `direct` puts
            them on the delivery stream itself. That saves the data stream and its price, and gives up what it
            is for: other consumers, reading again, order.
        plain_names: views, function, alarms, stacks and so on are named without the stream's name. For a
            stream from before its project had several, whose names are in use; at most one has it.
        owner: who answers for the stream, a team for example; tagged on everything that is the stream's own.
        access_log_event: the event that a line of a web server's access log is on this stream.
    """

    name: str
    event_types: tuple[EventType, ...]
    allowed_lateness: timedelta
    accepted_past: timedelta = timedelta(days=30)
    accepted_future: timedelta = timedelta(hours=1)
    history_floor: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    traffic: str | None = None
    ingest: Ingest = "kinesis"
    plain_names: bool = False
    owner: str = ""
    access_log_event: Callable[[AccessLogLine], tuple[EventType, Payload]] | None = None

    @property
    def is_direct(self) -> bool:
        """Whether there is no Kinesis stream."""
        return self.ingest == "direct"

    def named(self, part: str, joint: str = "-") -> str:
        """What the stream's own `part` is called: its stream's name comes first, unless names are plain."""
        return part if self.plain_names else f"{self.name}{joint}{part}"

    @property
    def table(self) -> str:
        """Name of the stream's lake table."""
        return f"{self.name}_events"

    @cached_property
    def all_types(self) -> tuple[EventType, ...]:
        """Every version of every event type, the audit event last."""
        return (*self.event_types, PRODUCER_AUDITED)

    @cached_property
    def latest(self) -> Mapping[str, EventType]:
        """Event type name to its newest version."""
        ordered = sorted(self.all_types, key=lambda event_type: event_type.version)
        return {event_type.name: event_type for event_type in ordered}
