"""Runs that nobody reads any more: retired once nothing refers to them and no reader has them open."""

from collections.abc import Iterable, Mapping

from queries.ledger.port import LedgerTable
from queries.ledger.state import PartitionState, Run
from queries.refresh.catalog import ReportQuery
from queries.store.port import ReportStore


def referenced(states: Iterable[PartitionState], runs: Iterable[Run]) -> set[str]:
    """Folders of runs that a partition serves, can be rolled back to, or that are being computed."""
    found = {run.location for run in runs}
    for state in states:
        for version in (state.published, *state.previous):
            if version is not None:
                found.add(run_folder(version.location))
    return found


def run_folder(location: str) -> str:
    """The run's folder that a partition's folder lies in."""
    return location.rstrip("/").rpartition("/")[0] + "/"


class Housekeeping:
    """Retires runs."""

    def __init__(self, ledger: LedgerTable, store: ReportStore, queries: Mapping[str, ReportQuery]) -> None:
        self._ledger, self._store, self._queries = ledger, store, queries

    def retire(self, *, now: int, keep_ms: int) -> list[str]:
        """Retire every run that is older than `keep_ms` and not referred to; their folders.

        A query that began before a swap reads the files of the old run until it ends, so `keep_ms` must be
        longer than any query takes.
        """
        retired: list[str] = []
        for name, query in self._queries.items():
            # Runs are listed before the references are read: a run that is published in between is kept.
            stored = [run for run in self._store.runs(query.report.prefix) if run.newest < now - keep_ms]
            if not stored:
                continue
            kept = referenced(self._ledger.report(name), self._ledger.runs())
            for run in stored:
                if run.location not in kept:
                    self._store.retire(run.location)
                    retired.append(run.location)
        return retired
