"""Trino's casts: what becomes of a value, which texts are numbers, and how values are written as text."""

from collections.abc import Callable
from dataclasses import replace

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.types import Type, quoted, text

_INTEGER = r"[+-]?[0-9]+"
_NUMBER = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_DOUBLE = rf"\s*({_NUMBER}[dDfF]?|[+-]?(NaN|Infinity))\s*"
_DATE = r"\s*[0-9]{4,5}-[0-9]{1,2}-[0-9]{1,2}\s*"
_CLOCK = r"[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]{1,12})?)?"
_TIMESTAMP = rf"\s*[0-9]{{4,5}}-[0-9]{{1,2}}-[0-9]{{1,2}}( {_CLOCK})?\s*"
_TIMESTAMP_UTC = rf"\s*[0-9]{{4,5}}-[0-9]{{1,2}}-[0-9]{{1,2}}( {_CLOCK})?( ?(UTC|Z|[+]00:00))?\s*"


def coerce(value: Typed, to: Type) -> Typed:
    """The value where a wider type is wanted; the caller has made sure that it fits (`types.coercible`)."""
    if value.type == to:
        return value
    if value.type.name == "unknown":
        return Typed(f"CAST({value.sql} AS {to.duck})", to, value.refs)
    if value.type.duck == to.duck:
        if to.name == "char":
            return Typed(f"rpad({value.sql}, {to.args[0]}, ' ')", to, value.refs)
        kept = replace(to, zone=value.type.zone) if to.name == "timestamp with time zone" else to
        return Typed(value.sql, kept, value.refs, value.literal, value.origin)
    made = cast(value, to)
    return Typed(made.sql, to, value.refs, value.literal)


def cast(value: Typed, to: Type, *, safe: bool = False) -> Typed:
    """CAST, or TRY_CAST when `safe`. Raises QueryError when Trino has no such cast."""
    sql = _cast_sql(value.sql, value.type, to)
    return Typed(f"TRY({sql})" if safe else sql, to, value.refs)


def _cast_sql(sql: str, given: Type, to: Type) -> str:
    if given.name == "unknown":
        return f"CAST({sql} AS {to.duck})"
    if (rule := _RULES.get((given.name, to.name))) is not None:
        return rule(sql, given, to)
    if given.is_number and to.is_number:
        return _number(sql, given, to)
    if given.name == to.name and given.of and len(given.of) == len(to.of):
        return _nested(sql, given, to)
    if given == to:
        return sql
    if "json" in (given.name, to.name):
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {given} to {to}")
    if given.is_text and to.is_text:
        return _text_to_text(sql, given, to)
    if to.is_text:
        return _limit(_to_text(sql, given), to)
    if given.is_text and to.is_number:
        return _text_to_number(sql, to)
    raise QueryError("TYPE_MISMATCH", f"Cannot cast {given} to {to}")


def fail(kind: str, message: str, to: str) -> str:
    """DuckDB text that fails with this Trino error when it is reached; `message` is DuckDB text too."""
    return f"CAST(t_fail({text(kind)}, {message}) AS {to})"


def _bad(sql: str, to: Type) -> str:
    return fail("INVALID_CAST_ARGUMENT", f"'Cannot cast ''' || {sql} || ''' to {to}'", to.duck)


def _guarded(sql: str, pattern: str, good: str, to: Type) -> str:
    return (
        f"CASE WHEN {sql} IS NULL THEN NULL WHEN regexp_full_match({sql}, {text(pattern)}) THEN {good} "
        f"ELSE {_bad(sql, to)} END"
    )


def _number(sql: str, given: Type, to: Type) -> str:
    if given.is_float and to.is_integer:  # DuckDB rounds halves to even
        return f"CAST(round({sql}) AS {to.duck})"
    if (
        given.is_float and to.name == "decimal"
    ):  # Trino rounds the digits that are shown, not the binary value
        return f"CAST(CAST({sql} AS VARCHAR) AS {to.duck})"
    return f"CAST({sql} AS {to.duck})"


