"""Schema evolution: what a change of the event types may be, checked against the contracts last released.

A released contract is a JSON file per stream with every field and its bounds. Consumers, stored events and
lake columns rely on it: what it accepts must be accepted for ever, and what it promises must stay.
"""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from producers.contracts import Event, EventType, Stream
from transforms.contracts import field_extra, hive_type

Description = dict[str, Any]

_BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "multiple_of")
_LOWER, _UPPER = frozenset({"ge", "gt", "min_length"}), frozenset({"le", "lt", "max_length"})


@dataclass(frozen=True)
class Finding:
    """A change that is not allowed: where, what, and what to do instead."""

    file: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} {self.remedy}"


def describe(stream: Stream) -> Description:
    """The stream's contract as JSON values: every type and version, every field with its bounds."""
    return {
        "stream": stream.name,
        "envelope": _fields(Event),
        "types": {f"{each.name}.{each.version}": _type(each) for each in stream.all_types},
    }


def _type(event_type: EventType) -> Description:
    return {
        "delivered": event_type.delivered,
        "unknown_fields": "refused"
        if event_type.payload.__struct_config__.forbid_unknown_fields
        else "ignored",
        "fields": _fields(event_type.payload),
    }


def _fields(struct: type[msgspec.Struct]) -> Description:
    hints = get_type_hints(struct, include_extras=True)
    required = {each.name for each in msgspec.structs.fields(struct) if each.required}
    return {name: {"required": name in required, **_field(hints[name])} for name in struct.__struct_fields__}


def _field(hint: Any) -> Description:
    inner, bounds, nullable = _taken_apart(hint)
    described: Description = {"type": hive_type(inner), **bounds}
    if nullable:
        described["nullable"] = True
    extra = field_extra(hint)
    described |= {name: extra[name] for name in ("personal", "derive") if name in extra}
    if "query" in extra:
        described["query"] = list(extra["query"])
    if get_origin(inner) is Literal:
        described["values"] = sorted(get_args(inner), key=str)
    if get_origin(inner) is list:
        described["items"] = _field(get_args(inner)[0])
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        described["fields"] = _fields(inner)
    return described


def _taken_apart(hint: Any) -> tuple[Any, dict[str, Any], bool]:
    """The bare type of an annotation, its bounds, and whether it may be null."""
    bounds: dict[str, Any] = {}
    nullable = False
    while True:
        if hasattr(hint, "__metadata__"):
            for meta in hint.__metadata__:
                bounds |= {
                    name: getattr(meta, name) for name in _BOUNDS if getattr(meta, name, None) is not None
                }
            hint = hint.__origin__
        elif type(None) in get_args(hint):
            nullable = True
            hint = Union[tuple(each for each in get_args(hint) if each is not type(None))]  # noqa: UP007
        else:
            return hint, bounds, nullable


def check(stream: Stream, released: Description) -> list[Finding]:
    """Every change since the release that is not allowed."""
    now = describe(stream)
    findings = list(_compare("the envelope", Event, released["envelope"], now["envelope"]))
    types = {f"{each.name}.{each.version}": each for each in stream.all_types}
    for name, before in released["types"].items():
        if name not in types:
            findings.append(_removed(stream, name))
        else:
            findings += _compare_types(name, types[name], before, now["types"][name])
    return findings


def _compare_types(
    name: str, event_type: EventType, before: Description, after: Description
) -> Iterator[Finding]:
    at = _at(event_type.payload, "")
    if before["delivered"] and not after["delivered"]:
        yield Finding(
            *at, f"{name} is no longer delivered.", "Rows of it are expected: leave delivered=True."
        )
    if before["unknown_fields"] == "ignored" and after["unknown_fields"] == "refused":
        yield Finding(*at, f"{name} now refuses unknown fields.", "Do so in a new version of the type only.")
    yield from _compare(name, event_type.payload, before["fields"], after["fields"])


def _compare(
    owner: str, struct: type[msgspec.Struct], before: Description, after: Description
) -> Iterator[Finding]:
    gone, new = [each for each in before if each not in after], [each for each in after if each not in before]
    for name in gone:
        twin = next((each for each in new if _shape(after[each]) == _shape(before[name])), None)
        renamed = f" (renamed to {twin}?)" if twin else ""
        yield Finding(
            *_at(struct, twin or ""),
            f"{owner}: {name} was removed{renamed}.",
            "Its column stays: keep the field, optional, and stop sending it.",
        )
    for name in new:
        if after[name]["required"]:
            yield Finding(
                *_at(struct, name),
                f"{owner}: {name} is new and required.",
                "Stored events lack it: give it the default None, or make a new version of the type.",
            )
    for name in before:
        if name in after:
            place = _at(struct, name)
            for what, remedy in _changes(before[name], after[name]):
                yield Finding(*place, f"{owner}: {name} {what}.", remedy)


