"""Reading the shards of a stream: iterators, their renewal, and children after their parents."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.local.firehose.checkpoints import Checkpoint

MOST_RECORDS = 500
"""Records of one GetRecords: nothing else bounds the answer when records are large."""
BYTES_PER_READ = 4_000_000
ITERATOR_SECONDS = 120.0
"""An iterator is renewed after this: MiniStack's is a position in a list that shifts when records expire."""
LIST_SECONDS = 5.0


@dataclass(frozen=True)
class RawRecord:
    """A record as GetRecords returns it; arrival in epoch milliseconds."""

    shard_id: str
    sequence_number: str
    partition_key: str
    data: bytes
    arrival_ms: int


class ShardReader:
    """Reads one shard from its checkpoint on."""

    def __init__(
        self,
        kinesis: Any,
        stream_arn: str,
        shard_id: str,
        start: Mapping[str, Any],
        clock: Callable[[], float],
    ) -> None:
        self._kinesis = kinesis
        self._stream_arn = stream_arn
        self.shard_id = shard_id
        self._start = dict(start)
        self._clock = clock
        self._iterator: str | None = None
        self._renew_at = 0.0
        self._size = 0.0
        self.behind_ms = 0
        self.closed = False

    def read(self) -> list[RawRecord]:
        """The next records, perhaps none. `closed` turns true when the shard has no more."""
        answer = self._answer()
        records = [self._record(each) for each in answer["Records"]]
        if records:
            last = records[-1].sequence_number
            self._start = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": last}
            self._size = sum(len(record.data) for record in records) / len(records)
        self.behind_ms = int(answer.get("MillisBehindLatest", 0))
        self._iterator = answer.get("NextShardIterator")
        self.closed = self._iterator is None
        return records

    def _answer(self) -> Mapping[str, Any]:
        while True:
            arguments = {"ShardIterator": self._valid_iterator(), "Limit": self._limit()}
            try:
                answer: Mapping[str, Any] = self._kinesis.get_records(**arguments, StreamARN=self._stream_arn)
                return answer
            except self._kinesis.exceptions.ExpiredIteratorException:
                self._iterator = None

    def _limit(self) -> int:
        return max(10, min(MOST_RECORDS, int(BYTES_PER_READ / self._size))) if self._size else 100

    def _valid_iterator(self) -> str:
        now = self._clock()
        if self._iterator is None or now >= self._renew_at:
            answer = self._kinesis.get_shard_iterator(
                StreamARN=self._stream_arn, ShardId=self.shard_id, **self._start
            )
            self._iterator = answer["ShardIterator"]
            self._renew_at = now + ITERATOR_SECONDS
        assert self._iterator is not None
        return self._iterator

    def _record(self, given: Mapping[str, Any]) -> RawRecord:
        arrival = given["ApproximateArrivalTimestamp"]
        return RawRecord(
            self.shard_id,
            given["SequenceNumber"],
            given["PartitionKey"],
            given["Data"],
            int(arrival.timestamp() * 1000),
        )


def readable_shards(shards: Iterable[Mapping[str, Any]], finished: frozenset[str]) -> list[Mapping[str, Any]]:
    """The shards that may be read now: not finished, and every parent that still exists is finished.

    Records of a parent come before those of its children, so a child waits.
    """
    known = {shard["ShardId"]: shard for shard in shards}
    return [
        shard
        for shard_id, shard in known.items()
        if shard_id not in finished
        and all(
            parent not in known or parent in finished
            for name in ("ParentShardId", "AdjacentParentShardId")
            if (parent := shard.get(name))
        )
    ]


def start_of(checkpoint: Checkpoint | None, created_at: float | None) -> dict[str, Any]:
    """Arguments of GetShardIterator: after the checkpoint; else from when the delivery stream was created
    (epoch seconds), as Firehose begins with what comes after it. When nobody knows that, from the shard's
    beginning: what comes twice is found by its id, what is skipped is gone.
    """
    if checkpoint is not None and checkpoint.sequence_number is not None:
        return {
            "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
            "StartingSequenceNumber": checkpoint.sequence_number,
        }
    if created_at is None:
        return {"ShardIteratorType": "TRIM_HORIZON"}
    return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": datetime.fromtimestamp(created_at, UTC)}


def list_shards(kinesis: Any, stream_arn: str) -> list[Mapping[str, Any]]:
    """Every shard of the stream, over all pages."""
    found: list[Mapping[str, Any]] = []
    arguments: dict[str, Any] = {"StreamARN": stream_arn}
    while True:
        answer = kinesis.list_shards(**arguments)
        found += answer["Shards"]
        if not answer.get("NextToken"):
            return found
        arguments = {"NextToken": answer["NextToken"]}
