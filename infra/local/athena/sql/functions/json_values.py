"""JSON: parsing as Trino does, paths, and casts between JSON and other types."""

import json
import math
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.functions.registry import FUNCTIONS
from infra.local.athena.sql.types import Type

MISSING = object()


def _constant(name: str) -> Any:
    raise ValueError(name)


class _Number(float):
    """A JSON number with a point or an exponent: keeps how it was written."""

    written: str

    def __new__(cls, written: str) -> "_Number":
        made = super().__new__(cls, written)
        made.written = written
        return made


def load(text: str) -> Any:
    """The document, or MISSING when it is none."""
    try:
        return json.loads(text, parse_constant=_constant, parse_float=_Number)
    except (ValueError, RecursionError):
        return MISSING


def dump(value: Any) -> str:
    """Compact JSON text, members in their order."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{dump(k)}:{dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return number(value)


def number(value: float) -> str:
    """A number as Java writes it."""
    return java_double(float(value)) if isinstance(value, float) else str(value)


def java_double(value: float) -> str:
    """Double.toString: a point always, an exponent from 10^7 on and below 10^-3."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return java_number(repr(value))


def java_number(written: str) -> str:
    """The shortest digits of a double or real, as Java writes them."""
    if written.lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
        return {"n": "NaN", "i": "Infinity", "-": "-Infinity"}[written[0].lower()]
    sign, digits, exponent = Decimal(written).as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).lstrip("0")
    minus = "-" if sign else ""
    if not text:
        return f"{minus}0.0"
    point = len("".join(map(str, digits))) + exponent - (len(digits) - len(text))
    text = text.rstrip("0") or "0"
    if -3 < point <= 7:
        if point <= 0:
            return f"{minus}0.{'0' * -point}{text}"
        whole, rest = text[:point].ljust(point, "0"), text[point:]
        return f"{minus}{whole}.{rest or '0'}"
    return f"{minus}{text[0]}.{text[1:] or '0'}E{point - 1}"


def exponent_number(written: str) -> str:
    """A double as Trino casts it to varchar: one digit, a point, an exponent."""
    plain = java_number(written)
    if not plain.lstrip("-")[0].isdigit():
        return plain
    sign, digits, exponent = Decimal(written).as_tuple()
    assert isinstance(exponent, int)
    minus, text = "-" if sign else "", "".join(map(str, digits)).lstrip("0")
    if not text:
        return f"{minus}0E0"
    power = len(text) + exponent - 1
    text = text.rstrip("0")
    return f"{minus}{text[0]}.{text[1:] or '0'}E{power}"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


_STEP = re.compile(r"\.([A-Za-z0-9_$][\w$-]*)|\[(\d+)\]|\[\"((?:[^\"\\]|\\.)*)\"\]|\['([^']*)'\]")


@lru_cache(maxsize=1024)
def path(text: str) -> tuple[str | int, ...]:
    """The steps of a JSONPath of members and positions. Raises QueryError."""
    at = 1 if text.startswith("$") else 0
    steps: list[str | int] = []
    if not text.startswith("$"):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{text}'")
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            if text[at] in ".[" and re.match(r"\.\.|\.\*|\[\*|\[\?|\[-|\[\d+:", text[at:]):
                raise refused(f"The JSON path '{text}'", "Use members and positions: $.a[0].b.")
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{text}'")
        name, position, quoted, single = match.groups()
        steps.append(
            int(position)
            if position is not None
            else next(n for n in (name, quoted, single) if n is not None)
        )
        at = match.end()
    return tuple(steps)


def follow(value: Any, steps: tuple[str | int, ...]) -> Any:
    """What lies at the path, or MISSING."""
    for step in steps:
        if isinstance(value, dict) and str(step) in value:
            value = value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return MISSING
    return value


def _extract(text: str, where: str) -> str | None:
    found = follow(load(text), path(where))
    return None if found is MISSING else dump(found)


def _scalar(text: str, where: str) -> str | None:
    return scalar(follow(load(text), path(where)))


