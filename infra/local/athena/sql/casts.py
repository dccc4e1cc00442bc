"""Trino's casts: what becomes of a value, which texts are numbers, and how values are written as text."""

from collections.abc import Callable
from dataclasses import replace

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import Sql, build, join, quoted, text
from infra.local.athena.sql.types import Type

_INTEGER = r"[+-]?[0-9]+"
_TOO_LARGE_FOR_REAL = "3.4028235677973366e38"
"""Halfway between the largest float32 and what would come next."""
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
        return Typed(build("CAST({} AS {})", value.sql, to.duck), to, value.refs)
    if value.type.duck == to.duck:
        if to.name == "char":
            return Typed(build("rpad({}, {}, ' ')", value.sql, to.args[0]), to, value.refs)
        kept = replace(to, zone=value.type.zone) if to.name == "timestamp with time zone" else to
        return Typed(value.sql, kept, value.refs, value.literal, value.origin)
    made = cast(value, to)
    return Typed(made.sql, to, value.refs, value.literal)


def cast(value: Typed, to: Type, *, safe: bool = False) -> Typed:
    """CAST, or TRY_CAST when `safe`. Raises QueryError when Trino has no such cast."""
    if value.type.name == to.name == "timestamp with time zone":
        to = replace(to, zone=value.type.zone)
    if safe:
        return Typed(_tried(value, to), to, value.refs)
    return Typed(_cast_sql(value.sql, value.type, to), to, value.refs)


def _tried(value: Typed, to: Type) -> Sql:
    """NULL where the cast fails. What fails while the value itself is computed still fails."""
    if to.is_text and not (value.type.is_text or value.type.is_number or value.type.name == "date"):
        return _cast_sql(value.sql, value.type, to)  # what does not fit fails in Trino here too
    if "(" not in str(value.sql):
        return build("TRY({})", _cast_sql(value.sql, value.type, to))
    tried = build("TRY({})", _cast_sql(build("v"), value.type, to))
    return build("list_transform([{}], lambda v: {})[1]", value.sql, tried)


def _cast_sql(sql: Sql, given: Type, to: Type) -> Sql:
    if given.name == "unknown":
        return build("CAST({} AS {})", sql, to.duck)
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
        if to.name == "char":
            raise QueryError("TYPE_MISMATCH", f"Cannot cast {given} to {to}")
        said = _to_text(sql, given)
        return build("t_fits({}, {})", said, to.args[0]) if to.args else said
    if given.name == "varchar" and to.is_number:
        return _text_to_number(sql, to)
    raise QueryError("TYPE_MISMATCH", f"Cannot cast {given} to {to}")


def fail(kind: str, message: Sql | str, to: Sql) -> Sql:
    """What fails with this Trino error when it is reached; `message` is an expression, or the template of one."""
    return build(
        "CAST(t_fail({}, {}) AS {})", text(kind), message if isinstance(message, Sql) else build(message), to
    )


def _bad(sql: Sql, to: Type) -> Sql:
    return fail(
        "INVALID_CAST_ARGUMENT", build("'Cannot cast ''' || {} || {}", sql, text(f"' to {to}")), to.duck
    )


def _guarded(sql: Sql, pattern: str, good: Sql, to: Type) -> Sql:
    return build(
        "CASE WHEN {} IS NULL THEN NULL WHEN regexp_full_match({}, {}) THEN {} ELSE {} END",
        sql,
        sql,
        text(pattern),
        good,
        _bad(sql, to),
    )


def _number(sql: Sql, given: Type, to: Type) -> Sql:
    if given.name == "double" and to.name == "real":  # what is too large is infinite
        large = build("CASE WHEN {} > 0 THEN 'Infinity' ELSE '-Infinity' END", sql)
        return build(
            "(CASE WHEN isfinite({}) AND abs({}) >= {} THEN CAST({} AS FLOAT) ELSE CAST({} AS FLOAT) END)",
            sql, sql, build("CAST({} AS DOUBLE)", text(_TOO_LARGE_FOR_REAL)), large, sql,
        )  # fmt: skip
    if given.is_float and to.is_integer:  # DuckDB rounds halves to even
        return build("CAST(round({}) AS {})", sql, to.duck)
    if (
        given.is_float and to.name == "decimal"
    ):  # Trino rounds the digits that are shown, not the binary value
        return build("CAST(CAST({} AS VARCHAR) AS {})", sql, to.duck)
    return build("CAST({} AS {})", sql, to.duck)


