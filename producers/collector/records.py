"""A request's events as records of the stream, nearly always one: it is taken whole or not at all (pure).

Every event carries the record's own explicit hash key beside its partition key, so that consumers find it in
the shard that it is in.
"""

from collections.abc import Sequence

from producers.packing.aggregation import aggregate_into
from producers.sinks.port import SinkRecord

RECORD_BYTES = 900_000
"""Of a record's events; with keys and lengths it stays below Kinesis's 1 MiB."""
MESSAGE_BYTES = 180_000
"""Of a record that fits into a message of the queue: 256 KiB, as base64."""
_PER_EVENT = 400
"""Most that an event's key and lengths add."""


def records(
    data: Sequence[bytes], keys: Sequence[str], hash_key: str, most: int
) -> list[tuple[int, SinkRecord]]:
    """(how many events, record) in the order of the events, each of at most `most` bytes or of one event."""
    found: list[tuple[int, SinkRecord]] = []
    start, size = 0, 0
    for index, event in enumerate(data):
        size += len(event) + _PER_EVENT
        if size > most and index > start:
            found.append(_record(data[start:index], keys[start:index], hash_key))
            start, size = index, len(event) + _PER_EVENT
    found.append(_record(data[start:], keys[start:], hash_key))
    return found


def _record(data: Sequence[bytes], keys: Sequence[str], hash_key: str) -> tuple[int, SinkRecord]:
    if len(data) == 1:
        return 1, SinkRecord(data[0], keys[0], hash_key)
    return len(data), SinkRecord(aggregate_into(keys, hash_key, data), keys[0], hash_key)
