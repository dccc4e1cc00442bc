"""Deliveries through a source's SQL: one event, one failed record, or nothing where WHERE leaves it out."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from producers.contracts import UNREADABLE_LINE, EventType, Stream
from producers.sources.chunks import json_text
from producers.sources.definition import SourceDefinition
from producers.sources.reader import SourceReader
from producers.sources.results import KEPT_CHARACTERS, SourceFailure
from producers.sources.webhook import DELIVERY, KIND, RECEIVED_AT

Members = Mapping[str, msgspec.Raw]
_LONGEST_POSITION = 200


class Row(NamedTuple):
    """What the SQL sees of one delivery. `received_ms` is of the first time that it was received."""

    members: Members
    delivery: str
    kind: str
    received_ms: int


class Mapped(NamedTuple):
    """An event without its place in a sequence.

    Attributes:
        event_ms: its time, in epoch milliseconds.
        data: the payload as JSON.
        key: its partition key.
        is_failed: it is a failed record that says why there is no event.
    """

    event_type: EventType
    event_id: str
    event_ms: int
    data: bytes
    key: str
    is_failed: bool


class SourceMapping:
    """One source's SQL."""

    def __init__(self, definition: SourceDefinition, stream: Stream) -> None:
        """Raises SourceDefinitionError, and SourceError where DuckDB is not installed."""
        self.stream = stream.name
        self._source = definition.name
        self._reader = SourceReader(definition, stream)
        self._wanted = self._reader.wanted()

    def mapped(self, rows: Sequence[Row]) -> list[Mapped | None]:
        """What becomes of each row; None for one that WHERE leaves out. Raises SourceDefinitionError."""
        import pyarrow as pa

        columns = {
            name: pa.array([_cell(row, name) for row in rows], pa.string())
            for name in dict.fromkeys((*self._wanted, DELIVERY))
        }
        batch = self._reader.again(pa.table(columns))
        found: list[Mapped | None] = [None] * len(rows)
        for event in batch.events:
            key = str(getattr(event.payload, event.event_type.partition_key) or event.event_id)
            assert event.event_id is not None, "a webhook's source has a key"
            found[event.row - 1] = Mapped(
                event.event_type, event.event_id, event.event_us // 1000, event.data, key[:256], False
            )
        for failure in batch.failures:
            found[failure.row - 1] = self._failed(failure, rows[failure.row - 1])
        return found

    def _failed(self, failure: SourceFailure, row: Row) -> Mapped:
        """The failed record has the whole body, as far as it has room, so that a changed source can use it.

        Its time is that of the delivery, the same for every copy.
        """
        whole = msgspec.json.encode({**row.members, **_own(row)}).decode()
        kept = failure._replace(line=whole if len(whole) <= KEPT_CHARACTERS else failure.line, row=1)
        payload = kept.payload(self._source, f"delivery {row.delivery[:_LONGEST_POSITION]}")
        assert failure.event_id is not None, "a webhook's source has a key"
        data = msgspec.json.encode(payload)
        return Mapped(UNREADABLE_LINE, failure.event_id, row.received_ms, data, payload.position[:256], True)


def _cell(row: Row, name: str) -> str | None:
    own = _own(row)
    if name in own:
        return own[name]
    return json_text(row.members[name]) if name in row.members else None


def _own(row: Row) -> dict[str, str | None]:
    received = datetime.fromtimestamp(row.received_ms / 1000, UTC)
    return {
        DELIVERY: row.delivery,
        KIND: row.kind or None,
        RECEIVED_AT: f"{received.isoformat(timespec='milliseconds')[:23]}Z",
    }
