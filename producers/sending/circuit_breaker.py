"""Whether the service answers at all, and when to ask it again (pure: time and chance are passed in)."""

from random import Random

from producers.sending.retry import ENDPOINT_BACKOFF, REFUSED_BACKOFF, Backoff


class Endpoint:
    """While requests fail as a whole, one sender at a time asks again, and waits between two attempts."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0
        self._failed_at = 0.0
        self._ask_at = 0.0
        self._is_asking = False

    @property
    def failures(self) -> int:
        """Requests that failed as a whole since the last that did not."""
        return self._failures

    def may_ask(self, now: float) -> bool:
        """Whether a request may be started now."""
        return not self._failures or (not self._is_asking and now >= self._ask_at)

    def wake_at(self) -> float | None:
        """When a request may be started again; None when somebody else is asking."""
        return None if self._is_asking else self._ask_at

    def asking(self) -> None:
        """A request starts."""
        self._is_asking = True

    def answered(self) -> None:
        """The service answered, whatever it said."""
        self._failures = 0
        self._is_asking = False

    def failed(self, now: float, backoff: Backoff = ENDPOINT_BACKOFF) -> None:
        """A request failed as a whole."""
        self._failures += 1
        self._is_asking = False
        self._failed_at = now
        self._ask_at = now + backoff.wait(self._failures, self._random)

    def refused(self, now: float) -> None:
        """A request was refused, for a reason that somebody has to fix first."""
        self.failed(now, REFUSED_BACKOFF)

    def nudge(self) -> None:
        """Somebody waits for the answer: asked as soon as an endpoint that is down may be."""
        self._ask_at = min(self._ask_at, self._failed_at + ENDPOINT_BACKOFF.floor)
