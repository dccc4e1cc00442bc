"""From a column of a SELECT to the value and the JSON text of a payload field, as SQL (pure).

A file's text becomes what the contract says the field is, and what it cannot become fails the row: a number
with a fraction is not rounded to a whole one, a time is not cut out of a longer text.
"""

from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args, get_origin

from msgspec import Struct

from producers.contracts import bare_type

TIME = r"\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|z|UTC|[+-]\d{2}(:?\d{2})?))?)?\s*"
_WITH_ZONE = r".*:\d{2}.*(Z|z|UTC|[+-]\d{2}(:?\d{2})?)\s*"
_WHOLE = r"\s*[+-]?\d+(\.0*)?\s*"
_NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
_INTEGERS = frozenset(
    sign + kind for sign in ("", "U") for kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)
_FLOATS = frozenset({"FLOAT", "DOUBLE"})
_TEXTS = frozenset({"VARCHAR", "JSON"})


def _failing(expression: str, kind: str = "BIGINT") -> str:
    """SQL that fails for any value; unlike `error(...)`, DuckDB's TRY can be put around it."""
    return f"CAST(CAST('!' || CAST({expression} AS VARCHAR) AS BIGINT) AS {kind})"


def _if_like(text: str, pattern: str, value: str, kind: str = "BIGINT") -> str:
    """SQL for the value of a text that has this form; nothing for nothing."""
    return (
        f"CASE WHEN {text} IS NULL THEN NULL WHEN NOT regexp_full_match({text}, '{pattern}') "
        f"THEN {_failing(text, kind)} ELSE {value} END"
    )


class Field(NamedTuple):
    """How one field is made.

    Attributes:
        value: SQL for the value; it fails for what the contract's kind of field cannot hold.
        json: SQL for its JSON text, NULL where it has no value. None for times, which need a zone.
        zoned: for times, SQL for whether the value says its own zone.
        expected: what the value should have been, in words.
    """

    value: str
    json: str | None
    zoned: str | None
    expected: str


class NotConvertibleError(ValueError):
    """No value of the SELECT's type can be one of the field's; the message says what to do."""


def time_field(expression: str, kind: str) -> Field:
    """A time in microseconds since 1970, in its own zone or in the source's. Raises NotConvertibleError."""
    if kind in _TEXTS:
        text = f"CAST({expression} AS VARCHAR)"
        plain = f"replace(trim({text}), ',', '.')"
        zoned = f"regexp_full_match({text}, '{_WITH_ZONE}')"
        moment = (
            f"CASE WHEN {zoned} THEN epoch_us(CAST({plain} AS TIMESTAMPTZ)) "
            f"ELSE epoch_us(CAST({plain} AS TIMESTAMP)) END"
        )
        value = _if_like(text, TIME, moment)
        return Field(value, None, zoned, "a time such as 2013-01-31T14:05:00 or 2013-01-31 14:05:00+01:00")
    if kind == "TIMESTAMP WITH TIME ZONE":
        return Field(f"epoch_us({expression})", None, "true", "a time")
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return Field(f"epoch_us(CAST({expression} AS TIMESTAMP))", None, "false", "a time")
    raise NotConvertibleError(
        f"is {kind}, which is not a time. Use epoch_ms(x) or to_timestamp(x) for numbers, and "
        "strptime(x, format) for other texts"
    )


def field(hint: Any, expression: str, kind: str) -> Field:
    """How a field of this annotation is made from an expression of this DuckDB type.

    Raises NotConvertibleError.
    """
    bare = bare_type(hint)
    if bare is datetime:
        return time_field(expression, kind)
    if get_origin(bare) is Literal:
        bare = type(get_args(bare)[0])
    if bare is str:
        return _text(expression, kind)
    if bare is int:
        return _integer(expression, kind)
    if bare is float:
        return _float(expression, kind)
    if bare is bool:
        return _boolean(expression, kind)
    if get_origin(bare) in (list, dict) or (isinstance(bare, type) and issubclass(bare, Struct)):
        return _nested(expression, kind, "a list" if get_origin(bare) is list else "an object")
    raise NotConvertibleError(f"fills a field of the kind {bare!r}, which sources cannot make")


def _text(expression: str, kind: str) -> Field:
    if _is_nested(kind):
        raise NotConvertibleError(f"is {kind}, and the field is a text. Choose what of it is meant")
    value = f"decode({expression})" if kind == "BLOB" else f"CAST({expression} AS VARCHAR)"
    return Field(value, f"CAST(to_json({value}) AS VARCHAR)", None, "a text")


def _integer(expression: str, kind: str) -> Field:
    if kind in _TEXTS:
        text = f"CAST({expression} AS VARCHAR)"
        value = _if_like(text, _WHOLE, f"CAST(split_part(trim({text}), '.', 1) AS BIGINT)")
    elif kind in _INTEGERS:
        value = f"CAST({expression} AS BIGINT)"
    elif kind in _FLOATS or kind.startswith("DECIMAL"):
        nothing = f"WHEN isnan({expression}) THEN NULL " if kind in _FLOATS else ""
        value = (
            f"CASE {nothing}WHEN {expression} <> trunc({expression}) THEN {_failing(expression)} "
            f"ELSE CAST({expression} AS BIGINT) END"
        )
    else:
        raise NotConvertibleError(f"is {kind}, and the field is a whole number. Say how it is counted")
    return Field(value, f"CAST({value} AS VARCHAR)", None, "a whole number")


def _float(expression: str, kind: str) -> Field:
    if kind in _TEXTS:
        text = f"CAST({expression} AS VARCHAR)"
        value = _if_like(text, _NUMBER, f"CAST({text} AS DOUBLE)", "DOUBLE")
        value = f"CASE WHEN lower(trim({text})) = 'nan' THEN NULL ELSE {value} END"
    elif kind in _INTEGERS or kind in _FLOATS or kind.startswith("DECIMAL"):
        value = f"CAST({expression} AS DOUBLE)"
    else:
        raise NotConvertibleError(f"is {kind}, and the field is a number. Say how it is counted")
    checked = value
    if kind in _FLOATS or kind in _TEXTS:
        checked = (
            f"CASE WHEN isnan({value}) THEN NULL WHEN isinf({value}) THEN {_failing(value, 'DOUBLE')} "
            f"ELSE {value} END"
        )
    return Field(checked, f"CAST(to_json({checked}) AS VARCHAR)", None, "a number")


def _boolean(expression: str, kind: str) -> Field:
    if kind in _INTEGERS:
        value = (
            f"CASE WHEN {expression} NOT IN (0, 1) THEN {_failing(expression, 'BOOLEAN')} "
            f"ELSE CAST({expression} AS BOOLEAN) END"
        )
    elif kind in _TEXTS or kind == "BOOLEAN":
        value = f"CAST({expression} AS BOOLEAN)"
    else:
        raise NotConvertibleError(f"is {kind}, and the field is true or false. Compare it with something")
    return Field(value, f"CAST({value} AS VARCHAR)", None, "true or false")


def _nested(expression: str, kind: str, expected: str) -> Field:
    if kind in _TEXTS:
        value = f"CAST({expression} AS JSON)"
        return Field(value, f"CAST({value} AS VARCHAR)", None, f"{expected} as JSON")
    if not _is_nested(kind):
        raise NotConvertibleError(f"is {kind}, and the field is {expected}")
    return Field(
        expression,
        f"CASE WHEN ({expression}) IS NULL THEN NULL ELSE CAST(to_json({expression}) AS VARCHAR) END",
        None,
        expected,
    )


def _is_nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "ROW"))