def _text_to_number(sql: Sql, to: Type) -> Sql:
    if to.is_integer:
        return _guarded(sql, rf"\s*{_INTEGER}\s*", build("CAST(trim({}) AS {})", sql, to.duck), to)
    if to.name == "decimal":
        return _guarded(sql, _NUMBER, build("CAST({} AS {})", sql, to.duck), to)
    bare = build("regexp_replace(trim({}), '[dDfF]$', '')", sql)
    return _guarded(sql, _DOUBLE, build("CAST({} AS {})", bare, to.duck), to)


def _text_to_text(sql: Sql, given: Type, to: Type) -> Sql:
    if to.name == "char":
        return build("rpad({}, {}, ' ')", sql, to.args[0])
    return _limit(sql, to) if not given.args or (to.args and given.args[0] > to.args[0]) else sql


def _limit(sql: Sql, to: Type) -> Sql:
    return build("left({}, {})", sql, to.args[0]) if to.args else sql


def _to_text(sql: Sql, given: Type) -> Sql:
    if (
        given.name == "decimal"
    ):  # DuckDB leaves the zero before the point out where the type has no place for it
        return build("regexp_replace(CAST({} AS VARCHAR), '^(-?)[.]', '\\10.')", sql)
    if given.is_integer or given.name in ("boolean", "uuid"):
        return build("CAST({} AS VARCHAR)", sql)
    if given.is_float:
        return build("t_exponent(CAST({} AS VARCHAR))", sql)
    if given.name == "date":
        return build("CAST({} AS VARCHAR)", sql)
    if given.name == "time":
        return build("left(CAST({} AS VARCHAR) || '.000000', {})", sql, _width(given, 8))
    if given.name == "timestamp":
        return build("left(strftime({}, '%Y-%m-%d %H:%M:%S.%f'), {})", sql, _width(given, 19))
    if given.name == "timestamp with time zone":
        return build(
            "{} || ' ' || {}", _to_text(local(sql, given), Type("timestamp", given.args)), text(zone(given))
        )
    if given.name == "interval year to month":
        return build("t_interval_months(date_part('year', {}) * 12 + date_part('month', {}))", sql, sql)
    if given.name == "interval day to second":
        return build("t_interval_days(epoch_us({}) // 1000)", sql)
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


def local(sql: Sql, given: Type) -> Sql:
    """The wall-clock time, as a DuckDB TIMESTAMP, of a timestamp with time zone."""
    name = zone(given)
    if name[0] in "+-":  # DuckDB knows names of zones only
        hours, minutes = map(int, name[1:].split(":"))
        return build("(timezone('UTC', {}) {} to_minutes({}))", sql, name[0], hours * 60 + minutes)
    return build("timezone({}, {})", text(name), sql)


def rounded(sql: Sql, given: int, to: int) -> Sql:
    """A timestamp with fewer digits after the second, halves away from zero as in Trino."""
    if to >= min(given, 6):
        return sql
    unit = 10 ** (6 - to)
    return build(
        "make_timestamp(CAST(floor((epoch_us({}) + {}) / CAST({} AS DOUBLE)) AS BIGINT) * {})",
        sql,
        unit // 2,
        unit,
        unit,
    )


def _timestamp_to_timestamp(sql: Sql, given: Type, to: Type) -> Sql:
    return rounded(sql, given.precision, to.precision)


def _text_to_timestamp(sql: Sql, _: Type, to: Type) -> Sql:
    return _guarded(sql, _TIMESTAMP, rounded(build("CAST({} AS TIMESTAMP)", sql), 9, to.precision), to)


def _text_to_zoned(sql: Sql, _: Type, to: Type) -> Sql:
    bare = build("regexp_replace(trim({}), ' ?(UTC|Z|[+]00:00)$', '')", sql)
    good = build("timezone('UTC', {})", rounded(build("CAST({} AS TIMESTAMP)", bare), 9, to.precision))
    return _guarded(sql, _TIMESTAMP_UTC, good, to)


