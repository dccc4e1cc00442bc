"""The failed records of a lake bucket: read them all, list them, find one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from transforms.contracts import FAILED_PREFIX, is_data
from transforms.failed.bucket import ObjectName, Objects
from transforms.failed.error_objects import FailedRecord, UnreadableStretch, object_hash, read_error_object
from transforms.failed.event_review import Judged
from transforms.failed.in_parallel import in_parallel
from transforms.failed.index import IndexEntry, entries_of
from transforms.failed.replay_ledger import REPLAYS_PREFIX, ledger_key, read_ledger
from transforms.failed.review import Reviewer

_READ_AHEAD = 64 << 20
"""Bytes of error objects that are in memory before they are asked for; one may be larger."""
_LEAST = _READ_AHEAD // 32
"""What an error object counts at least: 32 are read ahead at most."""


R = TypeVar("R")


class RecordNotFoundError(LookupError):
    """No failed record has this id."""


@dataclass(frozen=True)
class ErrorObject:
    """One error object, read."""

    name: ObjectName
    records: tuple[FailedRecord, ...]
    unreadable: tuple[UnreadableStretch, ...]


def error_objects(objects: Objects) -> Iterator[ErrorObject]:
    """Every error object of the bucket, in key order. A few are read ahead."""
    return _ahead(objects, lambda name: read_one(objects, name))


def _ahead(objects: Objects, read: Callable[[ObjectName], R]) -> Iterator[R]:
    names = _error_object_names(objects)
    return in_parallel(read, names, size=lambda name: max(name.size, _LEAST), ahead=_READ_AHEAD)


def _error_object_names(objects: Objects) -> Iterator[ObjectName]:
    return (name for name in objects.names(FAILED_PREFIX) if is_data(name.key))


def read_one(objects: Objects, name: ObjectName) -> ErrorObject:
    """One error object. One that has expired meanwhile holds nothing."""
    found = list(read_error_object(name.key, objects.get(name.key) or b""))
    return ErrorObject(
        name,
        tuple(each for each in found if isinstance(each, FailedRecord)),
        tuple(each for each in found if isinstance(each, UnreadableStretch)),
    )


def index(
    objects: Objects, reviewer: Reviewer, on_unreadable: Callable[[UnreadableStretch], None]
) -> Iterator[IndexEntry]:
    """Every event of every failed record. What is not a record goes to `on_unreadable`."""
    ledgers = {name.key for name in objects.names(REPLAYS_PREFIX)}

    def read(name: ObjectName) -> tuple[ErrorObject, frozenset[int]]:
        has_ledger = ledger_key(name.key) in ledgers
        return read_one(objects, name), read_ledger(objects, name).landed if has_ledger else frozenset()

    for each, landed in _ahead(objects, read):
        for stretch in each.unreadable:
            on_unreadable(stretch)
        judged = reviewer.judge_each((record, None) for record in each.records)
        for record, found in zip(each.records, judged, strict=True):
            is_replayed = record.number in landed
            for entry in entries_of(record, found, reviewer.vocabulary):
                yield replace(entry, is_replayed=True) if is_replayed else entry


@dataclass(frozen=True)
class Explanation:
    """One failed record, whole, with the outcome of each event in it. Holds personal data."""

    record: FailedRecord
    judged: tuple[Judged, ...]


def explain(objects: Objects, reviewer: Reviewer, record_id: str) -> Explanation:
    """The failed record with this id (`<12 hex digits>:<number>`). Raises RecordNotFoundError."""
    hashed, _, number = record_id.partition(":")
    for name in _error_object_names(objects):
        if object_hash(name.key).startswith(hashed) and len(hashed) >= 8:
            for record in read_one(objects, name).records:
                if str(record.number) == number:
                    return Explanation(record, tuple(reviewer.judge(record)))
    raise RecordNotFoundError(
        f"No failed record has the id {record_id!r}. List the ids with: penstock failed list --records"
    )
