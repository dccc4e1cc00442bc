"""Failed records validated again: why each of them failed, and what it would be today.

Events are met by their gates; rows, which failed behind the transformation, by their lake table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import msgspec
from msgspec import Struct

from transforms.contracts import LakeTable, payload_column
from transforms.failed.arrow import rows_to_table
from transforms.failed.error_objects import ROWS_INSIDE, FailedRecord
from transforms.failed.event_review import EventReviewer, Judged, keyless_gates
from transforms.gate.addresses import cleaned_row
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Failed, Outcome
from transforms.gate.times import milliseconds

_TOGETHER = 1_000
"""Records that are validated at once."""


class _RowHead(Struct, gc=False):
    """What shows that bytes are a row that the transformation made, and where it goes."""

    event_type: str
    event_id: str
    event_time: datetime
    arrival_time: datetime
    key_id: str
    is_late: bool
    payload: msgspec.UnsetType = msgspec.UNSET


class Reviewer(EventReviewer):
    """Validates failed records: events, and rows that the transformation made of them."""

    def judge(self, record: FailedRecord, raw: bytes | None = None) -> list[Judged]:
        """Every event of the record. With `raw`, those of these bytes in the record's place."""
        return next(self.judge_each([(record, raw)]))

    def judge_each(self, asked: Iterable[tuple[FailedRecord, bytes | None]]) -> Iterator[list[Judged]]:
        """`judge` of each, in order. Many at once take less: rows meet the lake table together."""
        remaining = iter(asked)
        while some := list(islice(remaining, _TOGETHER)):
            found = [self._found(record, record.raw if raw is None else raw) for record, raw in some]
            rows = [each for each in found if isinstance(each, _Row)]
            outcomes = iter(_row_outcomes(rows))
            for each in found:
                yield [Judged(each.raw, each.table, next(outcomes))] if isinstance(each, _Row) else each

    def _found(self, record: FailedRecord, data: bytes) -> "list[Judged] | _Row":
        row = self._row(record, data) if record.kind in ROWS_INSIDE else None
        return self.events(record, data) if row is None else row

    def _row(self, record: FailedRecord, data: bytes) -> "_Row | None":
        """The row that failed behind the transformation; None when the bytes are none."""
        try:
            head = msgspec.json.decode(data, type=_RowHead)
            names = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        for table, _ in self.of(record.origin):
            columns = {payload_column(each) for each in table.delivered if each.name == head.event_type}
            if columns & set(names):
                return _Row(data, table, head)
        return None


@dataclass(frozen=True)
class _Row:
    """Bytes that are a row of this table, if they fit it."""

    raw: bytes
    table: LakeTable
    head: _RowHead


def _row_outcomes(rows: Sequence[_Row]) -> list[Outcome]:
    """Of each row whether it fits its table. Halved until those that do not stand alone."""
    if not rows:
        return []
    half = len(rows) // 2
    if any(row.table is not rows[0].table for row in rows):
        return _row_outcomes(rows[:half]) + _row_outcomes(rows[half:])
    try:
        rows_to_table(rows[0].table, [row.raw for row in rows])
    except Exception as error:  # noqa: BLE001  Arrow's errors are of many classes; each says what does not fit
        if half:
            return _row_outcomes(rows[:half]) + _row_outcomes(rows[half:])
        return [Failed("wrong_type", "$", f"The row does not fit the lake table: {error}")]
    return [_accepted(row) for row in rows]


def _accepted(row: _Row) -> Outcome:
    head = row.head
    lag_ms = milliseconds(head.arrival_time) - milliseconds(head.event_time)
    data = cleaned_row(row.table, row.raw) + b"\n"
    return Accepted(data, f"{head.event_time:%Y-%m-%d-%H}", head.is_late, lag_ms)


def keyless_reviewer(tables: Iterable[LakeTable]) -> Reviewer:
    """A reviewer that finds the same reasons without any key; see `keyless_gates`."""
    return Reviewer(keyless_gates(tables))


def reviewer(tables: Iterable[LakeTable], keys: Mapping[str, Mapping[str, bytes]]) -> Reviewer:
    """A reviewer with the first key of each stream. `keys` is stream to key id to key; nothing may be written
    of a stream that is not in it.
    """
    gates = []
    for table in tables:
        key_id, key = next(iter(keys.get(table.stream.name, {"none": bytes(32)}).items()))
        gates.append((table, Gate(table, key_id=key_id, key=key)))
    return Reviewer(gates)
