"""What a stream's event types must keep besides their history: names, sizes, examples."""

import json
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from producers.contracts import ENVELOPE_FIELDS, EventType, Stream
from transforms.contracts import EVENT_HOUR, LakeTable, field_extra, payload_column
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Dropped, Failed, Outcome
from transforms.schema.carried import carried_findings, undeployed_findings
from transforms.schema.growth import growth_findings

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_RESERVED = frozenset(
    {"date", "timestamp", "user", "order", "group", "select", "table", "values", "partition", EVENT_HOUR}
)
_EXAMPLE = re.compile(
    r"(?P<type>[a-z0-9_]+)\.(?P<version>\d+)\.(?P<case>[a-z0-9_]+)\.(?P<verdict>pass|fail)\.json"
)

EXAMPLES_ARRIVAL_MS = 1_795_515_075_000
"""2026-11-24T10:11:15Z: when the example events arrive."""


@dataclass(frozen=True)
class Example:
    """One example event. `case` of a failing one begins with the reason."""

    path: Path
    event_type: str
    version: int
    case: str
    passes: bool

    @property
    def raw(self) -> bytes:
        """The record."""
        return self.path.read_bytes()


def examples(folder: Path) -> list[Example]:
    """Every example in the folder of streams, by name. Raises ValueError for a wrong name."""
    found = []
    for path in sorted((folder / "examples").glob("*.json")):
        name = _EXAMPLE.fullmatch(path.name)
        if name is None:
            raise ValueError(f"{path.name}: name it <event_type>.<version>.<case>.pass.json or .fail.json.")
        passes = name["verdict"] == "pass"
        found.append(Example(path, name["type"], int(name["version"]), name["case"], passes))
    return found


def gate_of(stream: Stream) -> Gate:
    """A gate with a key that is not a secret: good for validating, not for pseudonyms."""
    return Gate(LakeTable(stream), key_id="example", key=b"the key of examples, no secret")


def declaration_findings(streams: Mapping[str, Stream], folder: Path) -> Iterator[str]:
    """Everything that is wrong with the declarations of these streams, one sentence each.

    `folder` is that of the streams; their examples are below it.
    """
    for stream in streams.values():
        yield from findings_of(stream)
        yield from growth_findings(LakeTable(stream))
    yield from carried_findings(folder)
    yield from undeployed_findings(folder)
    yield from _examples(streams, examples(folder))


def findings_of(stream: Stream) -> Iterator[str]:
    """What is wrong with the names and annotations of one stream's event types, one sentence each."""
    yield from _names(stream)
    for event_type in stream.all_types:
        for sentence in _annotations(event_type):
            yield f"{stream.name}: {event_type.name}: {sentence}"


def _names(stream: Stream) -> Iterator[str]:
    table = LakeTable(stream)
    columns = [column.name for column in table.columns]
    for name in sorted({each for each in columns if columns.count(each) > 1}):
        yield f"{stream.name}: two columns of {table.name} are named {name}. Rename the type or field."
    for each in table.delivered:
        for name in (payload_column(each), *each.payload.__struct_fields__):
            if not _NAME.fullmatch(name):
                yield f"{stream.name}: {each.name}: {name!r} is not a valid column name. Use a-z, 0-9 and _."
        if payload_column(each) in _RESERVED or payload_column(each) in ENVELOPE_FIELDS:
            yield f"{stream.name}: {each.name} is a reserved name. Choose another for the event type."


def _annotations(event_type: EventType) -> Iterator[str]:
    hints = get_type_hints(event_type.payload, include_extras=True)
    columns: list[str] = []
    for field in msgspec.structs.fields(event_type.payload):
        extra = field_extra(hints[field.name])
        personal = [str(extra["personal"])] if "personal" in extra else []
        columns += personal
        for name in (*personal, *extra.get("derive", {})):
            if not _NAME.fullmatch(name) or keyword.iskeyword(name):
                yield f"{name!r} is not a valid column name. Use a-z, 0-9 and _, and no word of Python's own."
        if field.encode_name != field.name:
            yield f"{field.name} is written as {field.encode_name}. Columns are found by name: give it one."
        for name in extra.get("query", ()):
            if not _PARAMETER.fullmatch(name):
                yield f"{field.name} keeps {name!r}: no name of a query parameter. Use letters, digits, _ . -"
        if _marked_inside(hints[field.name]):
            yield (
                f"{field.name} has personal or derived values inside of it, or addresses. "
                "Only a field itself can be so."
            )
    for name in sorted({each for each in columns if columns.count(each) > 1}):
        yield f"Two fields become {name}. One of them would be lost: give each a column."


def _marked_inside(hint: Any) -> bool:
    """True when a value inside a list, map or nested object is said to be personal or derived from."""
    if get_origin(hint) is Annotated:
        return _marked_inside(hint.__origin__)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        inner = tuple(get_type_hints(hint, include_extras=True)[name] for name in hint.__struct_fields__)
    elif get_origin(hint) in (Union, UnionType):
        return any(map(_marked_inside, get_args(hint)))
    else:
        inner = () if get_origin(hint) is Literal else get_args(hint)
    return any(field_extra(each) or _marked_inside(each) for each in inner)


def _examples(streams: Mapping[str, Stream], known: Sequence[Example]) -> Iterator[str]:
    for stream in streams.values():
        gate = gate_of(stream)
        names = {each.name for each in stream.all_types}
        for each in stream.event_types:  # the audit event is not the project's
            mine = [one for one in known if (one.event_type, one.version) == (each.name, each.version)]
            for passes, word, end in ((True, "passes", "pass"), (False, "fails", "fail")):
                if not any(one.passes is passes for one in mine):
                    kind = f"{each.name}.{each.version}"
                    yield (
                        f"{stream.name}: {kind} has no example that {word}. Add one: a whole event with its "
                        f"envelope, as examples/{kind}.CASE.{end}.json."
                    )
        for one in known:
            if one.event_type in names:
                yield from _judged(one, gate.explain(one.raw, EXAMPLES_ARRIVAL_MS))


def _judged(one: Example, outcome: Outcome) -> Iterator[str]:
    if one.passes and isinstance(outcome, Failed):
        yield f"{one.path.name} fails: {outcome.reason} at {outcome.place}: {outcome.detail}"
    if not one.passes and isinstance(outcome, Accepted | Dropped):
        yield f"{one.path.name} passes. Rename it, or make it break the contract."
    if not one.passes and isinstance(outcome, Failed) and not one.case.startswith(outcome.reason):
        yield f"{one.path.name} fails for {outcome.reason} ({outcome.detail}). Begin its case with it."
    if one.passes and not isinstance(outcome, Failed):
        head = json.loads(one.raw)
        if (head["event_type"], head["schema_version"]) != (one.event_type, one.version):
            yield f"{one.path.name} holds {head['event_type']}.{head['schema_version']}. Rename it."
