"""What every DuckDB connection is given before a query runs: settings, macros, and Python's part."""

from typing import Any

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.functions.number_text import exponent_number
from infra.local.athena.sql.functions.registry import Udf
from infra.local.athena.sql.types import BIGINT, VARCHAR, YEAR_TO_MONTH, Type

MACROS = (
    "CREATE MACRO t_all(found) AS CASE WHEN found IS NULL THEN NULL WHEN list_contains(found, false) THEN false "
    "WHEN len(list_filter(found, lambda e: e IS NULL)) > 0 THEN NULL ELSE true END",
    "CREATE MACRO t_any(found) AS CASE WHEN found IS NULL THEN NULL WHEN list_contains(found, true) THEN true "
    "WHEN len(list_filter(found, lambda e: e IS NULL)) > 0 THEN NULL ELSE false END",
    "CREATE MACRO t_kept(pairs) AS list_filter(pairs, lambda e: e IS NOT NULL)",
    "CREATE MACRO t_keys(pairs) AS list_distinct(list_transform(t_kept(pairs), lambda e: e.k))",
    "CREATE MACRO t_first_pairs(pairs) AS CASE WHEN len(t_kept(pairs)) > 0 THEN map(t_keys(pairs), "
    "list_transform(t_keys(pairs), lambda k: list_filter(t_kept(pairs), lambda e: e.k = k)[1].v)) END",
    "CREATE MACRO t_grouped_pairs(pairs) AS CASE WHEN len(t_kept(pairs)) > 0 THEN map(t_keys(pairs), "
    "list_transform(t_keys(pairs), lambda k: list_transform(list_filter(t_kept(pairs), lambda e: e.k = k), lambda e: e.v))) END",
    "CREATE MACRO t_histogram(found) AS CASE WHEN len(t_kept(found)) > 0 THEN map(list_distinct(t_kept(found)), "
    "list_transform(list_distinct(t_kept(found)), lambda k: CAST(len(list_filter(found, lambda e: e = k)) AS BIGINT))) END",
    # Whole days apart from the rest: as nanoseconds, in which results hold them, 292 years would be the most.
    "CREATE MACRO t_span(us) AS to_days(CAST(us // 86400000000 AS INTEGER)) + to_microseconds(us % 86400000000)",
    "CREATE MACRO t_fits(said, most) AS CASE WHEN length(said) > most THEN CAST(t_fail('INVALID_CAST_ARGUMENT', "
    "'Value ' || said || ' cannot be represented as varchar(' || most || ')') AS VARCHAR) ELSE said END",
    "CREATE MACRO t_whole_days(span) AS CASE WHEN epoch_us(span) % 86400000000 <> 0 THEN CAST(t_fail("
    "'INVALID_FUNCTION_ARGUMENT', 'Cannot add hour, minutes or seconds to a date') AS INTERVAL) ELSE span END",
    "CREATE MACRO t_ordered(unknown, answer) AS CASE WHEN unknown THEN CAST(t_fail('NOT_SUPPORTED', "
    "'Comparing arrays or rows with NULL elements is not supported by the local endpoint.') AS BOOLEAN) ELSE answer END",
)


def _fail(kind: str, message: str | None) -> str:
    raise QueryError(kind, message or "")


def _interval_days(milliseconds: int) -> str:
    sign, rest = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    days, rest = divmod(rest, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{sign}{days} {hours:02}:{minutes:02}:{rest // 1000:02}.{rest % 1000:03}"


def interval_months(months: int) -> str:
    """`2-3`: years and months."""
    return f"{'-' if months < 0 else ''}{abs(months) // 12}-{abs(months) % 12}"


HELPERS = (
    Udf("t_fail", _fail, (VARCHAR, VARCHAR), VARCHAR, takes_null=True),
    Udf("t_exponent", exponent_number, (VARCHAR,), VARCHAR),
    Udf("t_interval_months", interval_months, (BIGINT,), VARCHAR),
    Udf("t_interval_days", _interval_days, (BIGINT,), VARCHAR),
)


def interval_text(of: Type, value: Any) -> str:
    """An interval as Trino writes it; `value` is milliseconds or months."""
    return interval_months(value) if of == YEAR_TO_MONTH else _interval_days(value)
