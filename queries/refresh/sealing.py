"""Sealing: once an hour's lateness has passed, its many lake objects become a few without copies.

Each lake table has a table of hours with the same columns. A partition of it lies at the hour's lake objects
as long as the hour is open, and at the files of a sealing run afterwards. A sealing run is a run like a
report's: same ledger, same swap.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from queries.contracts import Report, ReportColumn
from queries.engine.trino_types import trino_type
from queries.lake.inputs import read_inputs
from queries.lake.port import LakeIndex, Listed
from queries.ledger.rules import CHUNK
from queries.ledger.state import PartitionState
from queries.partitions import Key, LakeHour
from queries.refresh.catalog import ReportQuery
from queries.store.port import Entry, ReportStore, SwapRefusedError
from transforms.contracts import IMPORTED_SUFFIX, LakeTable

SEALED_FOLDER = "sealed"
"""Folder of the reporting bucket; not that of reports, whose readers may not read events."""


def hours_table(table: LakeTable) -> str:
    """Name of the table of hours."""
    return f"{table.name}_hours"


def sealing_query(table: LakeTable) -> ReportQuery:
    """What a sealing run executes: the lake table's rows, each event once."""
    lateness = int(table.stream.allowed_lateness.total_seconds())
    report = Report(
        name=hours_table(table),
        owner="data-platform",
        title=f"Every event of the stream {table.stream.name}, by hour, old hours in few files",
        sources=(table.name,),
        grain="event_hour",
        columns=tuple(ReportColumn(column.name, trino_type(column.type)) for column in table.columns),
        lateness_seconds=lateness,
        # An hour that was opened again waits as long without another event as a new one waits for its first
        # seal: what comes late seldom comes alone, and meanwhile readers see all of it anyway.
        debounce_seconds=lateness,
        max_delay_seconds=4 * lateness,
        checks=("not_null(event_id)",),
        folder=SEALED_FOLDER,
    )
    sql = f"SELECT * FROM {table.name}"  # noqa: S608 - a name of the contracts
    return ReportQuery(report, sql, (table,), waits_for_lateness=True)


def sealing_queries(tables: Mapping[str, LakeTable]) -> Mapping[str, ReportQuery]:
    """The sealing of every lake table, by the name of its table of hours."""
    return {hours_table(table): sealing_query(table) for table in tables.values()}


class OpenHours:
    """Points partitions of tables of hours at lake objects. `lake_url` gives an hour's, of a lake table.

    It needs no fence: lake objects are always the whole truth of an hour, only not in few files.
    """

    def __init__(
        self,
        lake: LakeIndex,
        store: ReportStore,
        queries: Mapping[str, ReportQuery],
        lake_url: Callable[[str, str], str],
    ) -> None:
        self._lake, self._store, self._lake_url = lake, store, lake_url
        self._queries = {name: query for name, query in queries.items() if query.waits_for_lateness}

    def open(self, keys: Iterable[Key]) -> list[Key]:
        """Open those of these hours that are unknown, or were sealed without what the lake holds by now.

        Returns the keys that are to be marked, those of reports among them: all but sealed hours in which
        nothing is new. To be called before that: whoever dies in between leaves hours that nothing has
        marked, and the next comparison with the lake finds them.
        """
        wanted = list(keys)
        by_table: dict[str, list[str]] = {}
        for key in wanted:
            if key.report in self._queries:
                by_table.setdefault(key.report, []).append(key.partition)
        settled: set[Key] = set()
        for table, hours in by_table.items():
            report = self._queries[table].report
            for start in range(0, len(hours), CHUNK):
                settled |= {Key(table, hour) for hour in self._open(report, hours[start : start + CHUNK])}
        return [key for key in wanted if key not in settled]

    def reopen(self, keys: Iterable[Key]) -> None:
        """Have readers of these hours read the lake, whatever they read now."""
        by_table: dict[str, list[str]] = {}
        for key in keys:
            by_table.setdefault(key.report, []).append(key.partition)
        for table, hours in by_table.items():
            report = self._queries[table].report
            for start in range(0, len(hours), CHUNK):
                chunk = hours[start : start + CHUNK]
                served = self._store.served(table, chunk)
                self._point(report, [self._entry(report, hour, served.get(hour)) for hour in chunk])

    def _open(self, report: Report, hours: list[str]) -> list[str]:
        """Open what is to be opened; the hours that are sealed with all that the lake holds."""
        served = self._store.served(report.name, hours)
        sealed = [hour for hour, entry in served.items() if is_sealed(report, entry)]
        inputs = read_inputs(self._lake, report, sealed) if sealed else {}
        settled = [h for h in sealed if served[h].parameters.get("fingerprint") == inputs[h].digest]
        # A seal that holds more than the lake does by now is what is left of that.
        kept = [h for h in sealed if int(served[h].parameters.get("input_objects", "0")) > inputs[h].objects]
        entries = [
            self._entry(report, hour, served.get(hour))
            for hour in hours
            if hour not in served or (hour in sealed and hour not in settled and hour not in kept)
        ]
        if entries:
            self._point(report, entries)
        return settled

    def _point(self, report: Report, entries: list[Entry]) -> None:
        try:
            self._store.swap(report.name, entries)
        except SwapRefusedError:
            # Another worker may have created a partition first: then it is there, as it should be.
            hours = [entry.value for entry in entries]
            if missing := sorted(set(hours) - set(self._store.served(report.name, hours))):
                raise SwapRefusedError(f"{report.name} has no partition {', '.join(missing)}.") from None

    def _entry(self, report: Report, hour: str, served: Entry | None) -> Entry:
        fence = served.parameters.get("fence", "0") if served else "0"
        return Entry(hour, self._lake_url(report.sources[0], hour), {"fence": fence})


def needs_no_seal(
    query: ReportQuery, state: PartitionState, objects: Mapping[LakeHour, Sequence[Listed]]
) -> bool:
    """Whether the hour, never sealed, lies in one object that an import wrote: few files, and no copies."""
    if not query.waits_for_lateness or state.published is not None:
        return False
    listed = objects.get(LakeHour(query.tables[0].name, state.partition), ())
    return len(listed) == 1 and listed[0].key.endswith(IMPORTED_SUFFIX)


def is_sealed(report: Report, entry: Entry) -> bool:
    """Whether the partition lies at the files of a sealing run."""
    return entry.location.startswith(report.prefix)
