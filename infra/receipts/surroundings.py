"""What lies around a number on a target: failed and dropped records, sequences, how far the delivery is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import TypeVar

from botocore.exceptions import ClientError

from infra.accounting.evidence import (
    Places,
    dropped_by_hour,
    dropped_names,
    failed_names,
    first_hour,
    found_in,
    transform_lines,
)
from infra.accounting.intervals import IntervalSet
from infra.accounting.reconcile import Accounting, Evidence, ProducerEpoch, reconcile
from infra.receipts.not_landed import not_landed, numbers_in, refused
from queries.engine.port import QueryFailedError, Reads, Rows
from queries.receipts.around import Around, RunName, Told
from transforms.contracts import LakeTable
from transforms.failed.bucket import Objects
from transforms.failed.error_objects import FailedRecord
from transforms.failed.index import IndexEntry, entries_of
from transforms.failed.records import error_objects
from transforms.failed.review import keyless_reviewer

R = TypeVar("R")
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"})


@dataclass
class _Found:
    """Failed records, entry by entry, and their names."""

    entries: Sequence[IndexEntry] = ()
    names: Mapping[ProducerEpoch, IntervalSet] = field(default_factory=dict)
    nameless: frozenset[str] = frozenset()


class TargetSurroundings:
    """A `Surroundings`. What the caller may not read is named, and left out."""

    def __init__(
        self,
        places: Places,
        failed: Objects,
        tables: Sequence[LakeTable],
        transforms: Mapping[str, str],
        delivered_until: Callable[[], float],
    ) -> None:
        """`transforms`: the function of each stream, whose log tells what was dropped."""
        self._places, self._failed, self._tables = places, failed, tables
        self._transforms, self._delivered_until = transforms, delivered_until

    def look(
        self,
        tables: Sequence[LakeTable],
        span: tuple[datetime, datetime],
        runs: Callable[[], Sequence[RunName]],
    ) -> Around:
        """See `Surroundings`. Nothing is queried without runs."""
        unknown: list[str] = []
        with ThreadPoolExecutor(2) as pool:
            # First: what the lake has by then is found afterwards.
            until = pool.submit(
                _allowed, self._delivered_until, 0.0, "how far the delivery is", unknown
            ).result()
            records = pool.submit(_allowed, self._read_failed, _Found(), "failed records", unknown)
            lines = pool.submit(_allowed, self._read_lines, dict[str, list[str]](), "dropped events", unknown)
            engine = _Metered(self._places.engine)
            asked = runs()
            landings = self._landed(engine, tables, asked) if asked else Evidence()
            found, told = records.result(), lines.result()
            evidence = Evidence(
                told=landings.told,
                landed=landings.landed,
                newest=landings.newest,
                failed=found.names,
                dropped=dropped_names(line for every in told.values() for line in every)[0],
            )
        accounting = reconcile(evidence, delivered_until=until)
        streams = {table.stream.name for table in tables}
        of_streams = [entry for entry in found.entries if entry.stream in streams]
        own = [line for stream in sorted(streams) for line in told.get(stream, ())]
        dropped = dropped_by_hour(own)
        named = sum(map(len, dropped_names(own)[0].values()))
        return Around(
            refused=refused(of_streams, span, evidence.landed),
            hours=not_landed(of_streams, dropped, span, evidence.landed),
            without_hour=sum(not entry.event_time for entry in of_streams),
            dropped_without_hour=named - numbers_in(dropped.values()),
            failed_names=frozenset(
                (RunName(*name), seq) for name, numbers in found.names.items() for seq in numbers
            ),
            sequences=_told(accounting, set(asked)),
            nameless=len(found.nameless),
            delivered_until=int(until * 1000) or None,
            unreadable=landings.unreadable,
            unknown=sorted(unknown),  # found side by side
            statements_run=engine.statements,
            bytes_scanned=engine.bytes_scanned,
        )

    def _landed(self, engine: Reads, tables: Sequence[LakeTable], runs: Sequence[RunName]) -> Evidence:
        s3, bucket = self._places.s3, self._places.lake_bucket
        firsts = {table.name: first_hour(s3, bucket, table.name) for table in tables}
        producers = sorted({run.producer_id for run in runs})
        return found_in(engine, list(firsts), among=producers, firsts=firsts)

    def _read_lines(self) -> dict[str, list[str]]:
        """Each stream's lines of its transformation's log that name dropped events."""
        return {
            stream: list(transform_lines(replace(self._places, transform_functions=[function])))
            for stream, function in self._transforms.items()
        }

    def _read_failed(self) -> _Found:
        records = [record for each in error_objects(self._failed) for record in each.records]
        names, nameless = failed_names(record.raw for record in records)
        return _Found(list(self._entries(records)), names, nameless)

    def _entries(self, records: Sequence[FailedRecord]) -> Iterator[IndexEntry]:
        reviewer = keyless_reviewer(self._tables)
        judged = reviewer.judge_each((record, None) for record in records)
        for record, found in zip(records, judged, strict=True):
            yield from entries_of(record, found, reviewer.vocabulary)


class _Metered:
    """Runs SQL, from several threads, and counts what it scans."""

    def __init__(self, engine: Reads) -> None:
        self._engine, self.statements, self.bytes_scanned = engine, 0, 0
        self._lock = Lock()

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        """See `QueryEngine.rows`."""
        found = self._engine.rows(sql, parameters)
        with self._lock:
            self.statements, self.bytes_scanned = (
                self.statements + 1,
                self.bytes_scanned + found.bytes_scanned,
            )
        return found


def _allowed(read: Callable[[], R], otherwise: R, what: str, unknown: list[str]) -> R:
    """What is read, or `otherwise` where the caller has no right to it; that is noted."""
    try:
        return read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _DENIED:
            raise
    except QueryFailedError as error:
        if "AccessDenied" not in str(error) and "Insufficient permissions" not in str(error):
            raise
    unknown.append(f"{what}: your role may not read them. The policy penstock-reconciler allows it")
    return otherwise


def _told(accounting: Accounting, runs: set[RunName]) -> dict[RunName, Told]:
    return {
        RunName(*line.name): Told(
            known=line.produced,
            is_audited=line.is_audited,
            has_ended=line.has_ended,
            landed=line.landed,
            failed=line.failed,
            dropped=line.dropped,
            missing=str(line.missing),
            missing_count=len(line.missing),
        )
        for line in accounting.lines
        if RunName(*line.name) in runs
    }
