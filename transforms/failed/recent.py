"""The failed records of the last days by reason, with a few of each, in bounded time (pure, over a port).

For whoever looks at a page, and waits for seconds: the newest error objects are read, and it is said whether
there are others. `penstock failed list` reads them all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain, zip_longest
from typing import Protocol

from transforms.contracts import FAILED_PREFIX, is_data
from transforms.failed.bucket import ObjectName, Objects
from transforms.failed.error_objects import ROWS_INSIDE, FailedRecord, UnreadableStretch, read_error_object
from transforms.failed.event_review import EventReviewer
from transforms.failed.in_parallel import in_parallel
from transforms.failed.index import IndexEntry, entries_of, entry_of_row
from transforms.failed.replay_ledger import ledger_key, read_ledger

MOST_SAMPLES = 5
"""Of each reason, the newest ones."""


class Listed(Objects, Protocol):
    """The objects of a bucket, and its folders."""

    def folders(self, prefix: str) -> Iterator[str]:
        """Names of the folders right below the prefix, in order."""
        ...


@dataclass(frozen=True)
class Bounds:
    """How much is read at most: error objects, bytes of them, and seconds."""

    objects: int = 200
    size: int = 32 << 20
    seconds: float = 10.0


AMPLE = Bounds()
"""For a page: a gateway waits for 29 seconds."""


@dataclass(frozen=True)
class Reason:
    """Events that failed for one reason.

    Attributes:
        events, to_replay: how many, and how many of them only wait for being replayed.
        event_types, streams: how many by declared type and by stream; empty names stand for unknown ones.
        newest: when the newest one arrived (UTC, ISO 8601); empty when unknown.
        samples: a few, the newest first. They say nothing that the records say.
    """

    reason: str
    events: int
    to_replay: int
    event_types: Mapping[str, int]
    streams: Mapping[str, int]
    newest: str
    samples: tuple[IndexEntry, ...]


@dataclass(frozen=True)
class Recent:
    """What failed lately.

    Attributes:
        since: the first day that was asked for.
        objects: how many error objects were read.
        is_complete: these are all of them since then.
        unreadable: stretches of them that cannot be read.
        reasons: the most frequent first.
    """

    since: date
    objects: int
    is_complete: bool
    unreadable: int
    reasons: tuple[Reason, ...]


def recent(
    objects: Listed,
    reviewer: EventReviewer,
    since: date,
    until: date,
    clock: Callable[[], float],
    bounds: Bounds = AMPLE,
) -> Recent:
    """What failed from one day to another, both included. `clock` gives seconds that only grow.

    Raises what reading the bucket raises.
    """
    deadline = clock() + bounds.seconds
    names = _Names(objects, since, until, bounds, lambda: clock() > deadline)
    entries: list[IndexEntry] = []
    read = unreadable = 0
    # What is under way is bounded by its size, so the last of it is soon over.
    for found, missed in in_parallel(lambda name: _read(objects, reviewer, name), names):
        entries += found
        unreadable += missed
        read += 1
    return Recent(since, read, not names.are_more, unreadable, _by_reason(entries))


class _Names:
    """The names of error objects, the newest days first and each kind in turn, as far as the bounds go."""

    def __init__(
        self, objects: Listed, since: date, until: date, bounds: Bounds, is_late: Callable[[], bool]
    ) -> None:
        self._objects, self._since, self._until = objects, since, until
        self._bounds, self._is_late = bounds, is_late
        self.are_more = False

    def __iter__(self) -> Iterator[ObjectName]:
        count = size = 0
        most = self._bounds.size
        for name in self._all():
            if name.size > most:  # alone too large: the others are read all the same
                self.are_more = True
                continue
            if count >= self._bounds.objects or size + name.size > most or self._is_late():
                self.are_more = True
                return
            yield name
            count, size = count + 1, size + name.size

    def _all(self) -> Iterator[ObjectName]:
        kinds = list(self._objects.folders(FAILED_PREFIX))
        for ago in range((self._until - self._since).days + 1):
            day = self._until - timedelta(days=ago)
            of_kinds = [self._of_day(kind, day) for kind in kinds]
            yield from (name for name in chain.from_iterable(zip_longest(*of_kinds)) if name is not None)

    def _of_day(self, kind: str, day: date) -> Sequence[ObjectName]:
        """Firehose ends a name with the time, so the last ones are the newest of their stream."""
        found = []
        for name in self._objects.names(f"{FAILED_PREFIX}{kind}/dt={day.isoformat()}/"):
            if is_data(name.key):
                found.append(name)
            if self._is_late():
                self.are_more = True
                break
        return found[::-1]


def _read(objects: Listed, reviewer: EventReviewer, name: ObjectName) -> tuple[list[IndexEntry], int]:
    """The entries of one error object, and how many stretches of it cannot be read."""
    found = list(read_error_object(name.key, objects.get(name.key) or b""))
    records = [each for each in found if isinstance(each, FailedRecord)]
    has_ledger = any(True for _ in objects.names(ledger_key(name.key)))
    landed = read_ledger(objects, name).landed if has_ledger else frozenset[int]()
    entries = [
        replace(entry, is_replayed=record.number in landed)
        for record in records
        for entry in _entries(reviewer, record)
    ]
    return entries, sum(isinstance(each, UnreadableStretch) for each in found)


def _entries(reviewer: EventReviewer, record: FailedRecord) -> Iterable[IndexEntry]:
    """What failed behind the transformation kept the rules, and has Firehose's reason."""
    if record.kind in ROWS_INSIDE:
        return [entry_of_row(record, reviewer)]
    return entries_of(record, reviewer.events(record, record.raw), reviewer.vocabulary)


def _by_reason(entries: Iterable[IndexEntry]) -> tuple[Reason, ...]:
    groups: dict[str, list[IndexEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.reason, []).append(entry)
    made = [_reason(name, found) for name, found in groups.items()]
    return tuple(sorted(made, key=lambda each: (-each.events, each.reason)))


def _reason(name: str, found: Sequence[IndexEntry]) -> Reason:
    newest = sorted(found, key=lambda each: each.arrival_time, reverse=True)
    return Reason(
        name,
        len(found),
        sum(each.is_to_replay for each in found),
        _counts(each.event_type for each in found),
        _counts(each.stream for each in found),
        newest[0].arrival_time,
        tuple(newest[:MOST_SAMPLES]),
    )


def _counts(names: Iterable[str]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
