"""The Python file of a stream and the SQL file of a source, as inferred from a sample (pure)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from producers.contracts.printing import printable
from producers.inference.model import Field, Inferred, quoted
from producers.inference.names import class_name, event_name

_DELIMITERS = {"\t": "tab", ";": "semicolon", "|": "pipe"}
_FLOOR = datetime(2000, 1, 1, tzinfo=UTC)
"""What a stream's `history_floor` is unless it says otherwise."""
_WIDTH = 108


def stream_text(made: Inferred, stream: str, file: str) -> str:
    """`streams/NAME.py`. `file` names the sample."""
    name, event = class_name(stream), event_name(stream)
    constant = event.upper()
    floor = _history_floor(made.first)
    kinds = {each.kind for each in made.fields}
    imports = ["EventType", "Payload", "Stream", *(["UtcTime"] if "time" in kinds else [])]
    has_bounds = kinds - {"bool", "time", "enum"}
    typing = [*(["Annotated"] if has_bounds else []), *(["Literal"] if "enum" in kinds else [])]
    lines = [
        f'"""The `{stream}` stream, as inferred from {made.rows:,} rows of {_plain(file)}.',
        "",
        "Read it, and correct what the sample could not know.",
        '"""',
        "",
        f"from datetime import {'UTC, datetime, timedelta' if floor else 'timedelta'}",
        *([f"from typing import {', '.join(typing)}"] if typing else []),
        "",
        *(["from msgspec import Meta", ""] if has_bounds else []),
        f"from penstock.contracts import {', '.join(imports)}",
        "",
        "",
        f"class {name}(Payload, kw_only=True):",
        f'    """A row of {_plain(file)}."""',
        "",
        *(line for field in made.fields for line in _field_lines(field)),
        "",
        "",
        f'{constant} = EventType({name}, version=1, partition_key="{made.partition_key}")',
        "",
        "STREAM = Stream(",
        f'    name="{stream}",',
        f"    event_types=({constant},),",
        "    allowed_lateness=timedelta(hours=6),",
        *([f"    history_floor=datetime({floor.year}, 1, 1, tzinfo=UTC),"] if floor else []),
        ")",
    ]
    return "\n".join(lines) + "\n"


def source_text(made: Inferred, stream: str, file: str) -> str:
    """`sources/NAME.sql`. `file` names the sample."""
    is_bare = made.time.sql == quoted(made.time.columns[0])
    time = made.time.sql if is_bare else "_time"
    header = {
        "source": stream,
        "title": f"Rows of {_plain(file)}",
        "stream": stream,
        "event": event_name(stream),
        "format": made.format,
        "key": ", ".join(_key(made, time)),
        "event_time": time,
        "zone": "" if made.time.is_zoned and is_bare and not _has_local_times(made) else "UTC",
        "nulls": ", ".join(made.nulls),
        "delimiter": _DELIMITERS.get(made.delimiter, ""),
    }
    columns = [] if is_bare else [f"{made.time.sql} AS _time"]
    columns += [_selected(field) for field in made.fields]
    lines = [
        *(f"-- {name + ':':<12} {value}" for name, value in header.items() if value),
        "",
        *(f"-- {line}" for line in _wrapped(_remarks(made))),
        "SELECT " + ",\n       ".join(columns),
        "FROM file",
    ]
    return "\n".join(lines) + "\n"


def _field_lines(field: Field) -> Iterator[str]:
    for line in _wrapped([printable(field.why)]):
        yield f"    # {line}"
    hint = annotation(field)
    yield f"    {field.name}: {hint}{' | None = None' if field.is_optional else ''}"


def annotation(field: Field) -> str:
    """The field's type with its bounds, as Python."""
    if field.kind in ("bool", "time"):
        return {"bool": "bool", "time": "UtcTime"}[field.kind]
    if field.kind == "enum":
        return f"Literal[{', '.join(map(_text, field.choices))}]"
    if field.kind in ("int", "float"):
        bounds = [
            f"{name}={_number(bound)}"
            for name, bound in (("ge", field.low), ("le", field.high))
            if bound is not None
        ]
        return (
            f"Annotated[{field.kind}, Meta({', '.join(bounds)})]"
            if bounds
            else f"Annotated[{field.kind}, Meta()]"
        )
    extra = f', extra={{"personal": "{field.name}_key"}}' if field.is_personal else ""
    return f"Annotated[str, Meta(min_length=1, max_length={field.longest:_}{extra})]"


def _selected(field: Field) -> str:
    name = quoted(field.name)
    return name if field.sql == name else f"{field.sql} AS {name}"


def _key(made: Inferred, time: str) -> Iterator[str]:
    is_timed = False
    for column in made.key:
        if column in made.time.columns:
            if not is_timed:
                yield time
            is_timed = True
        else:
            yield quoted(next(each.name for each in made.fields if each.column == column))


def _has_local_times(made: Inferred) -> bool:
    """Whether a time of the payload may say no zone."""
    times = (made.profiles[each.column] for each in made.fields if each.kind == "time")
    return any("WITH TIME ZONE" not in each.type and not each.all_like("zoned") for each in times)


def _remarks(made: Inferred) -> Iterator[str]:
    rows = f"all {made.rows:,} rows" if made.is_whole else f"the first {made.rows:,} rows"
    yield f"Inferred from {rows} of a sample. Event time: {printable(made.time.said)}."
    yield (
        "The key is unique in them."
        if made.key
        else "No key was found: ids follow from the file's content, so part of it is counted again."
    )
    if not made.time.is_zoned:
        yield "The times say no zone: UTC is a guess."


def _history_floor(first: datetime) -> datetime | None:
    """A year before the sample's first event, where that is before a stream's usual floor."""
    earliest = first - timedelta(days=366)
    return earliest if earliest < _FLOOR else None


def _text(value: str) -> str:
    """A text as Python writes it, in double quotes where that is simple."""
    return f'"{value}"' if re.fullmatch(r"[ !#-\[\]-~]*", value) else repr(value)


def _number(value: float) -> str:
    return f"{int(value):_}" if value == int(value) and abs(value) < 2**53 else repr(value)


def _wrapped(sentences: "Iterator[str] | list[str]") -> Iterator[str]:
    from textwrap import wrap

    for sentence in sentences:
        yield from wrap(sentence, _WIDTH - 8, break_long_words=True)


def _plain(file: str) -> str:
    """The sample's name without what could end a comment, a docstring or a header."""
    return re.sub(r"[^A-Za-z0-9._ -]", "_", file)[:80].strip() or "a sample"
