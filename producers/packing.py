"""Packs events into Kinesis records, one open bucket per shard (pure: the time is passed in).

An aggregate must not hold events of two shards: consumers drop such a record whole, without a word.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from producers.aggregation import (
    EXPLICIT_HEADER_BYTES,
    FRAME_BYTES,
    HEADER_BYTES,
    KEY_ENTRIES,
    PLACE_SHIFT,
    aggregate_coded,
    aggregate_explicit,
)
from producers.record_sink import DEFAULT_RECORD_BYTES, SinkRecord
from producers.shard_map import Shard, ShardMap, hash_key

Framing = Literal["kpl", "lines", "none"]

EVENT_OVERHEAD = 64  # what Python keeps for an event besides its bytes
_KNOWN_KEYS = 200_000  # bounded: keys come from outside
_HEADER: dict[Framing, int] = {"kpl": HEADER_BYTES, "lines": 1, "none": 0}


class Record:
    """A packed Kinesis record: its events, and what became of it so far.

    Attributes:
        data: bytes of every event, in order.
        places, codes: distinct keys with their places; for every event its key's place << 24 | its length.
        hash_keys: explicit hash key of every event, or none at all.
        marks: for every event what the spool knows it by, or none at all.
        shard: the shard that it belongs to by the map of its day; None for a record that is not checked.
        opened_at: when its first event came, on the monotonic clock.
        size: bytes that it takes in a request, at most.
        attempts: how often it was sent.
        landed: the shard that took it, when that was not the one foreseen.
    """

    __slots__ = (
        "attempts",
        "codes",
        "data",
        "framing",
        "hash_keys",
        "landed",
        "marks",
        "opened_at",
        "places",
        "shard",
        "size",
        "wire",
    )

    def __init__(self, framing: Framing, bucket: "Bucket") -> None:
        self.framing = framing
        self.shard = bucket.shard
        self.opened_at = bucket.opened_at
        self.data = bucket.data
        self.places = bucket.places
        self.codes = bucket.codes
        self.hash_keys = bucket.hash_keys
        self.marks = bucket.marks
        self.size = bucket.size
        self.attempts = 0
        self.landed: str | None = None
        self.wire: SinkRecord | None = None

    @property
    def count(self) -> int:
        """How many events it holds."""
        return len(self.data)

    @property
    def must_stay_in_shard(self) -> bool:
        """Whether consumers would drop it in another shard than that of its events."""
        return self.framing == "kpl" and len(self.data) > 1

    def keys(self) -> list[str]:
        """The partition key of every event."""
        keys = list(self.places)
        return [keys[code >> PLACE_SHIFT] for code in self.codes]

    def events(self) -> Iterator[tuple[bytes, str, str | None, int | None]]:
        """(bytes, key, explicit hash key, mark) of every event, to pack or keep them anew."""
        nothing = [None] * len(self.data)
        return zip(self.data, self.keys(), self.hash_keys or nothing, self.marks or nothing, strict=True)

    def held_bytes(self) -> int:
        """What its events take of the buffer."""
        return sum(map(len, self.data)) + EVENT_OVERHEAD * len(self.data)

    def sealed(self) -> SinkRecord:
        """The record as it is sent. A single event goes as it is."""
        if self.wire is None:
            self.wire = self._framed()
        return self.wire

    def _framed(self) -> SinkRecord:
        explicit = self.hash_keys[0] if self.hash_keys else None
        first = next(iter(self.places))
        if len(self.data) == 1:
            return SinkRecord(self.data[0], first, explicit)
        if self.framing == "lines":
            return SinkRecord(b"\n".join(self.data), first, explicit)
        if self.hash_keys:
            return SinkRecord(aggregate_explicit(self.keys(), self.hash_keys, self.data), first, explicit)
        return SinkRecord(aggregate_coded(self.places, self.codes, self.data), first)

    def every_hash_key(self) -> Sequence[int]:
        """The hash keys of its events."""
        return (
            [int(text) for text in self.hash_keys]
            if self.hash_keys
            else [hash_key(key) for key in self.places]
        )


class Bucket:
    """The open record of one shard. `alone`: every event is a record of its own."""

    __slots__ = ("alone", "codes", "data", "hash_keys", "marks", "opened_at", "places", "shard", "size")

    def __init__(self, shard: Shard | None, alone: bool) -> None:
        self.shard = shard
        self.alone = alone
        self.opened_at = 0.0
        self.clear()

    def clear(self) -> None:
        """Opens the next record."""
        self.data: list[bytes] = []
        self.codes: list[int] = []
        self.places: dict[str, int] = {}
        self.hash_keys: list[str] = []
        self.marks: list[int] = []
        self.size = FRAME_BYTES


@dataclass(frozen=True)
class Limits:
    """How large records may grow. A record that is larger than `record_bytes` holds one event.

    51,200 bytes are two of the 25 KB units in which a provisioned stream counts, and 500 events are what
    Firehose takes apart.
    """

    record_bytes: int = 51_200
    events: int = 500
    largest_record_bytes: int = DEFAULT_RECORD_BYTES


class Packer:
    """Takes events one by one and gives records to `seal`: full ones at once, the others when asked."""

    def __init__(
        self, framing: Framing, shards: ShardMap | None, limits: Limits, seal: Callable[[Record], None]
    ) -> None:
        self._framing: Framing = framing if shards is not None or framing == "lines" else "none"
        self._shards = shards
        self._most = limits.record_bytes
        self._most_events = limits.events
        self._seal = seal
        self._header = _HEADER[self._framing]
        self._counts_keys = self._framing == "kpl"
        self._routes: dict[str, Bucket] = {}
        self._buckets: dict[str, Bucket] = {}
        self._explicit: dict[str, Bucket] = {}
        self._keyless_turn = 0

    def add(self, data: bytes, key: str, mark: int | None, now: Callable[[], float]) -> bool:
        """Packs one event by its partition key. True when it opened a record: that has to be sealed in
        time.
        """
        bucket = self._routes.get(key)
        if bucket is None:
            bucket = self._route(key)
        place = bucket.places.get(key)
        size = bucket.size + len(data) + self._header
        if place is None and self._counts_keys:
            size += len(KEY_ENTRIES[key])
        if size > self._most or len(bucket.data) >= self._most_events or bucket.alone:
            self.close(bucket)
            if self._is_large(data, key) or bucket.alone:
                self._append(bucket, data, key, None, mark, now)
                self.close(bucket)
                return False
        if not bucket.data:
            self._append(bucket, data, key, None, mark, now)
            return True
        if place is None:
            places = bucket.places
            place = places[key] = len(places) << PLACE_SHIFT
        bucket.size = size
        bucket.data.append(data)
        bucket.codes.append(place | len(data))
        if mark is not None:
            bucket.marks.append(mark)
        return False

    def add_many(self, data: Sequence[bytes], keys: Sequence[str], now: Callable[[], float]) -> bool:
        """`add` for many events, with the common case in one loop: half of the time of as many calls."""
        routes, header, most, most_events = self._routes, self._header, self._most, self._most_events
        entries = KEY_ENTRIES if self._counts_keys else None
        opened = False
        for blob, key in zip(data, keys, strict=True):
            bucket = routes.get(key)
            if bucket is None or not bucket.data:
                opened |= self.add(blob, key, None, now)
                continue
            length = len(blob)
            size = bucket.size + length + header
            places = bucket.places
            place = places.get(key)
            if place is None and entries is not None:
                size += len(entries[key])
            if size > most or len(bucket.data) >= most_events:
                opened |= self.add(blob, key, None, now)
                continue
            if place is None:
                place = places[key] = len(places) << PLACE_SHIFT
            bucket.size = size
            bucket.data.append(blob)
            bucket.codes.append(place | length)
        return opened

    def add_explicit(
        self, data: bytes, key: str, explicit: str, mark: int | None, now: Callable[[], float]
    ) -> bool:
        """Packs one event by its explicit hash key, apart from those that have none; returns as `add`.

        Readers disagree on aggregates in which only some events have an explicit hash key.
        """
        shard = self._shards.find(int(explicit)) if self._shards is not None else None
        name = "" if shard is None else shard.shard_id
        bucket = self._explicit.get(name)
        if bucket is None:
            bucket = self._explicit[name] = self._bucket(shard)
        size = bucket.size + self._explicit_bytes(data, key, explicit)
        if size > self._most or len(bucket.data) >= self._most_events:
            self.close(bucket)
        opened = not bucket.data
        self._append(bucket, data, key, explicit, mark, now)
        if bucket.alone or bucket.size > self._most:
            self.close(bucket)
            return False
        return opened

    def keyless_hash_key(self) -> str:
        """The explicit hash key for events without a key: one shard's start, the next one's when it is
        full.
        """
        shards = self._shards.shards if self._shards is not None else ()
        if not shards:
            return "0"
        bucket = self._explicit.get(shards[self._keyless_turn % len(shards)].shard_id)
        if bucket is not None and bucket.size > self._most * 0.9:
            self._keyless_turn += 1
        return str(shards[self._keyless_turn % len(shards)].start)

    def close(self, bucket: Bucket) -> None:
        """Seals the bucket's record, if it has one."""
        if bucket.data:
            record = Record(self._framing, bucket)
            bucket.clear()
            self._seal(record)

    def close_all(self, opened_before: float = float("inf")) -> float | None:
        """Seals the records opened before a time; returns when the oldest of the others was opened."""
        oldest: float | None = None
        for bucket in (*self._buckets.values(), *self._explicit.values()):
            if not bucket.data:
                continue
            if bucket.opened_at <= opened_before:
                self.close(bucket)
            elif oldest is None or bucket.opened_at < oldest:
                oldest = bucket.opened_at
        return oldest

    def _append(
        self,
        bucket: Bucket,
        data: bytes,
        key: str,
        explicit: str | None,
        mark: int | None,
        now: Callable[[], float],
    ) -> None:
        """The long way, for what is not the common case: the first event of a record, explicit hash keys."""
        if not bucket.data:
            bucket.opened_at = now()
        place = bucket.places.get(key)
        if place is None:
            place = bucket.places[key] = len(bucket.places) << PLACE_SHIFT
        bucket.size += self._explicit_bytes(data, key, explicit)
        bucket.data.append(data)
        bucket.codes.append(place | len(data))
        if mark is not None:
            bucket.marks.append(mark)
        if explicit is not None:
            bucket.hash_keys.append(explicit)

    def _explicit_bytes(self, data: bytes, key: str, explicit: str | None) -> int:
        size = len(data) + self._header
        if self._counts_keys:
            size += len(KEY_ENTRIES[key])
        return size if explicit is None else size + EXPLICIT_HEADER_BYTES + len(explicit)

    def _is_large(self, data: bytes, key: str) -> bool:
        return FRAME_BYTES + self._explicit_bytes(data, key, None) > self._most

    def _route(self, key: str) -> Bucket:
        shard = self._shards.find(hash_key(key)) if self._shards is not None else None
        name = "" if shard is None else shard.shard_id
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = self._bucket(shard)
        if len(self._routes) >= _KNOWN_KEYS:
            self._routes.clear()
        self._routes[key] = bucket
        return bucket

    def _bucket(self, shard: Shard | None) -> Bucket:
        # While a stream is resharded a key can lie in a gap of the map: it must not share an aggregate.
        return Bucket(shard, alone=self._framing == "none" or (shard is None and self._framing == "kpl"))
