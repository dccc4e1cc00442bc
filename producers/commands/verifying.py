"""Looks at what is on a stream: takes records apart and says what consumers would stumble over."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from producers.errors import StreamRefusedError
from producers.packing.aggregation import MAGIC, NotAnAggregateError, deaggregate, is_aggregate
from producers.sinks.shard_map import Shard, hash_key

PATIENCE = 3  # empty answers in a row after which a shard is taken to be read


@dataclass
class Findings:
    """Counts of what was read.

    Attributes:
        records, aggregates, events: Kinesis records; those that are aggregates; events in all of them.
        damaged: records that begin as aggregates and are none: consumers get their bytes as one event.
        foreign: events in an aggregate that lies in another shard than theirs: consumers drop it whole.
        data_bytes: data of the records.
    """

    records: int = 0
    aggregates: int = 0
    events: int = 0
    damaged: int = 0
    foreign: int = 0
    data_bytes: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether consumers can read everything."""
        return not self.damaged and not self.foreign

    def look_at(self, data: bytes, shard: Shard) -> None:
        """One record of a shard."""
        self.records += 1
        self.data_bytes += len(data)
        if not is_aggregate(data):
            self.events += 1
            self.damaged += data.startswith(MAGIC)
            return
        try:
            users = deaggregate(data)
        except NotAnAggregateError:
            self.damaged += 1
            return
        self.aggregates += 1
        self.events += len(users)
        for user in users:
            explicit = user.explicit_hash_key
            found = hash_key(user.partition_key) if explicit is None else int(explicit)
            self.foreign += not shard.holds(found)


def verify(client: Any, stream_name: str) -> Findings:
    """Reads the stream from its beginning, every open shard. Raises StreamRefusedError when there is none."""
    from producers.sinks.kinesis import KinesisSink

    shards = KinesisSink(stream_name, client).describe().shards
    if shards is None:
        raise StreamRefusedError(
            f"The shards of {stream_name} cannot be listed: kinesis:ListShards is denied."
        )
    findings = Findings()
    for shard in shards.shards:
        for data in _records(client, stream_name, shard.shard_id):
            findings.look_at(data, shard)
    return findings


def _records(client: Any, stream_name: str, shard_id: str) -> Iterator[bytes]:
    iterator = client.get_shard_iterator(
        StreamName=stream_name, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    empty = 0
    while iterator and empty < PATIENCE:
        answer = client.get_records(ShardIterator=iterator, Limit=1_000)
        yield from (record["Data"] for record in answer["Records"])
        empty = 0 if answer["Records"] else empty + 1
        if not answer["Records"] and answer.get("MillisBehindLatest", 0) == 0:
            return
        iterator = answer.get("NextShardIterator")
