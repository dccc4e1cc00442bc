"""Says what senders do next. Nothing in here calls the network."""

from enum import Enum

from producers.errors import SpoolError
from producers.packing.record import Record
from producers.sending.backlog import Backlog

REFILL_EVENTS = 2_000  # read from the spool at a time
UNREADABLE_SECONDS = 5.0  # until a spool that could not be read is tried again


class Work(Enum):
    """What a sender does next when it is not to send records."""

    DESCRIBE = "look at the stream"
    STOP = "stop"


class Dispatch:
    """The senders' end of a backlog. What came of their work goes to `producers.sending.outcomes`."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._open_until: float | None = None
        self._refill_at = 0.0

    def next_work(self) -> list[Record] | Work:
        """Blocks until there is something to do. Every batch must come back to `Outcomes`."""
        backlog = self._backlog
        with backlog.lock:
            while True:
                if backlog.is_stopped:
                    return Work.STOP
                now = backlog.clock()
                work = self._work_now(now)
                if work is not None:
                    return work
                wake_at = self._wake_at(now)
                if wake_at is None:
                    backlog.work.wait()
                    continue
                backlog.watch_for(wake_at - now)

    def _work_now(self, now: float) -> list[Record] | Work | None:
        backlog = self._backlog
        if backlog.is_empty or not backlog.endpoint.may_ask(now):
            return None
        if backlog.watch.is_stale:
            # Nothing may be under way: what comes back has to be packed again in its place.
            if backlog.under_way or not backlog.watch.may_look(now):
                return None
            backlog.watch.looking()
            backlog.endpoint.asking()
            return Work.DESCRIBE
        self._refill(now)
        self._close_buckets(now)
        batch = self._alive(backlog.lanes.take(now, bool(backlog.hurry)), now)
        if batch:
            backlog.give_out(batch)
            backlog.endpoint.asking()
        return batch or None

    def _wake_at(self, now: float) -> float | None:
        backlog = self._backlog
        if backlog.is_empty:
            return None
        if not backlog.endpoint.may_ask(now):
            return backlog.endpoint.wake_at()
        if backlog.watch.is_stale:
            return None if backlog.under_way else backlog.watch.wake_at(now)
        due = [backlog.lanes.wake_at(now), self._open_until]
        if self._refill_at > now:
            due.append(self._refill_at)
        known = [time for time in due if time is not None]
        return min(known) if known else None

    def _close_buckets(self, now: float) -> None:
        backlog = self._backlog
        assert backlog.packer is not None
        linger = backlog.settings.batch.linger
        oldest = backlog.packer.close_all(float("inf") if backlog.hurry else now - linger)
        self._open_until = None if oldest is None else oldest + linger

    def _refill(self, now: float) -> None:
        """Takes events from the spool into memory while half of the buffer is free."""
        backlog = self._backlog
        if backlog.spool is None or not backlog.spool.unread or now < self._refill_at:
            return
        while backlog.buffered < backlog.settings.max_buffer_bytes // 2:
            try:
                frames = backlog.spool.read(REFILL_EVENTS)
            except SpoolError as error:
                self._refill_at = now + UNREADABLE_SECONDS
                backlog.spool_failed(error)
                return
            finally:
                backlog.note_damage()
            if not frames:
                return
            for mark, data, key, explicit in frames:
                backlog.unspool(data, key, explicit, mark)

    def _alive(self, batch: list[Record], now: float) -> list[Record]:
        backlog = self._backlog
        ttl = backlog.settings.record_ttl
        if ttl is None:
            return batch
        dead = [record for record in batch if record.opened_at + ttl < now]
        if not dead:
            return batch
        for record in dead:
            backlog.expired(record, f"older than {ttl:g} s before it could be sent")
        backlog.lanes.delivered(dead)
        return [record for record in batch if record not in dead]
