"""Bytes and keys in, records on the stream: an outbox, and the threads that empty it."""

import logging
import threading
from collections.abc import Callable, Sequence
from random import Random

from producers.errors import ProducerError, TooLargeError
from producers.packing.packer import MOST_KEY_CHARACTERS, require_key
from producers.sending.outbox import Outbox
from producers.sending.sender import start_senders
from producers.sending.settings import OutboxSettings
from producers.sending.settled import Settled
from producers.sending.stats import Stats
from producers.sinks.port import RecordSink
from producers.spool.folder import Spool

_log = logging.getLogger(__name__)

SURELY_FITS_BYTES = 1 << 16  # far below any stream's record size: not worth a closer look


class Delivery:
    """See the module. Its threads start at the first event, so that a server which loads a program and then
    forks has none yet.
    """

    def __init__(
        self,
        sink: RecordSink,
        settings: OutboxSettings,
        senders: int,
        clock: Callable[[], float],
        random: Random,
        spool: Spool | None,
        settled: Callable[[Settled], None] | None,
    ) -> None:
        self._sink = sink
        self._senders = senders
        self._clock = clock
        self._spool = spool
        self._outbox = Outbox(settings, clock, random, _warn, spool, settled)
        self._start_afresh()
        if spool is not None and spool.unread:
            self._start()

    def _start_afresh(self) -> None:
        self._starting = threading.Lock()
        self._threads: list[threading.Thread] = []

    def _start(self) -> None:
        with self._starting:
            if not self._threads:
                self._threads = start_senders(self._outbox, self._sink, self._clock, self._senders)

    def put(self, data: bytes, key: str, timeout: float | None) -> None:
        """Takes one event.

        Raises BadKeyError, TooLargeError, BufferFullError, ClosedError, or whatever ended the sending.
        """
        if type(key) is not str or not 0 < len(key) <= MOST_KEY_CHARACTERS or len(data) > SURELY_FITS_BYTES:
            self._require_fit(data, key)
        if not self._threads:
            self._start()
        self._outbox.intake.put(data, key, timeout)

    def put_many(self, data: Sequence[bytes], keys: Sequence[str], timeout: float | None) -> None:
        """Takes several events. Raises as `put`; for an event that cannot be sent before any is taken.

        Raises ValueError when there are not as many keys as events.
        """
        if len(data) != len(keys):
            raise ValueError(f"{len(data)} events and {len(keys)} partition keys. Every event needs its own.")
        if max(map(len, data), default=0) > SURELY_FITS_BYTES:
            for blob, key in zip(data, keys, strict=True):
                self._require_fit(blob, key)
        if not self._threads:
            self._start()
        self._outbox.intake.put_many(data, keys, timeout)

    def put_anyway(self, data: bytes, key: str) -> None:
        """Takes one small event whether there is room or not."""
        if not self._threads:
            self._start()
        self._outbox.intake.put_anyway(data, key)

    def dead_lettered(self) -> None:
        """Counts an event that is in the dead-letter file instead."""
        self._outbox.intake.dead_lettered()

    def flush(self, timeout: float | None) -> int:
        """Sends everything now; how many events are not delivered when `timeout` seconds are over."""
        pending = self._outbox.flush(timeout)
        self._outbox.reports.tell()
        return pending

    def close(self, timeout: float | None) -> Stats:
        """Delivers what it can in `timeout` seconds, spools the rest, ends the threads. Always returns."""
        stats = self._outbox.close(timeout)
        self._outbox.reports.tell()
        return stats

    def interrupt(self) -> None:
        """Ends what other calls wait for."""
        self._outbox.interrupt()

    @property
    def has_spool(self) -> bool:
        """Whether what cannot be sent can wait on the disk."""
        return self._spool is not None

    @property
    def failure(self) -> ProducerError | None:
        """Why nothing is sent, when a person has to see to it; None again once the stream takes records."""
        return self._outbox.failure

    @property
    def is_over(self) -> bool:
        """Whether no event will be taken any more."""
        return self._outbox.is_over

    def stats(self) -> Stats:
        """A snapshot of the counts."""
        return self._outbox.stats()

    def after_fork(self) -> None:
        """In the child: empty. The parent delivers what it had."""
        if self._spool is not None:
            self._spool.in_child()
        self._sink.reopen()
        self._outbox.reset()
        self._start_afresh()

    def _require_fit(self, data: bytes, key: str) -> None:
        require_key(key)
        size, limit = len(data) + len(key.encode()), self._outbox.largest_record
        if size > limit:
            raise TooLargeError(size, limit)


def _warn(message: str) -> None:
    _log.warning("%s", message)
