"""A replay as text: how far it is while it runs, and what it did."""

from collections.abc import Callable

from transforms.failed.replay import Counts
from transforms.text_table import text_table

_EVERY = 1.0
"""Seconds between two lines of progress."""


class Progress:
    """Adds up the counts of a replay and says how far it is: at most once a second, and at the end."""

    def __init__(self, tell: Callable[[str], None], clock: Callable[[], float]) -> None:
        self.total = Counts()
        self._tell = tell
        self._clock = clock
        self._said = clock()
        self._done = 0

    def add(self, counts: Counts) -> None:
        """An error object is done."""
        self.total.add(counts)
        self._done += 1
        self._say(self._sums())

    def note(self, what: str, done: int, of: int) -> None:
        """The error object at work has come so far."""
        self._say(f"error object {self._done + 1:,}: {done:,} of {of:,} {what}")

    def end(self) -> None:
        """All error objects are done."""
        self._tell(f"{self._sums()}: done")

    def _sums(self) -> str:
        total = self.total
        return f"{self._done:,} error objects, {total.events:,} events, {total.replayed:,} into the lake"

    def _say(self, text: str) -> None:
        if self._clock() - self._said >= _EVERY:
            self._said = self._clock()
            self._tell(text)


def summary(total: Counts, *, dry_run: bool) -> str:
    """What became of everything."""
    rows: list[tuple[str, int]] = [
        ("events" + (" (dry run, nothing written)" if dry_run else ""), total.events),
        ("  into the lake", total.replayed),
        ("  dropped", total.dropped),
        *((f"  still failed: {reason}", count) for reason, count in total.still_failed.most_common()),
        ("  not selected", total.not_selected),
        ("lake objects changed", total.objects_written),
        ("records still to be replayed", total.to_replay),
        ("error objects replayed before, passed over", total.done_before),
        ("unreadable stretches", total.unreadable),
    ]
    return text_table(("", "count"), rows)
