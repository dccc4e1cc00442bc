"""The functions of the expression language: how many arguments, which level, what they give, how DuckDB
says it.

A template's `{0}`, `{1}` are the arguments' SQL. What is not in this table is not supported, and says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from dashboards.column_types import Kind
from dashboards.expressions.tree import ExpressionError

Level = Literal["row", "aggregate", "window"]
Build = Callable[[Sequence[str]], str]
Gives = Kind | Literal["same", "second"]
"""The kind of the result; `same` is the first argument's, `second` the second's."""


@dataclass(frozen=True)
class Function:
    """One function. `takes` are the kinds of its arguments, the last one repeated; `any` for any."""

    least: int
    most: int
    gives: Gives
    takes: tuple[str, ...]
    sql: str | Build
    level: Level = "row"

    def build(self, arguments: Sequence[str]) -> str:
        """The SQL of a call."""
        return self.sql(arguments) if callable(self.sql) else self.sql.format(*arguments)


PERIODS = {
    "YYYY": "year", "Q": "quarter", "MM": "month", "WK": "week", "DD": "day", "HH": "hour", "MI": "minute",
    "SS": "second", "MS": "millisecond",
}  # fmt: skip


def period(literal: str) -> str:
    """DuckDB's name of a period literal such as 'DD'. Raises ExpressionError."""
    name = literal.strip("'").upper()
    if name not in PERIODS:
        raise ExpressionError(f"Unknown period {literal}. Use one of: {', '.join(PERIODS)}.")
    return PERIODS[name]


def truncated(name: str, time: str) -> str:
    """`time` at the start of its period; weeks start on Sunday, as in QuickSight."""
    if name == "week":
        return f"(date_trunc('week', {time} + INTERVAL 1 DAY) - INTERVAL 1 DAY)"
    return f"date_trunc('{name}', {time})"


def _case(arguments: Sequence[str]) -> str:
    *pairs, otherwise = arguments if len(arguments) % 2 else (*arguments, "NULL")
    whens = " ".join(f"WHEN {pairs[at]} THEN {pairs[at + 1]}" for at in range(0, len(pairs), 2))
    return f"CASE {whens} ELSE {otherwise} END"


def _switch(arguments: Sequence[str]) -> str:
    value, *rest = arguments
    *pairs, otherwise = rest if len(rest) % 2 else (*rest, "NULL")
    whens = " ".join(f"WHEN {pairs[at]} THEN {pairs[at + 1]}" for at in range(0, len(pairs), 2))
    return f"CASE {value} {whens} ELSE {otherwise} END"


def _add_date_time(arguments: Sequence[str]) -> str:
    amount, unit, time = arguments
    return f"({time} + ({amount}) * INTERVAL 1 {period(unit)})"


def _date_diff(arguments: Sequence[str]) -> str:
    first, second, *unit = arguments
    return f"date_diff('{period(unit[0]) if unit else 'day'}', {first}, {second})"


def _extract(arguments: Sequence[str]) -> str:
    unit, time = arguments
    if unit.strip("'").upper() == "WD":
        return f"(dayofweek({time}) + 1)"  # Sunday is 1
    if period(unit) == "millisecond":
        return f"(date_part('millisecond', {time}) % 1000)"  # DuckDB counts the seconds in
    return f"date_part('{period(unit)}', {time})"


def _contains(arguments: Sequence[str]) -> str:
    text, part, *mode = arguments
    if mode and mode[0].strip("'").upper() == "CASE_INSENSITIVE":
        return f"contains(lower({text}), lower({part}))"
    return f"contains({text}, {part})"


def _ends(name: str) -> Build:
    def build(arguments: Sequence[str]) -> str:
        text, part, *mode = arguments
        if mode and mode[0].strip("'").upper() == "CASE_INSENSITIVE":
            return f"{name}(lower({text}), lower({part}))"
        return f"{name}({text}, {part})"

    return build


def _locate(arguments: Sequence[str]) -> str:
    text, part, *start = arguments
    if not start:
        return f"strpos({text}, {part})"
    found = f"strpos(substr({text}, {start[0]}), {part})"
    return f"CASE WHEN {found} = 0 THEN 0 ELSE {found} + {start[0]} - 1 END"


_JAVA_TO_STRFTIME = (
    ("yyyy", "%Y"),
    ("YYYY", "%Y"),
    ("MMM", "%b"),
    ("MM", "%m"),
    ("dd", "%d"),
    ("DD", "%d"),
    ("HH", "%H"),
    ("hh", "%I"),
    ("mm", "%M"),
    ("SSS", "%g"),
    ("ss", "%S"),
    ("EEEE", "%A"),
    ("EEE", "%a"),
    ("aa", "%p"),
    ("a", "%p"),
    ("yy", "%y"),
)


