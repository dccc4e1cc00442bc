"""Everything that the query function and the command do with reports, put together from its parts."""

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from queries.engine.port import QueryEngine
from queries.hours import day_of
from queries.lake.port import LakeIndex
from queries.ledger.port import LedgerTable
from queries.ledger.rules import CHUNK, can_be_hastened, is_adoptable
from queries.ledger.state import PartitionState
from queries.partitions import Key, LakeHour, stale_partitions
from queries.reference.declaration import ReferenceTable
from queries.reference.versions import current_versions
from queries.refresh.catalog import ReportQuery
from queries.refresh.due import DUE_LIMIT
from queries.refresh.freshness import FreshnessTable
from queries.refresh.housekeeping import Housekeeping
from queries.refresh.recovery import Recovery
from queries.refresh.refresher import Refresher
from queries.refresh.sealing import OpenHours, sealing_queries
from queries.refresh.summary import Policy, Summary
from queries.refresh.sweep import Sweep, whole_days
from queries.requests import Request
from queries.settings import Settings
from queries.store.definitions import Definitions, restore
from queries.store.port import ReportStore
from queries.store.tables import every_table
from transforms.contracts import EVENT_HOUR, LakeTable, lake_prefix

if TYPE_CHECKING:
    from boto3 import Session


RETOLD_MS = 2 * 3_600_000
"""Once an hour `report_freshness` is emitted again for what was published this long before, or later."""
SOON_MS = 3_600_000
"""Whatever a tick must come back for is due within this."""
TICK_MS = 60_000
"""Each tick compares another report's partitions with the catalog."""
ROLLBACK_MS = 120_000
"""A rollback is a few calls; a process that takes longer for them must not go on."""


_NO_REFERENCES: Mapping[str, ReferenceTable] = MappingProxyType({})


