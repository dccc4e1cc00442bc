"""The open record of one shard: takes events without looking, and cuts off whole records (pure).

Events are added by two appends and nothing else; how full the bucket is, is found out for many events at
once. That is what makes an event cheap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from producers.packing.aggregation import EXPLICIT_HEADER_BYTES, FRAME_BYTES, HEADER_BYTES
from producers.packing.record import Content, Framing, Record
from producers.sinks.port import DEFAULT_RECORD_BYTES
from producers.sinks.shard_map import Shard

_HEADER: dict[Framing, int] = {"kpl": HEADER_BYTES, "lines": 1, "none": 0}


@dataclass(frozen=True)
class Limits:
    """How large records may grow. A record that is larger than `record_bytes` holds one event.

    51,200 bytes are two of the 25 KB units in which a provisioned stream counts, and 500 events are what
    Firehose takes apart.
    """

    record_bytes: int = 51_200
    events: int = 500
    largest_record_bytes: int = DEFAULT_RECORD_BYTES


class Bucket:
    """See the module.

    Attributes:
        data, entries: the events that are not in a record yet: their bytes, and their keys as entries of an
        aggregate's table. Whoever appends to them calls `grown`.
        hash_keys, marks: as in `producers.packing.record.Content`.
        counted: how many of them were looked at.
        size: bytes of those, at most.
    """

    __slots__ = (
        "_counts_keys",
        "_framing",
        "_header",
        "_most",
        "_most_events",
        "counted",
        "data",
        "entries",
        "hash_keys",
        "marks",
        "opened_at",
        "shard",
        "size",
    )

    def __init__(
        self, framing: Framing, shard: Shard | None, limits: Limits, has_hash_keys: bool = False
    ) -> None:
        self.shard = shard
        self._framing: Framing = framing
        self._header = _HEADER[framing] + (EXPLICIT_HEADER_BYTES if has_hash_keys else 0)
        self._counts_keys = framing == "kpl"
        # While a stream is resharded a key can lie in a gap of the map: it must not share an aggregate.
        is_alone = framing == "none" or (shard is None and framing == "kpl")
        self._most = limits.record_bytes
        self._most_events = 1 if is_alone else limits.events
        self.data: list[bytes] = []
        self.entries: list[bytes] = []
        self.hash_keys: list[str] = []
        self.marks: list[int] = []
        self.opened_at = 0.0
        self.size = FRAME_BYTES
        self.counted = 0

    def add(self, data: bytes, entry: bytes, now: Callable[[], float]) -> Sequence[Record]:
        """Takes one event; the records that are full now."""
        if not self.data:
            self.opened_at = now()
        self.data.append(data)
        self.entries.append(entry)
        self.counted += 1
        self.size += len(data) + self._header + (len(entry) if self._counts_keys else 0)
        if self.size <= self._most and self.counted < self._most_events:
            return ()
        return self._full(now)

    def grown(self, now: Callable[[], float]) -> Sequence[Record]:
        """Looks at what was appended; the records that are full now."""
        data, before = self.data, self.counted
        if not before:
            self.opened_at = now()
        self.counted = len(data)
        # As if every key were new: never too little.
        self.size += sum(map(len, data[before:])) + self._header * (len(data) - before)
        if self._counts_keys:
            self.size += sum(map(len, self.entries[before:]))
        if self.size <= self._most and self.counted < self._most_events:
            return ()
        return self._full(now)

    def close(self) -> Record:
        """The record that is open; there must be one."""
        return self._cut(len(self.data))

    def _full(self, now: Callable[[], float]) -> Sequence[Record]:
        found: list[Record] = []
        while self.data:
            count, self.size = self._fitting()
            if count == len(self.data) < self._most_events and self.size <= self._most:
                break
            found.append(self._cut(count))
            self.opened_at = now()
        return found

    def _fitting(self) -> tuple[int, int]:
        """How many events from the first on fill a record (one, if that alone is too large), and their size.

        What is too much is taken off from the end, where the last events were added; their keys stay charged.
        """
        count, data, header = len(self.data), self.data, self._header
        size = FRAME_BYTES + sum(map(len, data)) + header * count
        if self._counts_keys:
            size += sum(map(len, dict.fromkeys(self.entries)))
        while count > 1 and (size > self._most or count > self._most_events):
            count -= 1
            size -= len(data[count]) + header
        return count, size

    def _cut(self, count: int) -> Record:
        parts = (self.data, self.entries, self.hash_keys, self.marks)
        content = Content(*(part[:count] for part in parts))  # type: ignore[arg-type]
        for part in parts:
            del part[:count]
        self.counted = len(self.data)
        self.size = FRAME_BYTES
        return Record(self._framing, self.shard, self.opened_at, content)
