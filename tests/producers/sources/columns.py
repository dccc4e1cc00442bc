"""Random contracts of plain fields, and random rows for them, good and bad."""

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, Literal, cast

import msgspec
from hypothesis import strategies as st
from msgspec import Meta

from producers.contracts import EventType, Payload, Stream
from producers.sources.definition import SourceDefinition, parse_source
from tests.producers.sources.flights import FLIGHTS

KINDS: Sequence[Any] = (
    str,
    Annotated[str, Meta(min_length=1, max_length=4)],
    Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")],
    Annotated[str, Meta(pattern="a", extra={"note": "it may stand anywhere"})],
    Literal["A", "B", ""],
    int,
    Annotated[int, Meta(ge=0, le=2**53 - 1)],
    Annotated[int, Meta(gt=-5, lt=6)],
    Annotated[int, Meta(multiple_of=5)],
    Literal[1, 2],
    float,
    Annotated[float, Meta(ge=-1.5, lt=10)],
    bool,
    list[str],
)
CELLS = (
    "", "NA", "0", "-0", "5", "05", " 5", "5.0", "5.5", "-4.25", "1e3", "6", "2", "9007199254740991", "9007199254740992",
    "9223372036854775808", "nan", "inf", "1e-7", "0.1", "12345678901234567890.5", "true", "false", "yes", "A", "B",
    "ABC", "abc", "ABCD", "ABCDE", "ä", "äöüß", "🛬🛬🛬🛬", "a\u2028b", 'a"b', "a\\b", "a\tb", "a\x7fb", "a/b", '["a"]', "{",
)  # fmt: skip
TIMES = (
    "2013-01-01T10:00:00Z", "2013-01-01 10:00:00.123456", "2013-06-01T12:00:00.999999999+02:00", "2013-03-10 02:30:00",
    "2013-11-03 01:30:00", "1999-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "", "yesterday", "2013-02-30",
)  # fmt: skip
ZONES = (
    "",
    "-- zone: UTC\n",
    "-- zone: America/New_York\n",
    "-- zone: America/New_York\n-- ambiguous: later\n",
)


@st.composite
def payloads(draw: st.DrawFn) -> type[Payload]:
    """A payload class with up to six fields."""
    fields: list[Any] = []
    for number in range(draw(st.integers(1, 6))):
        hint = draw(st.sampled_from(KINDS))
        match draw(st.sampled_from(["required", "optional", "optional", "may be null", "default"])):
            case "required":
                fields.append((f"f{number}", hint))
            case "optional":
                fields.append((f"f{number}", hint | None, None))
            case "may be null":
                fields.append((f"f{number}", hint | None))
            case "default":
                fields.append(
                    (f"f{number}", hint | str, "A") if hint is str else (f"f{number}", hint | None, None)
                )
    return payload_of(fields)


def payload_of(fields: Sequence[Any]) -> type[Payload]:
    """A payload class with these fields: (name, annotation), or (name, annotation, default)."""
    made = msgspec.defstruct("Measured", fields, bases=(Payload,), kw_only=True, omit_defaults=True)
    return cast("type[Payload]", made)


@st.composite
def files(draw: st.DrawFn, fields: int) -> str:
    """A CSV file with a key that may be missing, a time, and so many other columns. Most cells are good."""
    columns = [
        st.sampled_from(CELLS) if draw(st.booleans()) else st.sampled_from(CELLS[:12]) for _ in range(fields)
    ]
    times = st.sampled_from(TIMES) if draw(st.booleans()) else st.sampled_from(TIMES[:3])
    rows = draw(st.lists(st.tuples(st.sampled_from(["1", "2", "é", "NA"]), times, *columns), max_size=12))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([["key", "at", *(f"c{n}" for n in range(fields))], *rows])
    return text.getvalue()


def stream_of(payload: type[Payload]) -> Stream:
    """A stream with one event type."""
    kind = EventType(payload, version=1, partition_key=payload.__struct_fields__[0])
    return Stream("measured", (kind,), allowed_lateness=FLIGHTS.allowed_lateness)


def source_of(payload: type[Payload], key: str, zone: str) -> SourceDefinition:
    """A source for `files`: a column for each field."""
    columns = ", ".join(f"c{at} AS {name}" for at, name in enumerate(payload.__struct_fields__))
    header = (
        "-- source: measured\n-- stream: measured\n-- event: measured\n-- format: csv\n-- event_time: at\n"
        f"-- nulls: NA\n{zone}{f'-- key: {key}' if key else ''}\n"
    )
    return parse_source(f"{header}SELECT {columns} FROM file\n", "sources/measured.sql")
