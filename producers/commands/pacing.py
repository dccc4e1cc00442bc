"""How fast events leave: at once, at a rate, or with the pauses that they had (time is passed in).

How many event hours may leave in a while is `hour_pacing`'s.
"""

from collections.abc import Callable
from typing import Protocol

CHECK_EVERY_SECONDS = 0.002  # of events at a rate, between two looks at the clock


class Pace(Protocol):
    """Waits until the next event is due."""

    def wait(self, time_ms: int, /) -> None:
        """`time_ms` is when the event happened, in milliseconds since 1970."""
        ...


class AtOnce:
    """No waiting."""

    def wait(self, _: int, /) -> None:
        """Returns at once."""


class AtRate:
    """So many events per second, evenly."""

    def __init__(self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        if per_second <= 0:
            raise ValueError("A rate is a number of events per second above 0.")
        self._per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._every = max(1, int(per_second * CHECK_EVERY_SECONDS))
        self._count = 0
        self._start: float | None = None

    def wait(self, _: int, /) -> None:
        """Sleeps while ahead of the rate."""
        if self._start is None:
            self._start = self._clock()
        if self._count % self._every == 0:
            ahead = self._start + self._count / self._per_second - self._clock()
            if ahead > 0:
                self._sleep(ahead)
        self._count += 1


class AsItHappened:
    """The pauses between the events' own times, divided by `speed`."""

    def __init__(self, speed: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        if speed <= 0:
            raise ValueError("A speed is a factor above 0.")
        self._speed = speed
        self._clock = clock
        self._sleep = sleep
        self._start: tuple[float, int] | None = None

    def wait(self, time_ms: int, /) -> None:
        """Sleeps until the event's time; an event that is older than its predecessor goes at once."""
        if self._start is None:
            self._start = (self._clock(), time_ms)
        began, first_ms = self._start
        ahead = began + (time_ms - first_ms) / 1000 / self._speed - self._clock()
        if ahead > 0:
            self._sleep(ahead)
