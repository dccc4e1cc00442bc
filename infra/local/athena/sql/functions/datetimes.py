"""Date and time functions. Source: Trino documentation, "Date and time functions and operators"."""

from collections.abc import Callable
from dataclasses import replace

from infra.local.athena.errors import refused
from infra.local.athena.sql.casts import fail, local, zone
from infra.local.athena.sql.functions import time_formats
from infra.local.athena.sql.functions.registry import FUNCTIONS, Call, Rule, Udf, udf_name
from infra.local.athena.sql.literals import zone_of
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.times import at_time_zone
from infra.local.athena.sql.tree import Sql, build, join, text
from infra.local.athena.sql.types import BIGINT, DATE, TIMESTAMP, TIMESTAMP_TZ, VARCHAR, Type

_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_DATE_UNITS = ("day", "week", "month", "quarter", "year")
_ZONED = "timestamp with time zone"


class _UnitError(Exception):
    """The type has no such unit, which only a value that is not NULL shows."""


def _unit(value: Typed, of: Type) -> str:
    if not isinstance(value.literal, str):
        raise refused("A computed time unit", "Write the unit as a literal, for example 'day'.")
    unit = value.literal.lower()
    known = _DATE_UNITS if of.name == "date" else _UNITS
    if unit not in known:
        raise _UnitError(f"'{value.literal}' is not a valid {of.name.upper()} field")
    return unit


def _by_unit(rule: Callable[[Call], tuple[Sql, Type]], result: Type | None = None) -> Rule:
    def checked(call: Call) -> tuple[Sql, Type]:
        try:
            return rule(call)
        except _UnitError as error:
            of = result or call.args[-1].type
            nulls = join(" OR ", (build("{} IS NULL", arg.sql) for arg in call.args))
            failing = fail("INVALID_FUNCTION_ARGUMENT", text(str(error)), of.duck)
            return build("CASE WHEN {} THEN CAST(NULL AS {}) ELSE {} END", nulls, of.duck, failing), of

    return checked


def _clock(value: Typed) -> Sql:
    """Wall-clock time as DuckDB's TIMESTAMP or DATE."""
    return local(value.sql, value.type) if value.type.name == _ZONED else value.sql


def _back(sql: Sql, of: Type) -> Sql:
    if of.name != _ZONED:
        return build("CAST({} AS {})", sql, of.duck)
    name = zone(of)
    if name[0] in "+-":
        hours, minutes = map(int, name[1:].split(":"))
        sign = "-" if name[0] == "+" else "+"
        return build("timezone('UTC', ({}) {} to_minutes({}))", sql, sign, hours * 60 + minutes)
    return build("timezone({}, {})", text(name), sql)


def _date_trunc(call: Call) -> tuple[Sql, Type]:
    value = call.args[1]
    return _back(
        build("date_trunc({}, {})", text(_unit(call.args[0], value.type)), _clock(value)), value.type
    ), value.type


def _date_add(call: Call) -> tuple[Sql, Type]:
    value, count = call.args[2], build("CAST({} AS INTEGER)", call.args[1].sql)  # Trino's own limit
    unit = _unit(call.args[0], value.type)
    if unit == "quarter":
        step = build("to_months(CAST(CAST({} AS BIGINT) * 3 AS INTEGER))", count)
    elif unit == "millisecond":
        step = build("to_microseconds(CAST({} AS BIGINT) * 1000)", count)
    elif unit in ("second", "minute", "hour"):
        step = build("to_{}s({})", unit, count)
    else:
        step = build("to_{}s({})", unit, count)
    if unit in ("millisecond", "second", "minute", "hour"):
        return build("{} + {}", value.sql, step), value.type
    return _back(build("{} + {}", _clock(value), step), value.type), value.type


def _date_diff(call: Call) -> tuple[Sql, Type]:
    """Complete units between; DuckDB's date_diff counts boundaries, its date_sub counts as Trino does."""
    a, b = call.args[1], call.args[2]
    unit = _unit(call.args[0], a.type)
    clocks = (_clock(a), _clock(b)) if unit in _DATE_UNITS else (a.sql, b.sql)
    return build("date_sub({}, {}, {})", text(unit), clocks[0], clocks[1]), BIGINT


for _of in ("date", "timestamp", _ZONED):
    FUNCTIONS.add(f"date_trunc(varchar, {_of}) {_of}", _by_unit(_date_trunc))
    FUNCTIONS.add(f"date_add(varchar, bigint, {_of}) {_of}", _by_unit(_date_add))
    FUNCTIONS.add(f"date_diff(varchar, {_of}, {_of}) bigint", _by_unit(_date_diff, BIGINT))

