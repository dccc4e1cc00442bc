"""MiniStack keeps a stream's records for their retention, in memory, and loses them when it is killed.

This writes each record to a log before it is acknowledged, and keeps in memory where it lies. The newest stay
as they are: most are read within seconds, and never again. What the log cannot take is refused.
"""

import base64
import contextlib
import logging
import struct
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from infra.local.ministack.stream_log import PLACE_BYTES, Head, Stored, StreamLog

LARGE_TEXT = 4096
"""Characters of base64 from which a record's data is decoded and compressed; others are kept as they came."""
PLAIN_BYTES = 8 * 1024 * 1024
"""Of the newest records, which memory still has, over all streams."""
_MARK = "penstock_packed"

Operation = Callable[[dict[str, Any]], Any]
Stream = dict[str, Any]
Scope = tuple[str, str]
"""Account and region."""

logger = logging.getLogger(__name__)


class Decoded(bytes):
    """Data that came as base64 and was decoded once: MiniStack would do it twice more."""

    __slots__ = ()


class KeptRecord(bytes):
    """A record whose data is in the log; MiniStack reads it like the dict that it made."""

    __slots__ = ()

    @classmethod
    def of(cls, sequence: str, arrived: float, partition_key: str, data: Stored) -> "KeptRecord":
        """The record with that data. A sequence number has at most 255 characters, as on AWS."""
        known = sequence.encode()
        return cls(b"".join((_ARRIVED.pack(arrived, len(known)), data, known, partition_key.encode())))

    def keys(self) -> tuple[str, ...]:
        """What it has, as a mapping."""
        return ("SequenceNumber", "ApproximateArrivalTimestamp", "Data", "PartitionKey")

    def __getitem__(self, name: Any) -> Any:
        end = _SEQUENCE_AT + bytes.__getitem__(self, _ARRIVED.size - 1)
        if name == "SequenceNumber":
            return bytes.__getitem__(self, slice(_SEQUENCE_AT, end)).decode()
        if name == "ApproximateArrivalTimestamp":
            return _ARRIVED.unpack_from(self)[0]
        if name == "Data":
            return Stored(bytes.__getitem__(self, slice(_ARRIVED.size, _SEQUENCE_AT)))
        if name == "PartitionKey":
            return bytes.__getitem__(self, slice(end, None)).decode()
        raise KeyError(name)


_ARRIVED = struct.Struct("<dB")
"""When it arrived, and the length of its sequence number."""
_SEQUENCE_AT = _ARRIVED.size + PLACE_BYTES