def scalar(found: Any) -> str | None:
    """A scalar's text; NULL for anything else."""
    if found is MISSING or found is None or isinstance(found, (dict, list)):
        return None
    if isinstance(found, str):
        return found
    return dump(found) if isinstance(found, bool) else getattr(found, "written", None) or str(found)


def _parse(text: str) -> str:
    value = load(text)
    if value is MISSING:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Cannot convert value to JSON: '{text}'")
    return dump(_sorted(value))


def _length(text: str) -> int | None:
    value = load(text)
    return len(value) if isinstance(value, list) else None


def _size(text: str, where: str) -> int | None:
    found = follow(load(text), path(where))
    return None if found is MISSING else len(found) if isinstance(found, (dict, list)) else 0


def _get(text: str, index: int) -> str | None:
    value = load(text)
    if not isinstance(value, list) or not -len(value) <= index < len(value):
        return None
    # Trino's deprecated function gives the text of a string, which is no JSON.
    return value[index] if isinstance(value[index], str) else dump(value[index])


def _contains(text: str, wanted: Any) -> bool | None:
    value = load(text)
    if not isinstance(value, list):
        return None
    return any(type(item) in (type(wanted), _Number) and item == wanted for item in value)


def _is_scalar(text: str) -> bool | None:
    value = load(text)
    if value is MISSING:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON value: {text}")
    return not isinstance(value, (dict, list))


_LAX = re.compile(r"\s*lax\s+")


def _lax(text: str) -> tuple[str | int, ...]:
    if not _LAX.match(text):
        raise refused(f"The SQL/JSON path '{text}'", "Use a lax path of members and positions: lax $.a[0].")
    return path(_LAX.sub("", text).strip())


def _lax_follow(text: str, where: str) -> Any:
    value = load(text)
    for step in _lax(where):
        if isinstance(step, str) and isinstance(value, list):
            raise refused(f"Unwrapping arrays in '{where}'", "Use json_extract and UNNEST.")
        if isinstance(step, int) and not isinstance(value, list) and value is not MISSING:
            value = [value]
        value = follow(value, (step,))
    return value


def _json_value(text: str, where: str) -> str | None:
    return scalar(_lax_follow(text, where))


def _json_query(text: str, where: str) -> str | None:
    found = _lax_follow(text, where)
    return dump(found) if isinstance(found, (dict, list)) else None


def _json_exists(text: str, where: str) -> bool:
    return load(text) is not MISSING and _lax_follow(text, where) is not MISSING


for _of in ("varchar", "json"):
    FUNCTIONS.python(f"json_extract({_of}, varchar) json", _extract)
    FUNCTIONS.python(f"json_extract_scalar({_of}, varchar) varchar", _scalar)
    FUNCTIONS.python(f"json_array_length({_of}) bigint", _length)
    FUNCTIONS.python(f"json_size({_of}, varchar) bigint", _size)
    FUNCTIONS.python(f"json_array_get({_of}, bigint) json", _get)
    FUNCTIONS.python(f"is_json_scalar({_of}) boolean", _is_scalar)
    for _wanted in ("boolean", "bigint", "varchar", "double"):
        FUNCTIONS.python(f"json_array_contains({_of}, {_wanted}) boolean", _contains)
FUNCTIONS.python("json_parse(varchar) json", _parse)
FUNCTIONS.add("json_format(json) varchar", "{0}")
FUNCTIONS.python("json_value(varchar, varchar) varchar", _json_value)
FUNCTIONS.python("json_query(varchar, varchar) varchar", _json_query)
FUNCTIONS.python("json_exists(varchar, varchar) boolean", _json_exists)
FUNCTIONS.refuse(
    "Use CAST(map AS json) or json_format.",
    "json_object",
    "json_array",
    "json_table",
    "json_objectagg",
    "json_arrayagg",
)


def writer(of: Type) -> Callable[[Any], str]:
    """CAST(x AS json) for values of the type. Raises QueryError."""
    to = _to_json(of)
    return lambda value: dump(to(value))


def _to_json(of: Type) -> Callable[[Any], Any]:
    if of.name in ("boolean", "varchar", "char") or of.is_integer:
        return lambda v: v
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
