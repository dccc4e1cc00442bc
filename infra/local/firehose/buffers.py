"""Rows that wait for delivery: one buffer per lake partition, due by size or by age."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.local.firehose.answers import Partition
from infra.local.firehose.records import UserRecord


@dataclass
class Buffer:
    """What one object will hold: rows, and the records that they were made of, side by side.

    `since` is when the first row came (epoch seconds), `oldest_ms` when the oldest record arrived in the
    stream.
    """

    partition: Partition
    since: float
    records: list[UserRecord] = field(default_factory=list)
    rows: list[bytes] = field(default_factory=list)
    size: int = 0
    oldest_ms: int = 0

    def add(self, records: Sequence[UserRecord], rows: list[bytes]) -> None:
        """Take rows with the records that they were made of."""
        oldest = min(record.place.arrival_ms for record in records)
        self.oldest_ms = min(self.oldest_ms or oldest, oldest)
        self.records += records
        self.rows += rows
        self.size += sum(map(len, rows))


class Buffers:
    """All buffers of a delivery stream, within its limit of active lake partitions."""

    def __init__(self, size_bytes: int, interval_seconds: float, most_partitions: int) -> None:
        self._size = size_bytes
        self._interval = interval_seconds
        self.most_partitions = most_partitions
        self._open: dict[Partition, Buffer] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, partition: Partition, records: Sequence[UserRecord], rows: list[bytes], now: float) -> bool:
        """Take rows for one lake partition; False when that would make one partition too many."""
        buffer = self._open.get(partition)
        if buffer is None:
            if len(self._open) >= self.most_partitions:
                return False
            buffer = self._open[partition] = Buffer(partition, now)
        buffer.add(records, rows)
        return True

    def take_due(self, now: float, *, everything: bool = False, only_full: bool = False) -> list[Buffer]:
        """Remove and return the buffers that are full or, unless `only_full`, old enough."""
        due = [
            buffer
            for buffer in self._open.values()
            if everything
            or buffer.size >= self._size
            or (not only_full and now - buffer.since >= self._interval)
        ]
        for buffer in due:
            del self._open[buffer.partition]
        return due