def strftime_format(pattern: str) -> str:
    """A Java date pattern in strftime's letters. Raises ExpressionError for letters without a counterpart."""
    found, at = "", 0
    while at < len(pattern):
        if pattern[at] == "'":
            end = pattern.find("'", at + 1)
            found, at = found + pattern[at + 1 : end], (end if end > 0 else len(pattern)) + 1
            continue
        for java, own in _JAVA_TO_STRFTIME:
            if pattern.startswith(java, at):
                found, at = found + own, at + len(java)
                break
        else:
            if pattern[at].isalpha() and pattern[at] != "T":
                raise ExpressionError(f"The date pattern letter {pattern[at]!r} is not supported.")
            found, at = found + pattern[at], at + 1
    return found


def _parse_date(arguments: Sequence[str]) -> str:
    text, *pattern = arguments
    if not pattern:
        return f"try_cast({text} AS TIMESTAMP)"
    return f"try_strptime({text}, '{strftime_format(pattern[0].strip(chr(39)))}')"


def _format_date(arguments: Sequence[str]) -> str:
    time, *pattern = arguments
    own = strftime_format(pattern[0].strip("'")) if pattern else "%Y-%m-%dT%H:%M:%S.%g"
    return f"strftime({time}, '{own}')"


def _row(least: int, most: int, gives: Gives, takes: tuple[str, ...], sql: str | Build) -> Function:
    return Function(least, most, gives, takes, sql)


def _aggregate(gives: Gives, takes: tuple[str, ...], sql: str | Build, least: int = 1) -> Function:
    return Function(least, least, gives, takes, sql, "aggregate")


_N, _T, _D, _B, _ANY = "number", "text", "time", "boolean", "any"
MANY = 99

_CONDITIONAL: tuple[tuple[str, Gives, str, str], ...] = (
    ("sum", "number", _N, "sum({0})"),
    ("avg", "number", _N, "avg({0})"),
    ("min", "same", _ANY, "min({0})"),
    ("max", "same", _ANY, "max({0})"),
    ("count", "number", _ANY, "count({0})"),
    ("distinct_count", "number", _ANY, "count(DISTINCT {0})"),
    ("median", "number", _N, "median({0})"),
    ("stdev", "number", _N, "stddev_samp({0})"),
    ("stdevp", "number", _N, "stddev_pop({0})"),
    ("var", "number", _N, "var_samp({0})"),
    ("varp", "number", _N, "var_pop({0})"),
)
"""Aggregates that have a form with a condition: `sumIf(x, y = 1)`."""

