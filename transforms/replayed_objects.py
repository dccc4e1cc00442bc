"""The lake objects that hold what was replayed: one per error object and event hour, merged."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import parquet_bytes, read_parquet, rows_to_table
from transforms.contracts import EVENT_HOUR, LAKE_TABLES, LakeTable
from transforms.failed_objects import object_hash
from transforms.objects import Objects

_ORDER = ["producer_id", "epoch", "seq", "event_id"]


class Place(NamedTuple):
    """A lake partition."""

    table: LakeTable
    event_hour: str


def object_key(place: Place, error_object: str) -> str:
    """Where the rows of one error object and hour stand in the lake bucket."""
    name = f"replay-{object_hash(error_object)}.parquet"
    return f"{place.table.prefix}{EVENT_HOUR}={place.event_hour}/{name}"


def write_rows(
    objects: Objects, error_object: str, rows: Mapping[Place, list[bytes]], known: Mapping[str, int]
) -> dict[str, tuple[int, bool]]:
    """Bring the error object's lake objects to hold these rows, beside those that they hold already.

    A row replaces that of the same event, wherever that stands. Gives, by key, how many rows the object has
    now, and whether it was changed. `known` are the keys that earlier replays wrote.

    New objects are written before old ones lose a row: stopped between, an event is there twice (readers
    count it once by its id) and never not at all.
    """
    fresh = {object_key(place, error_object): (place.table, made) for place, made in rows.items()}
    tables = {key: rows_to_table(table, made) for key, (table, made) in fresh.items()}
    ids = pa.array({name for each in tables.values() for name in _names(each).to_pylist()}, pa.string())
    changes: dict[str, tuple[int, bool]] = {}
    for key in [*tables, *(key for key in known if key not in tables)]:
        table = fresh[key][0] if key in fresh else _table_of(key)
        changes[key] = _bring(objects, key, table, tables.get(key), ids)
    return changes


def _bring(objects: Objects, key: str, table: LakeTable, fresh: Any, ids: Any) -> tuple[int, bool]:
    body = objects.get(key)
    kept = []
    if body is not None:
        before = read_parquet(body, table)
        kept.append(before.filter(pc.invert(pc.is_in(_names(before), ids))))
    if fresh is not None:
        kept.append(_distinct(fresh))
    if not kept:
        return 0, False
    after = pa.concat_tables(kept).sort_by([(name, "ascending") for name in _ORDER])
    if not after.num_rows:
        objects.delete(key)
        return 0, body is not None
    data = parquet_bytes(after)
    if data == body:
        return after.num_rows, False
    objects.put(key, data)
    return after.num_rows, True


def _distinct(rows: Any) -> Any:
    """The first row of each event: a record that failed twice may stand twice in the error object."""
    seen: set[str] = set()
    mask = []
    for name in _names(rows).to_pylist():
        mask.append(name not in seen)
        seen.add(name)
    return rows.filter(pa.array(mask, pa.bool_()))


def _names(rows: Any) -> Any:
    """What tells events apart: their id, and their place in what the producer sent."""
    return pc.binary_join_element_wise(*(pc.cast(rows[name], pa.string()) for name in _ORDER), "/")


def _table_of(key: str) -> LakeTable:
    return next(table for table in LAKE_TABLES.values() if key.startswith(table.prefix))
