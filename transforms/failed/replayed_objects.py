"""The lake objects that hold what was replayed: one per error object and event hour, merged."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import takewhile
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from transforms.contracts import EVENT_HOUR, LakeTable
from transforms.failed.arrow import parquet_bytes, read_parquet, rows_to_table
from transforms.failed.bucket import Objects
from transforms.failed.error_objects import object_hash
from transforms.failed.in_parallel import in_parallel

_ORDER = ["producer_id", "epoch", "seq", "event_id"]
_LARGEST_PART = 16 << 20
"""Bytes of rows that are made into one Arrow table at a time."""
_FEW = 16
"""So many objects are looked at one by one sooner than they are listed."""
_LISTED = 250
"""A listing is given up when it has more names than this for each that is looked for: a page has 1,000, so
looking at each takes hardly more calls."""


class Place(NamedTuple):
    """A lake partition."""

    table: LakeTable
    event_hour: str


class Written(NamedTuple):
    """A lake object as it is now: its rows, and whether it was changed."""

    key: str
    rows: int
    is_changed: bool


def object_key(place: Place, error_object: str) -> str:
    """Where the rows of one error object and hour stand in the lake bucket."""
    name = f"replay-{object_hash(error_object)}.parquet"
    return f"{place.table.prefix}{EVENT_HOUR}={place.event_hour}/{name}"


def write_rows(
    objects: Objects,
    error_object: str,
    rows: Mapping[Place, list[bytes]],
    known: Iterable[str],
    tables: Sequence[LakeTable],
) -> Iterator[Written]:
    """Bring the error object's lake objects to hold these rows, beside those that they hold already.

    A row replaces that of the same event, wherever that stands. `known` are the keys that earlier replays
    wrote, `tables` those that they can be of. Objects are given as they are written; several are written at
    once.

    All rows are written where they belong before the first one is removed where it stood: stopped between, an
    event is there twice (readers count it once by its id) and never not at all.
    """
    keys = {object_key(place, error_object): place for place in rows}
    present = _present(objects, keys)
    written: set[str] = set()
    beside: dict[str, set[str]] = {}

    def bring(fresh: _Fresh) -> Written:
        if fresh.key not in present:
            return _put(objects, fresh.key, fresh.rows, None)
        return _merge(objects, fresh, beside)

    yield from in_parallel(bring, _fresh(rows, keys, written))
    stale = {key: names & written for key, names in beside.items() if not names.isdisjoint(written)}
    stale |= {key: written for key in known if key not in keys}
    yield from in_parallel(lambda key: _remove(objects, key, stale[key], tables), stale)


def _present(objects: Objects, keys: Mapping[str, Place]) -> AbstractSet[str]:
    """Which of the keys may have an object: one listing answers it for all hours of a table."""
    found: set[str] = set()
    for table in {place.table.name: place.table for place in keys.values()}.values():
        own = {key for key, place in keys.items() if place.table is table}
        found |= own if len(own) <= _FEW else _listed(objects, own)
    return found


def _listed(objects: Objects, keys: AbstractSet[str]) -> AbstractSet[str]:
    most = len(keys) * _LISTED
    found: set[str] = set()
    for number, name in enumerate(objects.names(_common_beginning(min(keys), max(keys)))):
        if number == most:
            return keys
        if name.key in keys:
            found.add(name.key)
    return found


def _common_beginning(first: str, last: str) -> str:
    """What all texts between the two begin with."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in pairs)


class _Fresh(NamedTuple):
    """The rows that one lake object is to hold: in order, each event once."""

    key: str
    table: LakeTable
    rows: Any


def _fresh(
    rows: Mapping[Place, list[bytes]], keys: Mapping[str, Place], written: set[str]
) -> Iterator[_Fresh]:
    """Every object to be, in key order. The names of the rows are added to `written`."""
    for part in _parts(rows, sorted(keys.items())):
        table = part[0][1].table
        made = rows_to_table(table, [row for _, place in part for row in rows[place]])
        numbers = [number for number, (_, place) in enumerate(part) for _ in rows[place]]
        found, places, names = _ordered(made, numbers)
        written.update(names)
        start = 0
        for (key, _), count in zip(part, _counts(places, len(part)), strict=True):
            yield _Fresh(key, table, found.slice(start, count))
            start += count


def _counts(places: Iterable[int], of: int) -> list[int]:
    counted = Counter(places)
    return [counted[number] for number in range(of)]


def _parts(
    rows: Mapping[Place, list[bytes]], keys: Iterable[tuple[str, Place]]
) -> Iterator[list[tuple[str, Place]]]:
    """Neighbours of one table, together no larger than can be in memory at once."""
    part: list[tuple[str, Place]] = []
    size = 0
    for key, place in keys:
        more = sum(map(len, rows[place]))
        if part and (size + more > _LARGEST_PART or part[0][1].table is not place.table):
            yield part
            part, size = [], 0
        part.append((key, place))
        size += more
    if part:
        yield part


def _merge(objects: Objects, fresh: _Fresh, beside: dict[str, set[str]]) -> Written:
    """Put the rows beside those of other events that the object holds, whose names go to `beside`."""
    body = objects.get(fresh.key)
    if body is None:
        return _put(objects, fresh.key, fresh.rows, None)
    before = read_parquet(body, fresh.table)
    kept = before.filter(pc.invert(pc.is_in(_names(before), _names(fresh.rows).combine_chunks())))
    if not kept.num_rows:
        return _put(objects, fresh.key, fresh.rows, body)
    beside[fresh.key] = set(_names(kept).to_pylist())
    return _put(objects, fresh.key, _ordered(pa.concat_tables([kept, fresh.rows]))[0], body)


def _remove(objects: Objects, key: str, names: AbstractSet[str], tables: Sequence[LakeTable]) -> Written:
    """Take rows out of an object. It stays when nothing is left in it: an object that vanishes is a loss."""
    body = objects.get(key)
    if body is None:
        return Written(key, 0, is_changed=False)
    before = read_parquet(body, next(table for table in tables if key.startswith(table.prefix)))
    kept = before.filter(pa.array([name not in names for name in _names(before).to_pylist()], pa.bool_()))
    return _put(objects, key, kept, body)


def _put(objects: Objects, key: str, rows: Any, before: bytes | None) -> Written:
    data = parquet_bytes(rows)
    if data != before:
        objects.put(key, data)
    return Written(key, rows.num_rows, is_changed=data != before)


def _ordered(rows: Any, places: Sequence[int] = ()) -> tuple[Any, list[int], list[str]]:
    """Rows, their places and their names: in order by place, and of each event in a place the first row. (A
    record that failed twice may stand twice in the error object.)
    """
    numbers = pa.array(places or [0] * rows.num_rows, pa.int32())
    sort_by = [(name, "ascending") for name in ("place", *_ORDER)]
    order = pc.sort_indices(rows.select(_ORDER).append_column("place", numbers), sort_keys=sort_by)
    rows, numbers = rows.take(order), numbers.take(order)
    events = list(zip(numbers.to_pylist(), _names(rows).to_pylist(), strict=True))
    first = list(dict(reversed([(event, number) for number, event in enumerate(events)])).values())[::-1]
    if len(first) < len(events):
        rows, events = rows.take(pa.array(first, pa.int64())), [events[number] for number in first]
    return rows, [place for place, _ in events], [name for _, name in events]


def _names(rows: Any) -> Any:
    """What tells events apart: their id, and their place in what the producer sent."""
    columns = (pc.cast(rows[name], pa.string()) for name in _ORDER)
    return pc.binary_join_element_wise(*columns, "/", null_handling="replace", null_replacement="")
