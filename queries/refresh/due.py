"""Partitions that are due, read from the ledger many at a time and handed out in chunks of one report."""

from collections.abc import Callable, Container, Sequence

from queries.ledger.port import LedgerTable
from queries.partitions import Key

DUE_LIMIT = 2_000
"""Due partitions that one poll of the ledger takes."""
DUE_AGE_MS = 5_000
"""What was read longer ago is read again: whatever has become due since then comes first where it must."""


class DueKeys:
    """What is due, for one worker. Whoever claims reads each partition again: another may have taken it."""

    def __init__(self, ledger: LedgerTable, clock: Callable[[], int], reports: Container[str]) -> None:
        self._ledger, self._clock, self._reports = ledger, clock, reports
        self._left: dict[str, list[Key]] = {}
        self._read_at = 0
        self._may_read = True

    def begin(self) -> None:
        """A worker looks for something to do: until it looks again, the ledger is read once more at most."""
        self._may_read = True
        if self._clock() - self._read_at >= DUE_AGE_MS:
            self._left = {}

    def take(self, most: int) -> Sequence[Key]:
        """Up to so many keys of one report, in order; none when nothing is due."""
        if not self._left and self._may_read:
            self._may_read, self._read_at = False, self._clock()
            for key in self._ledger.due(self._read_at, DUE_LIMIT):
                if key.report in self._reports:
                    self._left.setdefault(key.report, []).append(key)
            self._left = {report: sorted(self._left[report]) for report in sorted(self._left)}
        if not self._left:
            return ()
        report = next(iter(self._left))
        taken, left = self._left[report][:most], self._left[report][most:]
        if left:
            self._left[report] = left
        else:
            del self._left[report]
        return taken