class Keeper:
    """Keeps what the operations append. Not for use from several threads: MiniStack answers on one."""

    def __init__(self, log: StreamLog, plain_bytes: int = PLAIN_BYTES) -> None:
        self._log, self._most = log, plain_bytes
        self._plain: deque[tuple[list[Any], dict[str, Any], Stored, int]] = deque()
        self._size = 0

    def keeping(
        self,
        operation: Operation,
        stream_of: Callable[[dict[str, Any]], tuple[Scope, Stream | None]],
        refuse: Callable[[OSError], Any],
    ) -> Operation:
        """MiniStack's PutRecord or PutRecords, answered once what it appended is in the log.

        When the log cannot take it the records are taken back, and `refuse` makes the answer.
        """

        def put(request: dict[str, Any]) -> Any:
            scope, stream = stream_of(request)
            if stream is None:
                return operation(request)
            for record in request.get("Records") or (request,):
                _decode(record)
            last = {shard: _last(held["records"]) for shard, held in stream["shards"].items()}
            answer = operation(request)
            appended = [
                (shard, record)
                for shard, held in stream["shards"].items()
                for record in _since(held["records"], last.get(shard, ""))
            ]
            try:
                self.keep(scope, stream, appended)
            except OSError as error:
                for shard, _ in appended:
                    stream["shards"][shard]["records"].pop()
                return refuse(error)
            return answer

        return put

    def keep(self, scope: Scope, stream: Stream, appended: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Write records of (shard, record) to the log. Raises OSError; then none of them is in it."""
        records, entries = [], []
        for shard, record in appended:
            held = stream["shards"][shard]["records"]
            data = record["Data"]
            is_text = type(data) is not Decoded
            head = Head(
                *scope,
                stream["StreamName"],
                shard,
                record["SequenceNumber"],
                record["PartitionKey"],
                record["ApproximateArrivalTimestamp"],
                is_text,
            )
            records.append((held, record))
            entries.append((head, data if type(data) is Decoded else _text(data)))
        for (held, record), stored in zip(records, self._log.append(entries), strict=True):
            size = len(record["Data"])
            self._plain.append((held, record, stored, size))
            self._size += size
        while self._size > self._most:
            held, record, stored, size = self._plain.popleft()
            self._size -= size
            _replace(held, record, stored)


def _replace(records: list[Any], record: dict[str, Any], stored: Stored) -> None:
    """Put the small form in its place, unless the record has expired. They lie in order of their numbers."""
    sequence = record["SequenceNumber"]
    at = bisect_left(records, sequence, key=_sequence)
    if at < len(records) and records[at] is record:
        records[at] = KeptRecord.of(
            sequence, record["ApproximateArrivalTimestamp"], record["PartitionKey"], stored
        )


def _sequence(record: Any) -> Any:
    return record["SequenceNumber"]


def _decode(record: dict[str, Any]) -> None:
    data = record.get("Data")
    if type(data) is str and len(data) >= LARGE_TEXT:
        with contextlib.suppress(msgspec.ValidationError):  # what is not base64 is MiniStack's business
            record["Data"] = Decoded(msgspec.convert(data, bytes))


def _text(data: str | bytes) -> bytes:
    """Data as base64 text. MiniStack encodes what is not base64 when it is read; the log does it before."""
    raw = data.encode() if isinstance(data, str) else data
    try:
        base64.b64decode(raw, validate=True)
    except ValueError:
        return base64.b64encode(raw)
    return raw


def _last(records: list[dict[str, Any]]) -> str:
    return str(records[-1]["SequenceNumber"]) if records else ""


def _since(records: list[dict[str, Any]], last: str) -> list[dict[str, Any]]:
    """The newest records, after that sequence number; oldest first."""
    at = len(records)
    while at and records[at - 1]["SequenceNumber"] > last:
        at -= 1
    return records[at:]


def without_records(streams: Iterable[tuple[Any, Stream]]) -> Iterator[tuple[Any, Stream]]:
    """Copies of streams for a state file: their records are in the log."""
    for key, stream in streams:
        shards = {name: {**shard, "records": []} for name, shard in stream["shards"].items()}
        yield key, {**stream, "shards": shards}


def restore(log: StreamLog, streams: Callable[[str, str, str], Stream | None]) -> int:
    """Put the log's records back into the streams (by account, region, name); returns how many.

    Left out is what came before the shard of today was made, and what is there already.
    """
    count = 0
    for head, stored in log.restore():
        stream = streams(head.account, head.region, head.stream)
        shard = stream["shards"].get(head.shard) if stream else None
        if shard is None or head.sequence <= max(shard["starting_sequence_number"], _last(shard["records"])):
            continue
        shard["records"].append(KeptRecord.of(head.sequence, head.arrived, head.partition_key, stored))
        count += 1
    if log.unreadable_bytes:
        logger.error("%d bytes of the streams' log are not records any more", log.unreadable_bytes)
    return count


def take_over(keeper: Keeper, scope: Scope, stream: Stream) -> None:
    """Move the records that a state file of an earlier Penstock holds into the log. Raises OSError."""
    for name, shard in stream["shards"].items():
        earlier = [record for record in shard["records"] if type(record["Data"]) is not Stored]
        for record in earlier:
            if type(record["Data"]) is dict:
                record["Data"] = Decoded(zstandard.decompress(base64.b64decode(record["Data"][_MARK])))
        if earlier:
            keeper.keep(scope, stream, [(name, record) for record in earlier])


def install(folder: Path) -> None:
    """Make MiniStack keep records so, in a log in that folder. `expire.install` has checked the version."""
    from ministack.core.responses import error_response_json, get_account_id, get_region
    from ministack.services import kinesis

    log = StreamLog(folder)
    keeper = Keeper(log)
    restore_state, reset, expire = kinesis._restore_state, kinesis.reset, kinesis._expire_records

    def stream_of(request: dict[str, Any]) -> tuple[Scope, Stream | None]:
        return (get_account_id(), get_region()), kinesis._resolve_stream(request)[1]

    def refuse(error: OSError) -> Any:
        logger.error("records were refused, the streams' log cannot be written: %s", error)
        return error_response_json("InternalFailure", f"The record could not be kept: {error.strerror}", 500)

    def get_state() -> Any:
        streams = type(kinesis._streams)()
        for (account, region, name), stream in without_records(kinesis._streams.all_items()):
            streams.set_scoped(account, region, name, stream)
        return {
            "streams": streams,
            "shard_iterators": kinesis._shard_iterators,
            "consumers": kinesis._consumers,
            "resource_policies": kinesis._resource_policies,
        }

    def restore_here(data: Any) -> None:
        restore_state(data)
        restore(log, lambda *key: kinesis._streams._data.get(key))
        for (account, region, _), stream in kinesis._streams.all_items():
            take_over(keeper, (account, region), stream)

    def expire_here(stream: Stream) -> None:
        expire(stream)
        hours = max(each["RetentionPeriodHours"] for _, each in kinesis._streams.all_items())
        log.expire(time.time() - hours * 3600 - 60)

    def reset_here() -> None:
        reset()
        log.clear()

    kinesis._put_records = keeper.keeping(kinesis._put_records, stream_of, refuse)
    kinesis._put_record = keeper.keeping(kinesis._put_record, stream_of, refuse)
    kinesis.get_state, kinesis._restore_state, kinesis.reset = get_state, restore_here, reset_here
    kinesis._expire_records = expire_here
