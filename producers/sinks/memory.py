"""A sink that keeps what it is given: for tests, for `--dry-run`, and to see what a producer would send."""

import threading
from collections.abc import Callable, Sequence

from producers.sinks.port import Answer, SinkRecord, StreamFacts, Taken
from producers.sinks.shard_map import Shard, ShardMap, hash_key

HASH_KEYS = 1 << 128


def even_shards(count: int) -> ShardMap:
    """The shards of a new stream: `count` equal ranges."""
    ends = [HASH_KEYS * (place + 1) // count - 1 for place in range(count)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return ShardMap(
        Shard(f"shardId-{place:012d}", start, end)
        for place, (start, end) in enumerate(zip(starts, ends, strict=True))
    )


class MemorySink:
    """Takes every record and hands it to `keep` with the id of its shard."""

    def __init__(
        self, shards: ShardMap, keep: Callable[[str, SinkRecord], None], *, takes_aggregates: bool = True
    ) -> None:
        self._facts = StreamFacts(shards, takes_aggregates=takes_aggregates)
        self._shards = shards
        self._keep = keep
        self._lock = threading.Lock()
        self._number = 0

    def describe(self) -> StreamFacts:
        """The shards that the sink was made with."""
        return self._facts

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        """Keeps the records, in their order."""
        with self._lock:
            return [self._take(record) for record in records]

    def reopen(self) -> None:
        """Nothing is open."""

    def _take(self, record: SinkRecord) -> Taken:
        explicit = record.explicit_hash_key
        shard = self._shards.find(hash_key(record.partition_key) if explicit is None else int(explicit))
        assert shard is not None
        self._number += 1
        self._keep(shard.shard_id, record)
        return Taken(shard.shard_id, f"{self._number:056d}")