class ReportService:
    """The reports of one deployment, over these lake tables. `clock` gives epoch milliseconds."""

    def __init__(
        self,
        settings: Settings,
        *,
        ledger: LedgerTable,
        lake: LakeIndex,
        engine: QueryEngine,
        store: ReportStore,
        definitions: Definitions,
        tables: Mapping[str, LakeTable],
        queries: Mapping[str, ReportQuery],
        clock: Callable[[], int],
        sleep: Callable[[int], None],
        references: Mapping[str, ReferenceTable] = _NO_REFERENCES,
    ) -> None:
        self.definitions = definitions
        self.settings, self.ledger, self.lake, self.engine, self.store = settings, ledger, lake, engine, store
        self.tables, self.queries, self._clock = tables, queries, clock
        policy = Policy(debounce_scale=settings.debounce_scale, retry=int(settings.retry_seconds * 1000))
        self.refresher = Refresher(
            ledger=ledger,
            lake=lake,
            engine=engine,
            store=store,
            queries=queries,
            clock=clock,
            sleep=sleep,
            policy=policy,
        )
        self.sweep = Sweep(ledger, lake, queries, lambda report: current_versions(store, report))
        self._freshness = FreshnessTable(ledger, store, queries, clock)
        self._housekeeping = Housekeeping(ledger, store, queries)
        self._open_hours = OpenHours(lake, store, queries, self._lake_url)
        self.recovery = Recovery(
            ledger,
            store,
            queries,
            open_hours=self._open_hours,
            mark=lambda keys: self.refresher.mark(keys, force=True, at_once=True),
            clock=clock,
        )
        self._definitions = every_table(
            tables,
            queries.values(),
            references.values(),
            database=settings.database,
            lake_bucket=settings.lake_bucket,
            reporting_bucket=settings.reporting_bucket,
        )

    @property
    def lake_bucket(self) -> str:
        """The bucket whose notifications count."""
        return self.settings.lake_bucket

    def notice(self, hours: Iterable[LakeHour]) -> int:
        """Mark what reads these lake hours; how many partitions they are."""
        reports = [query.report for query in self.queries.values()]
        return self._mark(stale_partitions(hours, reports))

    def prepare(self, request: Request, *, stop_at: int | None = None) -> int:
        """What the request asks for before due partitions run; how many partitions it marked.

        Housekeeping ends at `stop_at` (epoch ms), and goes on the next time.
        """
        marked = 0
        if request.name in ("tick", "refresh"):
            marked = self._compare(everything=request.everything)
        if request.accept_missing:
            # Stale ones too: their loss would only be found when they are computed, and asked about again.
            # What was refused for another reason is only tried once more.
            states = [state for name in self.queries for state in self.ledger.report(name)]
            open_ones = [state.key for state in states if state.quarantined or state.is_stale]
            marked += self.refresher.mark(open_ones, accept=True, at_once=True)
        if request.name == "refresh":
            self.refresher.hasten(self._due_soon() if request.briefly else self._not_due())
        if request.housekeeping:
            self._housekeeping.retire(
                now=self._clock(),
                keep_ms=self.settings.keep_hours * 3_600_000,
                may_go_on=lambda: stop_at is None or self._clock() < stop_at,
            )
            self._retell(self._clock() - RETOLD_MS)
        return marked

    def _not_due(self) -> Iterable[Key]:
        """Stale partitions that do not run at once; all partitions are read."""
        now = self._clock()
        return [state.key for state in self._waited_for() if can_be_hastened(state, now)]

    def _due_soon(self) -> Iterable[Key]:
        """Those of them that wait for their time, none of which is read; none while very many are due."""
        soon = self.ledger.due(self._clock() + SOON_MS, DUE_LIMIT)
        if len(soon) == DUE_LIMIT:
            return ()
        due = frozenset(self.ledger.due(self._clock(), DUE_LIMIT))
        return [key for key in soon if key not in due and self._is_waited_for(key.report)]

    def _compare(self, *, everything: bool) -> int:
        """Rebuild what was lost and mark what the lake has moved away from; how many partitions are marked.

        A tick looks at the last hours only, and at the catalog's partitions of one report after the other.
        When definitions were missing, or everything is asked for, all partitions and files are looked at.
        """
        now = self._clock()
        if restore(self.definitions, self._definitions):
            everything = True
        if everything:
            since, first = None, ""
            known = {state.key: state for name in self.queries for state in self.ledger.report(name)}
            swept = self.sweep.compare(since=None, now=now, known=known)
        else:
            since = whole_days(now, self.settings.sweep_hours)
            first = day_of(since)
            swept = self.sweep.compare(since=since, now=now)
        names = sorted(self.queries)
        for name in names if everything else [names[now // TICK_MS % len(names)]]:
            states = [state for key, state in swept.known.items() if key.report == name]
            self.recovery.repair(self.recovery.lost(name, states, first, files=everything))
        if everything:
            self.refresher.hasten(self.sweep.repaired(swept.known.values()))
        return self._mark(swept.lost)

    def _mark(self, keys: list[Key]) -> int:
        return self.refresher.mark(self._open_hours.open(keys))

    def _lake_url(self, table: str, hour: str) -> str:
        return f"s3://{self.settings.lake_bucket}/{lake_prefix(table)}{EVENT_HOUR}={hour}/"

    def work(self, *, stop_at: int, hard_end: int, wait: bool = True) -> Summary:
        """Run what is due (see `Refresher.work`), then say how fresh it is."""
        summary = self.refresher.work(stop_at=stop_at, hard_end=hard_end, wait=wait)
        self._freshness.write([*summary.published, *summary.unchanged, *summary.failed, *summary.recovered])
        return summary

    def roll_back(self, key: Key) -> PartitionState:
        """Serve the partition's version before the current one. Raises what `Refresher.roll_back` does."""
        state = self.refresher.roll_back(key, hard_end=self._clock() + ROLLBACK_MS)
        self._freshness.write([key])
        return state

    def standing(self) -> dict[str, Any]:
        """How many partitions are stale or running, which are quarantined and why, and which runs have
        another worker, as far as is known. Sealing does not count.
        """
        states = list(self._waited_for())
        return {
            "stale": sum(state.is_stale and not state.quarantined for state in states),
            "quarantined": {str(state.key): state.last_error for state in states if state.quarantined},
            "partitions": len(states),
            "held": self._held(),
        }

    def standing_briefly(self) -> dict[str, Any]:
        """The same without what has to be counted: of stale ones as much as `waiting` says."""
        return {"stale": self.waiting(), "held": self._held()}

    def _held(self) -> list[dict[str, Any]]:
        now = self._clock()
        return [
            {
                "run": run.run_id[:12],
                "report": run.report,
                "partitions": len(run.inputs),
                "lease_until": run.lease_until,
            }
            for run in self.ledger.runs()
            if not is_adoptable(run, now) and self._is_waited_for(run.report)
        ]

    def waiting(self) -> int:
        """How many stale partitions of reports wait or run; of many only that there are some.

        A tick asks for it every second or so on the local cloud, where `standing` reads all of the ledger.
        """
        if running := sum(len(run.inputs) for run in self.ledger.runs() if self._is_waited_for(run.report)):
            return running
        soon = self.ledger.due(self._clock() + SOON_MS, DUE_LIMIT)
        keys = [key for key in soon if self._is_waited_for(key.report)]
        for start in range(0, len(keys), CHUNK):
            states = self.ledger.partitions(keys[start : start + CHUNK]).values()
            if stale := sum(state.is_stale and not state.quarantined for state in states):
                return stale
        return int(len(soon) == DUE_LIMIT)  # those that were not seen may be of reports

    def set_aside(self) -> int:
        """How many partitions, hours that cannot be sealed included, wait for somebody to do something."""
        return sum(state.quarantined for name in self.queries for state in self.ledger.report(name))

    def _retell(self, since: int) -> None:
        # A worker that died between publishing and telling has left no run behind that anybody would adopt.
        states = (state for name in self.queries for state in self.ledger.report(name))
        self._freshness.write(
            state.key for state in states if state.published and state.published.published_at >= since
        )

    def _waited_for(self) -> Iterable[PartitionState]:
        for name in self.queries:
            if self._is_waited_for(name):
                yield from self.ledger.report(name)

    def _is_waited_for(self, report: str) -> bool:
        return report in self.queries and not self.queries[report].waits_for_lateness

    def keys(self, report: str) -> list[Key]:
        """Every partition of the report that the ledger knows."""
        return [state.key for state in self.ledger.report(report)]


def queries_of(
    reports: Mapping[str, ReportQuery], tables: Mapping[str, LakeTable]
) -> Mapping[str, ReportQuery]:
    """All that a project keeps fresh: its reports, and its sealed hours."""
    return {**reports, **sealing_queries(tables)}


def build_service(
    settings: Settings,
    session: "Session",
    *,
    tables: Mapping[str, LakeTable],
    queries: Mapping[str, ReportQuery],
    references: Mapping[str, ReferenceTable] = _NO_REFERENCES,
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    sleep: Callable[[int], None] = lambda milliseconds: time.sleep(milliseconds / 1000),
) -> ReportService:
    """The service on AWS's clients; where they send requests is the environment's business.

    `tables` are the project's lake tables, `queries` what is kept fresh (see `queries_of`), `references` the
    reference tables. The clock gives milliseconds.
    """
    from queries.engine.athena import AthenaEngine
    from queries.lake.s3 import S3LakeIndex
    from queries.ledger.dynamodb import DynamoDbLedger
    from queries.store.glue import GlueReportStore
    from queries.store.glue_definitions import GlueDefinitions

    s3, glue = session.client("s3"), session.client("glue")
    return ReportService(
        settings,
        ledger=DynamoDbLedger(session.client("dynamodb"), settings.ledger_table),
        lake=S3LakeIndex(s3, settings.lake_bucket),
        engine=AthenaEngine(session, database=settings.database, work_group=settings.work_group),
        store=GlueReportStore(s3, glue, bucket=settings.reporting_bucket, database=settings.database),
        definitions=GlueDefinitions(glue, settings.database),
        tables=tables,
        queries=queries,
        references=references,
        clock=clock,
        sleep=sleep,
    )
