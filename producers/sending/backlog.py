"""Everything that is accepted and not yet settled, under one lock.

What others do with it stands in files of their own: `intake` puts events in, `dispatch` says what to send,
`outcomes` notes what came of it. They hold `lock` when they call anything in here, and write no field of it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from random import Random

from producers.errors import ProducerError
from producers.packing.packer import Packer, require_key
from producers.packing.record import EVENT_OVERHEAD, PackedEvent, Record
from producers.sending.batching import Lanes
from producers.sending.circuit_breaker import Endpoint
from producers.sending.settings import OutboxSettings
from producers.sending.settled import Reports
from producers.sending.stats import Stats
from producers.sending.stream_watch import StreamWatch
from producers.sinks.port import StreamFacts
from producers.spool.folder import Spool

REPORTED_FAILURES = 4  # in a row: about ten seconds without an answer
NOT_SPOOLED = -1  # in a record's marks: all of its events have a mark, or none has


class Backlog:
    """See the module.

    Attributes:
        lock: guards everything else.
        work, room: something may have to be sent; something was settled.
        packer: None until the stream has been described.
        under_way: batches that senders hold.
        buffered: bytes that events in memory take.
        accepted: events taken so far; here and not in `stats`, for speed.
        hurry: how many callers wait, so that nothing is buffered for longer than it must.
        watchers: senders that will wake by themselves in time.
        failure: why nothing is sent; None again once the stream takes records.
        is_dead: nothing will be sent any more.
        refusals: requests that were refused for a reason that somebody has to fix.
        interrupts: how often whoever waits was asked to give up; changed without the lock.
    """

    def __init__(
        self,
        settings: OutboxSettings,
        clock: Callable[[], float],
        random: Random,
        warn: Callable[[str], None],
        spool: Spool | None,
        reports: Reports,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.spool = spool
        self.reports = reports
        self.lock = threading.Lock()
        self.work = threading.Condition(self.lock)
        self.room = threading.Condition(self.lock)
        self.stats = Stats()
        self.lanes = Lanes(settings.batch, random)
        self.endpoint = Endpoint(random)
        self.watch = StreamWatch(settings.framing, random, warn)
        self.packer: Packer | None = None
        self.under_way: dict[int, list[Record]] = {}
        self.largest_record = settings.limits.largest_record_bytes
        self.buffered = self.accepted = 0
        self.hurry = self.watchers = 0
        self.is_closed = self.is_stopped = False
        self.failure: ProducerError | None = None
        self.is_dead = False
        self.refusals = self.interrupts = 0
        self.warn = warn
        self._has_told_outage = False
        self._unrouted: list[PackedEvent] = []
        if spool is not None:
            self.stats.recovered = self.stats.spooled = self.accepted = spool.unread + spool.damage.events
            with self.lock:
                self.note_damage()

    @property
    def is_over(self) -> bool:
        """Whether no event will be taken any more."""
        return self.is_closed or self.is_dead

    @property
    def refusal(self) -> ProducerError | None:
        """What `put` raises because of the stream: otherwise events are kept, and sent once it takes them."""
        fails = self.is_dead or (self.settings.fail_fast and not self.stats.delivered)
        return self.failure if fails else None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be settled, in memory or on the disk."""
        return not self.buffered and (self.spool is None or not self.spool.unread)

    def take_at_once(self, data: bytes, key: str, held: int) -> bool:
        """Takes an event if nothing is in the way: room in memory, no spool, a known stream. Usual.

        One call for each event, so that it does everything itself.
        """
        if (
            self.packer is None
            or self.spool is not None
            or self.buffered + held > self.settings.max_buffer_bytes
            or self.is_closed
            or self.failure is not None
        ):
            return False
        has_opened = self.packer.add(data, key, None, self.clock)
        self.accepted += 1
        self.buffered += held
        if has_opened and not self.watchers:
            self.work.notify()
        return True

    def take_many_at_once(self, data: Sequence[bytes], keys: Sequence[str], held: int) -> bool:
        """`take_at_once` for all of the events or none. Raises BadKeyError before any is taken."""
        if (
            self.spool is not None
            or self.buffered + held > self.settings.max_buffer_bytes
            or self.is_closed
            or self.failure is not None
        ):
            return False
        has_opened = self.pack_many(data, keys)
        self.accepted += len(data)
        self.buffered += held
        if has_opened and not self.watchers:
            self.work.notify()
        return True

    def take(self, data: bytes, key: str, held: int, mark: int | None) -> None:
        """Takes an event into memory; the caller has made sure of the room."""
        self.accepted += 1
        self.buffered += held
        if self.pack(data, key, None, mark):
            self.work.notify()

    def take_on_disk(self) -> None:
        """Counts an event that lies in the spool only."""
        self.accepted += 1
        self.stats.spooled += 1
        self.work.notify()

    def take_dead_lettered(self) -> None:
        """Counts an event that could not be taken, and is in the dead-letter file."""
        self.accepted += 1
        self.stats.dead_lettered += 1

    def unspool(self, data: bytes, key: str, explicit_hash_key: str | None, mark: int) -> None:
        """Takes an event from the spool into memory."""
        self.stats.spooled -= 1
        self.buffered += len(data) + EVENT_OVERHEAD
        self.pack(data, key, explicit_hash_key, mark)

    def spooled(self, event: PackedEvent) -> None:
        """An event of those in memory lies in the spool now."""
        self.stats.spooled += 1
        self.buffered -= len(event.data) + EVENT_OVERHEAD

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """While a caller waits: what is packed leaves at once."""
        self.hurry += 1
        self.work.notify_all()
        try:
            yield
        finally:
            self.hurry -= 1

    def watch_for(self, seconds: float) -> None:
        """Waits for work, or this long. Nobody else has to be woken for new records meanwhile."""
        self.watchers += 1
        self.work.wait(max(0.0, seconds))
        self.watchers -= 1

    def give_out(self, batch: list[Record]) -> None:
        """A sender holds the batch from now on."""
        self.under_way[id(batch)] = batch

    def take_back(self, batch: list[Record]) -> bool:
        """The batch came back; False for one that nobody waits for any more."""
        return self.under_way.pop(id(batch), None) is not None

    def close(self) -> None:
        """Takes no more events."""
        self.is_closed = True

    def stop(self) -> None:
        """Sends nothing more, whatever senders still hold."""
        self.is_stopped = True

    def forget_under_way(self) -> None:
        """Waits for none of the batches that senders hold."""
        self.under_way.clear()

    def interrupt(self) -> None:
        """Tells whoever waits to give up. Takes no lock: a signal's handler may call it."""
        self.interrupts += 1

    def snapshot(self) -> Stats:
        """A copy of the counts."""
        return replace(self.stats, accepted=self.accepted, buffered_bytes=self.buffered)

    def pack(self, data: bytes, key: str, explicit_hash_key: str | None, mark: int | None) -> bool:
        """Packs an event that is counted already. True when a sender has to know of it."""
        if self.packer is None:
            self._unrouted.append(PackedEvent(data, key, explicit_hash_key, mark))
            return len(self._unrouted) == 1
        if explicit_hash_key is None:
            return self.packer.add(data, key, mark, self.clock)
        return self.packer.add_explicit(data, key, explicit_hash_key, mark, self.clock)

    def pack_many(self, data: Sequence[bytes], keys: Sequence[str]) -> bool:
        """`pack` for many events without hash key and mark. Raises BadKeyError before any is taken."""
        if self.packer is not None:
            return self.packer.add_many(data, keys, self.clock)
        for key in keys:
            require_key(key)
        is_first = not self._unrouted
        self._unrouted += map(PackedEvent, data, keys, repeat(None), repeat(None))
        return is_first

    def use_map(self, facts: StreamFacts) -> list[Record]:
        """Packs by these shards from now on; returns the records that were packed before."""
        waiting = self.packed()
        self.largest_record = facts.max_record_bytes
        limits = replace(self.settings.limits, largest_record_bytes=facts.max_record_bytes)
        self.packer = Packer(self.watch.framing, facts.shards, limits, self._sealed)
        return waiting

    def pack_unrouted(self) -> None:
        """Packs what came before the stream was known."""
        events, self._unrouted = self._unrouted, []
        if self.spool is None:
            self.pack_many([event.data for event in events], [event.key for event in events])
            return
        for event in events:
            self.pack(*event)

    def packed(self) -> list[Record]:
        """Takes out every record that waits, open ones sealed."""
        if self.packer is not None:
            self.packer.close_all()
        return self.lanes.drain()

    def left(self) -> Iterator[PackedEvent]:
        """Every event in memory, taken out."""
        records = [record for batch in self.under_way.values() for record in batch] + self.packed()
        for record in records:
            yield from record.events()
        yield from self._unrouted

    def delivered(self, record: Record, shard_id: str, sequence_number: str) -> None:
        """The stream has the record."""
        self.stats.count_delivered(record.count, record.size)
        self._settle(record)
        self.reports.add(record, shard_id, sequence_number)

    def expired(self, record: Record, error: str) -> None:
        """The record became too old to be sent."""
        self.stats.expired += record.count
        self._settle(record)
        self.reports.add(record, error=error)

    def dead_lettered(self, record: Record, error: str) -> None:
        """The stream refuses the record for what is in it."""
        self.stats.dead_lettered += record.count
        self._settle(record)
        self.reports.add(record, error=error)

    def _settle(self, record: Record) -> None:
        """The record is settled: its memory and its place in the spool are free."""
        self.buffered -= record.held_bytes
        if self.spool is not None:
            self.spool.acknowledge([mark for mark in record.marks if mark != NOT_SPOOLED])
        self.room.notify_all()

    def fail(self, error: ProducerError) -> None:
        """Ends the sending for good."""
        self.failure = error
        self.is_dead = self.is_stopped = True
        self.work.notify_all()
        self.room.notify_all()

    def refused(self, error: ProducerError) -> None:
        """A request was refused for a reason that somebody has to fix: reported once, retried slowly."""
        self.endpoint.refused(self.clock())
        if self.failure is None or _gist(self.failure) != _gist(error):
            self.warn(f"{error} Events are kept; sending is retried at least once a minute.")
        self.failure = error
        self.refusals += 1
        self.work.notify_all()
        self.room.notify_all()

    def unavailable(self, error: ProducerError | None) -> None:
        """A request failed, and may do better by itself: reported when it goes on."""
        self.endpoint.failed(self.clock())
        if self.endpoint.failures == REPORTED_FAILURES and not self._has_told_outage:
            self._has_told_outage = True
            self.warn(f"{error or 'The stream does not answer.'} Events are kept; sending is retried.")
        self.work.notify_all()

    def answered(self) -> None:
        """The stream took records, or refused single ones."""
        self.endpoint.answered()
        if self.failure is not None or self._has_told_outage:
            self.warn("The stream takes records again.")
            self.failure = None
            self._has_told_outage = False
            self.watch.recovered()

    def spool_failed(self, error: ProducerError) -> None:
        """The spool cannot be read just now: what lies there waits, and whoever flushes is woken."""
        if self.failure is None or _gist(self.failure) != _gist(error):
            self.warn(f"{error} It is tried again.")
        self.failure = error
        self.refusals += 1
        self.room.notify_all()

    def note_damage(self) -> None:
        """Takes over what the spool found to be unreadable since the last time."""
        if self.spool is None or self.spool.damage.ranges == self.stats.damaged_ranges:
            return
        found = self.spool.damage
        self.stats.damaged_ranges, self.stats.damaged_bytes = found.ranges, found.bytes
        lost, self.stats.damaged = found.events - self.stats.damaged, found.events
        self.stats.spooled -= lost
        self.warn(
            f"Damage in the spool {self.spool.folder}: {found.bytes:,} bytes in {found.ranges:,} places "
            f"cannot be read, at least {found.events:,} events. They are quarantined in its *.damaged files."
        )
        self.room.notify_all()

    def _sealed(self, record: Record) -> None:
        self.lanes.append(record)
        batch = self.settings.batch
        if batch.in_order or self.lanes.waiting_bytes >= batch.request_bytes:
            self.work.notify()


def _gist(error: ProducerError) -> str:
    """The message without its figures: times differ each time."""
    return "".join(character for character in str(error) if not character.isdigit())
