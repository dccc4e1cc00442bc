"""Everything between `put` and the stream: what is accepted, where it waits, and how it ends.

Nothing in here calls the network: `producers.sending.sender` does, on threads of its own.
"""

from collections.abc import Callable
from random import Random

from producers.errors import ProducerError, SpoolError
from producers.sending.backlog import NOT_SPOOLED, Backlog
from producers.sending.dispatch import Dispatch
from producers.sending.intake import POLL_SECONDS, Intake
from producers.sending.outcomes import Outcomes
from producers.sending.settings import OutboxSettings
from producers.sending.settled import Reports, Settled
from producers.sending.stats import Stats
from producers.spool.folder import Spool


class Outbox:
    """See the module. `clock` is monotonic, in seconds; `warn` is called once with what degrades the service.

    Attributes:
        intake: for the caller.
        dispatch, outcomes: for senders.
        reports: what is to be reported to the caller.
    """

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
        self._spool = spool
        self._settled = settled
        self.reset()

    def reset(self) -> None:
        """Empty, as in a new process."""
        self.reports = Reports(self._settled, self._callback_failed)
        self._backlog = Backlog(
            self._settings, self._clock, self._random, self._warn, self._spool, self.reports
        )
        self.intake = Intake(self._backlog)
        self.dispatch = Dispatch(self._backlog)
        self.outcomes = Outcomes(self._backlog)

    @property
    def largest_record(self) -> int:
        """Bytes that an event and its key may have at most."""
        return self._backlog.largest_record

    @property
    def failure(self) -> ProducerError | None:
        """Why nothing is sent, if anything keeps it from being sent."""
        return self._backlog.failure

    @property
    def is_over(self) -> bool:
        """Whether no event will be taken any more."""
        return self._backlog.is_over

    def stats(self) -> Stats:
        """A copy of the counts."""
        with self._backlog.lock:
            return self._backlog.snapshot()

    def interrupt(self) -> None:
        """Ends what others wait for in here. Takes no lock: a signal's handler may call it."""
        self._backlog.interrupt()

    def flush(self, timeout: float | None) -> int:
        """Sends what waits; returns what is still pending when all of it is settled, or the time is over.

        Raises StreamRefusedError when the stream refuses meanwhile; the events are kept.
        """
        backlog = self._backlog
        with backlog.lock:
            if self._spool is not None:
                self._spool.sync()
            if self._is_refused_while_waiting(timeout) and backlog.failure is not None:
                raise backlog.failure
            return backlog.snapshot().pending + (backlog.stats.spooled if self._spool is not None else 0)

    def close(self, timeout: float | None) -> Stats:
        """Takes no more, sends what waits, spools the rest if there is a spool. Returns within the
        timeout.
        """
        backlog = self._backlog
        with backlog.lock:
            if not backlog.is_closed:
                backlog.close()
                self._is_refused_while_waiting(timeout)
                backlog.stop()
                self._spool_rest()
                backlog.forget_under_way()
            backlog.work.notify_all()
            backlog.room.notify_all()
            return backlog.snapshot()

    def _is_refused_while_waiting(self, timeout: float | None) -> bool:
        """Waits until everything is settled; gives up when time is over, or the stream refuses."""
        backlog = self._backlog
        deadline = None if timeout is None else self._clock() + timeout
        refusals, interrupts = backlog.refusals, backlog.interrupts
        backlog.endpoint.nudge()
        with backlog.hurried():
            while not backlog.is_empty and not backlog.is_stopped:
                left = POLL_SECONDS if deadline is None else min(POLL_SECONDS, deadline - self._clock())
                if left <= 0 or backlog.interrupts != interrupts:
                    return False
                if backlog.refusals != refusals:
                    return True
                backlog.room.wait(left)
        return backlog.is_dead

    def _spool_rest(self) -> None:
        if self._spool is None:
            return
        backlog, lost, why = self._backlog, 0, ""
        for event in backlog.left():
            if event.mark is None or event.mark == NOT_SPOOLED:
                try:
                    self._spool.append(event.data, event.key, event.explicit_hash_key, unread=True)
                except SpoolError as error:
                    lost, why = lost + 1, str(error)
                    continue
            backlog.spooled(event)
        try:
            self._spool.close()
        except SpoolError as error:
            self._warn(f"The spool may not survive a power cut: {error}")
        if lost:
            self._warn(f"{lost:,} events are lost with this process: {why}")

    def _callback_failed(self) -> None:
        with self._backlog.lock:
            self._backlog.stats.count_callback_error()
