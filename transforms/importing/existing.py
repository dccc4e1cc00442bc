"""What an event hour holds already: the ids of its events, and which of them say something else now."""

import io
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.contracts import LakeTable
from transforms.failed.arrow import parquet_bytes, read_parquet

_OF_DELIVERY = frozenset({"source", "producer_id", "epoch", "seq", "arrival_time", "is_late"})
"""Columns that tell how an event came and not what it says."""


def event_ids(body: bytes) -> list[str]:
    """The ids of the events in an object of the lake."""
    found: list[str] = pq.read_table(io.BytesIO(body), columns=["event_id"]).column("event_id").to_pylist()
    return found


def changed_ids(rows: Any, bodies: Iterable[bytes], table: LakeTable) -> set[str]:
    """The ids among `rows` (an Arrow table) that say something else in the lake's objects."""
    ids = rows.column("event_id").combine_chunks()
    now = _contents(rows, table)
    changed = set()
    for body in bodies:
        there = read_parquet(body, table)
        there = there.filter(pc.is_in(there.column("event_id"), ids))
        for event_id, content in _contents(there, table).items():
            if not _is_same(now[event_id], content):
                changed.add(event_id)
    return changed


def replaced(body: bytes, rows: Any, table: LakeTable) -> bytes | None:
    """The object with `rows` (an Arrow table) in place of its rows of the same ids; None without any.

    What tells how an event came stays: the account of who sent it must not lose a number.
    """
    there = read_parquet(body, table)
    new = {event_id: at for at, event_id in enumerate(rows.column("event_id").to_pylist())}
    ids = there.column("event_id").to_pylist()
    if not any(event_id in new for event_id in ids):
        return None
    places = pa.array(
        [len(ids) + new[each] if each in new else at for at, each in enumerate(ids)], pa.int64()
    )
    both = pa.concat_tables([there, pa.Table.select(rows, there.column_names)]).combine_chunks()
    columns = [
        there.column(name) if name in _OF_DELIVERY else both.column(name).take(places)
        for name in there.column_names
    ]
    return parquet_bytes(pa.Table.from_arrays(columns, schema=there.schema).combine_chunks())


def _contents(rows: Any, table: LakeTable) -> dict[str, Mapping[str, Any]]:
    names = [column.name for column in table.columns if column.name not in _OF_DELIVERY]
    read: list[dict[str, Any]] = pa.Table.select(rows, names).to_pylist()
    return {row["event_id"]: {**row, "pseudonyms": table.personal_columns} for row in read}


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Pseudonyms under different keys cannot be compared."""
    if one["key_id"] == other["key_id"]:
        return one == other
    left_out = {"key_id", *one["pseudonyms"]}
    return all(one[name] == other[name] for name in one if name not in left_out)
