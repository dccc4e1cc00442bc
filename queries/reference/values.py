"""Texts as values of a reference table's columns (pure)."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FLAGS = {"true": True, "false": False}
_BITS = {"integer": 32, "bigint": 64}


class ValueRefusedError(ValueError):
    """A text is not a value of the type; the message says what is."""


def parser(kind: str) -> Callable[[str], Any]:
    """What makes a text a value of a column of this type. The function raises ValueRefusedError."""
    if kind in _BITS:
        most = 2 ** (_BITS[kind] - 1)
        return lambda text: _whole(text, most)
    if kind.startswith("decimal"):
        precision, scale = decimal_size(kind)
        return lambda text: _decimal(text, precision, scale)
    return _PARSERS[kind]


def decimal_size(kind: str) -> tuple[int, int]:
    """Precision and scale of `decimal(12,2)`."""
    precision, scale = kind.removeprefix("decimal(").removesuffix(")").split(",")
    return int(precision), int(scale)


def _whole(text: str, most: int) -> int:
    if not _WHOLE.fullmatch(text) or len(text) > 20 or not -most <= int(text) < most:
        raise ValueRefusedError(f"a whole number from {-most} to {most - 1}")
    return int(text)


def _double(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueRefusedError("a number with a point, such as 12.5")
    return float(text)


def _decimal(text: str, precision: int, scale: int) -> Decimal:
    try:
        value = Decimal(text) if _NUMBER.fullmatch(text) else None
        exact = value.quantize(Decimal(1).scaleb(-scale)) if value is not None else None
    except InvalidOperation:
        exact = None
    if exact is None or exact != value or len(exact.as_tuple().digits) > precision:
        raise ValueRefusedError(f"a number of at most {precision} digits, {scale} of them behind the point")
    return exact


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueRefusedError("true or false")
    return _FLAGS[text.lower()]


def _date(text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueRefusedError("a day, such as 2026-11-24")


def _moment(text: str) -> datetime:
    """In UTC, without a zone, as the lake's times are."""
    try:
        if _DAY.match(text):
            moment = datetime.fromisoformat(text)
            if moment.microsecond % 1000 == 0:
                return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except ValueError:
        pass
    raise ValueRefusedError(
        "a time with at most milliseconds, such as 2026-11-24 10:30:00, in UTC unless it says its zone"
    )


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "varchar": str,
    "double": _double,
    "boolean": _flag,
    "date": _date,
    "timestamp": _moment,
}
