"""What lies around a number on a target: failed and dropped records, sequences, how far the delivery is."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from botocore.exceptions import ClientError

from infra.accounting.evidence import (
    Places,
    dropped_names,
    failed_names,
    found_in,
    transform_lines,
)
from infra.accounting.intervals import EMPTY, IntervalSet
from infra.accounting.reconcile import Accounting, Evidence, ProducerEpoch, reconcile
from queries.engine.port import QueryFailedError, Reads, Rows
from queries.receipts.around import Around, RunName, Told
from queries.receipts.model import Refused
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
        delivered_until: Callable[[], float],
    ) -> None:
        self._places, self._failed, self._tables = places, failed, tables
        self._delivered_until = delivered_until

    def look(
        self, tables: Sequence[LakeTable], span: tuple[datetime, datetime], runs: Sequence[RunName]
    ) -> Around:
        """See `Surroundings`. Nothing is queried without runs."""
        unknown: list[str] = []
        with ThreadPoolExecutor(4) as pool:
            # First: what the lake has by then is found afterwards.
            until = pool.submit(
                _allowed, self._delivered_until, 0.0, "how far the delivery is", unknown
            ).result()
            records = pool.submit(_allowed, self._read_failed, _Found(), "failed records", unknown)
            nothing = (dict[ProducerEpoch, IntervalSet](), dict[ProducerEpoch, int]())
            dropped = pool.submit(
                _allowed,
                lambda: dropped_names(transform_lines(self._places)),
                nothing,
                "dropped events",
                unknown,
            )
            engine = _Metered(self._places.engine)
            landed = pool.submit(_landed, engine, tables, runs) if runs else None
            found = records.result()
            landings = landed.result() if landed is not None else Evidence()
            evidence = Evidence(
                told=landings.told,
                landed=landings.landed,
                newest=landings.newest,
                failed=found.names,
                dropped=dropped.result()[0],
            )
        accounting = reconcile(evidence, delivered_until=until)
        streams = {table.stream.name for table in tables}
        of_streams = [entry for entry in found.entries if entry.stream in streams]
        return Around(
            refused=_refused(of_streams, span, evidence.landed),
            without_hour=sum(not entry.event_time for entry in of_streams),
            failed_names=frozenset(
                (RunName(*name), seq) for name, numbers in found.names.items() for seq in numbers
            ),
            sequences=_told(accounting, set(runs)),
            nameless=len(found.nameless),
            delivered_until=int(until * 1000) or None,
            unknown=unknown,
            statements_run=engine.statements,
            bytes_scanned=engine.bytes_scanned,
        )

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
    """Runs SQL, and counts what it scans."""

    def __init__(self, engine: Reads) -> None:
        self._engine, self.statements, self.bytes_scanned = engine, 0, 0

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        """See `QueryEngine.rows`."""
        found = self._engine.rows(sql, parameters)
        self.statements, self.bytes_scanned = self.statements + 1, self.bytes_scanned + found.bytes_scanned
        return found


def _landed(engine: Reads, tables: Sequence[LakeTable], runs: Sequence[RunName]) -> Evidence:
    producers = sorted({run.producer_id for run in runs})
    return found_in(engine, [table.name for table in tables], among=producers)


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


def _refused(
    entries: Sequence[IndexEntry],
    span: tuple[datetime, datetime],
    landed: Mapping[ProducerEpoch, IntervalSet],
) -> tuple[Refused, ...]:
    """Failed records whose event time lies in the span, by reason."""
    start, end = (moment.strftime("%Y-%m-%dT%H:%M:%S.000Z") for moment in span)
    records, replayed = Counter[str](), Counter[str]()
    for entry in entries:
        if start <= entry.event_time < end:
            records[entry.reason] += 1
            name = ProducerEpoch(entry.producer_id, entry.epoch or 0)
            replayed[entry.reason] += entry.seq is not None and entry.seq in landed.get(name, EMPTY)
    return tuple(Refused(reason, count, replayed[reason]) for reason, count in sorted(records.items()))


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