def _changes(before: Description, after: Description) -> Iterator[tuple[str, str]]:
    version = "Make a new version of the type for it."
    if _bare(before) != _bare(after):
        yield f"was {before['type']} and is {after['type']}", version
        return
    if after.get("required") and before.get("required") is False:
        yield "was optional and is required", "Leave it optional, or make a new version of the type."
    if before.get("nullable") and not after.get("nullable"):
        yield "could be null and cannot any more", "Leave `| None` in place."
    for bound in _BOUNDS:
        if _is_narrower(bound, before.get(bound), after.get(bound)):
            yield (
                f"is narrower: {bound} was {before.get(bound)} and is {after.get(bound)}",
                f"Widen it again. {version}",
            )
    lost = [each for each in before.get("values", ()) if each not in after.get("values", ())]
    if lost:
        yield f"no longer allows {', '.join(map(repr, lost))}", "Keep the value; stop sending it."
    if "personal" in before and before["personal"] != after.get("personal"):
        yield (
            "was personal and is not any more, or in another column",
            "What is personal stays so: restore its kind.",
        )
    for column in before.get("derive", {}):
        if column not in after.get("derive", {}):
            yield f"no longer gives the column {column}", "Keep `derive`: reports read the column."
    more = [each for each in after.get("query", ["everything"]) if each not in before.get("query", [each])]
    if more:
        yield (
            f"keeps more of its query: {', '.join(more)}",
            "What is removed on the way to the lake stays so: make a new version of the type.",
        )
    if "items" in before:
        yield from ((f"items: {what}", remedy) for what, remedy in _changes(before["items"], after["items"]))
    yield from _inner_changes(before.get("fields", {}), after.get("fields", {}))


def _inner_changes(before: Description, after: Description) -> Iterator[tuple[str, str]]:
    for name, described in before.items():
        if name not in after:
            yield f"lost its member {name}", "Keep the member, optional, and stop sending it."
        else:
            yield from ((f"{name} {what}", remedy) for what, remedy in _changes(described, after[name]))
    for name, described in after.items():
        if name not in before and described["required"]:
            yield f"has a new required member {name}", "Give it a default."


def _is_narrower(bound: str, before: Any, after: Any) -> bool:
    if before == after or after is None:
        return False
    if before is None:
        return True
    if bound in _LOWER:
        return bool(after > before)
    return bool(after < before) if bound in _UPPER else True


def _shape(described: Description) -> Description:
    return {name: value for name, value in described.items() if name != "required"}


def _bare(described: Description) -> str:
    """The type by its nature: members of structs are compared one by one."""
    return re.sub(r"struct<.*>", "struct", str(described["type"]))


def _removed(stream: Stream, name: str) -> Finding:
    module = inspect.getmodule(stream.event_types[0].payload)
    file = _relative(inspect.getsourcefile(module) or "") if module else ""
    return Finding(
        file,
        1,
        f"{name} was removed from the stream {stream.name}.",
        "Stored events of it must stay readable: declare it again, and stop sending it.",
    )


def _at(struct: type[msgspec.Struct], field: str) -> tuple[str, int]:
    """(file, line) of a field, or of its class where the field is not written there."""
    try:
        lines, first = inspect.getsourcelines(struct)
        file = _relative(inspect.getsourcefile(struct) or "")
    except (OSError, TypeError):
        return struct.__module__, 1
    for offset, line in enumerate(lines):
        if field and re.match(rf"\s+{re.escape(field)}\s*:", line):
            return file, first + offset
    return file, first


def _relative(file: str) -> str:
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file


def released_path(folder: Path, stream: Stream) -> Path:
    """Where the released contract of a stream is kept: below the folder of streams."""
    return folder / "released" / f"{stream.name}.json"


def released(folder: Path, stream: Stream) -> Description | None:
    """The contract last released; None for a stream that never was."""
    path = released_path(folder, stream)
    if not path.exists():
        return None
    found: Description = json.loads(path.read_text())
    return found


def release_text(stream: Stream) -> str:
    """What to keep as the released contract."""
    return json.dumps(describe(stream), indent=2) + "\n"
