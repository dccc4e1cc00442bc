"""Lines of an import as rows of the lake, columns at a time: the fast path of `transforms.importing.rows`.

It takes events that the gate surely accepts, and gives for them the rows that the gate's become. It knows
event types whose payloads are plain fields, without personal data, addresses and derived fields.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from producers.contracts import ColumnChecks, EventType, column_checks
from transforms.contracts import LakeTable, payload_column
from transforms.failed.arrow import arrow_schema, structs_of
from transforms.gate.framing import LARGEST_RECORD
from transforms.gate.rows import RowPlan, layers, row_plan
from transforms.gate.rules import EVENT_ID, SHAPE, TimeRules
from transforms.importing.sender import IMPORT_SOURCE, Sender

_ID, _TIME = slice(14, 50), slice(68, 92)
_HEAD = 92
"""Bytes of a line before its event type: hour, id, place and time, each with a tab behind it but the last."""
_NO_LINE = b"0" * _TIME.start + b"1970-01-01T00:00:00.000Z"
"""Stands for one that the gate has to look at."""
_ENVELOPE = 1_000
"""More bytes than a record has beyond its line."""

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


class _Kind(NamedTuple):
    event_type: EventType
    checks: ColumnChecks
    begins: bytes
    """What stands behind the head of a line with such an event."""


class _Heads(NamedTuple):
    """What lines begin with, their times in milliseconds, and whether all that is as the gate wants it."""

    block: Bytes
    event_ms: "np.ndarray[Any, np.dtype[np.int64]]"
    is_sure: Flags


class QuickRows:
    """Makes rows of one table. `key_id` names the key of pseudonyms, as the gate has it."""

    def __init__(self, table: LakeTable, key_id: str) -> None:
        self._table, self._key_id = table, key_id
        self._times = TimeRules(table.stream)
        newest = layers(row_plan(table, event_type) for event_type in table.stream.all_types)[0]
        self._kinds = [kind for plan in newest if (kind := _kind(plan)) is not None]

    def make(self, lines: Sequence[bytes], sender: Sender) -> tuple[list[int], Any]:
        """Which of the lines (places in order) have a row, and the rows as one Arrow table. Lines are as
        `LineWriter` writes them. The rows have no numbers yet.
        """
        places: list[Any] = []
        tables: list[Any] = []
        if self._kinds and lines:
            array = pa.array(lines, pa.binary())
            heads = self._heads(array, sender)
            for kind in self._kinds:
                wanted = heads.is_sure & _begins(array, kind.begins)
                if wanted.any():
                    found = self._of_kind(kind, lines, wanted, heads, sender)
                    places.append(found[0])
                    tables.append(found[1])
        if not places:
            return [], arrow_schema(self._table).empty_table()
        if len(places) == 1:
            return places[0].tolist(), tables[0]
        every = np.concatenate(places)
        order = np.argsort(every)
        return every[order].tolist(), pa.concat_tables(tables).take(pa.array(order)).combine_chunks()

    def _heads(self, lines: Any, sender: Sender) -> _Heads:
        lengths = pc.binary_length(lines).to_numpy()
        is_sure = (lengths > _HEAD) & (lengths < LARGEST_RECORD - _ENVELOPE)
        heads = lines if is_sure.all() else pc.if_else(pa.array(is_sure), lines, _NO_LINE)
        block = _block(heads, _HEAD)
        shapes = np.frombuffer(SHAPE, np.uint8)[block[:, _ID]]
        is_sure &= (shapes == np.frombuffer(EVENT_ID, np.uint8)).all(axis=1)
        event_ms = _texts(block[:, _TIME]).cast(pa.timestamp("ms", "UTC")).cast(pa.int64()).to_numpy()
        lag = sender.arrival_ms - event_ms
        is_sure &= (lag >= self._times.early_ms) & (event_ms >= self._times.floor_ms)
        return _Heads(block, event_ms, is_sure)

    def _of_kind(
        self, kind: _Kind, lines: Sequence[bytes], wanted: Flags, heads: _Heads, sender: Sender
    ) -> tuple[Any, Any]:
        places, cut = np.flatnonzero(wanted), _HEAD + len(kind.begins)
        column = payload_column(kind.event_type)
        try:
            struct = structs_of(self._table, column, [lines[at][cut:] for at in places.tolist()])
        except pa.ArrowInvalid:  # whose payload it is, the gate finds out
            return places[:0], arrow_schema(self._table).empty_table()
        members = {name: struct.field(name) for name in kind.event_type.payload.__struct_fields__}
        passing = kind.checks.passing(members, len(struct))
        if passing is not None and passing.true_count < len(struct):
            struct, places = struct.filter(passing), places[passing.to_numpy(zero_copy_only=False)]
        event_ms = heads.event_ms[places]
        values = {
            "event_type": kind.event_type.name,
            "event_id": _texts(heads.block[places, _ID]),
            "schema_version": kind.event_type.version,
            "event_time": pa.array(event_ms, pa.timestamp("ms")),
            "source": IMPORT_SOURCE,
            "producer_id": sender.producer_id,
            "epoch": sender.epoch,
            "arrival_time": sender.arrival_ms,
            "is_late": pa.array(sender.arrival_ms - event_ms > self._times.late_ms),
            "key_id": self._key_id,
            column: struct,
        }
        return places, self._assembled(values, len(places))

    def _assembled(self, values: Mapping[str, Any], count: int) -> Any:
        """The table with these columns, or values for all of its rows; other columns are empty."""
        schema = arrow_schema(self._table)
        columns = []
        for field in schema:
            value = values.get(field.name)
            if not isinstance(value, pa.Array):
                value = pa.repeat(pa.scalar(value, field.type), count)
            columns.append(value)
        return pa.Table.from_arrays(columns, schema=schema)


def _kind(plan: RowPlan) -> _Kind | None:
    event_type = plan.event_type
    checks = column_checks(event_type.payload)
    is_plain = not (plan.steps or plan.addresses or plan.writes_defaults or plan.is_audit)
    if checks is None or not is_plain or not event_type.delivered:
        return None
    begins = f"\t{event_type.name}\t{event_type.version}\t".encode()
    return _Kind(event_type, checks, begins)


def _texts(block: Bytes) -> Any:
    """Texts of one width as an Arrow array."""
    count, width = block.shape
    buffer = pa.py_buffer(np.ascontiguousarray(block))
    fixed = pa.Array.from_buffers(pa.binary(width), count, [None, buffer])
    return fixed.cast(pa.binary()).cast(pa.string())


def _block(lines: Any, width: int) -> Bytes:
    """The first bytes of each line; all are that long."""
    data = pc.binary_slice(lines, 0, width).buffers()[-1]
    return np.frombuffer(data, np.uint8)[: len(lines) * width].reshape(len(lines), width)


def _begins(lines: Any, wanted: bytes) -> Flags:
    """Which lines have these bytes behind their heads."""
    found: Flags = pc.equal(pc.binary_slice(lines, _HEAD, _HEAD + len(wanted)), wanted).to_numpy(
        zero_copy_only=False
    )
    return found
