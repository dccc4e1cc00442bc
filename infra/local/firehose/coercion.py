"""One JSON value made to fit one Hive type, as Firehose's OpenX JSON SerDe does it.

This is the exact and slow way, for one record at a time. `conversion` takes a fast way where all is well.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from infra.local.firehose.hive_types import INTEGERS, STRINGS, HiveType

_TIMESTAMP = re.compile(
    r"(?P<y>\d{4})-(?P<mo>\d{1,2})-(?P<d>\d{1,2})(?P<between>[ T])"
    r"(?P<h>\d{1,2}):(?P<mi>\d{2}):(?P<s>\d{2})(?:\.(?P<f>\d{1,9}))?(?P<z>Z?)\Z"
)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS_BELOW = 10**12
"""A number smaller than this is epoch seconds, any other is milliseconds."""
_MOST_DIGITS = 400
"""Before or after the point: no type holds more, and Python writes them all out to find that."""
_MOST_SHOWN = 1000
"""Characters of a value that the message of its failure repeats."""


class CoercionError(ValueError):
    """The value does not fit the type; the text names the input as AWS does."""

    def __init__(self, value: Any) -> None:
        super().__init__(f'For input string: "{_shown(value)}"')


def coerce(value: Any, kind: HiveType) -> Any:
    """The value as pyarrow takes it for `kind.arrow`. Raises CoercionError."""
    if value is None:
        return None
    if kind.name in INTEGERS:
        return _integer(value, INTEGERS[kind.name])
    if kind.name in STRINGS:
        return _encodable(value)
    return _COERCIONS[kind.name](value, kind)


def _integer(value: Any, bits: int) -> int:
    if not _is_number(value):
        raise CoercionError(value)
    try:
        number = int(value) if not isinstance(value, Decimal) or value == value.to_integral_value() else None
    except (ValueError, InvalidOperation):
        number = None
    if number is None or not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise CoercionError(value)
    return number


def _double(value: Any, kind: HiveType) -> float:  # noqa: ARG001 - all coercions are called alike
    if not _is_number(value):
        raise CoercionError(value)
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.inf
    if not math.isfinite(number):
        raise CoercionError(value)
    return number


def _decimal(value: Any, kind: HiveType) -> Decimal:
    precision, scale = (*kind.arguments, 0)[:2] if kind.arguments else (10, 0)
    if not _is_number(value):
        raise CoercionError(value)
    try:
        number = Decimal(value).quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP)
    except (InvalidOperation, ValueError):
        raise CoercionError(value) from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** (precision - scale):
        raise CoercionError(value)
    return number


def _boolean(value: Any, kind: HiveType) -> bool:  # noqa: ARG001
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise CoercionError(value)


def _timestamp(value: Any, kind: HiveType) -> datetime:  # noqa: ARG001
    if isinstance(value, str) and (match := _TIMESTAMP.match(value)):
        # Only `T` forms carry a Z, and no form carries an offset: Firehose refuses `+00:00`.
        if match["z"] and match["between"] == " ":
            raise CoercionError(value)
        micros = int((match["f"] or "0").ljust(9, "0")[:6])
        try:
            parts = (int(match[name]) for name in ("y", "mo", "d", "h", "mi", "s"))
            year, month, day, hour, minute, second = parts
            return datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001 - UTC by definition
        except ValueError:
            raise CoercionError(value) from None
    if not _is_number(value) or (isinstance(value, str) and not _NUMBER.match(value)):
        raise CoercionError(value)
    number = Decimal(value)
    seconds = number if abs(number) < _SECONDS_BELOW else number / 1000
    try:
        return (_EPOCH + timedelta(seconds=float(seconds))).replace(tzinfo=None)
    except (OverflowError, InvalidOperation):
        raise CoercionError(value) from None


def _date(value: Any, kind: HiveType) -> date:  # noqa: ARG001
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise CoercionError(value) from None


def _struct(value: Any, kind: HiveType) -> dict[str, Any]:
    if isinstance(value, dict):
        lowered = {name.lower(): inner for name, inner in value.items()}
        return {name: coerce(lowered.get(name), inner) for name, inner in kind.fields}
    if isinstance(value, list):
        padded = [*value, *[None] * len(kind.fields)]
        return {name: coerce(at, inner) for (name, inner), at in zip(kind.fields, padded, strict=False)}
    raise CoercionError(value)


def _array(value: Any, kind: HiveType) -> list[Any]:
    element = kind.fields[0][1]
    return [coerce(each, element) for each in (value if isinstance(value, list) else [value])]


def _map(value: Any, kind: HiveType) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict):
        raise CoercionError(value)
    (_, key_type), (_, value_type) = kind.fields
    lowered = {name.lower(): inner for name, inner in value.items()}
    return [(coerce(name, key_type), coerce(inner, value_type)) for name, inner in lowered.items()]


def _binary(value: Any, kind: HiveType) -> bytes:  # noqa: ARG001
    """JSON has no bytes: base64, as in every JSON of AWS."""
    if not isinstance(value, str):
        raise CoercionError(value)
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise CoercionError(value) from None


def _is_number(value: Any) -> bool:
    """Whether it may be one: an int, a Decimal or a text, none of them of absurd length."""
    if isinstance(value, bool):
        return False
    if isinstance(value, str):
        return len(value) <= _MOST_DIGITS and _has_few_digits(value)
    if isinstance(value, int):
        return value.bit_length() <= 4 * _MOST_DIGITS
    return isinstance(value, Decimal) and _has_few_digits(value)


def _has_few_digits(value: str | Decimal) -> bool:
    try:
        exponent = Decimal(value).adjusted()
    except InvalidOperation:
        return isinstance(value, str)  # no number at all, which is for the caller to say
    return abs(exponent) <= _MOST_DIGITS


def _encodable(value: Any) -> str:
    """The text of a value. Half a surrogate pair is not a character: nothing can write it as UTF-8."""
    text = _text(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise CoercionError(value) from None
    return text


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)


def _shown(value: Any) -> str:
    try:
        text = _text(value)
    except (ValueError, RecursionError):  # an integer of more digits than Python writes, or endless nesting
        return type(value).__name__
    return text[:_MOST_SHOWN].encode(errors="backslashreplace").decode()


_COERCIONS: Mapping[str, Callable[[Any, HiveType], Any]] = {
    "float": _double,
    "double": _double,
    "decimal": _decimal,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "date": _date,
    "struct": _struct,
    "binary": _binary,
    "array": _array,
    "map": _map,
}
