"""A number explained: the ledger, the lake and the report's own SQL are asked, and a receipt is made."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from queries.commands.cost import billed_bytes, dollars, human_bytes
from queries.contracts import Report
from queries.engine.port import QueryFailedError, Reads
from queries.lake.inputs import inputs_of, read_objects, shrunk
from queries.lake.port import LakeIndex, Listed
from queries.ledger.port import LedgerTable
from queries.ledger.state import PartitionState
from queries.partitions import Key, LakeHour, input_of, window
from queries.receipts import composing
from queries.receipts.around import Around, RunName, Surroundings
from queries.receipts.cell import Asked, Cell, shown
from queries.receipts.errors import CannotTraceError, UnknownCellError
from queries.receipts.known_versions import Files, Known, known_versions
from queries.receipts.model import Receipt, Version
from queries.receipts.statements import Listing, in_objects, listing, proved, writers
from queries.receipts.versions import Inputs, inputs_of_version
from queries.refresh.catalog import ReportQuery
from transforms.contracts import LakeTable

SAMPLES = 5
MOST_WRITERS = 200
"""Producer runs of the hours whose sequences are looked at before it is known which of them count."""
_APPROXIMATE = "approx_"


@dataclass(frozen=True)
class Forecast:
    """What a receipt costs at most: statements, bytes scanned, dollars."""

    statements: int
    bytes_scanned: int
    dollars: float

    def __str__(self) -> str:
        return (
            f"{self.statements} statements, at most {human_bytes(self.bytes_scanned)} scanned, "
            f"${self.dollars:.4f}"
        )


@dataclass(frozen=True)
class _Listed:
    """The events' counts, the statement that lists them, or why they are not listed.

    `seen` are counts that may be wrong, good for naming producers; `inexact` says what is only nearly so;
    statements and bytes are what finding it took.
    """

    counts: Sequence[Mapping[str, Any]] = ()
    seen: Sequence[Mapping[str, Any]] = ()
    sql: str = ""
    untraced: str = ""
    inexact: str = ""
    statements_run: int = 0
    bytes_scanned: int = 0

    @property
    def events(self) -> int:
        """How many events were listed."""
        return sum(row["events"] for row in self.counts)

    def beside(self, writers: "_Writers") -> "_Listed":
        """With what finding those cost."""
        scanned = self.bytes_scanned + writers.bytes_scanned
        return replace(self, statements_run=self.statements_run + 1, bytes_scanned=scanned)


@dataclass(frozen=True)
class _Writers:
    """Producer runs that have events in the hours; none where they are too many to be named."""

    runs: Sequence[RunName]
    bytes_scanned: int


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
        """What explaining costs at most: it reads the partition's hours nine times, whole tables once.

        Athena reads a few of their columns only, so it is nearly always much less. Raises UnknownCellError.
        """
        version = self.state(report, partition).published
        assert version is not None
        statements = 2 + len(report.sources)
        whole = sum(held.bytes for table in report.sources for held in self._lake.hours(table).values())
        scanned = 9 * version.input.bytes + whole
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
        lists, around = self._events(query.tables, served, cell, self.within(objects, inputs))
        if lists.untraced:  # an object may have expired since it was listed: the first line then says so
            objects = self.objects(report, asked.partition)
            inputs = inputs_of_version(report, served.published, asked.partition, objects)
        producers = composing.producers_of(lists.seen, around)
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
        unknown = composing.not_looked_at(around, lists.inexact)
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
            versions=tuple(self._since(one, cell, objects, lists) for one in known),
            objects=composing.objects_of(lists.counts, read),
            newer_objects=len(every) - len(read),
            events=lists.events,
            groups=composing.groups_of(lists.counts),
            samples=composing.samples_of(lists.counts, SAMPLES),
            copies_removed=sum(row["copies"] for row in lists.counts) if report.dedupe else 0,
            producers=producers,
            refused=tuple(around.refused),
            hours=tuple(around.hours),
            without_hour=around.without_hour,
            dropped_without_hour=around.dropped_without_hour,
            delivered_until=around.delivered_until,
            statement="" if lists.untraced else lists.sql,
            statements_run=statements,
            bytes_scanned=scanned,
            dollars=dollars(billed_bytes(scanned, statements)),
            digest=composing.digest(cell, served.version),
            made_at=self._clock(),
        )

    def _since(
        self, known: Known, cell: Cell, objects: Mapping[LakeHour, Sequence[Listed]], lists: _Listed
    ) -> Version:
        """The version, with what came after it."""
        if lists.untraced:
            return known.version
        inputs = inputs_of_version(cell.report, known.published, cell.partition, objects)
        if not inputs.are_known:
            return known.version
        came, late = composing.came_since(lists.counts, {self.lake_url(key) for key in inputs.keys})
        return structs.replace(known.version, came_since=came, late_since=late)

    def within(self, objects: Mapping[LakeHour, Sequence[Listed]], inputs: Inputs) -> str:
        """The condition that leaves out the objects that came after the version; empty without any."""
        newer = [
            one.key
            for listed in objects.values()
            for one in listed
            if one.bytes and one.key not in inputs.keys
        ]
        return in_objects([self.lake_url(key) for key in newer], are_in=False) if newer else ""

    def _events(
        self, tables: Sequence[LakeTable], served: Known, cell: Cell, only: str
    ) -> tuple[_Listed, Around]:
        """The events of the served version and what lies around them.

        Both are looked for at once; where very many producers write, their sequences wait for the events,
        which name fewer of them.
        """
        span = window(cell.report, cell.partition)
        try:
            query, events = _listing(served, cell, only)
        except CannotTraceError as error:
            return _Listed(untraced=str(error)), self._around.look(tables, span, tuple)
        with ThreadPoolExecutor(2) as pool:
            listed = pool.submit(self._proved, query, events, cell, served)
            writers = pool.submit(self._writers, query, cell.partition)
            around = self._around.look(
                tables, span, lambda: writers.result().runs or _runs_of(listed.result().seen)
            )
            return listed.result().beside(writers.result()), around

    def _writers(self, query: ReportQuery, partition: str) -> _Writers:
        """Who wrote into the partition's hours: their sequences need not wait for the events."""
        try:
            found = self.engine.rows(writers(query, partition, MOST_WRITERS + 1))
        except QueryFailedError:  # an object that is gone, which the statement of the events meets, too
            return _Writers((), 0)
        runs = tuple(sorted(RunName(name, int(epoch)) for name, epoch in found.rows))
        return _Writers(runs if len(runs) <= MOST_WRITERS else (), found.bytes_scanned)

    def _proved(self, query: ReportQuery, events: Listing, cell: Cell, served: Known) -> _Listed:
        """Computed from the listed events alone, the number is the published one; else they are not shown."""
        try:
            found = self.engine.rows(proved(query, cell, events))
        except QueryFailedError as error:
            return _Listed(untraced=f"the statement that lists its events failed: {error}", sql=events.sql)
        rows = composing.records(found)
        counts = [row for row in rows if row["events"] is not None]
        listed = _Listed(counts, counts, events.sql, statements_run=1, bytes_scanned=found.bytes_scanned)
        number_of_rows, said = rows[0]["rows"], rows[0]["value"]
        if number_of_rows > 1:
            return replace(listed, counts=(), untraced=f"its SQL gives {number_of_rows} rows for it")
        if composing.same_value(served.value, said) or (not counts and served.value in (None, 0)):
            return listed
        if _APPROXIMATE in query.sql.lower() and number_of_rows:
            return replace(listed, inexact=f"its SQL is approximate: computed again, it gives {shown(said)}")
        return replace(
            listed,
            counts=(),
            untraced=f"the report's SQL gives {shown(said)} from the {listed.events:,} listed events, and "
            f"{shown(served.value)} was published",
        )


def _listing(served: Known, cell: Cell, only: str) -> tuple[ReportQuery, Listing]:
    """The report as it was computed, and what lists the events behind the cell. Raises CannotTraceError."""
    if served.query is None:
        raise CannotTraceError(
            "its SQL is not known any more: Athena has forgotten the execution, and the project has other SQL"
        )
    return served.query, listing(served.query, cell, only)


def _runs_of(counts: Sequence[Mapping[str, Any]]) -> Sequence[RunName]:
    return sorted({RunName(row["producer_id"], int(row["epoch"])) for row in counts})