_PARTS = {
    "year": "year({0})", "quarter": "quarter({0})", "month": "month({0})", "day": "day({0})", "day_of_month": "day({0})",
    "day_of_week": "isodow({0})", "dow": "isodow({0})", "day_of_year": "dayofyear({0})", "doy": "dayofyear({0})",
    "week": "weekofyear({0})", "week_of_year": "weekofyear({0})", "year_of_week": "isoyear({0})", "yow": "isoyear({0})",
}  # fmt: skip
_CLOCK_PARTS = {
    "hour": "hour({0})", "minute": "minute({0})", "second": "second({0})", "millisecond": "millisecond({0}) % 1000",
}  # fmt: skip


def _part(template: str, call: Call) -> tuple[Sql, Type]:
    return build("CAST({} AS BIGINT)", build(template, _clock(call.args[0]))), BIGINT


def _define_part(name: str, template: str, types: tuple[str, ...]) -> None:
    for of in types:
        FUNCTIONS.add(f"{name}({of}) bigint", lambda call: _part(template, call))


for _name, _template in _PARTS.items():
    _define_part(_name, _template, ("date", "timestamp", _ZONED))
for _name, _template in _CLOCK_PARTS.items():
    _define_part(_name, _template, ("timestamp", "time", _ZONED))


def _offset_part(hours: bool) -> None:
    def rule(call: Call) -> tuple[Sql, Type]:
        value = call.args[0]
        minutes = build("(epoch({}) - epoch({})) / 60", _clock(value), value.sql)
        return build(
            "CAST({} AS BIGINT)", build("trunc({} / 60)", minutes) if hours else build("({}) % 60", minutes)
        ), BIGINT

    FUNCTIONS.add(f"timezone_{'hour' if hours else 'minute'}({_ZONED}) bigint", rule)


_offset_part(hours=True)
_offset_part(hours=False)


def _last_day(call: Call) -> tuple[Sql, Type]:
    return build("last_day(CAST({} AS DATE))", _clock(call.args[0])), DATE


def _date(call: Call) -> tuple[Sql, Type]:
    from infra.local.athena.sql.casts import cast

    return cast(call.args[0], DATE).sql, DATE


for _of in ("date", "timestamp", _ZONED):
    FUNCTIONS.add(f"last_day_of_month({_of}) date", _last_day)
for _of in ("varchar", "date", "timestamp", _ZONED):
    FUNCTIONS.add(f"date({_of}) date", _date)


def _from_unixtime(call: Call) -> tuple[Sql, Type]:
    seconds = call.sqls[0]
    of = TIMESTAMP_TZ
    if len(call.args) == 2:
        if not isinstance(call.args[1].literal, str):
            raise refused("from_unixtime with a computed zone", "Write the zone as a literal.")
        of = replace(of, zone=zone_of(call.args[1].literal)[0])
    number = build("CASE WHEN isnan({}) THEN 0 ELSE {} END", seconds, seconds)
    return build("timezone('UTC', make_timestamp(CAST(round({} * 1000) AS BIGINT) * 1000))", number), of


def _to_unixtime(call: Call) -> tuple[Sql, Type]:
    return build("epoch_us({}) / CAST(1000000 AS DOUBLE)", call.sqls[0]), Type("double")


FUNCTIONS.add(f"from_unixtime(double) {_ZONED}", _from_unixtime)
FUNCTIONS.add(f"from_unixtime(double, varchar) {_ZONED}", _from_unixtime)
FUNCTIONS.add("to_unixtime(timestamp) double", _to_unixtime)
FUNCTIONS.add(f"to_unixtime({_ZONED}) double", _to_unixtime)


def _from_iso(call: Call) -> tuple[Sql, Type]:
    """A literal may have any offset; computed text must be UTC, because one column has one zone here."""
    given = call.args[0]
    if isinstance(given.literal, str):
        moment, name = time_formats.iso_instant(given.literal)
        written = moment.strftime("%Y-%m-%d %H:%M:%S.%f")
        return build("timezone('UTC', TIMESTAMP {})", text(written)), replace(TIMESTAMP_TZ, zone=name)
    udf = Udf("t_from_iso_utc", time_formats.iso_utc, (VARCHAR,), TIMESTAMP)
    return build("timezone('UTC', {}({}))", call.session.use(udf), given.sql), TIMESTAMP_TZ


FUNCTIONS.add(f"from_iso8601_timestamp(varchar) {_ZONED}", _from_iso)
FUNCTIONS.python("from_iso8601_date(varchar) date", time_formats.iso_date)


