"""What reading a file with a source gives: events and failures, each with the row that it came from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from producers.contracts import EventType, Payload, UnreadableLine

if TYPE_CHECKING:
    import pyarrow as pa

KEPT_CHARACTERS = 1 << 17  # of a line that cannot be read; six bytes each at most, so that a record holds it
KEPT_OF_REASON = 500


class SourceEvent(NamedTuple):
    """One row as an event, which gets its envelope from whoever sends or stores it.

    Attributes:
        row: the row's number in its file, from 1.
        event_id: follows from the key, or from the file's content and the row; None for a pipe without a key.
        event_us: the event's time in microseconds since 1970, UTC.
        payload: keeps its contract.
        data: the payload as JSON.
    """

    row: int
    event_id: str | None
    event_us: int
    event_type: EventType
    payload: Payload
    data: bytes


class EventColumns(NamedTuple):
    """Rows as events of one type, as columns; what `SourceEvent` says of each of them.

    Attributes:
        rows: int64.
        event_us: int64.
        data: binary.
    """

    rows: "pa.Array"
    event_ids: Sequence[str]
    event_us: "pa.Array"
    event_type: EventType
    data: "pa.Array"


class SourceFailure(NamedTuple):
    """A row that cannot be an event.

    Attributes:
        row: the row's number in its file, from 1. A damaged part of a file is one failure for its `rows`.
        column: the column at fault: of the SELECT, or of the header; empty when it is the whole row.
        reason: why, without the row's number.
        line: the row as JSON, so that a changed source can read it again.
        event_id: of the failed record, the same whenever the row is read; None for a pipe without a key.
        event_us: the time of the row if it has one, or else of the event before it.
    """

    row: int
    column: str
    reason: str
    line: str
    event_id: str | None
    event_us: int
    rows: int = 1

    def payload(self, source: str, file: str) -> UnreadableLine:
        """The payload of the failed record."""
        reason = f"{self.column}: {self.reason}" if self.column else self.reason
        return UnreadableLine(
            line=self.line[:KEPT_CHARACTERS],
            position=f"{file}:{self.row}",
            reason=reason if len(reason) <= KEPT_OF_REASON else f"{reason[:KEPT_OF_REASON]}...",
            source_name=source,
            column=self.column or None,
        )


class SourceBatch(NamedTuple):
    """Some rows of a file, in order. Batches come in order too, and hold every row once.

    Attributes:
        file: the file's name as it is shown, without its folder.
        last_row: the number of the last row.
        left_out: how many rows the SELECT's WHERE left out.
        columns: further events, where they are asked for as columns.
    """

    file: str
    last_row: int
    events: Sequence[SourceEvent]
    failures: Sequence[SourceFailure]
    left_out: int = 0
    columns: EventColumns | None = None
