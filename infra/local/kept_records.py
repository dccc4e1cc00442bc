"""MiniStack keeps a stream's records for their retention, as base64 text. This keeps the large ones that come
by PutRecords compressed.

A million events as text are 660 MB that stay in memory for a day. A packed record holds many events alike, so
an eighth of its bytes is left, at a microsecond an event for both ways. The newest records stay as they are:
most are read within seconds, and never again.
"""

import base64
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
import zstandard

LARGE_TEXT = 4096
"""Characters of base64 from which a record is kept so. A single event is hardly worth it."""
PLAIN_BYTES = 8 * 1024 * 1024
"""Of the newest records that are not packed yet, over all streams."""
_LEVEL = 1
_MARK = "penstock_packed"

PutRecords = Callable[[dict[str, Any]], Any]
Stream = dict[str, Any]


class Decoded(bytes):
    """Data that came as base64 and was decoded once: MiniStack would do it twice more."""

    __slots__ = ()


class Plain(bytes):
    """Data that is kept as it is, for now."""

    __slots__ = ()


class Packed(bytes):
    """Data that is kept compressed. Whoever encodes it (`fast_json.FastBase64`) encodes what is in it."""

    __slots__ = ()

    @classmethod
    def of(cls, data: bytes) -> "Packed":
        """The data, compressed."""
        return cls(zstandard.compress(data, _LEVEL))

    def unpacked(self) -> bytes:
        """The data."""
        return bytes(zstandard.decompress(self))


class Keeper:
    """Packs what has become old. Not for use from several threads: MiniStack answers on one."""

    def __init__(self, plain_bytes: int = PLAIN_BYTES) -> None:
        self._most = plain_bytes
        self._plain: deque[dict[str, Any]] = deque()
        self._size = 0

    def keeping(
        self, put_records: PutRecords, stream_of: Callable[[dict[str, Any]], Stream | None]
    ) -> PutRecords:
        """MiniStack's PutRecords, which keeps records as it is given them: the large ones decoded."""

        def put(request: dict[str, Any]) -> Any:
            records = request.get("Records") or ()
            for record in records:
                data = record.get("Data")
                if type(data) is str and len(data) >= LARGE_TEXT:
                    with contextlib.suppress(msgspec.ValidationError):  # what is not base64 is its business
                        record["Data"] = Decoded(msgspec.convert(data, bytes))
            answer = put_records(request)
            stream = stream_of(request)
            if stream is not None:
                self._add(stream, len(records))
            return answer

        return put

    def _add(self, stream: Stream, newest: int) -> None:
        for shard in stream["shards"].values():
            for record in shard["records"][-newest:] if newest else ():
                # What came before this request is in the queue already, or packed.
                if type(record["Data"]) is Decoded:
                    record["Data"] = Plain(record["Data"])
                    self._plain.append(record)
                    self._size += len(record["Data"])
        while self._size > self._most:
            record = self._plain.popleft()
            self._size -= len(record["Data"])
            record["Data"] = Packed.of(record["Data"])


def written(streams: Iterable[Stream]) -> None:
    """Make the packed records of a copy of MiniStack's state something that its JSON file can hold."""
    for record in _records(streams):
        if type(record["Data"]) is Packed:
            record["Data"] = {_MARK: base64.b64encode(record["Data"]).decode()}


def restored(streams: Iterable[Stream]) -> None:
    """Take back what `written` made of them."""
    for record in _records(streams):
        if type(record["Data"]) is dict:
            record["Data"] = Packed(base64.b64decode(record["Data"][_MARK]))


def _records(streams: Iterable[Stream]) -> Iterator[dict[str, Any]]:
    return (
        record for stream in streams for shard in stream["shards"].values() for record in shard["records"]
    )


def install() -> None:
    """Make MiniStack keep records so, also over a restart. `expire.install` has checked the version."""
    from ministack.services import kinesis

    get_state, restore = kinesis.get_state, kinesis._restore_state

    def get_state_here() -> Any:
        state = get_state()
        written(stream for _, stream in state["streams"].all_items())
        return state

    def restore_here(data: Any) -> None:
        restore(data)
        restored(stream for _, stream in kinesis._streams.all_items())

    kinesis._put_records = Keeper().keeping(
        kinesis._put_records, lambda request: kinesis._resolve_stream(request)[1]
    )
    kinesis.get_state = get_state_here
    kinesis._restore_state = restore_here
