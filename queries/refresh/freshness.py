"""How complete and how old each report partition is: the table `report_freshness`, and the same for people.

The table's objects are JSON lines, one object per report and day, each written whole.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from queries.contracts import Report
from queries.hours import hours_between, parse_day
from queries.ledger.port import LedgerTable
from queries.ledger.state import PartitionState
from queries.partitions import Key, window
from queries.refresh.catalog import ReportQuery
from queries.refresh.housekeeping import run_folder
from queries.store.port import ReportStore

FRESHNESS_TABLE = "report_freshness"
FRESHNESS_PREFIX = f"reports/{FRESHNESS_TABLE}/v1/"
FRESHNESS_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("report", "string", "name of the report"),
    ("report_partition", "string", "hour or day"),
    ("condition", "string", "fresh, stale, running or quarantined"),
    ("data_as_of", "timestamp", "the lake was read as it stood then"),
    ("published_at", "timestamp", "readers see it since then"),
    ("newest_input_at", "timestamp", "when the newest lake object in it was written"),
    ("is_complete", "boolean", "the lake was read after the partition's allowed lateness had passed"),
    ("row_count", "bigint", "rows of the partition"),
    ("input_objects", "bigint", "lake objects that it was computed from"),
    ("input_bytes", "bigint", "their size"),
    ("bytes_scanned", "bigint", "its share of the bytes that the query execution scanned"),
    ("run", "string", "name of the run that serves it"),
    ("query_execution_id", "string", "of Athena, for its cost and its text"),
    ("last_error", "string", "why it was quarantined or tried again"),
)
"""Name, Hive type and meaning of each column."""


_MOST_WRITES = 4
"""Of a day, while others change it. Whoever changes it writes it, too."""


@dataclass(frozen=True)
class Freshness:
    """One report partition for a reader. Times are epoch milliseconds, None before it is first published."""

    report: str
    report_partition: str
    condition: str
    data_as_of: int | None
    published_at: int | None
    newest_input_at: int | None
    is_complete: bool
    row_count: int
    input_objects: int
    input_bytes: int
    bytes_scanned: int
    run: str
    query_execution_id: str
    last_error: str


def freshness(state: PartitionState, report: Report) -> Freshness:
    """What the ledger says of the partition's published version."""
    published = state.published
    return Freshness(
        report=state.report,
        report_partition=state.partition,
        condition=state.condition,
        data_as_of=published.as_of if published else None,
        published_at=published.published_at if published else None,
        newest_input_at=published.input.newest or None if published else None,
        is_complete=published is not None
        and not state.is_stale
        and published.as_of >= complete_at(report, state.partition),
        row_count=published.rows if published else 0,
        input_objects=published.input.objects if published else 0,
        input_bytes=published.input.bytes if published else 0,
        bytes_scanned=published.bytes_scanned if published else 0,
        run=run_folder(published.location).rstrip("/").rpartition("run=")[2] if published else "",
        query_execution_id=published.query_execution_id if published else "",
        last_error=state.last_error,
    )


def complete_at(report: Report, partition: str) -> int:
    """From when on (epoch ms) the partition's input counts as complete."""
    _, end = window(report, partition)
    return int((end + timedelta(seconds=report.lateness_seconds)).timestamp() * 1000)


def watermark(states: Iterable[PartitionState], report: Report) -> str | None:
    """The last partition up to which every known one is complete and fresh; None when the first is not."""
    last = None
    for state in sorted(states, key=lambda one: one.partition):
        if not freshness(state, report).is_complete:
            break
        last = state.partition
    return last


class FreshnessTable:
    """Keeps `report_freshness` as the ledger says."""

    def __init__(
        self,
        ledger: LedgerTable,
        store: ReportStore,
        queries: Mapping[str, ReportQuery],
        clock: Callable[[], int],
    ) -> None:
        self._ledger, self._store, self._queries, self._clock = ledger, store, queries, clock

    def write(self, keys: Iterable[Key]) -> None:
        """Write the days of these partitions anew; those of sealed hours are not in the table."""
        reports = {name for name, query in self._queries.items() if not query.waits_for_lateness}
        days = sorted({(key.report, key.partition[:10]) for key in keys if key.report in reports})
        members = {day: self._partitions_of(*day) for day in days}
        written: Mapping[Key, PartitionState] = {}
        for _ in range(_MOST_WRITES):
            known = self._ledger.partitions([key for day in days for key in members[day]])
            # Two workers may write a day at once, and the one who read it first may write it last. So whoever
            # has written reads again, and has the last word only when nothing was changed meanwhile.
            days = [day for day in days if any(known.get(key) != written.get(key) for key in members[day])]
            if not days:
                return
            for report, day in days:
                self._store.put(
                    f"{FRESHNESS_PREFIX}{report}-{day}.json", self._lines(members[report, day], known)
                )
            written = known

    def _lines(self, keys: Iterable[Key], known: Mapping[Key, PartitionState]) -> bytes:
        found = (freshness(known[key], self._queries[key.report].report) for key in keys if key in known)
        return "".join(map(line, found)).encode()

    def _partitions_of(self, report: str, day: str) -> list[Key]:
        if self._queries[report].report.grain == "event_date":
            return [Key(report, day)]
        start = parse_day(day)
        return [Key(report, hour) for hour in hours_between(start, start + timedelta(days=1))]


def line(found: Freshness) -> str:
    """The partition as a line of the table's objects."""
    values: dict[str, Any] = {}
    for name, kind, _ in FRESHNESS_COLUMNS:
        value = getattr(found, name)
        if kind == "timestamp" and value is not None:
            moment = datetime.fromtimestamp(value / 1000, UTC)
            value = f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"
        values[name] = value
    return json.dumps(values, separators=(",", ":")) + "\n"
