"""The transformation's request, encoded, and the cutting of the stream into batches for it."""

from collections.abc import Sequence

import msgspec

from infra.local.firehose.records import UserRecord

LARGEST_BATCH = 3_000_000
"""Bytes of raw data in one invocation, whatever the buffering hint."""
LARGEST_PAYLOAD = 6_291_556
"""Bytes of a synchronous invocation's request and of its answer."""
_ENVELOPE = 420
"""Bytes of JSON around one record's data beside its partition key, at most."""


class _Metadata(msgspec.Struct, rename="camel", gc=False):
    sequence_number: str
    subsequence_number: int
    partition_key: str
    shard_id: str
    approximate_arrival_timestamp: int


class _Record(msgspec.Struct, rename="camel", gc=False):
    record_id: str
    approximate_arrival_timestamp: int
    data: bytes
    kinesis_record_metadata: _Metadata


class _Request(msgspec.Struct, rename="camel", gc=False):
    invocation_id: str
    source_kinesis_stream_arn: str
    delivery_stream_arn: str
    region: str
    records: list[_Record]


class _DirectRecord(msgspec.Struct, rename="camel", gc=False):
    record_id: str
    approximate_arrival_timestamp: int
    data: bytes


class _DirectRequest(msgspec.Struct, rename="camel", gc=False):
    invocation_id: str
    delivery_stream_arn: str
    region: str
    records: list[_DirectRecord]


_ENCODER = msgspec.json.Encoder()


def encode_request(
    records: Sequence[UserRecord], *, invocation_id: str, source_arn: str, delivery_arn: str, region: str
) -> bytes:
    """The event that the function gets: JSON with base64 data and times in milliseconds.

    Without `source_arn` the records were put on the delivery stream itself, and have nothing of Kinesis.
    """
    if not source_arn:
        direct = [_DirectRecord(each.record_id, each.place.arrival_ms, each.data) for each in records]
        return _ENCODER.encode(_DirectRequest(invocation_id, delivery_arn, region, direct))
    encoded = []
    for record in records:
        place = record.place
        arrival = place.arrival_ms
        metadata = _Metadata(place.sequence_number, record.sub, record.partition_key, place.shard_id, arrival)
        encoded.append(_Record(record.record_id, arrival, record.data, metadata))
    return _ENCODER.encode(_Request(invocation_id, source_arn, delivery_arn, region, encoded))


class Batcher:
    """Collects user records until a batch is full by raw bytes, by the size of its request, or by age."""

    def __init__(self, size_bytes: int, interval_seconds: float) -> None:
        self._size = min(size_bytes, LARGEST_BATCH)
        self._interval = interval_seconds
        self._records: list[UserRecord] = []
        self._raw = self._encoded = 0
        self._since = 0.0

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Sequence[UserRecord], now: float) -> list[list[UserRecord]]:
        """Take records in order; returns the batches that became full."""
        full = []
        for record in records:
            raw = len(record.data)
            encoded = raw * 4 // 3 + _ENVELOPE + len(record.partition_key)
            if self._records and (
                self._raw + raw > self._size or self._encoded + encoded > LARGEST_PAYLOAD - 1000
            ):
                full.append(self.cut())
            if not self._records:
                self._since = now
            self._records.append(record)
            self._raw += raw
            self._encoded += encoded
        return full

    def is_due(self, now: float) -> bool:
        """Whether what was collected has waited for the whole interval."""
        return bool(self._records) and now - self._since >= self._interval

    def cut(self) -> list[UserRecord]:
        """What was collected, which starts a new batch."""
        cut, self._records, self._raw, self._encoded = self._records, [], 0, 0
        return cut
