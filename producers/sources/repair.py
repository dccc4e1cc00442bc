"""Failed rows read again by the source as it is now: how a changed source repairs what it could not read."""

import msgspec

from producers.contracts import UNREADABLE_LINE, Stream
from producers.packing.codec import encode
from producers.sources.definition import SourceDefinition
from producers.sources.reader import SourceReader
from producers.sources.rows import table_again
from producers.sources.times import as_datetime


class SourceRepair:
    """Bytes of a failed record in, bytes of the event out; None for what is not the source's, or still fails.

    The event keeps the failed record's place in its producer's sequence. Its id follows from the key, so that
    the same row repaired twice, or read again from its file, is one event.
    """

    def __init__(self, definition: SourceDefinition, stream: Stream) -> None:
        """Raises SourceDefinitionError and SourceError."""
        self._name = definition.name
        self._definition = definition
        self._reader = SourceReader(definition, stream)
        self._decode = msgspec.json.Decoder(UNREADABLE_LINE.event_class).decode

    def __call__(self, raw: bytes) -> bytes | None:
        """The event's bytes."""
        try:
            failed = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        if failed.payload.source_name != self._name:
            return None
        table, wrong = table_again([failed.payload.line], self._definition)
        if wrong:
            return None
        events = self._reader.again(table).events
        if not events:
            return None
        made = events[0]
        whole = made.event_type.event_class(  # type: ignore[call-arg]
            event_id=made.event_id or failed.event_id,
            schema_version=made.event_type.version,
            event_time=as_datetime(made.event_us),
            source=failed.source,
            producer_id=failed.producer_id,
            epoch=failed.epoch,
            seq=failed.seq,
            payload=made.payload,
        )
        return encode(whole)
