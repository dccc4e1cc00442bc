"""JSON: parsing as Trino does, paths, and the functions over them."""

import json
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.functions.number_text import java_double
from infra.local.athena.sql.functions.registry import FUNCTIONS, Call, Udf, udf_name
from infra.local.athena.sql.tree import Sql, build
from infra.local.athena.sql.types import BOOLEAN, VARCHAR, Type

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
    # Trino's deprecated function gives the text of a string, which is not JSON.
    return value[index] if isinstance(value[index], str) else dump(value[index])


def _contains(text: str, wanted: Any) -> bool | None:
    value = load(text)
    if isinstance(wanted, float) and not math.isfinite(wanted):
        return False
    if not isinstance(value, list):
        return None
    return any(type(item) in (type(wanted), _Number) and item == wanted for item in value)


def _is_scalar(text: str) -> bool | None:
    value = load(text)
    if value is MISSING:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON value: {text}")
    return not isinstance(value, (dict, list))


_MODE, _LAX = re.compile(r"\s*(lax|strict)\b"), re.compile(r"\s*lax\s+")


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


def _by_path(name: str, function: Callable[[str, str], Any], of: Type) -> None:
    """A function of SQL/JSON, whose path is part of the query's text."""

    def rule(call: Call) -> tuple[Sql, Type]:
        where = call.args[1].literal
        if not isinstance(where, str) or not _MODE.match(where):
            raise QueryError("SYNTAX_ERROR", f"{name} needs a path as a text: 'lax $.a' or 'strict $.a'")
        udf = Udf(udf_name(name, where), lambda text: function(text, where), (VARCHAR,), of)
        return build("{}({})", call.session.use(udf), call.sqls[0]), of

    FUNCTIONS.add(f"{name}(varchar, varchar) {of}", rule)


_by_path("json_value", _json_value, VARCHAR)
_by_path("json_query", _json_query, VARCHAR)
_by_path("json_exists", _json_exists, BOOLEAN)
FUNCTIONS.refuse(
    "Use CAST(map AS json) or json_format.", "json_object json_array json_table json_objectagg json_arrayagg"
)
