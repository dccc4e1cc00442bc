"""When a replay notes how far it got: only what was delivered, or lies in the spool, is noted."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from producers.commands import checkpoint
from producers.commands.checkpoint import Checkpoint
from producers.errors import StreamRefusedError
from producers.producer import Producer

SPOOL_SECONDS = 1.0  # with a spool nobody waits for a stream that is down
_log = logging.getLogger(__name__)


class Checkpointing:
    """Watches what a producer was given, and now and then waits until all of it is delivered."""

    def __init__(self, kept: Checkpoint, producer: Producer, clock: Callable[[], float]) -> None:
        """`clock` is monotonic, in seconds."""
        self._kept = kept
        self._producer = producer
        self._clock = clock
        self._tried_at = clock()
        self._tried_line = kept.line
        self._told = ""

    def handed(self, line: int) -> None:
        """The producer has every line up to this one."""
        lines, seconds = line - self._tried_line, self._clock() - self._tried_at
        if lines < checkpoint.EVERY_LINES and seconds < checkpoint.EVERY_SECONDS:
            return
        with suppress(StreamRefusedError):  # reported by the producer; its events are not covered
            self._producer.flush(SPOOL_SECONDS if self._producer.has_spool else None)
        if not self._producer.stats().pending:
            with self._reported():
                self._kept.save(line, self._producer.last_seq)
        self._tried_at, self._tried_line = self._clock(), line

    def begin(self) -> None:
        """Notes which sequence the replay is, before anything is sent."""
        with self._reported():
            self._kept.begin(self._producer.epoch)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # The one before stands: more is sent again than has to be, and nothing is lost.
            if str(error) != self._told:
                self._told = str(error)
                _log.warning("How far the replay got could not be saved: %s.", error)
