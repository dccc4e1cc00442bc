"""Constants: numbers, dates, times and timestamps with their zones, as Trino reads them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import build, text
from infra.local.athena.sql.types import BIGINT, DATE, DOUBLE, INTEGER, Type, decimal

_TIMESTAMP = re.compile(
    r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?\s*([A-Za-z_/]+[A-Za-z0-9_/+-]*|[+-]\d{1,2}(?::?\d{2})?)?\s*$"
)
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LARGEST = 2**63 - 1


def decimal_or_number(written: str) -> Typed:
    """A number as it is written: integer, bigint, decimal with a point, double with an exponent."""
    if _NUMBER.fullmatch(written) is None:
        raise QueryError("INVALID_LITERAL", f"Invalid numeric literal: {written}")
    bare = written.lstrip("-")
    if "e" in bare.lower():
        return Typed(build("CAST({} AS DOUBLE)", text(written)), DOUBLE, literal=float(written))
    if "." in bare:
        whole, _, fraction = bare.partition(".")
        digits = len(whole.lstrip("0")) + len(fraction)
        if digits > 38:
            raise QueryError("INVALID_LITERAL", f"Decimal literal has more than 38 digits: {written}")
        of = decimal(max(digits, 1, len(fraction)), len(fraction))
        return Typed(build("CAST({} AS {})", text(written), of.duck), of, literal=written)
    value = int(written)
    if abs(value) > _LARGEST:
        digits = len(bare.lstrip("0"))
        if digits > 38:
            raise QueryError("INVALID_LITERAL", f"Invalid numeric literal: {written}")
        raise QueryError("SYNTAX_ERROR", f"Invalid numeric literal: {written}. Write DECIMAL '{written}'.")
    if -(2**31) <= value < 2**31:
        return Typed(
            build("CAST({} AS INTEGER)", value) if value < 0 else build("{}", value), INTEGER, literal=value
        )
    return Typed(build("CAST({} AS BIGINT)", value), BIGINT, literal=value)


def date_literal(value: str) -> Typed | None:
    """DATE 'yyyy-MM-dd'; None when the text is not a date, so that the cast can fail as Trino's does."""
    match = re.fullmatch(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*", value)
    if match is None:
        return None
    try:
        day = datetime(*map(int, match.groups()), tzinfo=UTC).date()  # type: ignore[arg-type, misc]
    except ValueError:
        return None
    return Typed(build("DATE {}", text(day.isoformat())), DATE, literal=day)


def timestamp_literal(value: str, *, zoned: bool, declared: list[int]) -> Typed | None:
    """TIMESTAMP '...' with the precision that it is written with, and its zone."""
    match = _TIMESTAMP.match(value)
    if match is None:
        return None
    *parts, fraction, name = match.groups()
    fraction = fraction or ""
    precision = declared[0] if declared else 3
    if len(fraction) > 6 or precision > 6:
        raise refused(
            f"timestamp({max(len(fraction), precision)})", "Use at most six digits after the second."
        )
    if len(fraction) > precision:
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in parts)
        moment = datetime(year, month, day, hour, minute, second, int(fraction.ljust(6, "0")), tzinfo=UTC)
    except ValueError:
        return None
    if name is None and not zoned:
        return Typed(
            build("TIMESTAMP {}", text(_written(moment))),
            Type("timestamp", (precision,)),
            literal=moment.replace(tzinfo=None),
        )
    if not zoned:
        return None
    zone, where = zone_of(name or "UTC")
    instant = moment.replace(tzinfo=where).astimezone(UTC)
    if instant.astimezone(where).replace(tzinfo=UTC) != moment:  # the clocks were put forward over it
        return None
    of = Type("timestamp with time zone", (precision,), zone=zone)
    return Typed(build("timezone('UTC', TIMESTAMP {})", text(_written(instant))), of, literal=instant)


def time_literal(value: str) -> Typed | None:
    """TIME 'HH:mm:ss.SSS'."""
    match = re.fullmatch(r"\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6}))?)?\s*", value)
    if match is None:
        return None
    fraction = match[4] or ""
    clock = f"{int(match[1]):02}:{int(match[2]):02}:{int(match[3] or 0):02}.{fraction.ljust(6, '0')}"
    return Typed(build("TIME {}", text(clock)), Type("time", (len(fraction),)))


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def zone_of(name: str) -> tuple[str, ZoneInfo | timezone]:
    """A zone as Trino names it (`UTC`, `Europe/Vienna`, `+05:30`), and what tells its time. Raises QueryError."""
    match = re.fullmatch(r"([+-])(\d{1,2})(?::?(\d{2}))?", name)
    if match:
        hours, minutes = int(match[2]), int(match[3] or 0)
        if hours == minutes == 0:
            return "UTC", UTC
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if match[1] == "-" else 1)
        return f"{match[1]}{hours:02}:{minutes:02}", timezone(offset)
    if name.upper() in ("UTC", "Z", "GMT", "UT", "ZULU"):
        return "UTC", UTC
    try:
        return name, ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{name}' is not a valid time zone") from error


def typed_literal(value: str, target: exp.DataType) -> Typed | None:
    """TIMESTAMP '...', DATE '...', TIME '...': constants with a precision and a zone of their own."""
    if target.this == exp.DType.DATE:
        return date_literal(value)
    if target.this in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ):
        declared = [int(param.name) for param in target.expressions]
        return timestamp_literal(value, zoned=target.this == exp.DType.TIMESTAMPTZ, declared=declared)
    if target.this == exp.DType.TIME:
        return time_literal(value) if target.expressions else None
    return None
