"""Prefixes of S3 objects with Firehose's expressions, parsed once and evaluated per object."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

Kind = Literal["text", "partition", "timestamp", "random", "error-type"]
DEFAULT_PATH = "yyyy/MM/dd/HH/"
LONGEST = 512
"""Characters that an evaluated prefix may have."""

_EXPRESSION = re.compile(r"!\{(?P<space>[A-Za-z]+):(?P<value>[^}]*)\}")
_PATTERN = re.compile(r"'(?P<quoted>[^']*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>[^A-Za-z'])")
_FIELDS: Mapping[str, Callable[[datetime], str]] = {
    "yyyy": lambda t: f"{t.year:04d}",
    "yy": lambda t: f"{t.year % 100:02d}",
    "MM": lambda t: f"{t.month:02d}",
    "M": lambda t: str(t.month),
    "dd": lambda t: f"{t.day:02d}",
    "d": lambda t: str(t.day),
    "DDD": lambda t: f"{t.timetuple().tm_yday:03d}",
    "HH": lambda t: f"{t.hour:02d}",
    "H": lambda t: str(t.hour),
    "mm": lambda t: f"{t.minute:02d}",
    "ss": lambda t: f"{t.second:02d}",
    "SSS": lambda t: f"{t.microsecond // 1000:03d}",
}


class PrefixError(ValueError):
    """A prefix that Firehose refuses, or whose expression this worker does not know."""


@dataclass(frozen=True)
class Segment:
    """Part of a prefix: literal text, or an expression with its argument in `value`."""

    kind: Kind
    value: str = ""


@dataclass(frozen=True)
class Prefix:
    """A parsed prefix."""

    segments: tuple[Segment, ...]

    @property
    def partition_keys(self) -> tuple[str, ...]:
        """Names that the transformation must return for each record, in order."""
        return tuple(dict.fromkeys(s.value for s in self.segments if s.kind == "partition"))

    def evaluate(
        self,
        *,
        at: datetime,
        random: Callable[[], str],
        partition: Mapping[str, str] | None = None,
        error_type: str = "",
    ) -> str:
        """The prefix of one object.

        `at` is when the oldest record in the object arrived, in the delivery stream's time zone; every
        timestamp of the prefix is that instant. `random` makes 11 characters, anew for each use.
        Raises PrefixError when the result is longer than 512 characters.
        """
        parts = []
        for segment in self.segments:
            if segment.kind == "text":
                parts.append(segment.value)
            elif segment.kind == "partition":
                parts.append((partition or {})[segment.value])
            elif segment.kind == "timestamp":
                parts.append(formatted(segment.value, at))
            elif segment.kind == "random":
                parts.append(random())
            else:
                parts.append(error_type)
        made = "".join(parts)
        if len(made) > LONGEST:
            raise PrefixError(
                f"The evaluated prefix has {len(made)} characters; S3 prefixes may have {LONGEST}."
            )
        return made


def parse_prefix(text: str) -> Prefix:
    """A data prefix. Without any expression Firehose appends `yyyy/MM/dd/HH/`, with no slash before it."""
    segments = _segments(text, allow_error_type=False)
    if all(segment.kind == "text" for segment in segments):
        segments = (*segments, Segment("timestamp", DEFAULT_PATH))
    return Prefix(segments)


def parse_error_prefix(text: str) -> Prefix:
    """An error prefix: no partition keys, and with expressions the error's type must be one of them."""
    segments = _segments(text, allow_error_type=True)
    kinds = {segment.kind for segment in segments}
    if "partition" in kinds:
        raise PrefixError(
            "ErrorOutputPrefix must not contain partitionKeyFromLambda or partitionKeyFromQuery."
        )
    if kinds - {"text", "error-type"} and "error-type" not in kinds:
        raise PrefixError("ErrorOutputPrefix with expressions must contain !{firehose:error-output-type}.")
    if kinds <= {"text"}:
        segments = (
            *segments,
            Segment("error-type"),
            Segment("text", "/"),
            Segment("timestamp", DEFAULT_PATH),
        )
    return Prefix(segments)


def formatted(pattern: str, at: datetime) -> str:
    """A Java date pattern, evaluated. Raises PrefixError for letters that this worker does not know."""
    parts = []
    for match in _PATTERN.finditer(pattern):
        if match["letters"]:
            if match["letters"] not in _FIELDS:
                known = ", ".join(_FIELDS)
                raise PrefixError(
                    f"Date pattern {match['letters']!r} in {pattern!r} is not known here ({known})."
                )
            parts.append(_FIELDS[match["letters"]](at))
        else:
            parts.append(match["other"] or match["quoted"] or "'")
    return "".join(parts)


def zone(name: str) -> tzinfo:
    """`CustomTimeZone` as a zone; empty is UTC."""
    if name in {"", "UTC"}:
        return timezone(timedelta(0))
    return ZoneInfo(name)


def object_name(stream: str, at: datetime, unique: str, extension: str) -> str:
    """What Firehose appends to the evaluated prefix."""
    return f"{stream}-1-{at:%Y-%m-%d-%H-%M-%S}-{unique}{extension}"


def _segments(text: str, *, allow_error_type: bool) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    end = 0
    for match in _EXPRESSION.finditer(text):
        if match.start() > end:
            segments.append(Segment("text", text[end : match.start()]))
        segments.append(_expression(match["space"], match["value"], allow_error_type=allow_error_type))
        end = match.end()
    if end < len(text):
        segments.append(Segment("text", text[end:]))
    if any(segment.kind == "text" and "!{" in segment.value for segment in segments):
        raise PrefixError(f"Prefix {text!r} has an expression that is not !{{namespace:value}}.")
    return tuple(segments)


def _expression(space: str, value: str, *, allow_error_type: bool) -> Segment:
    if space in {"partitionKeyFromLambda", "partitionKeyFromQuery"} and value:
        return Segment("partition", value)
    if space == "timestamp" and value:
        formatted(value, datetime(2000, 1, 1, tzinfo=timezone(timedelta(0))))
        return Segment("timestamp", value)
    if (space, value) == ("firehose", "random-string"):
        return Segment("random")
    if (space, value) == ("firehose", "error-output-type") and allow_error_type:
        return Segment("error-type")
    raise PrefixError(f"Expression !{{{space}:{value}}} is not allowed here.")
