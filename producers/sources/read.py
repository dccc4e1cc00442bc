"""Events from files and pipes: NDJSON, CSV, Parquet, access logs.

A line without an id gets one that follows from the file's content and the line's place in it. So a replay of
the same file, or of a copy, changes nothing downstream, and two lines with the same text stay two events.
A line that cannot be read becomes an `unreadable_line` event, so that it is kept and counted as well.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from pathlib import PurePath
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from producers.contracts import (
    UNREADABLE_LINE,
    EventId,
    EventType,
    Payload,
    Stream,
    UnreadableLine,
    UtcTime,
)
from producers.identity import derived_event_id
from producers.packing.codec import ContractError, SchemaViolationError, violation
from producers.sources.access_log import UnreadableLogLineError, parse_line
from producers.sources.encoding import not_utf8
from producers.sources.files import (
    DAMAGED_GZIP,
    STDIN,
    Format,
    Share,
    SourceError,
    content_identity,
    opened,
    shown_path,
    sniff,
)
from producers.sources.lines import Refused, lines

KEPT_CHARACTERS = 1 << 17  # of a line that cannot be read; six bytes each at most, so that a record holds it
KEPT_OF_REASON = 500
KEPT_OF_NAME = 180  # the name and the line's number are a partition key, which has 256 characters at most


class WholeEvent(NamedTuple):
    """A line that is an event already, envelope and all: it is passed on byte for byte."""

    number: int
    event_time: datetime
    data: bytes
    partition_key: str


class NewEvent(NamedTuple):
    """A line that says what happened, and gets its envelope when it is sent.

    `event_id` is None where the content cannot be known beforehand (a pipe).
    """

    number: int
    event_time: datetime
    event_type: EventType
    payload: Payload
    event_id: str | None


_Found = TypeVar("_Found")
SourceItem = WholeEvent | NewEvent
"""What one line, or one row, of a source is. `number` counts lines (rows) from 1."""


def _unnoted(_number: int, _reason: str) -> None:
    """Nobody asks why lines could not be read."""


def read(
    path: str,
    stream: Stream,
    form: Format | None = None,
    share: Share | None = None,
    noted: Callable[[int, str], None] = _unnoted,
) -> Generator[SourceItem]:
    """Every item of the source at `path` (`-`: standard input), in its order. `share` tells how far it got.

    Lines are read as events of `stream`. `noted` is called with the number of a line that cannot be read, and
    why.

    Raises SourceError when the source as a whole cannot be read.
    """
    with opened(path, share) as content:
        known = form or sniff(content, shown_path(path))
        reader = _Reader(path, stream, noted)
        match known:
            case "ndjson":
                yield from reader.json_lines(reader.whole(lines(content)))
            case "access-log":
                yield from reader.log_lines(reader.whole(lines(content)))
            case "csv" | "parquet":
                from producers.sources.tables import rows

                yield from reader.rows(reader.whole(rows(content, shown_path(path), known)))


class _Reader:
    """Makes items of one source's lines."""

    def __init__(self, path: str, stream: Stream, noted: Callable[[int, str], None]) -> None:
        self._noted = noted
        self._name = "stdin" if path == STDIN else short_name(shown_path(PurePath(path).name))
        self._path = path
        self._stream = stream
        self._identity: bytes | None = None
        self._is_identified = False
        self._last_time = stream.history_floor

    def whole(self, found: Iterator[_Found]) -> Iterator[_Found | Refused]:
        """What is found; and at its end, where it is packed and damaged, that there may be more."""
        some = False
        try:
            for each in found:
                some = True
                yield each
        except DAMAGED_GZIP as error:
            if not some:
                raise
            yield Refused(
                "", f"the gzip data ends early or is damaged ({error}): what follows cannot be read"
            )

    def json_lines(self, found: Iterator[bytes | Refused]) -> Iterator[SourceItem]:
        decode = _whole_event_decoder(self._stream).decode
        for number, line in enumerate(found, start=1):
            if isinstance(line, Refused):
                yield self._unreadable(number, line.text, line.reason)
                continue
            try:
                head = decode(line)
                yield WholeEvent(number, head.event_time, line.rstrip(b"\r\n"), head.payload.partition_key)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                if line.strip():
                    yield self._item(number, line, self._from_json)

    def log_lines(self, found: Iterator[bytes | Refused]) -> Iterator[SourceItem]:
        if self._stream.access_log_event is None:
            raise SourceError(f"Stream {self._stream.name!r} has no event for the lines of an access log.")
        for number, line in enumerate(found, start=1):
            if isinstance(line, Refused) or line.strip():
                yield self._item(number, line, self._from_log)

    def rows(self, found: Iterator[Mapping[str, Any] | Refused]) -> Iterator[SourceItem]:
        number = 1
        for row in found:
            yield self._item(number, row, self._from_row)
            number += row.rows if isinstance(row, Refused) else 1

    def _item(self, number: int, line: Any, build: Callable[[int, Any], NewEvent]) -> NewEvent:
        if isinstance(line, Refused):
            return self._unreadable(number, line.text, line.reason)
        try:
            item = build(number, line)
        except (ContractError, UnreadableLogLineError) as error:
            return self._unreadable(number, line, str(error))
        self._last_time = item.event_time
        return item

    def _from_log(self, number: int, line: bytes) -> NewEvent:
        assert self._stream.access_log_event is not None
        parsed = parse_line(line)
        event_type, payload = self._stream.access_log_event(parsed)
        return self._new(number, parsed.time, event_type, _checked(event_type, payload), None)

    def _from_json(self, number: int, line: bytes) -> NewEvent:
        try:
            document = msgspec.json.decode(line)
        except UnicodeDecodeError as error:
            raise SchemaViolationError(not_utf8(error)) from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise SchemaViolationError(f"not a JSON document: {error}") from error
        if not isinstance(document, dict):
            raise SchemaViolationError("not a JSON object")
        return self._from_document(number, document, strict=True)

    def _from_row(self, number: int, row: Mapping[str, Any]) -> NewEvent:
        return self._from_document(number, row)

    def _from_document(self, number: int, document: Mapping[str, Any], strict: bool = False) -> NewEvent:
        if "producer_id" in document:
            raise SchemaViolationError(_why_not_whole(document, self._stream))
        name = document.get("event_type")
        event_type = self._stream.latest.get(name) if isinstance(name, str) else None
        if event_type is None:
            raise SchemaViolationError(
                f"stream {self._stream.name} has no event type {_cut(repr(name))}", "event_type"
            )
        given = document.get("payload")
        fields = given if isinstance(given, Mapping) else document
        payload = _converted(fields, event_type.payload, "payload", strict)
        event_time: datetime = _converted(document.get("event_time"), UtcTime, "event_time", strict)
        given_id = document.get("event_id")
        event_id: str | None = _converted(given_id, EventId, "event_id", strict) if given_id else None
        return self._new(number, event_time, event_type, payload, event_id)

    def _unreadable(self, number: int, line: object, reason: str) -> NewEvent:
        if isinstance(line, bytes):
            text = line.decode("utf-8", "replace")
        else:
            text = line if isinstance(line, str) else repr(line)
        payload = UnreadableLine(
            line=text.rstrip("\r\n")[:KEPT_CHARACTERS],
            position=f"{self._name}:{number}",
            reason=reason if len(reason) <= KEPT_OF_REASON else f"{reason[:KEPT_OF_REASON]}...",
        )
        self._noted(number, payload.reason)
        # It happened at a time that nobody can read; its neighbour's is the nearest.
        return self._new(number, self._last_time, UNREADABLE_LINE, payload, None)

    def _new(
        self, number: int, time: datetime, event_type: EventType, payload: Payload, event_id: str | None
    ) -> NewEvent:
        if event_id is None and (identity := self._content_identity()) is not None:
            event_id = derived_event_id(int(time.timestamp() * 1000), identity, str(number).encode())
        return NewEvent(number, time, event_type, payload, event_id)

    def _content_identity(self) -> bytes | None:
        # Read only for a source that has lines without ids: it takes a pass over the whole file.
        if not self._is_identified:
            self._identity = content_identity(self._path)
            self._is_identified = True
        return self._identity


