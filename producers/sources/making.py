"""One chunk of rows on its way to events and failures."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from producers.contracts import EventType
from producers.identity import KeyedIds, derived_event_id
from producers.packing.codec import violation
from producers.sources.chunks import Chunk
from producers.sources.columns import ColumnReader, Passed
from producers.sources.definition import SourceDefinition
from producers.sources.engine import Engine
from producers.sources.faults import Fault, careful_engine, faults
from producers.sources.plan import ROW, Plan
from producers.sources.results import EventColumns, SourceBatch, SourceEvent, SourceFailure
from producers.sources.rows import refused_line, row_line, with_nulls
from producers.sources.times import TimeMembers, Times

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 80
_ABSENT = re.compile(r"Object missing required field `([^`]*)`")  # msgspec's words


@dataclass(frozen=True)
class Tools:
    """What a source needs for every chunk.

    Attributes:
        kinds: event type name to the type and what reads its payload.
        ids: of keys.
        plan_of: the queries for a table that the engine has.
    """

    definition: SourceDefinition
    engine: Engine
    times: Times
    kinds: Mapping[str, tuple[EventType, msgspec.json.Decoder[Any]]]
    encode: Callable[[Any], bytes]
    ids: KeyedIds
    plan_of: Callable[["pa.Table"], Plan]
    columns: ColumnReader


class Making:
    """Makes a batch of a chunk.

    Attributes:
        last_us: the time of the last event.
    """

    def __init__(
        self,
        tools: Tools,
        chunk: Chunk,
        content_id: bytes | None,
        last_us: int,
        *,
        in_columns: bool = False,
    ) -> None:
        """`content_id` names the file where the source has no key. `in_columns`: events may be, too."""
        self.last_us = last_us
        self._in_columns = in_columns
        self._columns: EventColumns | None = None
        self._passed = Passed()
        self._tools = tools
        self._chunk = chunk
        self._content_id = content_id
        self._events: list[SourceEvent] = []
        self._failures: list[SourceFailure] = []

    def batch(self, file: str) -> SourceBatch:
        """The events and failures of the chunk's rows. Raises SourceDefinitionError."""
        numbers, refused = self._chunk.numbers, self._chunk.refused
        left_out = self._read() if len(numbers) else 0
        for number, each in refused:
            line = refused_line(each.text, self._chunk.table.column_names)
            self._failures.append(self._failure(number, "", each.reason, line, None, each.rows))
        self._failures.sort(key=lambda failure: failure.row)
        last = max([0, *numbers[-1:], *(at + each.rows - 1 for at, each in refused)])
        return SourceBatch(file, last, self._events, self._failures, left_out, self._columns)

    def _read(self) -> int:
        """Makes events and failures of the rows; how many of them WHERE left out."""
        import pyarrow as pa

        tools = self._tools
        engine = tools.engine
        table = with_nulls(self._chunk.table, tools.definition)
        table = table.append_column(ROW, pa.array(range(len(table)), pa.int32()))
        engine.give(table)
        plan = tools.plan_of(table)
        bad: dict[int, Fault] = {}
        is_whole = self._in_columns and tools.columns.takes(plan)
        query = plan.values if is_whole else plan.query
        try:
            found = engine.table(query)
        except engine.error:
            bad = self._faults(table, plan)
            engine.give(table.filter(pa.array([at not in bad for at in range(len(table))])))
            found = engine.table(query)
        good = len(table) - len(bad)
        if len(found) > good or (len(found) < good and not plan.is_filtered):
            raise tools.definition.error(
                f"The SELECT gives {len(found):,} rows for {good:,} rows of the file."
            )
        left_out = good - len(found)
        if is_whole:
            found = self._take_columns(found, table, plan)
        if len(found):
            self._add(found, plan)
        self._pass(len(table))
        for at, fault in bad.items():
            self._fail(at, fault.column, fault.reason, None)
        return left_out

    def _take_columns(self, found: "pa.Table", table: "pa.Table", plan: Plan) -> "pa.Table":
        """Take the rows that surely are events; what `plan.query` says of the others."""
        import pyarrow.compute as pc

        tools = self._tools
        sure = tools.columns.sure(found, plan, self._chunk.numbers, self._content_id)
        if len(sure.places):
            self._columns = sure.events
            self._passed = Passed(sure.places, sure.events.event_us)
        if not len(sure.others):
            return found.slice(0, 0)
        tools.engine.give(table.filter(pc.is_in(table.column(ROW), value_set=sure.others)))
        return tools.engine.table(plan.query)

    def _pass(self, at: int) -> None:
        """The rows before this place have been seen: the last event may be one that is in a column."""
        self.last_us = self._passed.before(at, self.last_us)

    def _faults(self, table: "pa.Table", plan: Plan) -> dict[int, Fault]:
        engine = careful_engine()
        try:
            engine.give(table)
            return faults(engine, plan)
        finally:
            engine.close()

    def _add(self, found: "pa.Table", plan: Plan) -> None:
        names = found.column_names
        columns = {name: each.to_pylist() for name, each in zip(names, found.columns, strict=True)}
        tools, numbers = self._tools, self._chunk.numbers
        moment, kinds, encode = tools.times.moment, tools.kinds, tools.encode
        has_key = bool(tools.definition.key)
        more = TimeMembers(plan, columns, tools.times) if plan.time_fields else None
        asked = (ROW, "__event", "__time", "__zoned", "__key", "__payload")
        rows = zip(*(columns[name] for name in asked), strict=True)
        for index, (at, name, time, zoned, key, members) in enumerate(rows):
            self._pass(at)
            us, wrong = moment(time, zoned)
            if wrong is not None:
                self._fail(at, plan.time_label, wrong, None)
                continue
            if has_key and key is None:
                self._fail(at, ", ".join(tools.definition.key), "a part of the key is missing", us)
                continue
            known = kinds.get(name)
            if known is None:
                wrong = "is missing" if name is None else f"{_cut(name)} is not an event type of the stream"
                self._fail(at, "event", wrong, us)
                continue
            text = members
            if more is not None:
                times, field, wrong = more.of(index, name)
                if wrong is not None:
                    self._fail(at, field, wrong, us)
                    continue
                text = ",".join(filter(None, (members, times)))
            kind, decoder = known
            try:
                payload = decoder.decode(f"{{{text}}}")
            except msgspec.DecodeError as error:
                self._fail(at, *_broken(error, text), us)
                continue
            number = numbers[at]
            event_id = self._event_id(number, key, us, is_timed=plan.has_time_in_key)
            self._events.append(SourceEvent(number, event_id, us, kind, payload, encode(payload)))
            self.last_us = us

    def _event_id(self, number: int, key: str | None, us: int, *, is_timed: bool) -> str | None:
        if key is not None:
            return self._tools.ids.of(f"{key}@{us}".encode() if is_timed else key.encode())
        if self._content_id is None:
            return None
        return derived_event_id(us // 1000, self._content_id, str(number).encode())

    def _fail(self, at: int, column: str, reason: str, us: int | None) -> None:
        number = self._chunk.numbers[at]
        self._failures.append(self._failure(number, column, reason, row_line(self._chunk.table, at), us))

    def _failure(
        self, number: int, column: str, reason: str, line: str, us: int | None, rows: int = 1
    ) -> SourceFailure:
        at_us = self.last_us if us is None else us
        event_id = None
        if self._tools.definition.key:
            # The same row of another file, or of the same file shuffled, is the same failed record.
            event_id = self._tools.ids.of(f"failed:{line}".encode())
        elif self._content_id is not None:
            event_id = derived_event_id(at_us // 1000, self._content_id, str(number).encode())
        return SourceFailure(number, column, reason, line, event_id, at_us, rows)


def _broken(error: msgspec.DecodeError, members: str) -> tuple[str, str]:
    """The field that breaks the contract, and how, with what it holds."""
    if not isinstance(error, msgspec.ValidationError):
        return "", f"not JSON: {error}"
    found = violation(error)
    absent = _ABSENT.fullmatch(found.detail)
    if absent is not None and found.field in ("", "payload"):
        return absent[1], "is missing"
    column = found.field.split(".")[0].split("[")[0]
    detail = found.detail
    if found.field != column:
        detail = f"{detail} at {found.field}"
    try:
        held = msgspec.json.decode(f"{{{members}}}").get(column)
    except (msgspec.DecodeError, AttributeError):
        held = None
    return column, detail if held is None else f"{_cut(str(held))}: {detail}"


def _cut(value: str) -> str:
    return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}..."
