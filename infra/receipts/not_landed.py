"""What of a partition's hours failed or was dropped, by reason and by hour (pure)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from infra.accounting.intervals import EMPTY, IntervalSet
from infra.accounting.reconcile import ProducerEpoch
from queries.hours import hour_of
from queries.receipts.model import NotLanded, Refused
from transforms.failed.index import IndexEntry


def refused(
    entries: Sequence[IndexEntry],
    span: tuple[datetime, datetime],
    landed: Mapping[ProducerEpoch, IntervalSet],
) -> tuple[Refused, ...]:
    """Failed records whose event time lies in the span, by reason."""
    records, replayed = Counter[str](), Counter[str]()
    for entry in _within(entries, span):
        records[entry.reason] += 1
        replayed[entry.reason] += _has_landed(entry, landed)
    return tuple(Refused(reason, count, replayed[reason]) for reason, count in sorted(records.items()))


def not_landed(
    entries: Sequence[IndexEntry],
    dropped: Mapping[str, Mapping[ProducerEpoch, IntervalSet]],
    span: tuple[datetime, datetime],
    landed: Mapping[ProducerEpoch, IntervalSet],
) -> tuple[NotLanded, ...]:
    """What failed or was dropped in each hour that the span touches: of a dropped event the hour is known."""
    failed, replayed = Counter[str](), Counter[str]()
    for entry in _within(entries, span):
        hour = hour_of(datetime.fromisoformat(entry.event_time))
        failed[hour] += 1
        replayed[hour] += _has_landed(entry, landed)
    first, last = hour_of(span[0]), hour_of(span[1] - timedelta(milliseconds=1))
    counts = {hour: numbers_in([runs]) for hour, runs in dropped.items() if first <= hour <= last}
    return tuple(
        NotLanded(hour, failed[hour], replayed[hour], counts.get(hour, 0))
        for hour in sorted({*failed, *counts})
    )


def _within(entries: Sequence[IndexEntry], span: tuple[datetime, datetime]) -> Iterator[IndexEntry]:
    start, end = (moment.strftime("%Y-%m-%dT%H:%M:%S.000Z") for moment in span)
    return (entry for entry in entries if start <= entry.event_time < end)


def _has_landed(entry: IndexEntry, landed: Mapping[ProducerEpoch, IntervalSet]) -> bool:
    name = ProducerEpoch(entry.producer_id, entry.epoch or 0)
    return entry.seq is not None and entry.seq in landed.get(name, EMPTY)


def numbers_in(by_run: Iterable[Mapping[ProducerEpoch, IntervalSet]]) -> int:
    """How many numbers these name."""
    return sum(len(numbers) for runs in by_run for numbers in runs.values())
