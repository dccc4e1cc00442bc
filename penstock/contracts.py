"""What declares a stream: `from penstock.contracts import EventType, Payload, Stream`, and kinds of field.

The same names wherever a contract is read: in the clone, from an installed wheel, and in the functions' zips.
"""

from producers.contracts import Event, EventId, EventType, Payload, Stream, UtcTime
from producers.contracts.access_log import AccessLogLine
from producers.contracts.fields import (
    ClientAddress,
    Count,
    Currency,
    HttpStatus,
    Identifier,
    Milliseconds,
    Minor,
    PageUrl,
    ShortText,
    Url,
    UserAgent,
    UserId,
)

__all__ = [
    "AccessLogLine",
    "ClientAddress",
    "Count",
    "Currency",
    "Event",
    "EventId",
    "EventType",
    "HttpStatus",
    "Identifier",
    "Milliseconds",
    "Minor",
    "PageUrl",
    "Payload",
    "ShortText",
    "Stream",
    "Url",
    "UserAgent",
    "UserId",
    "UtcTime",
]
