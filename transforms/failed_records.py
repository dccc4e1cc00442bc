"""The failed records of a lake bucket: read them all, list them, find one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from transforms.contracts import FAILED_PREFIX, is_data
from transforms.failed_index import IndexEntry, index_record
from transforms.failed_objects import FailedRecord, UnreadableStretch, object_hash, read_error_object
from transforms.objects import ObjectName, Objects
from transforms.review import Judged, Reviewer

_READERS = 8


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
    names = _error_object_names(objects)
    with ThreadPoolExecutor(_READERS) as pool:
        while some := list(islice(names, _READERS * 4)):
            yield from pool.map(lambda name: read_one(objects, name), some)


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
    """Every event of every failed record. What is no record goes to `on_unreadable`."""
    for each in error_objects(objects):
        for stretch in each.unreadable:
            on_unreadable(stretch)
        for record in each.records:
            yield from index_record(record, reviewer)


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