def _text_to_number(sql: str, to: Type) -> str:
    if to.is_integer:
        return _guarded(sql, rf"\s*{_INTEGER}\s*", f"CAST(trim({sql}) AS {to.duck})", to)
    if to.name == "decimal":
        return _guarded(sql, _NUMBER, f"CAST({sql} AS {to.duck})", to)
    bare = f"regexp_replace(trim({sql}), '[dDfF]$', '')"
    return _guarded(sql, _DOUBLE, f"CAST({bare} AS {to.duck})", to)


def _text_to_text(sql: str, given: Type, to: Type) -> str:
    if to.name == "char":
        return f"rpad({sql}, {to.args[0]}, ' ')"
    return _limit(sql, to) if not given.args or (to.args and given.args[0] > to.args[0]) else sql


def _limit(sql: str, to: Type) -> str:
    return f"left({sql}, {to.args[0]})" if to.args else sql


def _to_text(sql: str, given: Type) -> str:
    if given.is_integer or given.name in ("boolean", "decimal", "uuid"):
        return f"CAST({sql} AS VARCHAR)"
    if given.is_float:
        return f"t_exponent(CAST({sql} AS VARCHAR))"
    if given.name == "date":
        return f"CAST({sql} AS VARCHAR)"
    if given.name == "time":
        return f"left(CAST({sql} AS VARCHAR) || '.000000', {_width(given, 8)})"
    if given.name == "timestamp":
        return f"left(strftime({sql}, '%Y-%m-%d %H:%M:%S.%f'), {_width(given, 19)})"
    if given.name == "timestamp with time zone":
        return f"{_to_text(local(sql, given), Type('timestamp', given.args))} || ' ' || {text(zone(given))}"
    if given.name == "interval year to month":
        return f"t_interval_months(date_part('year', {sql}) * 12 + date_part('month', {sql}))"
    if given.name == "interval day to second":
        return f"t_interval_days(CAST(epoch({sql}) * 1000 AS BIGINT))"
    raise QueryError("TYPE_MISMATCH", f"Cannot cast {given} to varchar")


def _width(of: Type, whole: int) -> int:
    if of.precision > 6:
        raise refused(f"{of}", "Use a precision up to 6.")
    return whole + (1 + of.precision if of.precision else 0)


def zone(of: Type) -> str:
    """The zone of a timestamp with time zone. Raises QueryError when its values may have several."""
    if not of.zone:
        raise refused(
            "Reading the clock of timestamps from different time zones",
            "Bring them to one with AT TIME ZONE.",
        )
    return of.zone


def local(sql: str, given: Type) -> str:
    """The wall-clock time, as a DuckDB TIMESTAMP, of a timestamp with time zone."""
    name = zone(given)
    if name[0] in "+-":  # DuckDB knows names of zones only
        hours, minutes = map(int, name[1:].split(":"))
        return f"(timezone('UTC', {sql}) {name[0]} to_minutes({hours * 60 + minutes}))"
    return f"timezone({text(name)}, {sql})"


def rounded(sql: str, given: int, to: int) -> str:
    """A timestamp with fewer digits after the second, halves away from zero as in Trino."""
    if to >= min(given, 6):
        return sql
    unit = 10 ** (6 - to)
    return f"make_timestamp(CAST(floor((epoch_us({sql}) + {unit // 2}) / {unit}.0e0) AS BIGINT) * {unit})"


def _timestamp_to_timestamp(sql: str, given: Type, to: Type) -> str:
    return rounded(sql, given.precision, to.precision)


def _text_to_timestamp(sql: str, _: Type, to: Type) -> str:
    return _guarded(sql, _TIMESTAMP, rounded(f"CAST({sql} AS TIMESTAMP)", 9, to.precision), to)