def _to_iso(call: Call) -> tuple[Sql, Type]:
    value = call.args[0]
    if value.type.name == "date":
        return build("strftime({}, '%Y-%m-%d')", value.sql), VARCHAR
    digits = value.type.precision
    width = 19 + (1 + digits if digits else 0)
    stem = build("left(strftime({}, '%Y-%m-%dT%H:%M:%S.%f'), {})", _clock(value), width)
    if value.type.name == "timestamp":
        return stem, VARCHAR
    if zone(value.type) == "UTC":
        return build("{} || 'Z'", stem), VARCHAR
    minutes = build("CAST((epoch({}) - epoch({})) / 60 AS BIGINT)", _clock(value), value.sql)
    sign = build("CASE WHEN {} < 0 THEN '-' ELSE '+' END", minutes)
    return build(
        "{} || {} || printf('%02d:%02d', abs({}) // 60, abs({}) % 60)", stem, sign, minutes, minutes
    ), VARCHAR


for _of in ("date", "timestamp", _ZONED):
    FUNCTIONS.add(f"to_iso8601({_of}) varchar", _to_iso)


def _with_timezone(call: Call) -> tuple[Sql, Type]:
    if not isinstance(call.args[1].literal, str):
        raise refused("with_timezone with a computed zone", "Write the zone as a literal.")
    of = replace(TIMESTAMP_TZ, args=call.args[0].type.args, zone=zone_of(call.args[1].literal)[0])
    return _back(call.sqls[0], of), of


def _at_timezone(call: Call) -> Typed:
    return at_time_zone(call.args[0], call.args[1])


FUNCTIONS.add(f"with_timezone(timestamp, varchar) {_ZONED}", _with_timezone)
FUNCTIONS.add(f"at_timezone({_ZONED}, varchar) {_ZONED}", _at_timezone)


def _formatted(name: str) -> None:
    """date_format with MySQL's codes, format_datetime with Joda's letters."""
    translate = time_formats.mysql_writer if name == "date_format" else time_formats.joda_writer

    def rule(call: Call) -> tuple[Sql, Type]:
        value = call.args[0]
        pattern = call.args[1].literal
        if not isinstance(pattern, str):
            raise refused(f"{name} with a computed format", "Write the format as a literal.")
        shown = zone(value.type) if value.type.name == _ZONED else "UTC"
        udf = Udf(
            udf_name(name, pattern, shown),
            translate(pattern, shown),
            (TIMESTAMP,),
            VARCHAR,
        )
        clock = build(
            "date_trunc('millisecond', CAST({} AS TIMESTAMP))", _clock(value)
        )  # Trino writes no more
        return build("{}({})", call.session.use(udf), clock), VARCHAR

    for of in ("timestamp", "date", _ZONED):
        FUNCTIONS.add(f"{name}({of}, varchar) varchar", rule)


_formatted("date_format")
_formatted("format_datetime")


def _date_parse(call: Call) -> tuple[Sql, Type]:
    pattern = call.args[1].literal
    if not isinstance(pattern, str):
        raise refused("date_parse with a computed format", "Write the format as a literal.")
    udf = Udf(
        udf_name("date_parse", pattern),
        time_formats.mysql_reader(pattern),
        (VARCHAR,),
        TIMESTAMP,
    )
    return build("{}({})", call.session.use(udf), call.sqls[0]), TIMESTAMP


def _parse_datetime(call: Call) -> tuple[Sql, Type]:
    pattern = call.args[1].literal
    if not isinstance(pattern, str):
        raise refused("parse_datetime with a computed format", "Write the format as a literal.")
    udf = Udf(
        udf_name("parse_datetime", pattern),
        time_formats.joda_reader(pattern),
        (VARCHAR,),
        TIMESTAMP,
    )
    return build("timezone('UTC', {}({}))", call.session.use(udf), call.sqls[0]), TIMESTAMP_TZ


FUNCTIONS.add("date_parse(varchar, varchar) timestamp", _date_parse)
FUNCTIONS.add(f"parse_datetime(varchar, varchar) {_ZONED}", _parse_datetime)


def _to_milliseconds(call: Call) -> tuple[Sql, Type]:
    return build("CAST(round(epoch({}) * 1000) AS BIGINT)", call.sqls[0]), BIGINT


def _timezone_name(call: Call) -> tuple[Sql, Type]:
    return build(
        "CASE WHEN {} IS NULL THEN NULL ELSE {} END", call.sqls[0], text(zone(call.args[0].type))
    ), VARCHAR


FUNCTIONS.add("to_milliseconds(interval day to second) bigint", _to_milliseconds)
FUNCTIONS.add(f"timezone({_ZONED}) varchar", _timezone_name)
FUNCTIONS.python("parse_duration(varchar) interval day to second", time_formats.duration)


FUNCTIONS.refuse(
    "Use from_unixtime, or date_format with a written format.",
    "from_unixtime_nanos human_readable_seconds to_char to_date to_timestamp current_timezone "
    "from_iso8601_timestamp_nanos timestamp_objectid last_day",
)
