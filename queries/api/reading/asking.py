"""What a request asks for: the parameters of its address and the media type, checked (pure)."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from urllib.parse import parse_qsl

from queries.api.reading.cursors import Cursor, read_cursor
from queries.api.reading.errors import AskedError, MediaError
from queries.contracts import Report
from queries.partitions import window

Media = Literal["application/json", "text/csv"]
JSON: Media = "application/json"
CSV: Media = "text/csv"
MOST_ROWS, ROWS = 1_000, 100
"""Of a page: at most, and unless the caller says otherwise."""
MOST_PARTITIONS, PARTITIONS = 100, 24
"""Whose files or freshness one answer has: at most, and unless the caller says otherwise."""
MOST_PARAMETERS = 50
FIRST, LAST = "", "~"
"""Sort before and behind the name of every partition."""

Parameters = Mapping[str, tuple[str, ...]]
Filters = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class RowsAsked:
    """Rows of a report: its partitions from `first` to `last`, both included, those that match `filters`."""

    first: str
    last: str
    filters: Filters
    limit: int
    cursor: Cursor | None


@dataclass(frozen=True)
class PeriodAsked:
    """Partitions of a report from `first` to `last`, both included; `limit` of them at most."""

    first: str
    last: str
    limit: int


def parameters(query: str) -> Parameters:
    """The parameters of a raw query string, each with its values in order. Raises AskedError."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise AskedError(
            "The query string cannot be read: send parameters in UTF-8, percent-encoded, at most "
            f"{MOST_PARAMETERS} of them."
        ) from error
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def rows_asked(given: Parameters, report: Report) -> RowsAsked:
    """Which rows are asked for. Raises AskedError."""
    types = {column.name: column.type for column in report.columns}
    reserved = ("from", "to", "limit", "cursor")
    only(given, [*reserved, *types])
    filters = {
        name: tuple(_value(name, types[name], text) for text in texts)
        for name, texts in given.items()
        if name in types and name not in reserved
    }
    first, last = _period(given, report)
    cursor = None
    if text := _one(given, "cursor"):
        cursor = read_cursor(text)
        _checked(report, "cursor", cursor.partition)
    return RowsAsked(first, last, filters, _limit(given, ROWS, MOST_ROWS), cursor)


def period_asked(given: Parameters, report: Report, *others: str) -> PeriodAsked:
    """Which partitions are asked for; `others` are further parameters. Raises AskedError."""
    only(given, ["from", "to", "limit", *others])
    first, last = _period(given, report)
    return PeriodAsked(first, last, _limit(given, PARTITIONS, MOST_PARTITIONS))


def only(given: Parameters, known: Collection[str]) -> None:
    """Raises AskedError for a parameter that there is not."""
    if unknown := next((name for name in given if name not in known), None):
        raise AskedError(f"There is no parameter {unknown!r}. There are: {', '.join(known) or 'none'}.")


def one(given: Parameters, name: str) -> str | None:
    """The parameter's only value, or None. Raises AskedError."""
    return _one(given, name)


def media(accept: str | None) -> Media:
    """The media type for an Accept header: JSON unless CSV is preferred. Raises MediaError."""
    weights = {JSON: -1.0, CSV: -1.0}
    ranges: Mapping[str, tuple[Media, ...]] = {
        "*/*": (JSON, CSV), "application/*": (JSON,), "text/*": (CSV,), JSON: (JSON,), CSV: (CSV,),
    }  # fmt: skip
    for part in (accept or "*/*").split(","):
        name, _, rest = part.strip().lower().partition(";")
        for kind in ranges.get(name.strip(), ()):
            weights[kind] = max(weights[kind], _weight(rest))
    if max(weights.values()) <= 0:
        raise MediaError(f"Rows are given as {JSON} or {CSV}. Name one of them in the header Accept.")
    return CSV if weights[CSV] > weights[JSON] else JSON


def _weight(text: str) -> float:
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0


def _period(given: Parameters, report: Report) -> tuple[str, str]:
    first, last = _one(given, "from"), _one(given, "to")
    for name, partition in (("from", first), ("to", last)):
        if partition is not None:
            _checked(report, name, partition)
    if first is not None and last is not None and last < first:
        raise AskedError(f"The period ends ({last}) before it begins ({first}).")
    return first or FIRST, last or LAST


def _checked(report: Report, name: str, partition: str) -> None:
    try:
        window(report, partition)
    except (ValueError, OverflowError) as error:
        like = "2026-11-24-10" if report.grain == "event_hour" else "2026-11-24"
        raise AskedError(
            f"{name}: {partition!r} is not one of the report's partitions, like {like}."
        ) from error


def _limit(given: Parameters, usual: int, most: int) -> int:
    text = _one(given, "limit")
    if text is None:
        return usual
    if not text.isascii() or not text.isdecimal() or len(text) > 6 or not 1 <= int(text) <= most:
        raise AskedError(f"The limit is a number from 1 to {most}.")
    return int(text)


def _one(given: Parameters, name: str) -> str | None:
    values = given.get(name, ())
    if len(values) > 1:
        raise AskedError(f"The parameter {name} is there {len(values)} times. Send it once.")
    return values[0] if values else None


def _whole(bits: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text) if len(text) <= 20 else 2**bits
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise ValueError
        return value

    return read


def _double(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or len(text) > 40 or abs(value.adjusted()) > 38:
        raise ValueError
    return value


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _timestamp(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is not None:
        raise ValueError
    return value


_READ: Mapping[str, Callable[[str], Any]] = {
    "varchar": str,
    "bigint": _whole(64),
    "integer": _whole(32),
    "double": _double,
    "boolean": _boolean,
    "date": date.fromisoformat,
    "timestamp": _timestamp,
    "decimal": _decimal,
}


def _value(column: str, kind: str, text: str) -> Any:
    try:
        return _READ[kind.partition("(")[0]](text)
    except (ValueError, KeyError, InvalidOperation) as error:
        raise AskedError(f"{column}: {text!r} is not a value of the type {kind}.") from error
