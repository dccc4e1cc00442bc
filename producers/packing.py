"""Packs events into Kinesis records, one open bucket per shard (pure: the time is passed in).

An aggregate must not hold events of two shards: consumers drop such a record whole, without a word.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from producers.aggregation import (
    EXPLICIT_HEADER_BYTES,
    FRAME_BYTES,
    HEADER_BYTES,
    aggregate,
    aggregate_explicit,
    key_entry_bytes,
)
from producers.record_sink import DEFAULT_RECORD_BYTES, SinkRecord
from producers.shard_map import Shard, ShardMap, hash_key

Framing = Literal["kpl", "lines", "none"]

EVENT_OVERHEAD = 64  # what Python keeps for an event besides its bytes
_KNOWN_KEYS = 200_000  # bounded: keys come from outside
_HEADER = {"kpl": HEADER_BYTES, "lines": 1, "none": 0}


class Record:
    """A Kinesis record that is packed, or being packed: its events, and what became of it so far.

    Attributes:
        keys, data: partition key and bytes of every event, in order.
        hash_keys: explicit hash key of every event, when they have one.
        shard: the shard that it belongs to by the map of its day; None for a record that is not checked.
        opened_at: when its first event came, on the monotonic clock.
        marks: for every event, what the spool (or the caller) knows it by.
        size: bytes that it takes in a request, at most.
        attempts: how often it was sent.
        landed: the shard that took it, when that was not the one foreseen.
    """

    __slots__ = (
        "attempts",
        "data",
        "framing",
        "hash_keys",
        "keys",
        "landed",
        "marks",
        "opened_at",
        "shard",
        "size",
        "wire",
    )

    def __init__(self, framing: Framing, shard: Shard | None, opened_at: float) -> None:
        self.framing = framing
        self.shard = shard
        self.opened_at = opened_at
        self.keys: list[str] = []
        self.data: list[bytes] = []
        self.hash_keys: list[str] | None = None
        self.marks: list[Any] = []
        self.size = 0
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
        if len(self.data) == 1:
            return SinkRecord(self.data[0], self.keys[0], explicit)
        if self.framing == "lines":
            return SinkRecord(b"\n".join(self.data), self.keys[0], explicit)
        if self.hash_keys:
            return SinkRecord(
                aggregate_explicit(self.keys, self.hash_keys, self.data), self.keys[0], explicit
            )
        return SinkRecord(aggregate(self.keys, self.data), self.keys[0])

    def every_hash_key(self) -> Sequence[int]:
        """The hash keys of its events."""
        return (
            [int(text) for text in self.hash_keys] if self.hash_keys else [hash_key(key) for key in self.keys]
        )


class Bucket:
    """The open record of one shard, and which keys it has seen. `alone`: every event is a record of its own."""

    __slots__ = ("alone", "record", "seen", "shard", "size")

    def __init__(self, shard: Shard | None, alone: bool) -> None:
        self.shard = shard
        self.alone = alone
        self.record: Record | None = None
        self.seen: set[str] = set()
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
        self._limits = limits
        self._seal = seal
        self._header = _HEADER[framing]
        self._routes: dict[str, tuple[Bucket, int]] = {}
        self._buckets: dict[str, Bucket] = {}
        self._explicit: dict[str, Bucket] = {}
        self._keyless_turn = 0

    def add(self, data: bytes, key: str, mark: Any, now: Callable[[], float]) -> bool:
        """Packs one event by its partition key. True when it opened a record, which then has to be sealed in time."""
        route = self._routes.get(key)
        if route is None:
            route = self._route(key)
        bucket, key_bytes = route
        if bucket.alone:
            self._single(bucket, data, key, mark, now())
            return False
        grown = bucket.size + len(data) + self._header
        if key not in bucket.seen:
            grown += key_bytes
        record = bucket.record
        opened = record is None
        if record is not None and (
            grown > self._limits.record_bytes or len(record.data) >= self._limits.events
        ):
            self.close(bucket)
            opened = True
        if opened:
            grown = FRAME_BYTES + len(data) + self._header + key_bytes
            if grown > self._limits.record_bytes:
                self._single(bucket, data, key, mark, now())
                return False
            record = bucket.record = Record(self._framing, bucket.shard, now())
        assert record is not None
        record.data.append(data)
        record.keys.append(key)
        record.marks.append(mark)
        bucket.seen.add(key)
        bucket.size = grown
        return opened

    def add_explicit(self, data: bytes, key: str, explicit: str, mark: Any, now: float) -> None:
        """Packs one event by its explicit hash key, apart from those that have none.

        Readers disagree on aggregates in which only some events have an explicit hash key.
        """
        shard = self._shards.find(int(explicit)) if self._shards is not None else None
        name = "" if shard is None else shard.shard_id
        bucket = self._explicit.setdefault(name, self._bucket(shard))
        grown = (
            bucket.size + len(data) + EXPLICIT_HEADER_BYTES + key_entry_bytes(key) + key_entry_bytes(explicit)
        )
        record = bucket.record
        if record is not None and (
            grown > self._limits.record_bytes or len(record.data) >= self._limits.events
        ):
            self.close(bucket)
            record, grown = None, FRAME_BYTES + grown - bucket.size
        if record is None:
            record = bucket.record = Record(self._framing, shard, now)
            record.hash_keys = []
        assert record.hash_keys is not None
        record.data.append(data)
        record.keys.append(key)
        record.hash_keys.append(explicit)
        record.marks.append(mark)
        bucket.size = grown
        if bucket.alone or grown > self._limits.record_bytes:
            self.close(bucket)

    def keyless_hash_key(self) -> str:
        """The explicit hash key for events without a key: one shard's start, and the next shard's when it is full."""
        shards = self._shards.shards if self._shards is not None else ()
        if not shards:
            return "0"
        shard = shards[self._keyless_turn % len(shards)]
        bucket = self._explicit.get(shard.shard_id)
        if bucket is not None and bucket.record is not None and bucket.size > self._limits.record_bytes * 0.9:
            self._keyless_turn += 1
            shard = shards[self._keyless_turn % len(shards)]
        return str(shard.start)

    def close(self, bucket: Bucket) -> None:
        """Seals the bucket's record, if it has one."""
        record = bucket.record
        if record is not None:
            record.size = bucket.size
            bucket.record = None
            bucket.seen = set()
            bucket.size = FRAME_BYTES
            self._seal(record)

    def close_all(self, opened_before: float = float("inf")) -> float | None:
        """Seals the records that were opened before a time; returns when the oldest of the others was opened."""
        oldest: float | None = None
        for bucket in (*self._buckets.values(), *self._explicit.values()):
            if bucket.record is None:
                continue
            if bucket.record.opened_at <= opened_before:
                self.close(bucket)
            elif oldest is None or bucket.record.opened_at < oldest:
                oldest = bucket.record.opened_at
        return oldest

    def _route(self, key: str) -> tuple[Bucket, int]:
        shard = self._shards.find(hash_key(key)) if self._shards is not None else None
        name = "" if shard is None else shard.shard_id
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = self._bucket(shard)
        if len(self._routes) >= _KNOWN_KEYS:
            self._routes.clear()
        route = self._routes[key] = (bucket, key_entry_bytes(key))
        return route

    def _bucket(self, shard: Shard | None) -> Bucket:
        # While a stream is resharded a key can lie in a gap of the map: it must not share an aggregate.
        return Bucket(shard, alone=self._framing == "none" or (shard is None and self._framing == "kpl"))

    def _single(self, bucket: Bucket, data: bytes, key: str, mark: Any, now: float) -> None:
        self.close(bucket)
        record = Record("none", bucket.shard, now)
        record.data.append(data)
        record.keys.append(key)
        record.marks.append(mark)
        record.size = len(data) + len(key)
        self._seal(record)
