"""A number explained: the ledger, the lake and the report's own SQL are asked, and a receipt is made."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from queries.commands.cost import billed_bytes, dollars
from queries.contracts import Report
from queries.engine.port import QueryFailedError, Reads, Rows
from queries.lake.inputs import inputs_of, read_objects, shrunk
from queries.lake.port import LakeIndex, Listed
from queries.ledger.port import LedgerTable
from queries.ledger.state import PartitionState
from queries.partitions import Key, LakeHour, input_of, window
from queries.receipts import composing
from queries.receipts.around import RunName, Surroundings
from queries.receipts.cell import Asked, Cell, shown
from queries.receipts.errors import CannotTraceError, UnknownCellError
from queries.receipts.known_versions import Files, Known, known_versions
from queries.receipts.model import Receipt
from queries.receipts.statements import Listing, again, in_objects, listing
from queries.receipts.versions import Inputs, inputs_of_version
from queries.refresh.catalog import ReportQuery

SAMPLES = 5
_APPROXIMATE = "approx_"


@dataclass(frozen=True)
class Forecast:
    """What a receipt costs at most: statements, bytes scanned, dollars."""

    statements: int
    bytes_scanned: int
    dollars: float


@dataclass
class Lists:
    """What was found of the events: their counts, some of them, the statement, or why there are none."""

    counts: Sequence[Mapping[str, Any]] = ()
    samples: Sequence[Mapping[str, Any]] = ()
    sql: str = ""
    untraced: str = ""
    inexact: str = ""
    statements_run: int = 0
    bytes_scanned: int = 0

    @property
    def events(self) -> int:
        """How many events were listed."""
        return sum(row["events"] for row in self.counts)


class Explainer:
    """Explains numbers of one deployment. `lake_url` makes an object's key a URL; the clock gives ms."""

    def __init__(
        self,
        *,
        ledger: LedgerTable,
        lake: LakeIndex,
        engine: Reads,
        files: Files,
        statement: Callable[[str], str | None],
        around: Surroundings,
        lake_url: Callable[[str], str],
        clock: Callable[[], int],
    ) -> None:
        self._ledger, self._lake, self.engine, self._files = ledger, lake, engine, files
        self._statement, self._around, self.lake_url, self._clock = statement, around, lake_url, clock

    def forecast(self, report: Report, partition: str) -> Forecast:
        """What explaining costs at most: its hours are read four times, for sequences the whole tables twice.

        Athena reads a few columns of them only, so it is nearly always much less. Raises UnknownCellError.
        """
        version = self.state(report, partition).published
        assert version is not None
        statements = 3 + 2 * len(report.sources)
        whole = sum(held.bytes for table in report.sources for held in self._lake.hours(table).values())
        scanned = 4 * version.input.bytes + 2 * whole
        return Forecast(statements, scanned, dollars(billed_bytes(scanned, statements)))

    def state(self, report: Report, partition: str) -> PartitionState:
        """The partition, which has been published. Raises UnknownCellError."""
        key = Key(report.name, partition)
        state = self._ledger.partitions([key]).get(key)
        if state is None or state.published is None:
            raise UnknownCellError(
                f"{key} has never been published. See: penstock reports list {report.name}"
            )
        return state

    def versions(self, query: ReportQuery, asked: Asked) -> tuple[PartitionState, Cell, list[Known]]:
        """The partition, the cell, and its versions, the served one first. Raises UnknownCellError."""
        state = self.state(query.report, asked.partition)
        return state, *known_versions(query, state, asked, self._files, self._statement)

    def objects(self, report: Report, partition: str) -> Mapping[LakeHour, Sequence[Listed]]:
        """The objects that lie in the partition's hours today."""
        wanted = set(input_of(report, [partition]))
        listed = read_objects(self._lake, report, [partition])
        return {hour: found for hour, found in listed.items() if hour in wanted}

    def explain(self, query: ReportQuery, asked: Asked) -> Receipt:
        """The receipt of the number that readers see. Raises UnknownCellError, botocore's errors."""
        state, cell, known = self.versions(query, asked)
        served, report = known[0], query.report
        objects = self.objects(report, asked.partition)
        inputs = inputs_of_version(report, served.published, asked.partition, objects)
        lists = self._lists(served, cell, self.within(objects, inputs))
        runs = sorted({RunName(row["producer_id"], int(row["epoch"])) for row in lists.counts})
        around = self._around.look(query.tables, window(report, asked.partition), runs)
        producers = composing.producers_of(lists.counts, around)
        now_there = inputs_of(report, [asked.partition], objects)[asked.partition]
        lost = shrunk(report, served.published.input, now_there).partition(". Bring")[0]
        if not lost and not inputs.are_known:
            lost = "objects that this version was computed from were written anew or are gone"
        found = composing.findings(
            lost=lost,
            gap=composing.gaps(producers, around),
            untraced=f"cannot be traced, because {lists.untraced}" if lists.untraced else "",
            quarantined=state.last_error if state.quarantined else "",
        )
        every = [one for listed in objects.values() for one in listed if one.bytes]
        read = {self.lake_url(one.key): (one.bytes, one.modified) for one in every if one.key in inputs.keys}
        unknown = (*around.unknown, *([lists.inexact] if lists.inexact else []))
        statements = lists.statements_run + around.statements_run
        scanned = lists.bytes_scanned + around.bytes_scanned
        return Receipt(
            headline=composing.headline(cell, served.value, lists.events, found, unknown),
            report=report.name,
            title=report.title,
            partition=cell.partition,
            keys={name: composing.json_value(value) for name, value in cell.keys.items()},
            column=cell.column,
            type=next(each.type for each in report.columns if each.name == cell.column),
            value=served.version.value,
            condition=state.condition,
            findings=found,
            untraced=lists.untraced,
            unknown=unknown,
            versions=tuple(one.version for one in known),
            objects=composing.objects_of(lists.counts, read),
            newer_objects=len(every) - len(read),
            events=lists.events,
            groups=composing.groups_of(lists.counts),
            samples=tuple(composing.sample(row) for row in lists.samples),
            copies_removed=sum(row["copies"] for row in lists.counts) if report.dedupe else 0,
            producers=producers,
            refused=tuple(around.refused),
            without_hour=around.without_hour,
            delivered_until=around.delivered_until,
            statement=lists.sql,
            statements_run=statements,
            bytes_scanned=scanned,
            dollars=dollars(billed_bytes(scanned, statements)),
            digest=composing.digest(cell, served.version),
            made_at=self._clock(),
        )

    def within(self, objects: Mapping[LakeHour, Sequence[Listed]], inputs: Inputs) -> str:
        """The condition that leaves out the objects that came after the version; empty without any."""
        newer = [
            one.key
            for listed in objects.values()
            for one in listed
            if one.bytes and one.key not in inputs.keys
        ]
        return in_objects([self.lake_url(key) for key in newer], are_in=False) if newer else ""

    def _lists(self, served: Known, cell: Cell, only: str) -> Lists:
        """The events of the served version, by statements that run side by side."""
        if served.query is None:
            return Lists(
                untraced="its SQL is not known any more: Athena has forgotten the execution, and the project "
                "has other SQL"
            )
        try:
            events = listing(served.query, cell, only)
        except CannotTraceError as error:
            return Lists(untraced=str(error))
        texts = (events.counts(), events.first(SAMPLES), self._again(served.query, cell, events, only))
        with ThreadPoolExecutor(len(texts)) as pool:
            asked: list[Future[Rows]] = [pool.submit(self.engine.rows, text) for text in texts]
        try:
            counts, first, computed = (each.result() for each in asked)
        except QueryFailedError as error:
            return Lists(untraced=f"the statement that lists its events failed: {error}", sql=events.sql)
        lists = Lists(
            composing.records(counts),
            composing.records(first),
            events.sql,
            statements_run=len(texts),
            bytes_scanned=sum(each.bytes_scanned for each in (counts, first, computed)),
        )
        self._prove(lists, served, computed)
        return lists

    def _again(self, query: ReportQuery, cell: Cell, events: Listing, only: str) -> str:
        return again(query, cell, f"({only}) AND {events.only()}" if only else events.only())

    def _prove(self, lists: Lists, served: Known, computed: Rows) -> None:
        """Computed from the listed events alone, the number is the published one; else they are not shown."""
        assert served.query is not None
        said = computed.rows[0][0] if computed.rows else None
        if not lists.events and served.value in (None, 0):
            return
        if composing.same_value(served.value, said):
            return
        if _APPROXIMATE in served.query.sql.lower() and computed.rows:
            lists.inexact = f"its SQL is approximate: computed again, it gives {shown(said)}"
            return
        lists.untraced = (
            f"the report's SQL gives {shown(said)} from the {lists.events:,} listed events, and "
            f"{shown(served.value)} was published"
        )
        lists.counts, lists.samples = (), ()
