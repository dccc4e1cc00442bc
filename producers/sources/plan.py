"""The queries of a source over a file with certain columns, made from its SELECT, header and contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_type_hints

import msgspec

from producers.contracts import EventType, Stream
from producers.sources.conversion import Field, NotConvertibleError, field, time_field
from producers.sources.definition import SourceDefinition
from producers.sources.engine import FILE, Engine
from producers.sources.statement import SelectColumn, Statement

ROW = "__row"


class Part(NamedTuple):
    """One thing that can fail in a row.

    Attributes:
        label: the column that is named.
        value: SQL; that it fails, fails the row.
        given: SQL for what the value is made from.
        expected: what the value should have been.
    """

    label: str
    value: str
    given: str
    expected: str


class TimeField(NamedTuple):
    """A time in the payload of an event type: its JSON is made where the zone is known."""

    event_type: str
    name: str


@dataclass(frozen=True)
class Plan:
    """What is asked of DuckDB for a chunk of rows.

    Attributes:
        query: answers `__row`, `__event` (an event type's name), `__time`, `__zoned`, `__key`, `__payload`
            (members as JSON, without braces), and `__t0`, `__z0` ... for `time_fields`.
        identity: the part of `query` that an event id needs.
        parts: everything that can fail.
        values: answers `__row`, `__time`, `__zoned`, `__key`, and `__v0`, `__v1` ... for `fields` of the
            payload; where every row is of one event type and no field is a time, else empty.
        event_type: of every row; None where each row says its own.
        is_filtered: whether there is a WHERE.
        time_label: the column that is named when the time is at fault.
        has_time_in_key: whether the event time is a part of the key.
    """

    query: str
    identity: str
    parts: Sequence[Part]
    time_fields: Sequence[TimeField]
    is_filtered: bool
    time_label: str
    has_time_in_key: bool
    event_type: EventType | None
    fields: Sequence[str]
    values: str


def plan(
    definition: SourceDefinition, stream: Stream, statement: Statement, engine: Engine, columns: Sequence[str]
) -> Plan:
    """The plan for `file` as the engine has it, with these columns. Raises SourceDefinitionError."""
    return _Planner(definition, stream, statement, engine, columns).made()


class _Planner:
    def __init__(
        self,
        definition: SourceDefinition,
        stream: Stream,
        statement: Statement,
        engine: Engine,
        columns: Sequence[str],
    ) -> None:
        self._definition = definition
        self._stream = stream
        self._statement = statement
        self._engine = engine
        self._columns = columns
        self._select = statement.over(columns)
        self._types: dict[str, str] = {}

    def made(self) -> Plan:
        definition = self._definition
        time_column = self._header_column("event_time", definition.event_time)
        kinds = self._event_types()
        self._check_columns(tuple(kinds.values()))
        parts = []
        where = self._select.where
        if where is not None:
            condition = self._sql(where)
            parts.append(Part("WHERE", condition, "NULL", "true or false"))
        event = self._event(kinds)
        if event.expected:
            parts.append(event)
        time = self._field_of(time_column, None)
        time_label = time_column.name if time_column.name.isidentifier() else "event_time"
        parts.append(Part(time_label, time.value, self._sql(time_column), time.expected))
        key, key_parts, has_time = self._key(time_column)
        parts += key_parts
        payload, payload_parts, time_columns, time_fields = self._payload(event.value, kinds)
        parts += payload_parts
        identity = f"{time.value} AS __time, {time.zoned} AS __zoned, {key} AS __key"
        suffix = f" FROM {FILE}" + (f" WHERE {self._sql(where)}" if where is not None else "")
        query = ", ".join(
            [f"SELECT {ROW}", f"{event.value} AS __event", identity, f"{payload} AS __payload", *time_columns]
        )
        self._bound(query + suffix, definition.line)
        is_plain = len(kinds) == 1 and not time_fields
        values = [f"{part.value} AS __v{at}" for at, part in enumerate(payload_parts)]
        return Plan(
            query + suffix,
            identity,
            parts,
            time_fields,
            where is not None,
            time_label,
            has_time,
            next(iter(kinds.values())) if is_plain else None,
            [part.label for part in payload_parts],
            ", ".join([f"SELECT {ROW}", identity, *values]) + suffix if is_plain else "",
        )

    def _event_types(self) -> Mapping[str, EventType]:
        """The event types that rows may be: one, or with an expression any."""
        given = self._definition.event
        latest = {
            name: kind for name, kind in self._stream.latest.items() if kind in self._stream.event_types
        }
        if given in latest:
            return {given: latest[given]}
        if given.isidentifier() and given.lower() not in {
            name.lower() for name in (*self._columns, *self._select.columns)
        }:
            known = ", ".join(latest)
            raise self._definition.error(
                f"Stream {self._stream.name} has no event type {given!r} (it has: {known}), and neither the "
                "file nor the SELECT has such a column.",
                self._definition.line_of("event"),
            )
        return latest

    def _event(self, kinds: Mapping[str, EventType]) -> Part:
        given = self._definition.event
        if given in kinds:
            return Part("event", _quoted(given), "", "")
        column = self._header_column("event", given)
        sql = f"CAST({self._sql(column)} AS VARCHAR)"
        return Part(
            column.name if column.name.isidentifier() else "event", sql, sql, "the name of an event type"
        )

    def _check_columns(self, kinds: Sequence[EventType]) -> None:
        known = {name for kind in kinds for name in kind.payload.__struct_fields__}
        in_header = {*self._definition.key, self._definition.event_time, self._definition.event}
        for name, column in self._select.columns.items():
            if name not in known and not name.startswith("_") and name not in in_header:
                names = ", ".join(sorted(known))
                raise self._definition.error(
                    f"{' and '.join(kind.name for kind in kinds)} has no field {name!r} (it has: {names}). "
                    "Name a column that only helps others with a _ in front.",
                    column.line,
                )
        if len(kinds) == 1:
            required = _required(kinds[0])
            missing = [name for name in required if name not in self._select.columns]
            if missing:
                raise self._definition.error(
                    f"The SELECT gives no {' and no '.join(missing)}, which {kinds[0].name} requires."
                )

    def _header_column(self, name: str, text: str) -> SelectColumn:
        line = self._definition.line_of(name)
        return self._statement.expression(text, line, self._columns, self._select)

    def _key(self, time_column: SelectColumn) -> tuple[str, list[Part], bool]:
        """SQL for the text of the key without the event time, its parts, and whether the time is one."""
        if not self._definition.key:
            return "NULL", [], False
        texts, parts, has_time = [], [], False
        for name in self._definition.key:
            column = self._header_column("key", name)
            if column.node == time_column.node:
                has_time = True  # known only when it is in UTC
                continue
            text, expected = self._key_text(column)
            texts.append(text)
            parts.append(Part(name, text, self._sql(column), expected))
        return " || ".join(f"length({text}) || ':' || {text}" for text in texts) or "''", parts, has_time

    def _key_text(self, column: SelectColumn) -> tuple[str, str]:
        """The value as text, as the contract has it where it is a field: 0461 and 461 are one number."""
        kinds = self._event_types().values()
        hints = [get_type_hints(kind.payload, include_extras=True) for kind in kinds]
        hint = next((found[column.name] for found in hints if column.name in found), None)
        if hint is None:
            return f"CAST({self._sql(column)} AS VARCHAR)", "a text"
        made = self._field_of(column, hint)
        return f"CAST({made.value} AS VARCHAR)", made.expected

    def _payload(
        self, event: str, kinds: Mapping[str, EventType]
    ) -> tuple[str, list[Part], list[str], list[TimeField]]:
        members: dict[str, list[str]] = {}
        parts: list[Part] = []
        time_columns: list[str] = []
        time_fields: list[TimeField] = []
        for kind in kinds.values():
            hints = get_type_hints(kind.payload, include_extras=True)
            members[kind.name] = []
            for name in kind.payload.__struct_fields__:
                if name not in self._select.columns:
                    continue
                column = self._select.columns[name]
                made = self._field_of(column, hints[name])
                value = made.value
                if len(kinds) > 1:
                    value = f"CASE WHEN {event} = {_quoted(kind.name)} THEN {value} END"
                parts.append(Part(name, value, self._sql(column), made.expected))
                if made.json is None:
                    at = len(time_fields)
                    time_columns += [f"{value} AS __t{at}", f"{made.zoned} AS __z{at}"]
                    time_fields.append(TimeField(kind.name, name))
                else:
                    start = _quoted(f'"{name}":')
                    members[kind.name].append(f"{start} || {made.json}")
        texts = {
            name: f"concat_ws(',', {', '.join(found)})" if found else "''" for name, found in members.items()
        }
        if len(texts) == 1:
            return next(iter(texts.values())), parts, time_columns, time_fields
        cases = " ".join(f"WHEN {_quoted(name)} THEN {text}" for name, text in texts.items())
        return f"CASE {event} {cases} END", parts, time_columns, time_fields

    def _field_of(self, column: SelectColumn, hint: Any) -> Field:
        """How the column becomes a field of this annotation; without one, a time."""
        sql = self._sql(column)
        kind = self._type(column, sql)
        try:
            return time_field(sql, kind) if hint is None else field(hint, sql, kind)
        except NotConvertibleError as error:
            raise self._definition.error(f"{column.name} {error}.", column.line) from error

    def _sql(self, column: SelectColumn) -> str:
        return f"({self._engine.text(column.node)})"

    def _type(self, column: SelectColumn, sql: str) -> str:
        if sql not in self._types:
            asked = f"SELECT {sql} AS value FROM {FILE}"  # noqa: S608  from syntax trees
            kind = self._bound(asked, column.line)["value"]
            # A NULL of no type is a text that is not there.
            self._types[sql] = "VARCHAR" if kind == '"NULL"' or kind.startswith("ENUM") else kind
        return self._types[sql]

    def _bound(self, sql: str, line: int) -> Mapping[str, str]:
        try:
            return self._engine.types(sql)
        except self._engine.error as error:
            raise self._definition.error(f"DuckDB refuses this: {first_line(error)}", line) from error


def first_line(error: Exception) -> str:
    """What DuckDB says, without the kind of error and the text of the query."""
    text = str(error).split("\n\nLINE ", 1)[0]
    said = " ".join(text.split())
    return said.split(" Error: ", 1)[-1][:300]


def _required(kind: EventType) -> list[str]:
    return [each.name for each in msgspec.structs.fields(kind.payload) if each.required]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
