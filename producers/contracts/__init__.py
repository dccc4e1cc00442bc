"""What producers promise: the events. The next stage reads these names and nothing else of `producers`."""

from producers.contracts.audit import AUDIT_TYPE, PRODUCER_AUDITED, ProducerAudited
from producers.contracts.column_checks import ColumnChecks, column_checks
from producers.contracts.envelope import ENVELOPE_FIELDS, Event, EventId, EventType, Payload, UtcTime
from producers.contracts.fields import bare_type
from producers.contracts.headed_sql import HeadedSql, HeaderError, headed_sql
from producers.contracts.imported import FilePlace, ImportedLine, LineWriter, read_imported_line
from producers.contracts.loading import StreamDefinitionError, load_streams
from producers.contracts.printing import echo, message, printable, printable_lines
from producers.contracts.stream import HISTORY_SOURCES, Stream
from producers.contracts.target import CommandTarget
from producers.contracts.unreadable import UNREADABLE_LINE, UnreadableLine

__all__ = [
    "AUDIT_TYPE",
    "ColumnChecks",
    "CommandTarget",
    "ENVELOPE_FIELDS",
    "Event",
    "EventId",
    "EventType",
    "FilePlace",
    "HISTORY_SOURCES",
    "HeadedSql",
    "HeaderError",
    "ImportedLine",
    "LineWriter",
    "PRODUCER_AUDITED",
    "Payload",
    "ProducerAudited",
    "Stream",
    "StreamDefinitionError",
    "UNREADABLE_LINE",
    "UnreadableLine",
    "UtcTime",
    "bare_type",
    "column_checks",
    "echo",
    "headed_sql",
    "load_streams",
    "message",
    "printable",
    "printable_lines",
    "read_imported_line",
]
