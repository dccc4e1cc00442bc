"""Where a delivery stream's records come from: a Kinesis stream's shards, or what was put on it itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from infra.local.firehose.checkpoints import Checkpoint
from infra.local.firehose.deaggregation import unpack
from infra.local.firehose.direct_log import DirectLog, number_of, record_number
from infra.local.firehose.reader import BYTES_PER_READ, ShardReader, list_shards, readable_shards, start_of
from infra.local.firehose.records import Place, UserRecord

DIRECT = "direct"
"""Stands where a shard's name stands."""
Read = tuple[Sequence[Place], Sequence[UserRecord]]
"""What was read: the places, in order, and the user records of all of them."""


class Reader(Protocol):
    """Reads records in order. A worker's one thread uses it."""

    @property
    def shard_id(self) -> str:
        """What its checkpoints are kept under."""
        ...

    @property
    def behind_ms(self) -> int:
        """How old what comes next is, in milliseconds."""
        ...

    @property
    def closed(self) -> bool:
        """Nothing will come any more."""
        ...

    def read(self) -> Read:
        """The next records, perhaps none."""
        ...


class Source(Protocol):
    """The records of one delivery stream."""

    def readers(self, known: Mapping[str, Checkpoint], finished: frozenset[str]) -> Iterator[Reader]:
        """A reader for everything that may be read now, behind its checkpoint."""
        ...

    def done(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """These checkpoints are kept: what lies before them is not read again."""
        ...


class KinesisSource:
    """A Kinesis stream.

    `created_at` is when the delivery stream was created (epoch seconds): where shards without a checkpoint
    are read from. None reads them from their beginning.
    """

    def __init__(
        self, kinesis: Any, stream_arn: str, clock: Callable[[], float], created_at: float | None
    ) -> None:
        self._kinesis, self._arn, self._clock, self._created_at = kinesis, stream_arn, clock, created_at

    def readers(self, known: Mapping[str, Checkpoint], finished: frozenset[str]) -> Iterator[Reader]:
        """One for each shard whose parents are finished."""
        for shard in readable_shards(list_shards(self._kinesis, self._arn), finished):
            shard_id = shard["ShardId"]
            start = start_of(known.get(shard_id), self._created_at)
            yield _Shard(self._kinesis, self._arn, shard_id, start, self._clock)

    def done(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """The stream keeps its records for its retention."""


class _Shard:
    """A shard's records, aggregates taken apart."""

    def __init__(self, kinesis: Any, arn: str, shard_id: str, start: Any, clock: Callable[[], float]) -> None:
        self._reader = ShardReader(kinesis, arn, shard_id, start, clock)

    @property
    def shard_id(self) -> str:
        return self._reader.shard_id

    @property
    def behind_ms(self) -> int:
        return self._reader.behind_ms

    @property
    def closed(self) -> bool:
        return self._reader.closed

    def read(self) -> Read:
        places: list[Place] = []
        records: list[UserRecord] = []
        for raw in self._reader.read():
            unpacked = unpack(raw.partition_key, raw.data)
            place = Place(raw.shard_id, raw.sequence_number, raw.arrival_ms, len(unpacked))
            places.append(place)
            records += [UserRecord(place, sub, key, data) for sub, (key, data) in enumerate(unpacked)]
        return places, records


class DirectSource:
    """What was put on the delivery stream itself."""

    def __init__(self, log: DirectLog, clock: Callable[[], float]) -> None:
        self._log, self._clock = log, clock

    def readers(self, known: Mapping[str, Checkpoint], finished: frozenset[str]) -> Iterator[Reader]:  # noqa: ARG002
        """The one there is."""
        checkpoint = known.get(DIRECT)
        after = number_of(checkpoint.sequence_number) if checkpoint and checkpoint.sequence_number else 0
        self._log.forget(after)  # the process may have ended between a checkpoint and this
        yield _Requests(self._log, after, self._clock)

    def done(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """What is delivered is deleted."""
        checkpoint = checkpoints.get(DIRECT)
        if checkpoint is not None and checkpoint.sequence_number is not None:
            self._log.forget(number_of(checkpoint.sequence_number))


class _Requests:
    """The requests that were kept, records as they were put: only a Kinesis stream's aggregates are taken
    apart.
    """

    def __init__(self, log: DirectLog, after: int, clock: Callable[[], float]) -> None:
        self.shard_id = DIRECT
        self.behind_ms = 0
        self.closed = False
        self._log, self._after, self._clock = log, after, clock

    def read(self) -> Read:
        places: list[Place] = []
        records: list[UserRecord] = []
        for request in self._log.read(self._after, BYTES_PER_READ):
            number = record_number(request.number)
            place = Place(DIRECT, number, request.arrival_ms, len(request.records))
            places.append(place)
            records += [UserRecord(place, sub, "", data) for sub, data in enumerate(request.records)]
            self._after = request.number
        self.behind_ms = max(0, int(self._clock() * 1000) - places[-1].arrival_ms) if places else 0
        return places, records
