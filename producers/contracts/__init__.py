"""What producers promise: the events. The next stage reads these names and nothing else of `producers`."""

from collections.abc import Mapping

from producers.contracts.audit import AUDIT_TYPE, PRODUCER_AUDITED, ProducerAudited
from producers.contracts.envelope import ENVELOPE_FIELDS, Event, EventId, EventType, Payload, UtcTime
from producers.contracts.printing import echo, message, printable, printable_lines
from producers.contracts.stream import HISTORY_SOURCES, Stream
from producers.contracts.target import CommandTarget
from producers.contracts.unreadable import UNREADABLE_LINE, UnreadableLine
from producers.contracts.web import WEB

STREAMS: Mapping[str, Stream] = {stream.name: stream for stream in (WEB,)}
"""Every stream of the pipeline by name. A new domain is a module like `web` and one more entry here."""

__all__ = [
    "AUDIT_TYPE",
    "CommandTarget",
    "ENVELOPE_FIELDS",
    "Event",
    "EventId",
    "EventType",
    "HISTORY_SOURCES",
    "PRODUCER_AUDITED",
    "Payload",
    "ProducerAudited",
    "STREAMS",
    "Stream",
    "UNREADABLE_LINE",
    "UnreadableLine",
    "UtcTime",
    "WEB",
    "echo",
    "message",
    "printable",
    "printable_lines",
]