def _text_to_zoned(sql: str, _: Type, to: Type) -> str:
    bare = f"regexp_replace(trim({sql}), ' ?(UTC|Z|[+]00:00)$', '')"
    good = f"timezone('UTC', {rounded(f'CAST({bare} AS TIMESTAMP)', 9, to.precision)})"
    return _guarded(sql, _TIMESTAMP_UTC, good, to)


def _text_to_boolean(sql: str, _: Type, to: Type) -> str:
    return (
        f"CASE WHEN {sql} IS NULL THEN NULL WHEN lower({sql}) IN ('t', 'true', '1') THEN true "
        f"WHEN lower({sql}) IN ('f', 'false', '0') THEN false ELSE {_bad(sql, to)} END"
    )


def _nested(sql: str, given: Type, to: Type) -> str:
    if given.name == "array":
        return f"list_transform({sql}, lambda e: {_cast_sql('e', given.of[0], to.of[0])})"
    if given.name == "map":
        key, value = (
            _cast_sql(f"e.{part}", g, t) for part, g, t in zip(("key", "value"), given.of, to.of, strict=True)
        )
        entries = f"list_transform(map_entries({sql}), lambda e: struct_pack(k := {key}, v := {value}))"
        return f"map_from_entries({entries})"
    fields = zip(given.stored_names, to.stored_names, given.of, to.of, strict=True)
    packed = ", ".join(f"{quoted(n)} := {_cast_sql(f'({sql}).{quoted(g)}', a, b)}" for g, n, a, b in fields)
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({packed}) END"


def _boolean_to_number(sql: str, _: Type, to: Type) -> str:
    return f"CAST(CASE WHEN {sql} THEN 1 WHEN NOT {sql} THEN 0 END AS {to.duck})"


def _number_to_boolean(sql: str, _given: Type, _to: Type) -> str:
    return f"({sql} <> 0)"


Rule = Callable[[str, Type, Type], str]

_RULES: dict[tuple[str, str], Rule] = {
    ("varchar", "boolean"): _text_to_boolean,
    ("varchar", "date"): lambda s, _, to: _guarded(s, _DATE, f"CAST({s} AS DATE)", to),
    ("varchar", "timestamp"): _text_to_timestamp,
    ("varchar", "timestamp with time zone"): _text_to_zoned,
    ("varchar", "time"): lambda s, _, to: _guarded(s, _CLOCK, f"CAST({s} AS TIME)", to),
    ("varchar", "uuid"): lambda s, _g, _t: f"CAST({s} AS UUID)",
    ("date", "timestamp"): lambda s, _g, _t: f"CAST({s} AS TIMESTAMP)",
    ("date", "timestamp with time zone"): lambda s, _g, _t: f"timezone('UTC', CAST({s} AS TIMESTAMP))",
    ("timestamp", "timestamp"): _timestamp_to_timestamp,
    ("timestamp", "date"): lambda s, _g, _t: f"CAST({s} AS DATE)",
    ("timestamp", "time"): lambda s, _g, _t: f"CAST({s} AS TIME)",
    ("timestamp", "timestamp with time zone"): lambda s, _g, _t: f"timezone('UTC', {s})",
    ("timestamp with time zone", "timestamp"): lambda s, g, t: rounded(local(s, g), g.precision, t.precision),
    ("timestamp with time zone", "timestamp with time zone"): lambda s, _g, _t: s,
    ("timestamp with time zone", "date"): lambda s, g, _: f"CAST({local(s, g)} AS DATE)",
    ("timestamp with time zone", "time"): lambda s, g, _: f"CAST({local(s, g)} AS TIME)",
    **{
        ("boolean", n): _boolean_to_number
        for n in ("tinyint", "smallint", "integer", "bigint", "real", "double")
    },
    ("boolean", "decimal"): _boolean_to_number,
    **{
        (n, "boolean"): _number_to_boolean
        for n in ("tinyint", "smallint", "integer", "bigint", "real", "double")
    },
    ("decimal", "boolean"): _number_to_boolean,
}
