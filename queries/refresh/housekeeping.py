"""Runs that nobody reads any more: retired once nothing refers to them and no reader has them open."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping

from queries.ledger.port import LedgerTable
from queries.ledger.state import PartitionState, Run
from queries.refresh.catalog import ReportQuery
from queries.store.port import ReportStore

RETIRED = "_retired.json"
"""Beside a report's runs: which of them have been retired. They stay listed until S3 has deleted them."""


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

    def retire(self, *, now: int, keep_ms: int, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
        """Retire every run that is older than `keep_ms` and not referred to, each once; their folders.

        A query that began before a swap reads the files of the old run until it ends, so `keep_ms` must be
        longer than any query takes. When `may_go_on` says no, the rest is left to the next time.
        """
        retired: list[str] = []
        for name, query in self._queries.items():
            prefix = query.report.prefix
            # Runs are listed before the references are read: a run that is published in between is kept.
            stored = {run.location: run.newest for run in self._store.runs(prefix)}
            old = [location for location, newest in stored.items() if newest < now - keep_ms]
            if not old:
                continue
            before = _read(self._store.get(prefix + RETIRED))
            kept = referenced(self._ledger.report(name), self._ledger.runs())
            mine = []
            for location in old:
                if location not in kept and location not in before and may_go_on():
                    self._store.retire(location)
                    mine.append(location)
            known = {location for location in before if location in stored} | set(mine)
            if known != before:
                self._store.put(prefix + RETIRED, _written(known))
            retired += mine
        return retired


def _read(text: bytes) -> set[str]:
    return set(json.loads(text)) if text else set()


def _written(locations: Collection[str]) -> bytes:
    return json.dumps(sorted(locations)).encode()
