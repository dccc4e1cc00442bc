"""Interval literals: INTERVAL '1-2' YEAR TO MONTH, INTERVAL '1 02:03:04.5' DAY TO SECOND."""

import re

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import build
from infra.local.athena.sql.types import DAY_TO_SECOND, YEAR_TO_MONTH

_MICROSECONDS = {"day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}
_MILLISECOND = 1_000
_CLOCK_UNITS = ("day", "hour", "minute", "second")


def interval(value: str, start: str, end: str = "") -> Typed:
    """The literal as microseconds or months. Raises QueryError INVALID_LITERAL."""
    sign = -1 if value.strip().startswith("-") else 1
    parts = [part for part in re.split(r"[-\s:]+", value.strip().lstrip("+-")) if part]
    start, end = start.lower(), (end or start).lower()
    try:
        if start in ("year", "month"):
            months = _months(parts, start, end)
            return Typed(build("to_months({})", sign * months), YEAR_TO_MONTH)
        units = _CLOCK_UNITS[_CLOCK_UNITS.index(start) : _CLOCK_UNITS.index(end) + 1]
        if len(parts) > len(units):
            raise ValueError(value)
        total = sum(
            round(float(part) * 1000) * _MICROSECONDS[unit] // 1000
            for part, unit in zip(parts, units, strict=False)
        )
    except ValueError as error:
        raise QueryError("INVALID_LITERAL", f"Invalid INTERVAL {start} TO {end} value: {value}") from error
    return Typed(build("t_span({})", sign * (total // _MILLISECOND) * _MILLISECOND), DAY_TO_SECOND)


def _months(parts: list[str], start: str, end: str) -> int:
    if start == end:
        (only,) = parts
        return int(only) * (12 if start == "year" else 1)
    years, months = ([*parts, "0"])[:2]
    return int(years) * 12 + int(months)
