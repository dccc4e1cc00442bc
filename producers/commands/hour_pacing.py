"""Holds events back so that Firehose never has more event hours open than it may (time is passed in).

Every event hour is a lake partition. Firehose has 500 of them open at a time, and diverts every record of one
more to the error prefix. An hour is open from its first record until its buffer is delivered. So what counts
is how many hours were sent within the longest time that this takes.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from producers.commands.pacing import AtOnce, Pace

HOUR_MS = 3_600_000
SHARE = 0.8  # of the partitions; the others are for events that other producers send meanwhile
BURST = 1 / 8  # of the hours that may be open: how many may follow each other at once
LEAST_SECONDS = 0.001  # a wait, so that rounding never makes one that moves no clock
SETTLE_EVERY = 16  # hours that are opened between two looks whether everything was taken by the stream


class Delivery(NamedTuple):
    """What a delivery stream does with event hours.

    Attributes:
        buffer_seconds: how long it buffers. 60 to 900 on AWS with dynamic partitioning.
        partitions: how many lake partitions it may have open.
    """

    buffer_seconds: float = 60.0
    partitions: int = 500

    @property
    def hours(self) -> int:
        """How many hours may be open at a time, with room for others' events."""
        return max(1, int(self.partitions * SHARE))

    @property
    def window_seconds(self) -> float:
        """The longest that an event keeps its hour open after it was sent: the transformation's batch waits
        for up to one interval, and the delivery for up to one and a half.
        """
        return self.buffer_seconds * 2.5


class OpenHours:
    """Which event hours are open, as far as it is known from what was sent (pure).

    Attributes:
        opened: how often an hour was opened.
        most: how many were open together at most.
    """

    def __init__(self, hours: int, window_seconds: float, burst: float = BURST) -> None:
        """At most `hours` are open; their `burst` may open at once, the others evenly within the window."""
        self.opened = self.most = 0
        self._limit = hours
        self._window = window_seconds
        at_once = max(1, int(hours * burst))
        self._every = window_seconds / max(1, hours - at_once)
        self._ahead = (at_once - 1) * self._every
        self._sent: OrderedDict[int, float] = OrderedDict()  # hour -> when it was last sent, oldest first
        self._next = 0.0

    @classmethod
    def unlimited(cls, window_seconds: float) -> "OpenHours":
        """Lets every hour open at once, and counts."""
        return cls(1 << 62, window_seconds, burst=1.0)

    def send(self, hour: int, now: float) -> float:
        """Notes that an event of this hour is sent now, and returns 0; or returns how many seconds it has to
        wait before it may be asked again, and notes nothing.
        """
        sent, oldest = self._sent, now
        while sent and (oldest := next(iter(sent.values()))) + self._window <= now:
            sent.popitem(last=False)
        if hour not in sent:
            if len(sent) >= self._limit:
                return max(LEAST_SECONDS, oldest + self._window - now)
            if self._next - self._ahead > now:
                return max(LEAST_SECONDS, self._next - self._ahead - now)
            self._next = max(self._next, now) + self._every
            self.opened += 1
        self.stay(hour, now)
        self.most = max(self.most, len(sent))
        return 0.0

    def stay(self, hour: int, now: float) -> None:
        """Notes that events of an open hour were sent until now."""
        self._sent[hour] = now
        self._sent.move_to_end(hour)


class HourPace:
    """A pace that waits, besides what another one waits for, until an event's hour may be opened."""

    def __init__(
        self,
        open_hours: OpenHours,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        settle: Callable[[], object],
        inner: Pace | None = None,
    ) -> None:
        """`settle` returns when the stream has taken what was sent: what waits in a buffer, because the
        stream is slow or down, would open its hours later than is thought, and all together.
        """
        self._open = open_hours
        self._clock = clock
        self._sleep = sleep
        self._settle = settle
        self._inner = inner or AtOnce()
        self._hour: int | None = None
        self._settled = 0

    def wait(self, time_ms: int, /) -> None:
        """Sleeps until an event of this time may be sent."""
        self._inner.wait(time_ms)
        hour = time_ms // HOUR_MS
        if hour == self._hour:
            return
        if self._hour is not None:
            self._open.stay(self._hour, self._clock())
        if self._open.opened - self._settled >= SETTLE_EVERY:
            self._settle()
            self._settled = self._open.opened
        while (seconds := self._open.send(hour, self._clock())) > 0:
            self._sleep(seconds)
        self._hour = hour


class Plan(NamedTuple):
    """What sending a file's events means for the delivery stream.

    Attributes:
        hours: different event hours.
        seconds: how long the events take at least, in the file's order, when none is to be diverted.
        sorted_seconds: the same, sorted by time.
    """

    hours: int
    seconds: float = 0.0
    sorted_seconds: float = 0.0


def plan(hours: Iterable[int], delivery: Delivery) -> Plan:
    """What events of these hours, in this order, mean."""
    found: set[int] = set()

    def noted() -> Iterator[int]:
        for hour in hours:
            found.add(hour)
            yield hour

    seconds = _seconds(noted(), delivery)
    if len(found) <= delivery.hours:
        return Plan(len(found))  # all of them may be open together
    return Plan(len(found), seconds, _seconds(sorted(found), delivery))


def _seconds(hours: Iterable[int], delivery: Delivery) -> float:
    open_hours, now = OpenHours(delivery.hours, delivery.window_seconds), 0.0
    for hour, _ in groupby(hours):
        while (wait := open_hours.send(hour, now)) > 0:
            now += wait
    return now


def told(name: str, found: Plan, delivery: Delivery, *, is_paced: bool) -> str:
    """What a user has to know about a file with more event hours than may be open."""
    many = (
        f"{name} has {found.hours:,} event hours; the delivery stream holds {delivery.partitions:,} open "
        "and diverts the events of further ones."
    )
    if not is_paced:
        return f"{many} They are sent without waiting, as --no-hour-pacing asks."
    paced = f"{many} They are paced: at least {duration(found.seconds)}"
    if found.seconds > 2 * found.sorted_seconds + 1:
        paced += f" in the file's order, {duration(found.sorted_seconds)} if it is sorted by time first"
    return f"{paced}. --no-hour-pacing sends them at once."


def duration(seconds: float) -> str:
    """As people say it: `42 s`, `16 min`, `5.2 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
