"""Sends every event to its shard's bucket and hands full records on (pure: the time is passed in).

An aggregate must not hold events of two shards: consumers drop such a record whole, without a word.
"""

from collections.abc import Callable, Iterator, Sequence

from producers.errors import BadKeyError
from producers.packing.aggregation import key_entry
from producers.packing.open_record import Bucket, Limits
from producers.packing.record import Framing, Record
from producers.sinks.shard_map import Shard, ShardMap, hash_key

MOST_KEY_CHARACTERS = 256
_KNOWN_KEYS = 200_000  # bounded: keys come from outside

_TOGETHER = 500  # events between two looks at how full the buckets are
_Route = tuple[Callable[[bytes], None], Callable[[bytes], None], bytes, Bucket]
"""How a key's events go into their bucket: the appends of its two lists, the key's entry, and the bucket."""


def require_key(key: object) -> None:
    """Raises BadKeyError for what Kinesis takes for no partition key."""
    if type(key) is not str or not 0 < len(key) <= MOST_KEY_CHARACTERS:
        raise BadKeyError(key)
    try:
        key.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        raise BadKeyError(key) from None


class _Routes(dict[str, _Route]):
    """Partition key to its route; found on first use. A key that is not here yet is checked."""

    def __init__(self, find: Callable[[str], _Route]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, key: str) -> _Route:
        require_key(key)
        if len(self) >= _KNOWN_KEYS:
            self.clear()
        route = self[key] = self._find(key)
        return route


class Packer:
    """Takes events and gives records to `seal`: full ones at once, the others when asked."""

    def __init__(
        self, framing: Framing, shards: ShardMap | None, limits: Limits, seal: Callable[[Record], None]
    ) -> None:
        self._framing: Framing = framing if shards is not None or framing == "lines" else "none"
        self._shards = shards
        self._limits = limits
        self._seal = seal
        self._routes = _Routes(self._route)
        self._buckets: dict[str, Bucket] = {}
        self._explicit: dict[str, Bucket] = {}
        self._keyless_turn = 0

    def add(self, data: bytes, key: str, mark: int | None, now: Callable[[], float]) -> bool:
        """Packs one event by its partition key. True when it opened a record, to be sealed in time."""
        _, _, entry, bucket = self._routes[key]
        if mark is not None:
            bucket.marks.append(mark)
        for record in bucket.add(data, entry, now):
            self._seal(record)
        return len(bucket.data) == 1

    def add_many(self, data: Sequence[bytes], keys: Sequence[str], now: Callable[[], float]) -> bool:
        """`add` for many events at a few appends each. Raises BadKeyError before any is taken."""
        try:
            routes = list(map(self._routes.__getitem__, keys))
        except TypeError as error:
            raise BadKeyError(next(key for key in keys if type(key) is not str)) from error
        opened = False
        for start in range(0, len(data), _TOGETHER):
            end = start + _TOGETHER
            for blob, (add_data, add_entry, entry, _) in zip(data[start:end], routes[start:end], strict=True):
                add_data(blob)
                add_entry(entry)
            opened |= self._look(now)
        return opened

    def _look(self, now: Callable[[], float]) -> bool:
        """Seals what is full. True when a record was opened."""
        opened = False
        for bucket in self._buckets.values():
            if len(bucket.data) == bucket.counted:
                continue
            opened |= not bucket.counted
            for record in bucket.grown(now):
                self._seal(record)
                opened = True
        return opened

    def add_explicit(
        self, data: bytes, key: str, explicit: str, mark: int | None, now: Callable[[], float]
    ) -> bool:
        """Packs one event by its explicit hash key, apart from those that have none; returns as `add`.

        Readers disagree on aggregates in which only some events have an explicit hash key.
        """
        require_key(key)
        shard = self._shards.find(int(explicit)) if self._shards is not None else None
        bucket = self._bucket(self._explicit, shard)
        bucket.hash_keys.append(explicit)
        if mark is not None:
            bucket.marks.append(mark)
        for record in bucket.add(data, key_entry(key), now):
            self._seal(record)
        return len(bucket.data) == 1

    def keyless_hash_key(self) -> str:
        """The explicit hash key for events without a key: one shard's start, the next one's when it is
        full.
        """
        shards = self._shards.shards if self._shards is not None else ()
        if not shards:
            return "0"
        bucket = self._explicit.get(shards[self._keyless_turn % len(shards)].shard_id)
        if bucket is not None and bucket.size > self._limits.record_bytes * 0.9:
            self._keyless_turn += 1
        return str(shards[self._keyless_turn % len(shards)].start)

    def close_all(self, opened_before: float = float("inf")) -> float | None:
        """Seals the records opened before a time; returns when the oldest of the others was opened."""
        oldest: float | None = None
        for bucket in self._open():
            if bucket.opened_at <= opened_before:
                self._seal(bucket.close())
            elif oldest is None or bucket.opened_at < oldest:
                oldest = bucket.opened_at
        return oldest

    def _open(self) -> Iterator[Bucket]:
        for bucket in (*self._buckets.values(), *self._explicit.values()):
            if bucket.data:
                yield bucket

    def _route(self, key: str) -> _Route:
        shard = self._shards.find(hash_key(key)) if self._shards is not None else None
        bucket = self._bucket(self._buckets, shard)
        entry = key_entry(key)
        return bucket.data.append, bucket.entries.append, entry, bucket

    def _bucket(self, buckets: dict[str, Bucket], shard: Shard | None) -> Bucket:
        name = "" if shard is None else shard.shard_id
        bucket = buckets.get(name)
        if bucket is None:
            bucket = buckets[name] = Bucket(self._framing, shard, self._limits, buckets is self._explicit)
        return bucket
