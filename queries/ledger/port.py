"""The port to where the ledger is kept: items that are written only if nobody wrote them in between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from queries.ledger.state import PartitionState, Run
from queries.partitions import Key

MOST_WRITES = 100
"""Writes that one commit may hold."""


OPTIMISTIC_TRIES = 20
"""How often a change is tried when another writer wins each time."""


class ConflictError(Exception):
    """Somebody else wrote one of the items first. Nothing was written: read again and decide again."""


@dataclass(frozen=True)
class Remove:
    """Take the run out of the ledger."""

    run: Run


Write = PartitionState | Run | Remove
"""An item as it shall be. Its `revision` is the one that it was read with (0: it must not exist)."""


class LedgerTable(Protocol):
    """Reads are strongly consistent, but for `due`."""

    def partitions(self, keys: Sequence[Key]) -> Mapping[Key, PartitionState]:
        """The partitions that exist, by key."""
        ...

    def report(self, report: str) -> Sequence[PartitionState]:
        """Every partition of the report, in order."""
        ...

    def due(self, now: int, limit: int) -> Sequence[Key]:
        """Up to `limit` partitions with `due_at <= now`, the longest due first; may lag by a moment."""
        ...

    def run(self, run_id: str) -> Run | None:
        """The run, or None when it has ended."""
        ...

    def runs(self) -> Sequence[Run]:
        """Every run that has not ended."""
        ...

    def commit(self, writes: Sequence[Write]) -> None:
        """Write all of them, each with its revision raised by one, or none. Raises ConflictError."""
        ...