def _text_to_boolean(sql: Sql, _: Type, to: Type) -> Sql:
    return build(
        "CASE WHEN {} IS NULL THEN NULL WHEN lower({}) IN ('t', 'true', '1') THEN true WHEN lower({}) IN ('f', 'false', '0') THEN false ELSE {} END",
        sql,
        sql,
        sql,
        _bad(sql, to),
    )


def _nested(sql: Sql, given: Type, to: Type) -> Sql:
    if given.name == "array":
        return build("list_transform({}, lambda e: {})", sql, _cast_sql(build("e"), given.of[0], to.of[0]))
    if given.name == "map":
        key, value = (
            _cast_sql(build("e.{}", part), g, t)
            for part, g, t in zip(("key", "value"), given.of, to.of, strict=True)
        )
        entries = build(
            "list_transform(map_entries({}), lambda e: struct_pack(k := {}, v := {}))", sql, key, value
        )
        return build("map_from_entries({})", entries)
    fields = zip(given.stored_names, to.stored_names, given.of, to.of, strict=True)
    packed = join(
        ", ",
        (
            build("{} := {}", quoted(n), _cast_sql(build("({}).{}", sql, quoted(g)), a, b))
            for g, n, a, b in fields
        ),
    )
    return build("CASE WHEN {} IS NULL THEN NULL ELSE struct_pack({}) END", sql, packed)


def _boolean_to_number(sql: Sql, _: Type, to: Type) -> Sql:
    return build("CAST(CASE WHEN {} THEN 1 WHEN NOT {} THEN 0 END AS {})", sql, sql, to.duck)


def _number_to_boolean(sql: Sql, _given: Type, _to: Type) -> Sql:
    return build("({} <> 0)", sql)


Rule = Callable[[Sql, Type, Type], Sql]


def _needs_today(_: Sql, given: Type, to: Type) -> Sql:
    raise refused(f"CAST({given} AS {to}), which takes today's date", "Add the time to a date.")


_RULES: dict[tuple[str, str], Rule] = {
    ("varchar", "boolean"): _text_to_boolean,
    ("varchar", "date"): lambda s, _, to: _guarded(s, _DATE, build("CAST({} AS DATE)", s), to),
    ("varchar", "timestamp"): _text_to_timestamp,
    ("varchar", "timestamp with time zone"): _text_to_zoned,
    ("varchar", "time"): lambda s, _, to: _guarded(s, _CLOCK, build("CAST({} AS TIME)", s), to),
    ("varchar", "uuid"): lambda s, _g, _t: build("CAST({} AS UUID)", s),
    ("date", "timestamp"): lambda s, _g, _t: build("CAST({} AS TIMESTAMP)", s),
    ("date", "timestamp with time zone"): lambda s, _g, _t: build(
        "timezone('UTC', CAST({} AS TIMESTAMP))", s
    ),
    ("varchar", "varbinary"): lambda s, _g, _t: build("encode({})", s),
    ("time", "timestamp"): _needs_today,
    ("time", "timestamp with time zone"): _needs_today,
    ("timestamp", "timestamp"): _timestamp_to_timestamp,
    ("timestamp", "date"): lambda s, _g, _t: build("CAST({} AS DATE)", s),
    ("timestamp", "time"): lambda s, _g, _t: build("CAST({} AS TIME)", s),
    ("timestamp", "timestamp with time zone"): lambda s, _g, _t: build("timezone('UTC', {})", s),
    ("timestamp with time zone", "timestamp"): lambda s, g, t: rounded(local(s, g), g.precision, t.precision),
    ("timestamp with time zone", "timestamp with time zone"): lambda s, g, t: (
        s
        if t.precision >= min(g.precision, 6)
        else build("timezone('UTC', {})", rounded(build("timezone('UTC', {})", s), g.precision, t.precision))
    ),
    ("timestamp with time zone", "date"): lambda s, g, _: build("CAST({} AS DATE)", local(s, g)),
    ("timestamp with time zone", "time"): lambda s, g, _: build("CAST({} AS TIME)", local(s, g)),
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
