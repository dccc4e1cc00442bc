"""Notes what came of a sender's work, and decides what happens to the records."""

from collections.abc import Sequence

from producers.errors import ProducerError, StreamRefusedError, StreamUnavailableError
from producers.packing.record import Record
from producers.sending.backlog import Backlog
from producers.sinks.port import Answer, StreamFacts, Taken
from producers.sinks.shard_map import ShardMap


class Outcomes:
    """Every batch that `Dispatch` gave out comes back by `settle`, `put_back` or `condemn`."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog

    def described(self, facts: StreamFacts) -> None:
        """The stream as it is now: everything that waits is packed by its shards."""
        backlog = self._backlog
        with backlog.lock:
            backlog.endpoint.answered()
            backlog.stats.count_map_refresh()
            try:
                backlog.watch.looked(facts, backlog.clock())
            except StreamRefusedError as error:
                backlog.fail(error)
            for record in backlog.use_map(facts):
                self._pack_again(record, facts.shards)
            backlog.pack_unrouted()
            backlog.work.notify_all()

    def _pack_again(self, record: Record, shards: ShardMap | None) -> None:
        if record.landed is not None and _fits(record, shards):
            self._backlog.delivered(record, record.landed, "")
            return
        if record.landed is not None:
            self._backlog.stats.count_re_sent(record.count)
        for event in record.events():
            self._backlog.pack(*event)

    def not_described(self, error: ProducerError) -> None:
        """The stream could not be described."""
        with self._backlog.lock:
            self._backlog.watch.failed()
            self._failed(error)

    def settle(self, batch: list[Record], answers: Sequence[Answer], seconds: float) -> None:
        """The stream answered, record by record."""
        backlog = self._backlog
        with backlog.lock:
            if not backlog.take_back(batch):
                return
            backlog.answered()
            backlog.stats.count_request(seconds)
            done, refused, stray = [], [], []
            for record, answer in zip(batch, answers, strict=True):
                record.attempts += 1
                if not isinstance(answer, Taken):
                    refused.append(record)
                elif self._is_stray(record, answer):
                    record.landed = answer.shard_id
                    stray.append(record)
                else:
                    done.append(record)
                    backlog.delivered(record, answer.shard_id, answer.sequence_number)
            backlog.lanes.delivered(done)
            if refused:
                self._refused(refused)
            if stray:
                backlog.lanes.put_back(stray)
                backlog.watch.outdated()
            backlog.work.notify_all()

    def _is_stray(self, record: Record, answer: Taken) -> bool:
        if record.shard is None or record.shard.shard_id == answer.shard_id:
            return False
        self._backlog.stats.count_misrouted()
        if record.must_stay_in_shard and self._backlog.settings.verify_shard:
            return True
        # It is where its key belongs; only the map is old.
        self._backlog.watch.doubt(self._backlog.clock())
        return False

    def _refused(self, records: list[Record]) -> None:
        self._backlog.stats.count_refused([record.size for record in records])
        self._backlog.lanes.refused(records, self._backlog.clock())

    def put_back(self, batch: list[Record], error: ProducerError | None = None) -> None:
        """The request failed as a whole. Without an error it was not made."""
        backlog = self._backlog
        with backlog.lock:
            if not backlog.take_back(batch):
                return
            backlog.lanes.put_back(batch)
            if error is None:
                backlog.work.notify_all()
                return
            for record in batch:
                record.attempts += 1
            backlog.stats.count_failed_request()
            backlog.stats.count_re_sent(sum(record.count for record in batch))
            self._failed(error)

    def _failed(self, error: ProducerError) -> None:
        if isinstance(error, StreamUnavailableError):
            self._backlog.unavailable(error)
        else:
            self._backlog.refused(error)

    def stumbled(self, batch: list[Record] | None, error: Exception) -> None:
        """A sender met a defect: it goes on, and the batch that it held, if any, is sent again."""
        found = unexpected(error)
        if batch is not None:
            self.put_back(batch, found)
        with self._backlog.lock:
            if self._backlog.failure is not found:
                self._backlog.watch.failed()
                self._backlog.refused(found)

    def condemn(self, batch: list[Record], record: Record, reason: str) -> bool:
        """The stream refuses this record, alone, for what is in it. False when it refuses every record."""
        backlog = self._backlog
        with backlog.lock:
            if not backlog.take_back(batch):
                return True
            if not backlog.stats.delivered:
                # A stream that takes nothing at all: it is not the event.
                backlog.lanes.put_back(batch)
                backlog.refused(StreamRefusedError(f"The stream refuses every record: {reason}."))
                return False
            backlog.answered()
            backlog.lanes.delivered(batch)
            backlog.dead_lettered(record, reason)
            return True

    def split(self, batch: list[Record]) -> tuple[list[Record], list[Record]]:
        """The batch in halves, each of which is then a batch of its own."""
        with self._backlog.lock:
            half = len(batch) // 2
            halves = batch[:half], batch[half:]
            if self._backlog.take_back(batch):
                for part in halves:
                    self._backlog.give_out(part)
            return halves


def unexpected(error: Exception) -> StreamRefusedError:
    """A defect, as what it means for the sending."""
    found = StreamRefusedError(f"Sending met an unexpected {type(error).__name__}: {error}.")
    found.__cause__ = error
    return found


def _fits(record: Record, shards: ShardMap | None) -> bool:
    """Whether all events of the record belong to the shard that it landed in."""
    shard = shards.get(record.landed) if shards is not None and record.landed is not None else None
    return shard is not None and all(map(shard.holds, record.every_hash_key()))
