"""Whether the service answers at all, and when to ask it again (pure: time and chance are passed in)."""

from random import Random

from producers.retry import ENDPOINT_BACKOFF, Backoff


class Endpoint:
    """While requests fail as a whole, one sender at a time asks again, and waits between two attempts."""

    def __init__(self, random: Random, backoff: Backoff = ENDPOINT_BACKOFF) -> None:
        self._random = random
        self._backoff = backoff
        self._failures = 0
        self._ask_at = 0.0
        self._is_asking = False

    @property
    def is_down(self) -> bool:
        """Whether the last request failed as a whole."""
        return self._failures > 0

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

    def failed(self, now: float) -> None:
        """A request failed as a whole."""
        self._failures += 1
        self._is_asking = False
        self._ask_at = now + self._backoff.wait(self._failures, self._random)
