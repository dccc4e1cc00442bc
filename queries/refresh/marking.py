"""Marking report partitions: what is stale, and when it is due."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice

from queries.ledger import restoring, rules
from queries.ledger.port import OPTIMISTIC_TRIES, ConflictError, LedgerTable
from queries.ledger.state import PartitionState
from queries.partitions import Key, window
from queries.refresh.catalog import ReportQuery
from queries.refresh.publication import version_of
from queries.refresh.summary import Policy
from queries.store.port import ReportStore


class Marking:
    """Writes demand into the ledger. `clock` gives epoch milliseconds."""

    def __init__(
        self,
        ledger: LedgerTable,
        store: ReportStore,
        queries: Mapping[str, ReportQuery],
        *,
        clock: Callable[[], int],
        policy: Policy,
    ) -> None:
        self._ledger, self._store, self._queries = ledger, store, queries
        self._clock, self._policy = clock, policy

    def mark(
        self,
        keys: Iterable[Key],
        *,
        force: bool = False,
        accept: bool = False,
        at_once: bool = False,
        asked_by: str = "",
    ) -> int:
        """Note that these partitions are stale; how many they are. Raises KeyError for an unknown report.

        With `accept` they are computed from what the lake still holds, also when that is less than before.
        `asked_by` is a job's round: what it has marked before is not marked again.
        """
        wanted = list(dict.fromkeys(keys))

        def marked(state: PartitionState) -> PartitionState:
            return self._marked(state, force=force, accept=accept, at_once=at_once, asked_by=asked_by)

        for batch in _batches(wanted, rules.CHUNK):
            self._rewrite(batch, marked)
        return len(wanted)

    def hasten(self, keys: Iterable[Key]) -> None:
        """Make those of these partitions that are stale due at once, also those that were quarantined."""
        for batch in _batches(list(dict.fromkeys(keys)), rules.CHUNK):
            self._rewrite(batch, lambda state: rules.hasten(state, self._clock()))

    def _marked(
        self, state: PartitionState, *, force: bool, accept: bool, at_once: bool, asked_by: str
    ) -> PartitionState:
        query, now = self._queries[state.report], self._clock()
        report, scale = query.report, 0.0 if at_once else self._policy.debounce_scale
        not_before = 0
        if query.waits_for_lateness and not at_once:
            _, end = window(report, state.partition)
            not_before = int(end.timestamp() * 1000) + report.lateness_seconds * 1000
        debounce, at_most = report.debounce_seconds * 1000 * scale, report.max_delay_seconds * 1000 * scale
        return rules.mark(
            state,
            now,
            int(debounce),
            int(at_most),
            not_before=not_before,
            force=force,
            accept=accept,
            asked_by=asked_by,
        )

    def _rewrite(self, keys: Sequence[Key], rule: Callable[[PartitionState], PartitionState]) -> None:
        for _ in range(OPTIMISTIC_TRIES):
            known = self._ledger.partitions(keys)
            told = self._told([key for key in keys if key not in known])
            states = [known.get(key) or told.get(key) or rules.new(key) for key in keys]
            changed = [after for before in states if (after := rule(before)) != before]
            try:
                self._ledger.commit(changed)
            except ConflictError:
                continue
            return
        raise ConflictError(
            f"{len(keys)} partitions of {keys[0].report} were written by another writer each time. Try again."
        )

    def _told(self, keys: Sequence[Key]) -> dict[Key, PartitionState]:
        """What the catalog says of partitions that the ledger does not know: nothing, unless it lost them."""
        found: dict[Key, PartitionState] = {}
        for report in sorted({key.report for key in keys}):
            values = [key.partition for key in keys if key.report == report]
            for value, entry in self._store.served(report, values).items():
                if version := version_of(entry):
                    found[Key(report, value)] = restoring.rebuild(Key(report, value), version)
        return found


def _batches(keys: Sequence[Key], size: int) -> Iterable[list[Key]]:
    left = iter(keys)
    while batch := list(islice(left, size)):
        yield batch
