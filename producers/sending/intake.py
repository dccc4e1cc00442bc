"""Accepts events from the caller; when the buffer is full, blocks or raises, as the caller chose."""

from collections.abc import Sequence

from producers.errors import BufferFullError, ClosedError, ProducerError, SpoolError
from producers.packing.packer import require_key
from producers.packing.record import EVENT_OVERHEAD
from producers.sending.backlog import NOT_SPOOLED, Backlog

POLL_SECONDS = 0.25  # between two looks at what nobody tells of


class Intake:
    """The caller's end of a backlog."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._spool = backlog.spool
        self._most = backlog.settings.max_buffer_bytes
        self._always = self._spool is not None and self._spool.mode == "always"
        self._spills = self._spool is not None and (self._always or backlog.settings.when_full == "spool")

    def put(self, data: bytes, key: str, timeout: float | None) -> None:
        """Takes one event. Raises BufferFullError, ClosedError, or whatever ended the sending."""
        backlog = self._backlog
        with backlog.lock:
            held = len(data) + EVENT_OVERHEAD
            if not backlog.take_at_once(data, key, held):
                require_key(key)
                self._put(data, key, held, timeout)

    def put_many(self, data: Sequence[bytes], keys: Sequence[str], timeout: float | None) -> None:
        """Takes several events under one lock. Raises as `put`, with those before the one at fault taken;
        BadKeyError with none taken.
        """
        held = sum(map(len, data)) + EVENT_OVERHEAD * len(data)
        backlog = self._backlog
        with backlog.lock:
            if not backlog.take_many_at_once(data, keys, held):
                for key in keys:
                    require_key(key)
                for blob, key in zip(data, keys, strict=True):
                    self._put(blob, key, len(blob) + EVENT_OVERHEAD, timeout)

    def put_anyway(self, data: bytes, key: str) -> None:
        """Takes one small event whether there is room or not: what the producer says of itself never
        waits.
        """
        backlog = self._backlog
        with backlog.lock:
            if not backlog.is_over:
                mark = None if self._spool is None else NOT_SPOOLED
                backlog.take(data, key, len(data) + EVENT_OVERHEAD, mark)

    def dead_lettered(self) -> None:
        """Counts an event that was put, could not be taken, and is in the dead-letter file."""
        with self._backlog.lock:
            self._backlog.take_dead_lettered()

    def _put(self, data: bytes, key: str, held: int, timeout: float | None) -> None:
        backlog = self._backlog
        if backlog.is_closed:
            raise ClosedError("The producer is closed. Make a new one.")
        if backlog.refusal is not None:
            raise backlog.refusal
        patience = _Patience(backlog, timeout)
        if self._spool is None:
            self._wait_for_room(held, patience)
            backlog.take(data, key, held, None)
            return
        mark, is_on_disk_only = self._keep(data, key, held, patience)
        if is_on_disk_only:
            backlog.take_on_disk()
        else:
            backlog.take(data, key, held, mark)

    def _keep(self, data: bytes, key: str, held: int, patience: "_Patience") -> tuple[int, bool]:
        """(the event's mark in the spool, whether it is there only)."""
        assert self._spool is not None
        while True:
            is_full = self._has_no_room(held)
            # Once events wait on the disk, later ones queue up behind them.
            is_behind = self._spool.unread > 0 or (is_full and self._spills)
            if is_full and not is_behind:
                self._wait_for_room(held, patience)
                continue
            if not self._always and not is_behind:
                return NOT_SPOOLED, False
            try:
                return self._spool.append(data, key, None, unread=is_behind), is_behind
            except SpoolError as error:
                # Memory may have room by the time the disk has none, and the other way round.
                patience.wait(error)

    def _has_no_room(self, held: int) -> bool:
        # An event that is larger than the whole buffer is let in when nothing else is there.
        return bool(self._backlog.buffered) and self._backlog.buffered + held > self._most

    def _wait_for_room(self, held: int, patience: "_Patience") -> None:
        backlog = self._backlog
        while self._has_no_room(held):
            patience.wait(
                BufferFullError(
                    f"{backlog.buffered:,} bytes of events wait to be delivered, and the buffer holds "
                    f"{self._most:,}. Wait, enlarge max_buffer_bytes, or give the producer a spool."
                ),
            )


class _Patience:
    """How long a caller still waits for room."""

    def __init__(self, backlog: Backlog, timeout: float | None) -> None:
        self._backlog = backlog
        self._deadline = None if timeout is None else backlog.clock() + timeout
        self._may_wait = backlog.settings.when_full != "raise" and timeout != 0
        self._interrupts = backlog.interrupts

    def wait(self, error: ProducerError) -> None:
        """Waits a moment, or until something is settled. Raises `error` when the caller waits no longer."""
        backlog = self._backlog
        left = POLL_SECONDS if self._deadline is None else self._deadline - backlog.clock()
        if not self._may_wait or left <= 0 or backlog.interrupts != self._interrupts:
            raise error from backlog.failure
        with backlog.hurried():
            # Nothing wakes a caller when a disk has room again, nor when a signal came.
            backlog.room.wait(min(POLL_SECONDS, left))
        if backlog.is_closed:
            raise ClosedError("The producer was closed while the event waited for room.")
        if backlog.refusal is not None:
            raise backlog.refusal
