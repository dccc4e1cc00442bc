"""What was lost above the lake is rebuilt from what is left: partitions of the catalog from the ledger, items
of the ledger from the catalog, files of reports, and what is left of neither, from the lake.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from queries.ledger import restoring, rules
from queries.ledger.port import ConflictError, LedgerTable
from queries.ledger.rules import CHUNK
from queries.ledger.state import PartitionState
from queries.partitions import Key
from queries.refresh.catalog import ReportQuery
from queries.refresh.publication import version_of
from queries.refresh.sealing import OpenHours
from queries.store.port import Entry, ReportStore

Loss = Literal["partition", "files", "item", "run"]


@dataclass(frozen=True)
class Lost:
    """Something of a report partition that is not where it must be.

    `partition`: the catalog does not show readers the published version. `files`: its files are gone or
    changed. `item`: the ledger does not know, or knows an older one than, the version that the catalog shows.
    `run`: the ledger does not know the run that the partition is in.
    """

    key: Key
    what: Loss
    state: PartitionState | None = None
    entry: Entry | None = None

    def __str__(self) -> str:
        says = {
            "partition": "is not what the catalog shows",
            "files": "lacks files",
            "item": "is not in the ledger as the catalog shows it",
            "run": "is in a run that the ledger does not know",
        }
        return f"{self.key} {says[self.what]}"


def compare(
    query: ReportQuery,
    states: Iterable[PartitionState],
    served: Mapping[str, Entry],
    *,
    stored: Mapping[str, int] | None = None,
    runs: Iterable[str] | None = None,
    unknown: bool = False,
) -> list[Lost]:
    """What is lost of these partitions (pure).

    `stored` and `runs` are the report's files and the runs that have not ended; None: not looked at. With
    `unknown`, partitions of the catalog that are not among `states` are lost items.
    """
    known = {state.partition: state for state in states}
    running = None if runs is None else set(runs)
    lost = []
    for partition, state in sorted(known.items()):
        entry = served.get(partition)
        what = _loss(query, state, entry, stored, running)
        if what is not None:
            lost.append(Lost(state.key, what, state, entry))
    if unknown:
        lost += [
            Lost(Key(query.report.name, value), "item", None, entry)
            for value, entry in sorted(served.items())
            if value not in known and version_of(entry)
        ]
    return lost


def _loss(
    query: ReportQuery,
    state: PartitionState,
    entry: Entry | None,
    stored: Mapping[str, int] | None,
    running: set[str] | None,
) -> Loss | None:
    if state.run_id is not None:
        return "run" if running is not None and state.run_id not in running else None
    published, shown = state.published, entry and version_of(entry)
    if shown and (published is None or shown.fence > published.fence):
        return "item"
    if published is None:
        # An hour has its partition from its first object on, long before it is sealed.
        return "partition" if query.waits_for_lateness and entry is None else None
    if entry is not None and entry.location.startswith("s3://"):
        return None  # an open hour shows all of the lake's objects, which is never too little
    if stored is not None and not _is_whole(
        published.rows, published.bytes, stored.get(published.location, 0)
    ):
        return "files"
    if entry is None or entry.location != published.location:
        return "partition"
    return None


def _is_whole(rows: int, size: int | None, found: int) -> bool:
    return found == size if size is not None else bool(found or not rows)


class Recovery:
    """Compares ledger, catalog and files, and repairs what differs. `mark` has partitions computed again."""

    def __init__(
        self,
        ledger: LedgerTable,
        store: ReportStore,
        queries: Mapping[str, ReportQuery],
        *,
        open_hours: OpenHours,
        mark: Callable[[Sequence[Key]], object],
        clock: Callable[[], int],
    ) -> None:
        self._ledger, self._store, self._queries = ledger, store, queries
        self._open_hours, self._mark, self._clock = open_hours, mark, clock

    def lost(self, name: str, states: Sequence[PartitionState], first: str, *, files: bool) -> list[Lost]:
        """What is lost of a report's partitions from `first` on, of which `states` are those in the ledger.

        One call of Glue for a thousand partitions; with `files` one of S3 for a thousand files. The states
        must have been read before: then whatever was published meanwhile is newer in the catalog, and no
        write that rests on them succeeds.
        """
        query = self._queries[name]
        report, in_runs = query.report, any(state.run_id for state in states)
        return compare(
            query,
            states,
            self._store.registered(name, report.grain, first),
            stored=self._store.stored(report.prefix) if files else None,
            runs=[run.run_id for run in self._ledger.runs()] if in_runs else None,
            unknown=not first,
        )

    def repair(self, lost: Sequence[Lost]) -> int:
        """Bring back what is lost, or have it computed again; how many partitions that is.

        A run that shows readers again what is published is left to the next worker.
        """
        now = self._clock()
        for one in lost:
            if one.what == "item" and (version := one.entry and version_of(one.entry)):
                self._write(restoring.rebuild(one.key, version, one.state, now))
            if one.what == "run" and one.state:
                self._write(rules.release(one.state, now))
        forced = [one.key for one in lost if one.what == "files"]
        forced += self._show_again([one for one in lost if one.what == "partition"])
        sealed = [key for key in forced if self._queries[key.report].waits_for_lateness]
        self._open_hours.reopen(sealed)
        self._mark(forced)
        return len(lost)

    def _show_again(self, lost: Sequence[Lost]) -> list[Key]:
        """Put the published versions into runs that show them; those whose files are gone as well."""
        gone: list[Key] = []
        for name in sorted({one.key.report for one in lost}):
            mine = [one for one in lost if one.key.report == name]
            report = self._queries[name].report
            stored = self._store.stored(report.prefix)
            whole = []
            for one in mine:
                version = one.state.published if one.state else None
                stale_seal = self._queries[name].waits_for_lateness and one.state and one.state.is_stale
                if (
                    version is not None
                    and not stale_seal
                    and _is_whole(version.rows, version.bytes, stored.get(version.location, 0))
                ):
                    whole.append(one)
                else:
                    gone.append(one.key)
            for start in range(0, len(whole), CHUNK):
                self._repeat(whole[start : start + CHUNK])
        return gone

    def _repeat(self, lost: Sequence[Lost]) -> None:
        states = [one.state for one in lost if one.state]
        fences = {one.key.partition: int(one.entry.parameters.get("fence", "0")) for one in lost if one.entry}
        run, claimed = restoring.claim_again(states, fences, now=self._clock())
        try:
            self._ledger.commit([run, *claimed])
        except ConflictError:
            return  # somebody works on one of them: the next comparison sees what becomes of it

    def _write(self, state: PartitionState) -> None:
        try:
            self._ledger.commit([state])
        except ConflictError:
            return  # somebody else has written it: the next comparison sees what