def short_name(name: str) -> str:
    """A file's name, its middle left out when it is long."""
    half = KEPT_OF_NAME // 2
    return name if len(name) <= KEPT_OF_NAME else f"{name[:half]}...{name[-half:]}"


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}..."


def _checked(event_type: EventType, payload: Payload) -> Payload:
    """The payload, if it keeps its type's bounds, which constructing it does not check."""
    try:
        msgspec.json.decode(msgspec.json.encode(payload), type=event_type.payload)
    except msgspec.ValidationError as error:
        raise violation(error) from error
    return payload


def _converted(value: Any, kind: Any, field: str, strict: bool) -> Any:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        found = violation(error)
        raise SchemaViolationError(found.detail, ".".join(filter(None, (field, found.field)))) from error


def _why_not_whole(document: Mapping[str, Any], stream: Stream) -> str:
    from producers.packing.codec import decoder

    try:
        decoder(stream).decode(msgspec.json.encode(document))
    except ContractError as error:
        return str(error)
    return "its partition key is not text"


def _whole_event_decoder(stream: Stream) -> msgspec.json.Decoder[Any]:
    """Reads of a whole event only what sending it needs. Walking over the rest checks that it is JSON."""
    raw = msgspec.Raw
    heads = []
    for event_type in stream.latest.values():
        key = msgspec.defstruct(
            "Payload", [("partition_key", _Key)], rename={"partition_key": event_type.partition_key}
        )
        fields = [("event_time", UtcTime), *((name, raw) for name in _UNREAD), ("payload", key)]
        heads.append(msgspec.defstruct("Head", fields, tag_field="event_type", tag=event_type.name, gc=False))
    return msgspec.json.Decoder(reduce(or_, heads))


_Key = Annotated[str, Meta(min_length=1, max_length=256)]
_UNREAD = ("event_id", "schema_version", "source", "producer_id", "epoch", "seq")
