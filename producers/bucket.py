"""The open record of one shard: takes events without looking, and cuts off whole records (pure).

Events are added by two appends and nothing else; how full the bucket is, is found out for many events at
once. That is what makes an event cheap.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from producers.aggregation import EXPLICIT_HEADER_BYTES, FRAME_BYTES, HEADER_BYTES
from producers.record import Content, Framing, Record
from producers.record_sink import DEFAULT_RECORD_BYTES
from producers.shard_map import Shard

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
        hash_keys, marks: as in `producers.record.Content`.
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

    def __init__(self, framing: Framing, shard: Shard | None, limits: Limits) -> None:
        self.shard = shard
        self._framing: Framing = framing
        self._header = _HEADER[framing]
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

    def add(self, data: bytes, entry: bytes, charge: int, now: Callable[[], float]) -> Sequence[Record]:
        """Takes one event; the records that are full now. `charge`: what it takes besides its own bytes."""
        if not self.data:
            self.opened_at = now()
        self.data.append(data)
        self.entries.append(entry)
        self.counted += 1
        self.size += len(data) + charge
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
            fitting = self._fitting()
            if fitting == len(self.data) < self._most_events and self.size <= self._most:
                break
            found.append(self._cut(fitting))
            self.opened_at = now()
        return found

    def _fitting(self) -> int:
        """How many events from the first on fill a record; one, if that alone is too large. Sets `size`."""
        if self._most_events == 1:
            return 1
        sizes = list(accumulate(self._charges(), initial=FRAME_BYTES))
        keys = self.entries if self._counts_keys else [b""] * len(self.data)
        most = min(bisect_right(sizes, self._most) - 1, self._most_events)
        # With the keys of all these charged, so many fit for sure; then the few that fit besides.
        room = self._most - sum(map(len, dict.fromkeys(keys[:most])))
        count = max(1, min(bisect_right(sizes, room) - 1, most))
        known = dict.fromkeys(keys[:count])
        table = sum(map(len, known))
        while count < most:
            key = keys[count]
            more = 0 if key in known else len(key)
            if sizes[count + 1] + table + more > self._most:
                break
            known[key] = None
            table += more
            count += 1
        self.size = sizes[count] + table
        return count

    def _charges(self) -> Iterator[int]:
        """Bytes of each event, its key's entry left out."""
        if not self.hash_keys:
            return map(self._header.__add__, map(len, self.data))
        pairs = zip(self.data, self.hash_keys, strict=True)
        return (len(blob) + EXPLICIT_HEADER_BYTES + len(hashed) for blob, hashed in pairs)

    def _cut(self, count: int) -> Record:
        parts = (self.data, self.entries, self.hash_keys, self.marks)
        content = Content(*(part[:count] for part in parts))  # type: ignore[arg-type]
        for part in parts:
            del part[:count]
        self.counted = len(self.data)
        self.size = FRAME_BYTES
        return Record(self._framing, self.shard, self.opened_at, content)
