"""Events of an import through the gate: rows of the lake, or failed records with a reason."""

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from producers.contracts import ImportedLine, read_imported_line
from transforms.contracts import LakeTable
from transforms.failed.arrow import arrow_schema, rows_to_table
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Failed, Outcome, RefusedError
from transforms.gate.times import Arrivals
from transforms.importing.sender import IMPORT_SOURCE, Sender

if TYPE_CHECKING:
    from transforms.importing.quick_rows import QuickRows

__all__ = ["IMPORT_SOURCE", "Made", "Numbered", "Refused", "RowMaker", "Sender", "record"]
_ROWS_AT_ONCE = 20_000


class Refused(NamedTuple):
    """An event that the gate did not accept: its line, and the record that it would have been."""

    line: ImportedLine
    record: bytes
    reason: str
    place: str


class Numbered(NamedTuple):
    """Lines of events that are numbered from `first_seq` on."""

    lines: Sequence[bytes]
    first_seq: int


class Made(NamedTuple):
    """What became of events: their rows as an Arrow table in the same order, and those without a row."""

    rows: Any
    refused: Sequence[Refused]


def record(line: ImportedLine, sender: Sender, seq: int) -> bytes:
    """The event as a record of the stream would have it."""
    _, event_id, _, event_time, event_type, version, payload = line.parts
    return (
        b'{"event_type":"%b","event_id":"%b","schema_version":%b,"event_time":"%b","source":"%b","producer_id":"%b",'
        b'"epoch":%d,"seq":%d,"payload":%b}'
    ) % (
        event_type,
        event_id,
        version,
        event_time,
        IMPORT_SOURCE.encode(),
        sender.producer_id.encode(),
        sender.epoch,
        seq,
        payload,
    )


class _Rows(NamedTuple):
    """Rows of lines in their order, which lines have one (1), and by place what is wrong with the others."""

    table: Any
    has_row: bytearray
    failed: dict[int, tuple[ImportedLine, Failed]]


class RowMaker:
    """Makes rows with one gate."""

    def __init__(self, table: LakeTable, gate: Gate) -> None:
        self._table, self._gate = table, gate
        self._quick = _quick_rows(table, gate.key_id)

    def make(self, events: Sequence[Numbered], sender: Sender) -> list[Made]:
        """What becomes of each group of events. Rows are numbered without a gap, from its first number on;
        those that fail are numbered behind them.

        Groups are made together, since a table of few rows costs as much as one of thousands. The numbers are
        put in when it is known which events have a row. No event may be of a type that is dropped.
        """
        every = [line for each in events for line in each.lines]
        rows = self._rows(every, sender)
        spans: list[range] = []
        refused: list[list[Refused]] = []
        numbers: list[int] = []
        at = start = 0
        for lines, first_seq in events:
            count = sum(rows.has_row[at : at + len(lines)])
            failures = [rows.failed[each] for each in range(at, at + len(lines)) if each in rows.failed]
            refused.append(
                [
                    Refused(line, record(line, sender, seq), outcome.reason, outcome.place)
                    for seq, (line, outcome) in enumerate(failures, start=first_seq + count)
                ]
            )
            spans.append(range(start, start + count))
            numbers += range(first_seq, first_seq + count)
            at, start = at + len(lines), start + count
        column = rows.table.schema.get_field_index("seq")
        field = rows.table.schema.field(column)
        made = rows.table.set_column(column, field, pa.array(numbers, pa.int64()))
        # One chunk each: how a file is written must not depend on which groups were made together.
        tables = (made.slice(span.start, len(span)).combine_chunks() for span in spans)
        return [Made(table, failures) for table, failures in zip(tables, refused, strict=True)]

    def _rows(self, lines: Sequence[bytes], sender: Sender) -> _Rows:
        """The fast path as far as it goes; what it does not take goes through the gate, one by one."""
        places, quick = self._quick.make(lines, sender) if self._quick else ([], None)
        has_row = bytearray(len(lines))
        for at in places:
            has_row[at] = 1
        rows, further = list[bytes](), list[int]()
        failed: dict[int, tuple[ImportedLine, Failed]] = {}
        slow = [at for at, has in enumerate(has_row) if not has]
        judged = self._judged((read_imported_line(lines[at]) for at in slow), sender)
        for at, (line, outcome) in zip(slow, judged, strict=True):
            if isinstance(outcome, Accepted):
                rows.append(outcome.row)
                further.append(at)
            else:
                assert isinstance(outcome, Failed), f"{line.event_type} is not delivered"
                failed[at] = (line, outcome)
        for at in further:
            has_row[at] = 1
        if not rows or not places:
            return _Rows(quick if places else self._table_of(rows), has_row, failed)
        both = pa.concat_tables([quick, self._table_of(rows)]).combine_chunks()
        return _Rows(both.take(pc.sort_indices(pa.array([*places, *further]))), has_row, failed)

    def audit(self, line: ImportedLine, sender: Sender) -> Any:
        """The row of the audit event, which is about the sequence and not in it."""
        outcome = self._gate.judge(record(line, sender, 0), sender.arrival_ms)
        assert isinstance(outcome, Accepted), outcome
        return self._table_of([outcome.row])

    def _judged(
        self, lines: Iterable[ImportedLine], sender: Sender
    ) -> Iterator[tuple[ImportedLine, Outcome]]:
        accept, explain, written = self._gate.accept, self._gate.explain, bytearray()
        arrival_ms = sender.arrival_ms
        arrival = Arrivals().text(arrival_ms)
        for line in lines:
            raw = record(line, sender, 1)
            try:
                outcome: Outcome = accept(raw, arrival_ms, arrival, written)
            except RefusedError as error:
                outcome = error.failed
            except Exception as error:  # noqa: BLE001  whatever bytes can make a decoder raise
                outcome = explain(raw, arrival_ms, error)
            yield line, outcome

    def _table_of(self, rows: Sequence[bytes]) -> Any:
        parts = [
            rows_to_table(self._table, rows[start : start + _ROWS_AT_ONCE])
            for start in range(0, len(rows), _ROWS_AT_ONCE)
        ]
        return pa.concat_tables(parts) if parts else arrow_schema(self._table).empty_table()


def _quick_rows(table: LakeTable, key_id: str) -> "QuickRows | None":
    """The fast path where numpy is installed: a Lambda function with Arrow and DuckDB has no room for it."""
    if find_spec("numpy") is None:
        return None
    from transforms.importing.quick_rows import QuickRows

    return QuickRows(table, key_id)
