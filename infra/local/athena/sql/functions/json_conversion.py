"""Casts between JSON and other types."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.functions.json_values import dump, load
from infra.local.athena.sql.functions.number_text import exponent_number, java_double, shortest_real
from infra.local.athena.sql.types import Type


def writer(of: Type) -> Callable[[Any], str]:
    """CAST(x AS json) for values of the type. Raises QueryError."""
    to = _to_json(of)
    return lambda value: dump(to(value))


def _to_json(of: Type) -> Callable[[Any], Any]:
    if of.name in ("boolean", "varchar", "char") or of.is_integer:
        return lambda v: v
    if of.name == "real":
        return lambda v: _infinite(v) if math.isnan(v) or math.isinf(v) else shortest_real(v)
    if of.is_float:
        return lambda v: _infinite(v) if math.isnan(v) or math.isinf(v) else float(v)
    if of.name == "decimal":
        return lambda v: _Plain(str(v))
    if of.name == "date":
        return str
    if of.name == "timestamp":
        return lambda v: _moment(v, of.precision)
    if of.name == "json":
        return load
    if of.name == "array":
        inner = _to_json(of.of[0])
        return lambda v: [None if item is None else inner(item) for item in v]
    if of.name == "map" and (of.of[0].is_text or of.of[0].is_integer or of.of[0].name == "boolean"):
        each = _to_json(of.of[1])
        return lambda v: {_key(k): None if x is None else each(x) for k, x in sorted(dict(v).items())}
    if of.name == "row" and all(of.names):
        fields = [(n, _to_json(t)) for n, t in zip(of.names, of.of, strict=True)]
        return lambda v: {n: None if v[n] is None else f(v[n]) for n, f in fields}
    if of.name == "unknown":
        return lambda _: None
    raise refused(f"CAST of {of} to json", "Cast to a row with named fields, a map or an array first.")


def _infinite(value: float) -> str:
    return java_double(value)


class _Plain(int):
    """A decimal in JSON text, digit for digit."""

    def __new__(cls, written: str) -> "_Plain":
        made = super().__new__(cls, 0)
        made.written = written
        return made

    written: str

    def __str__(self) -> str:
        return self.written


def _key(key: Any) -> str:
    return {True: "true", False: "false"}.get(key, str(key)) if isinstance(key, bool) else str(key)


def _moment(value: datetime, precision: int) -> str:
    written = value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return written[: 19 + (precision + 1 if precision else 0)]


def reader(of: Type) -> Callable[[str], Any]:
    """CAST(json AS x). Raises QueryError."""
    convert = _from_json(of)

    def read(text: str) -> Any:
        value = load(text)
        if value is None:
            return None
        return convert(value)

    return read


def _bad(value: Any, of: Type) -> QueryError:
    return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast to {of}. {dump(value)}")


def _from_json(of: Type) -> Callable[[Any], Any]:
    if of.name == "varchar":
        return lambda v: _as_text(v, of)
    if of.is_integer:
        return lambda v: _as_integer(v, of)
    if of.is_float:
        return lambda v: _as_double(v, of)
    if of.name == "decimal":
        unit = Decimal(1).scaleb(-of.scale)
        return lambda v: Decimal(_as_text(v, of)).quantize(unit, rounding="ROUND_HALF_UP")
    if of.name == "boolean":
        return lambda v: _as_boolean(v, of)
    if of.name == "json":
        return dump
    if of.name == "array":
        inner = _optional(_from_json(of.of[0]))
        return lambda v: [inner(item) for item in _kind(v, list, of)]
    if of.name == "map" and of.of[0].is_text:
        each = _optional(_from_json(of.of[1]))
        return lambda v: {k: each(x) for k, x in _kind(v, dict, of).items()}
    if of.name == "row":
        return _row_reader(of)
    raise refused(f"CAST of json to {of}", "Cast to varchar first.")


def _row_reader(of: Type) -> Callable[[Any], Any]:
    fields = [
        (n, s, _optional(_from_json(t))) for n, s, t in zip(of.names, of.stored_names, of.of, strict=True)
    ]

    def read(value: Any) -> Any:
        if isinstance(value, list) and len(value) == len(fields):
            return {stored: f(item) for (_, stored, f), item in zip(fields, value, strict=True)}
        members = {str(k).lower(): v for k, v in _kind(value, dict, of).items()}
        return {stored: f(members.get(name)) for name, stored, f in fields}

    return read


def _optional(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else function(value)


def _kind(value: Any, kind: type, of: Type) -> Any:
    if not isinstance(value, kind):
        raise _bad(value, of)
    return value


def _as_text(value: Any, of: Type) -> str:
    if isinstance(value, (dict, list)):
        raise _bad(value, of)
    if isinstance(value, float):
        return exponent_number(repr(float(value)))
    return value if isinstance(value, str) else dump(value)


def _as_integer(value: Any, of: Type) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value):
        return int(value)
    if isinstance(value, float):
        return math.floor(abs(value) + 0.5) * (-1 if value < 0 else 1)
    if isinstance(value, int):
        return value
    raise _bad(value, of)


def _as_double(value: Any, of: Type) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise _bad(value, of) from error


def _as_boolean(value: Any, of: Type) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value != 0
    if isinstance(value, str) and value.lower() in ("true", "t", "1", "false", "f", "0"):
        return value.lower() in ("true", "t", "1")
    raise _bad(value, of)
