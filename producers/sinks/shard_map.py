"""Which shard a partition key belongs to (pure)."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import md5


@dataclass(frozen=True, slots=True)
class Shard:
    """An open shard and the hash keys that are its own, both ends included."""

    shard_id: str
    start: int
    end: int

    def holds(self, hash_key: int) -> bool:
        """Whether the hash key lies in the shard's range."""
        return self.start <= hash_key <= self.end


def hash_key(partition_key: str) -> int:
    """The 128-bit number that Kinesis makes of a partition key."""
    return int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest(), "big")


class ShardMap:
    """The open shards of a stream. Ranges may have gaps for a moment while a stream is resharded."""

    def __init__(self, shards: Iterable[Shard]) -> None:
        self.shards = tuple(sorted(shards, key=lambda shard: shard.start))
        self._starts = [shard.start for shard in self.shards]
        self._by_id = {shard.shard_id: shard for shard in self.shards}

    def find(self, hash_key: int) -> Shard | None:
        """The shard that holds the hash key; None in a gap."""
        place = bisect_right(self._starts, hash_key) - 1
        if place < 0:
            return None
        shard = self.shards[place]
        return shard if hash_key <= shard.end else None

    def get(self, shard_id: str) -> Shard | None:
        """The shard of this id, when it is open."""
        return self._by_id.get(shard_id)

    def __len__(self) -> int:
        return len(self.shards)