FUNCTIONS: dict[str, Function] = {
    # Conditions
    "ifelse": _row(3, MANY, "second", (_ANY,), _case),
    "switch": _row(3, MANY, "second", (_ANY,), _switch),
    "coalesce": _row(1, MANY, "same", (_ANY,), lambda a: f"coalesce({', '.join(a)})"),
    "nullif": _row(2, 2, "same", (_ANY,), "nullif({0}, {1})"),
    "isnull": _row(1, 1, "boolean", (_ANY,), "({0} IS NULL)"),
    "isnotnull": _row(1, 1, "boolean", (_ANY,), "({0} IS NOT NULL)"),
    "not": _row(1, 1, "boolean", (_B,), "(NOT {0})"),
    # Numbers
    "abs": _row(1, 1, "number", (_N,), "abs({0})"),
    "ceil": _row(1, 1, "number", (_N,), "ceil({0})"),
    "floor": _row(1, 1, "number", (_N,), "floor({0})"),
    "round": _row(1, 2, "number", (_N,), lambda a: f"round({', '.join(a)})"),
    "sqrt": _row(1, 1, "number", (_N,), "CASE WHEN {0} >= 0 THEN sqrt({0}) END"),
    "exp": _row(1, 1, "number", (_N,), "exp({0})"),
    "ln": _row(1, 1, "number", (_N,), "CASE WHEN {0} > 0 THEN ln({0}) END"),
    "log": _row(1, 1, "number", (_N,), "CASE WHEN {0} > 0 THEN log10({0}) END"),
    "mod": _row(2, 2, "number", (_N,), "({0} % nullif({1}, 0))"),
    "decimaltoint": _row(1, 1, "number", (_N,), "CAST(trunc({0}) AS BIGINT)"),
    "inttodecimal": _row(1, 1, "number", (_N,), "CAST({0} AS DOUBLE)"),
    # Text
    "concat": _row(1, MANY, "text", (_T,), lambda a: f"({' || '.join(a)})"),
    "contains": _row(2, 3, "boolean", (_T,), _contains),
    "startswith": _row(2, 3, "boolean", (_T,), _ends("starts_with")),
    "endswith": _row(2, 3, "boolean", (_T,), _ends("ends_with")),
    "left": _row(2, 2, "text", (_T, _N), "left({0}, {1})"),
    "right": _row(2, 2, "text", (_T, _N), "right({0}, {1})"),
    "locate": _row(2, 3, "number", (_T, _T, _N), _locate),
    "ltrim": _row(1, 1, "text", (_T,), "ltrim({0})"),
    "rtrim": _row(1, 1, "text", (_T,), "rtrim({0})"),
    "trim": _row(1, 1, "text", (_T,), "trim({0})"),
    "replace": _row(3, 3, "text", (_T,), "replace({0}, {1}, {2})"),
    "split": _row(3, 3, "text", (_T, _T, _N), "nullif(split_part({0}, {1}, {2}), '')"),
    "strlen": _row(1, 1, "number", (_T,), "length({0})"),
    "substring": _row(3, 3, "text", (_T, _N), "substr({0}, {1}, {2})"),
    "tolower": _row(1, 1, "text", (_T,), "lower({0})"),
    "toupper": _row(1, 1, "text", (_T,), "upper({0})"),
    "tostring": _row(1, 1, "text", (_ANY,), "CAST({0} AS VARCHAR)"),
    "parseint": _row(1, 1, "number", (_T,), "CAST(trunc(try_cast({0} AS DOUBLE)) AS BIGINT)"),
    "parsedecimal": _row(1, 1, "number", (_T,), "try_cast({0} AS DOUBLE)"),
    # Times
    "adddatetime": _row(3, 3, "time", (_N, _T, _D), _add_date_time),
    "datediff": _row(2, 3, "number", (_D, _D, _T), _date_diff),
    "epochdate": _row(1, 1, "time", (_N,), "make_timestamp(CAST({0} AS BIGINT) * 1000000)"),
    "extract": _row(2, 2, "number", (_T, _D), _extract),
    "formatdate": _row(1, 2, "text", (_D, _T), _format_date),
    "now": _row(0, 0, "time", (), "$now"),
    "parsedate": _row(1, 2, "time", (_T,), _parse_date),
    "truncdate": _row(2, 2, "time", (_T, _D), lambda a: truncated(period(a[0]), a[1])),
    # Aggregates
    "sum": _aggregate("number", (_N,), "sum({0})"),
    "avg": _aggregate("number", (_N,), "avg({0})"),
    "min": _aggregate("same", (_ANY,), "min({0})"),
    "max": _aggregate("same", (_ANY,), "max({0})"),
    "count": _aggregate("number", (_ANY,), "count({0})"),
    "distinct_count": _aggregate("number", (_ANY,), "count(DISTINCT {0})"),
    "median": _aggregate("number", (_N,), "median({0})"),
    "stdev": _aggregate("number", (_N,), "stddev_samp({0})"),
    "stdevp": _aggregate("number", (_N,), "stddev_pop({0})"),
    "var": _aggregate("number", (_N,), "var_samp({0})"),
    "varp": _aggregate("number", (_N,), "var_pop({0})"),
    "percentile": _aggregate("number", (_N,), "quantile_disc({0}, ({1}) / 100.0)", 2),
    "percentiledisc": _aggregate("number", (_N,), "quantile_disc({0}, ({1}) / 100.0)", 2),
    "percentilecont": _aggregate("number", (_N,), "quantile_cont({0}, ({1}) / 100.0)", 2),
    **{
        f"{name}if": _aggregate(gives, (kind, _B), template + " FILTER (WHERE {1})", 2)
        for name, gives, kind, template in _CONDITIONAL
    },
}

# Windows after aggregation: name -> (function over the aggregate, whether it runs along the order).
WINDOWS: dict[str, tuple[str, str]] = {
    "sumover": ("sum({0})", "whole"),
    "avgover": ("avg({0})", "whole"),
    "minover": ("min({0})", "whole"),
    "maxover": ("max({0})", "whole"),
    "countover": ("count({0})", "whole"),
    "percentoftotal": ("({0}) / nullif(sum({0}) OVER window, 0)", "share"),
    "runningsum": ("sum({0})", "running"),
    "runningavg": ("avg({0})", "running"),
    "runningmin": ("min({0})", "running"),
    "runningmax": ("max({0})", "running"),
    "runningcount": ("count({0})", "running"),
    "rank": ("rank()", "rank"),
    "denserank": ("dense_rank()", "rank"),
    "lag": ("lag({0}, {1})", "offset"),
    "lead": ("lead({0}, {1})", "offset"),
    "difference": ("({0}) - lag({0}, {1})", "offset"),
    "percentdifference": ("", "offset"),
    "firstvalue": ("first_value({0})", "ends"),
    "lastvalue": ("last_value({0})", "ends"),
}

REFUSED = frozenset(
    {
        "periodoverperioddifference",
        "periodoverperiodlastvalue",
        "periodoverperiodpercentdifference",
        "periodtodateavg",
        "periodtodatecount",
        "periodtodatemax",
        "periodtodatemin",
        "periodtodatesum",
        "periodtodatesumovertime",
        "windowsum",
        "windowavg",
        "windowmin",
        "windowmax",
        "windowcount",
        "percentilerank",
        "distinctcountover",
        "percentileover",
        "percentilecontover",
        "percentilediscover",
        "stdevover",
        "stdevpover",
        "varover",
        "varpover",
        "addworkdays",
        "isworkday",
        "networkdays",
        "parsejson",
        "timezone",
        "converttimezone",
        "sin",
        "cos",
        "tan",
    }
)
"""Functions that QuickSight has and the preview refuses: known to the lint, shown as not supported on the
page.
"""
