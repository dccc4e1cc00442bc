"""Everything that is accepted and not yet delivered, and every change of its state, under one lock.

Threads of `producers.sender` ask it for work and tell it what came of it. Nothing in here calls the network.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from random import Random
from typing import Any, Literal

from producers.batching import BatchLimits, Lanes
from producers.bucket import Limits
from producers.endpoint import Endpoint
from producers.errors import BufferFullError, ClosedError, ProducerError, SpoolFullError, StreamRefusedError
from producers.packing import Packer, require_key
from producers.record import EVENT_OVERHEAD, Framing, Record
from producers.record_sink import Answer, StreamFacts, Taken
from producers.retry import MAP_BACKOFF
from producers.shard_map import ShardMap
from producers.spool import Spool
from producers.stats import Stats

WhenFull = Literal["block", "raise", "spool"]
NOT_SPOOLED = -1  # in a record's marks: all of its events have a mark, or none has
REPORT_SECONDS = 0.5  # that one report waits for another
REFILL_EVENTS = 2_000  # read from the spool at a time
FRUITLESS_REFRESHES = 3  # looks at an unchanged map before strays are taken to be the stream's way


class Work(Enum):
    """What a sender does next when it is not to send records."""

    DESCRIBE = "look at the stream"
    STOP = "stop"


@dataclass(frozen=True)
class OutboxSettings:
    """How events are packed, sent and kept; see `producers.settings.ProducerSettings` for the meaning of
    each.
    """

    framing: Framing = "kpl"
    limits: Limits = field(default_factory=Limits)
    batch: BatchLimits = field(default_factory=BatchLimits)
    max_buffer_bytes: int = 64 << 20
    when_full: WhenFull = "block"
    verify_shard: bool = True
    record_ttl: float | None = None


@dataclass(frozen=True)
class Settled:
    """A record that is done with: delivered when `error` is None.

    Attributes:
        events: the bytes of its events.
        shard_id, sequence_number: where the stream put it.
        error: why it was not delivered.
    """

    events: Sequence[bytes]
    shard_id: str | None = None
    sequence_number: str | None = None
    error: str | None = None


class Outbox:
    """See the module. `clock` is monotonic, in seconds; `warn` is told once of what degrades the service."""

    def __init__(
        self,
        settings: OutboxSettings,
        clock: Callable[[], float],
        random: Random,
        warn: Callable[[str], None],
        spool: Spool | None = None,
        settled: Callable[[Settled], None] | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random
        self._warn = warn
        self._settled = settled
        self._spool = spool
        self._always = spool is not None and spool.mode == "always"
        self._spills = spool is not None and (self._always or settings.when_full == "spool")
        self.reset()

    def reset(self) -> None:
        """Empty, as in a new process."""
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._stats = Stats()
        self._lanes = Lanes(self._settings.batch, self._random)
        self._endpoint = Endpoint(self._random)
        self._packer: Packer | None = None
        self._unrouted: list[tuple[bytes, str, str | None, int | None]] = []
        self._facts: StreamFacts | None = None
        self._framing: Framing = self._settings.framing
        self._limit = self._settings.limits.largest_record_bytes
        self._buffered = 0
        self._watchers = 0
        self._most = self._settings.max_buffer_bytes
        self._accepted = 0
        self._add_directly: Callable[[bytes, str, Any, Callable[[], float]], bool] | None = None
        self._under_way: dict[int, list[Record]] = {}
        self._map_is_stale = True
        self._is_describing = False
        self._fruitless = 0
        self._describe_at = 0.0
        self._hurry = 0
        self._open_until: float | None = None
        self._to_tell: list[Settled] = []
        self._telling = threading.RLock()
        self._is_closed = False
        self._is_stopped = False
        self.failure: ProducerError | None = None
        if self._spool is not None:
            self._stats.recovered = self._stats.spooled = self._accepted = self._spool.unread

    @property
    def largest_record(self) -> int:
        """Most bytes that an event and its key may have."""
        return self._limit

    # Putting

    def put(self, data: bytes, key: str, explicit_hash_key: str | None, timeout: float | None) -> None:
        """Takes one event. Raises BufferFullError, ClosedError, or whatever ended the sending."""
        with self._lock:
            buffered = self._buffered + len(data) + EVENT_OVERHEAD
            if self._add_directly is None or explicit_hash_key is not None or buffered > self._most:
                self._put(data, key, explicit_hash_key, timeout)
                return
            # The short way, which nearly every event takes: room in memory, a known map, no spool.
            self._accepted += 1
            self._buffered = buffered
            if self._add_directly(data, key, None, self._clock) and not self._watchers:
                self._work.notify()

    def put_anyway(self, data: bytes, key: str) -> None:
        """Takes one small event whether there is room or not: what the producer says of itself never
        waits.
        """
        with self._lock:
            if self.is_over:
                return
            self._accepted += 1
            self._buffered += len(data) + EVENT_OVERHEAD
            if self._pack(data, key, None, None if self._spool is None else NOT_SPOOLED):
                self._work.notify()

    def put_many(self, data: Sequence[bytes], keys: Sequence[str], timeout: float | None) -> None:
        """Takes several events under one lock. On an error, those before the one at fault are taken."""
        held = sum(map(len, data)) + EVENT_OVERHEAD * len(data)
        with self._lock:
            if self._packer is None or self._add_directly is None or self._buffered + held > self._most:
                for key in keys:
                    require_key(key)
                for blob, key in zip(data, keys, strict=True):
                    self._put(blob, key, None, timeout)
                return
            has_opened = self._packer.add_many(data, keys, self._clock)
            self._accepted += len(data)
            self._buffered += held
            if has_opened and not self._watchers:
                self._work.notify()

    def _put(self, data: bytes, key: str, explicit: str | None, timeout: float | None) -> None:
        if self._is_closed:
            raise ClosedError("The producer is closed. Make a new one.")
        if self.failure is not None:
            raise self.failure
        held = len(data) + EVENT_OVERHEAD
        mark: int | None = None
        if self._spool is not None:
            mark, is_on_disk_only = self._keep(data, key, explicit, held, timeout)
            if is_on_disk_only:
                self._accepted += 1
                self._stats.spooled += 1
                self._work.notify()
                return
        elif self._buffered + held > self._settings.max_buffer_bytes:
            self._wait_for_room(held, timeout)
        self._accepted += 1
        self._buffered += held
        if self._pack(data, key, explicit, mark):
            self._work.notify()

    def _pack(self, data: bytes, key: str, explicit: str | None, mark: int | None) -> bool:
        """True when a sender has to know of it."""
        if self._packer is None:
            self._unrouted.append((data, key, explicit, mark))
            return len(self._unrouted) == 1
        if explicit is None:
            return self._packer.add(data, key, mark, self._clock)
        return self._packer.add_explicit(data, key, explicit, mark, self._clock)

    def _packed(self, record: Record) -> None:
        self._lanes.append(record)
        if self._settings.batch.in_order or self._lanes.waiting_bytes >= self._settings.batch.request_bytes:
            self._work.notify()

    def _keep(
        self, data: bytes, key: str, explicit: str | None, held: int, timeout: float | None
    ) -> tuple[int, bool]:
        """(the event's mark in the spool, whether it is there only)."""
        assert self._spool is not None
        is_full = self._buffered + held > self._settings.max_buffer_bytes
        # Once events wait on the disk, later ones queue up behind them.
        is_behind = self._spool.unread > 0 or (is_full and self._spills)
        if is_full and not is_behind:
            self._wait_for_room(held, timeout)
        if not self._always and not is_behind:
            return NOT_SPOOLED, False
        while True:
            try:
                return self._spool.append(data, key, explicit, unread=is_behind), is_behind
            except SpoolFullError as error:
                self._wait(timeout, error)

    def _wait_for_room(self, held: int, timeout: float | None) -> None:
        most = self._settings.max_buffer_bytes
        full = BufferFullError(
            f"{self._buffered:,} bytes of events wait to be delivered, and the buffer holds {most:,}. "
            "Wait, enlarge max_buffer_bytes, or give the producer a spool."
        )
        # An event that is larger than the whole buffer is let in when nothing else is there.
        while self._buffered and self._buffered + held > most:
            self._wait(timeout, full)

    def _wait(self, timeout: float | None, error: ProducerError) -> None:
        """Waits until something is settled. Raises `error` when the caller would not wait so long."""
        if self._settings.when_full == "raise" or timeout == 0:
            raise error
        self._hurry += 1
        self._work.notify_all()
        try:
            if not self._room.wait(timeout):
                raise error
        finally:
            self._hurry -= 1
        if self._is_closed:
            raise ClosedError("The producer was closed while the event waited for room.")
        if self.failure is not None:
            raise self.failure

    def dead_lettered(self) -> None:
        """Counts an event that was put, could not be taken, and is in the dead-letter file."""
        with self._lock:
            self._accepted += 1
            self._stats.dead_lettered += 1

    @property
    def is_over(self) -> bool:
        """Whether no event will be taken any more."""
        return self._is_closed or self.failure is not None

    # Work for senders

    def next_work(self) -> list[Record] | Work:
        """Blocks until there is something to do. Every batch must come back by `settle`, `put_back` or
        `condemn`.
        """
        with self._lock:
            while True:
                if self._is_stopped:
                    return Work.STOP
                now = self._clock()
                work = self._work_now(now)
                if work is not None:
                    return work
                wake_at = self._wake_at(now)
                if wake_at is None:
                    self._work.wait()
                    continue
                # Whoever wakes by itself sees to new records in time: nobody else has to be woken for them.
                self._watchers += 1
                self._work.wait(max(0.0, wake_at - now))
                self._watchers -= 1

    def _work_now(self, now: float) -> list[Record] | Work | None:
        if not self._has_something() or not self._endpoint.may_ask(now):
            return None
        if self._map_is_stale:
            # Nothing may be under way: what comes back has to be packed again in its place.
            if self._is_describing or self._under_way or now < self._describe_at:
                return None
            self._is_describing = True
            self._endpoint.asking()
            return Work.DESCRIBE
        self._refill()
        self._close_buckets(now)
        batch = self._alive(self._lanes.take(now, bool(self._hurry)), now)
        if batch:
            self._under_way[id(batch)] = batch
            self._endpoint.asking()
        return batch or None

    def _has_something(self) -> bool:
        return bool(self._buffered or (self._spool is not None and self._spool.unread))

    def _wake_at(self, now: float) -> float | None:
        if not self._has_something():
            return None
        if not self._endpoint.may_ask(now):
            return self._endpoint.wake_at()
        if self._map_is_stale:
            return None if self._is_describing or self._under_way else max(now, self._describe_at)
        due = [self._lanes.wake_at(now), self._open_until]
        known = [time for time in due if time is not None]
        return min(known) if known else None

    def _close_buckets(self, now: float) -> None:
        assert self._packer is not None
        linger = self._settings.batch.linger
        oldest = self._packer.close_all(float("inf") if self._hurry else now - linger)
        self._open_until = None if oldest is None else oldest + linger

    def _refill(self) -> None:
        """Takes events from the spool into memory while half of the buffer is free."""
        if self._spool is None or not self._spool.unread:
            return
        while self._buffered < self._settings.max_buffer_bytes // 2:
            frames = self._spool.read(REFILL_EVENTS)
            if not frames:
                return
            for mark, data, key, explicit in frames:
                self._stats.spooled -= 1
                self._buffered += len(data) + EVENT_OVERHEAD
                self._pack(data, key, explicit, mark)

    def _alive(self, batch: list[Record], now: float) -> list[Record]:
        ttl = self._settings.record_ttl
        if ttl is None:
            return batch
        dead = [record for record in batch if record.opened_at + ttl < now]
        if not dead:
            return batch
        for record in dead:
            self._stats.expired += record.count
            self._release(record)
            self._tell(record, error=f"older than {ttl:g} s before it could be sent")
        self._lanes.delivered(dead)
        return [record for record in batch if record not in dead]

    # What came of it

    def described(self, facts: StreamFacts) -> None:
        """The stream as it is now: everything that waits is packed by its shards."""
        with self._lock:
            self._is_describing = False
            self._endpoint.answered()
            self._stats.map_refreshes += 1
            self._check_framing(facts)
            self._limit = facts.max_record_bytes
            self._map_is_stale = False
            self._repack(facts)
            self._facts = facts
            self._work.notify_all()

    def _check_framing(self, facts: StreamFacts) -> None:
        if self._framing != "kpl":
            return
        if facts.ignores_keys:
            if self._facts is None:
                self._fail(
                    StreamRefusedError(
                        "The stream distributes records itself (AUTO); consumers would drop aggregates. "
                        "Use framing='lines', or 'none'."
                    )
                )
                return
            self._stop_aggregating("the stream distributes records itself now (AUTO)")
        elif facts.shards is None:
            self._stop_aggregating("its shards cannot be listed (kinesis:ListShards is denied)")
        elif self._facts is not None and _same(self._facts.shards, facts.shards):
            self._fruitless += 1
            self._describe_at = self._clock() + MAP_BACKOFF.wait(self._fruitless, self._random)
            if self._fruitless >= FRUITLESS_REFRESHES:
                self._stop_aggregating("records land in other shards than their keys say")
        else:
            self._fruitless = 0

    def _stop_aggregating(self, reason: str) -> None:
        self._framing = "none"
        self._warn(f"Events are sent one per record from now on: {reason}.")

    def _repack(self, facts: StreamFacts) -> None:
        if self._packer is not None:
            self._packer.close_all()
        waiting = self._lanes.drain()
        limits = replace(self._settings.limits, largest_record_bytes=facts.max_record_bytes)
        self._packer = Packer(self._framing, facts.shards, limits, self._packed)
        self._add_directly = self._packer.add if self._spool is None and not self.is_over else None
        for record in waiting:
            if record.landed is not None and _fits(record, facts.shards):
                self._deliver(record, record.landed, "")
                continue
            if record.landed is not None:
                self._stats.re_sent += record.count
            for event in record.events():
                self._pack(*event)
        unrouted, self._unrouted = self._unrouted, []
        for waited in unrouted:
            self._pack(*waited)

    def settle(self, batch: list[Record], answers: Sequence[Answer], seconds: float) -> None:
        """The stream answered, record by record."""
        with self._lock:
            if not self._came_back(batch):
                return
            self._endpoint.answered()
            self._stats.requests += 1
            self._stats.request_seconds += seconds
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
                    self._deliver(record, answer.shard_id, answer.sequence_number)
            self._lanes.delivered(done)
            if refused:
                self._refused(refused)
            if stray:
                self._lanes.put_back(stray)
                self._map_is_stale = True
            self._work.notify_all()

    def _is_stray(self, record: Record, answer: Taken) -> bool:
        if record.shard is None or record.shard.shard_id == answer.shard_id:
            return False
        self._stats.strays += 1
        if record.must_stay_in_shard and self._settings.verify_shard:
            return True
        # It is where its key belongs; only the map is old.
        if self._framing != "none" and self._clock() >= self._describe_at:
            self._map_is_stale = True
        return False

    def _refused(self, records: list[Record]) -> None:
        self._stats.throttled += len(records)
        for record in records:
            wire = record.wire
            self._stats.refused_bytes += len(wire.data) + len(wire.partition_key)
        self._lanes.refused(records, self._clock())

    def put_back(self, batch: list[Record], error: ProducerError | None = None) -> None:
        """The request failed as a whole. With an error that somebody has to see to, sending ends."""
        with self._lock:
            if not self._came_back(batch):
                return
            self._stats.failed_requests += 1
            for record in batch:
                record.attempts += 1
                self._stats.re_sent += record.count
            self._lanes.put_back(batch)
            self._ended(error)

    def not_described(self, error: ProducerError | None = None) -> None:
        """Looking at the stream failed. With an error that somebody has to see to, sending ends."""
        with self._lock:
            self._is_describing = False
            self._ended(error)

    def _ended(self, error: ProducerError | None) -> None:
        self._endpoint.failed(self._clock())
        if error is not None:
            self._fail(error)
        self._work.notify_all()

    def _fail(self, error: ProducerError) -> None:
        self.failure = error
        self._add_directly = None
        self._is_stopped = True
        self._work.notify_all()
        self._room.notify_all()

    def condemn(self, batch: list[Record], record: Record, reason: str) -> None:
        """The stream refuses this record, alone, for what is in it."""
        with self._lock:
            if not self._came_back(batch):
                return
            self._endpoint.answered()
            if not self._stats.delivered:
                # A stream that takes nothing at all: it is not the event.
                self._lanes.put_back(batch)
                self._fail(StreamRefusedError(f"The stream refuses every record: {reason}"))
                return
            self._lanes.delivered(batch)
            self._stats.dead_lettered += record.count
            self._release(record)
            self._tell(record, error=reason)

    def split(self, batch: list[Record]) -> tuple[list[Record], list[Record]]:
        """The batch in halves, each of which is then a batch of its own."""
        with self._lock:
            half = len(batch) // 2
            halves = batch[:half], batch[half:]
            if self._under_way.pop(id(batch), None) is not None:
                self._under_way.update({id(part): part for part in halves})
            return halves

    def _came_back(self, batch: list[Record]) -> bool:
        """False for an answer that nobody waits for any more."""
        return self._under_way.pop(id(batch), None) is not None

    def _deliver(self, record: Record, shard_id: str, sequence_number: str) -> None:
        wire = record.wire
        size = len(wire.data) + len(wire.partition_key)
        stats = self._stats
        stats.delivered += record.count
        stats.records += 1
        stats.record_bytes += size
        stats.billed_kib += -(-size // 1024)
        self._release(record)
        self._tell(record, shard_id, sequence_number)

    def _release(self, record: Record) -> None:
        self._buffered -= record.held_bytes
        if self._spool is not None:
            self._spool.acknowledge([mark for mark in record.marks if mark != NOT_SPOOLED])
        self._room.notify_all()

    def _tell(
        self,
        record: Record,
        shard_id: str | None = None,
        sequence_number: str | None = None,
        error: str | None = None,
    ) -> None:
        if self._settled is not None:
            self._to_tell.append(Settled(record.data(), shard_id, sequence_number, error))

    def report(self) -> None:
        """Tells the caller what was settled; not under the lock, so that it may use the producer.

        When it returns, everything settled before has been told, unless the caller's code takes long.
        """
        if self._settled is None or not self._telling.acquire(timeout=REPORT_SECONDS):
            return
        try:
            with self._lock:
                told, self._to_tell = self._to_tell, []
            for settled in told:
                self._tell_one(self._settled, settled)
        finally:
            self._telling.release()

    def _tell_one(self, tell: Callable[[Settled], None], settled: Settled) -> None:
        try:
            tell(settled)
        except Exception:  # noqa: BLE001 - the caller's code must not end a sender
            with self._lock:
                self._stats.callback_errors += 1

    # Ending

    def stats(self) -> Stats:
        """A copy of the counts."""
        with self._lock:
            return self._snapshot()

    def _snapshot(self) -> Stats:
        return replace(self._stats, accepted=self._accepted, buffered_bytes=self._buffered)

    def flush(self, timeout: float | None) -> int:
        """Sends what waits; returns what is still pending when all of it is settled, or the time is over."""
        with self._lock:
            if self._always and self._spool is not None:
                self._spool.sync()
            self._await_settled(timeout)
            if self.failure is not None:
                raise self.failure
            return self._snapshot().pending + (self._stats.spooled if self._spool is not None else 0)

    def _await_settled(self, timeout: float | None) -> None:
        deadline = None if timeout is None else self._clock() + timeout
        self._hurry += 1
        self._work.notify_all()
        try:
            while self._has_something() and self.failure is None:
                left = None if deadline is None else deadline - self._clock()
                if left is not None and left <= 0:
                    return
                self._room.wait(left)
        finally:
            self._hurry -= 1

    def close(self, timeout: float | None) -> Stats:
        """Takes no more, sends what waits, spools the rest if there is a spool. Returns within the
        timeout.
        """
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._add_directly = None
                self._await_settled(timeout)
                self._spool_rest()
                self._is_stopped = True
                self._under_way.clear()
            self._work.notify_all()
            self._room.notify_all()
            return self._snapshot()

    def _spool_rest(self) -> None:
        if self._spool is None:
            return
        for data, key, explicit, mark in self._left():
            if mark is None or mark == NOT_SPOOLED:
                try:
                    self._spool.append(data, key, explicit, unread=True)
                except SpoolFullError as error:
                    self._warn(f"Events are lost with this process: {error}")
                    break
            self._stats.spooled += 1
            self._buffered -= len(data) + EVENT_OVERHEAD
        self._spool.close()

    def _left(self) -> Iterable[tuple[bytes, str, str | None, int | None]]:
        if self._packer is not None:
            self._packer.close_all()
        records = [record for batch in self._under_way.values() for record in batch] + self._lanes.drain()
        for record in records:
            yield from record.events()
        yield from self._unrouted


def _same(one: ShardMap | None, other: ShardMap | None) -> bool:
    return one is not None and other is not None and one.shards == other.shards


def _fits(record: Record, shards: ShardMap | None) -> bool:
    """Whether all events of the record belong to the shard that it landed in."""
    shard = shards.get(record.landed) if shards is not None and record.landed is not None else None
    return shard is not None and all(map(shard.holds, record.every_hash_key()))
