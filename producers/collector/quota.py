"""How much a source may send: a rate in each execution environment, and a quota of the day (pure).

The day's use is counted in the table by additions, each of at most `STEP` events or `SECONDS` seconds. So a
source can exceed its quota by what its environments have not added yet: less than `STEP` events and one
request each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from producers.collector.keys import KeysUnavailableError, WriteKey
from producers.collector.problems import ProblemError

STEP = 1_000
SECONDS = 5.0
DAY_SECONDS = 86_400


class UseTable(Protocol):
    """Where the use of a day is counted."""

    def add(self, source: str, day: str, count: int, expires_at: int) -> int:
        """Add to the count of the source's day; the new count. Raises KeysUnavailableError."""
        ...


@dataclass
class _Use:
    day: str
    known: int = 0
    waiting: int = 0
    added_at: float = -SECONDS


@dataclass
class Quotas:
    """Counts what sources send. `clock` gives epoch seconds."""

    table: UseTable
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    _uses: dict[str, _Use] = field(default_factory=dict)
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)

    def check(self, key: WriteKey, count: int) -> None:
        """Raise ProblemError when `count` more events are too many. Nothing is counted for the day yet."""
        self._check_rate(key, count)
        if not key.daily:
            return
        use = self._use(key.source)
        self._add(key.source, use, self.monotonic() - use.added_at >= SECONDS)
        if use.known + use.waiting + count > key.daily:
            left = DAY_SECONDS - int(self.clock()) % DAY_SECONDS
            raise ProblemError(
                "quota_exceeded",
                f"{key.daily} events a day are agreed for this source. Nothing was taken.",
                retry_after=left,
            )

    def took(self, key: WriteKey, count: int) -> None:
        """So many events were taken."""
        if key.daily:
            use = self._use(key.source)
            use.waiting += count
            self._add(key.source, use, use.waiting >= STEP)

    def _check_rate(self, key: WriteKey, count: int) -> None:
        if not key.rate:
            return
        now = self.monotonic()
        # A second's worth may come at once, and a request that is larger than that alone.
        most = float(max(key.rate, count))
        level, at = self._buckets.get(key.source, (most, now))
        level = min(most, level + (now - at) * key.rate)
        if level < count:
            self._buckets[key.source] = (level, now)
            wait = int((count - level) / key.rate) + 1
            raise ProblemError(
                "rate_exceeded", f"At most {key.rate} events a second. Nothing was taken.", retry_after=wait
            )
        self._buckets[key.source] = (level - count, now)

    def _use(self, source: str) -> _Use:
        day = datetime.fromtimestamp(self.clock(), UTC).date().isoformat()
        use = self._uses.get(source)
        if use is None or use.day != day:
            use = self._uses[source] = _Use(day)
        return use

    def _add(self, source: str, use: _Use, is_due: bool) -> None:
        if not is_due:
            return
        try:
            use.known = self.table.add(source, use.day, use.waiting, int(self.clock()) + 3 * DAY_SECONDS)
            use.waiting = 0
        except KeysUnavailableError:
            pass  # counted here until the table answers again
        use.added_at = self.monotonic()
