"""Aggregate functions. Source: Trino documentation, "Aggregate functions".

« » marks DuckDB's aggregate inside a rule (see `sql.aggregates`). What Trino approximates is exact here: an exact
answer is one of those that Trino may give.
"""

from decimal import Decimal

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.functions.registry import FUNCTIONS, Call, Udf
from infra.local.athena.sql.types import DOUBLE, Type, array, decimal

FUNCTIONS.many(
    {
        "count() bigint": "«count()»",
        "count(T) bigint": "«count({0})»",
        "count_if(boolean) bigint": "«count(CASE WHEN {0} THEN 1 END)»",
        "bool_and(boolean) boolean": "«bool_and({0})»",
        "every(boolean) boolean": "«bool_and({0})»",
        "bool_or(boolean) boolean": "«bool_or({0})»",
        "arbitrary(T) T": "«any_value({0})»",
        "any_value(T) T": "«any_value({0})»",
        "array_agg(T) array(T)": "«list({0})»",
        "min(T) T": "«min({0})»",
        "max(T) T": "«max({0})»",
        "max_by(T, U) T": "«arg_max_null({0}, {1})»",
        "min_by(T, U) T": "«arg_min_null({0}, {1})»",
        "approx_distinct(T) bigint": "«count(DISTINCT {0})»",
        "approx_distinct(T, double) bigint": "«count(DISTINCT {0})»",
        "listagg(varchar, varchar) varchar": "«string_agg({0}, {1})»",
        "avg(double) double": "«avg({0})»",
        "avg(bigint) double": "«avg({0})»",
        "stddev(double) double": "«stddev_samp({0})»",
        "stddev_samp(double) double": "«stddev_samp({0})»",
        "stddev_pop(double) double": "«stddev_pop({0})»",
        "variance(double) double": "«var_samp({0})»",
        "var_samp(double) double": "«var_samp({0})»",
        "var_pop(double) double": "«var_pop({0})»",
        "corr(double, double) double": "«corr({0}, {1})»",
        "covar_pop(double, double) double": "«covar_pop({0}, {1})»",
        "covar_samp(double, double) double": "«covar_samp({0}, {1})»",
        "regr_slope(double, double) double": "«regr_slope({0}, {1})»",
        "regr_intercept(double, double) double": "«regr_intercept({0}, {1})»",
        "geometric_mean(double) double": "exp(«avg(ln({0}))»)",
        "bitwise_and_agg(bigint) bigint": "«bit_and({0})»",
        "bitwise_or_agg(bigint) bigint": "«bit_or({0})»",
        "map_agg(K, V) map(K, V)": "t_first_pairs(«list(CASE WHEN {0} IS NOT NULL THEN struct_pack(k := {0}, v := {1}) END)»)",
        "multimap_agg(K, V) map(K, array(V))": "t_grouped_pairs(«list(CASE WHEN {0} IS NOT NULL THEN struct_pack(k := {0}, v := {1}) END)»)",
        "histogram(T) map(T, bigint)": "t_histogram(«list({0})»)",
    },
    "aggregate",
)


for _name in ("corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept"):
    FUNCTIONS.add(
        f"{_name}(real, real) real",
        f"CAST(«{_name}(CAST({{0}} AS DOUBLE), CAST({{1}} AS DOUBLE))» AS FLOAT)",
        "aggregate",
    )


def _sum(call: Call) -> tuple[str, Type]:
    given = call.args[0].type
    if given.is_integer or given.name == "unknown":
        return f"CAST(«sum({call.sqls[0]})» AS BIGINT)", Type("bigint")
    if given.name == "decimal":
        of = decimal(38, given.scale)
        return f"CAST(«sum({call.sqls[0]})» AS {of.duck})", of
    if given.is_float:
        return f"CAST(«sum({call.sqls[0]})» AS {given.duck})", given
    if given.is_interval and given.name == "interval day to second":
        return f"to_microseconds(CAST(«sum(epoch({call.sqls[0]}) * 1000000)» AS BIGINT))", given
    raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({given}) for function sum")


FUNCTIONS.add("sum(any) any", _sum, "aggregate")


def _avg_decimal(call: Call) -> tuple[str, Type]:
    from infra.local.athena.sql.operators import _exact

    given = call.args[0].type
    total, count = decimal(38, given.scale), decimal(19, 0)
    udf = Udf(f"t_average_{given.precision}_{given.scale}", _exact("/", given), (total, count), given)
    name = call.session.use(udf)
    value = call.sqls[0]
    divided = f"{name}(CAST(«sum({value})» AS {total.duck}), CAST(«count({value})» AS {count.duck}))"
    return f"CASE WHEN «count({value})» > 0 THEN {divided} END", given


FUNCTIONS.add("avg(decimal) decimal", _avg_decimal, "aggregate")
FUNCTIONS.add("avg(real) real", "CAST(«avg({0})» AS FLOAT)", "aggregate")


def _percentile(call: Call) -> tuple[str, Type]:
    """The value at position floor(p * n) from 0, as Trino's digests give it where they are exact.

    DuckDB's position is ceil(p * n) - 1; counted from the largest value with 1 - p it is Trino's.
    """
    of, at = call.args[0].type, call.args[1]
    if not isinstance(at.literal, (float, str, int, list)):
        raise refused("approx_percentile with a computed percentage", "Write the percentage as a number.")
    shares = at.literal if isinstance(at.literal, list) else [at.literal]
    picked = [_share(call.sqls[0], Decimal(str(share))) for share in shares]
    if isinstance(at.literal, list):
        return f"CASE WHEN «count({call.sqls[0]})» > 0 THEN [{', '.join(picked)}] END", array(of)
    return picked[0], of


def _share(value: str, share: Decimal) -> str:
    if not 0 <= share <= 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1")
    return f"«max({value})»" if share == 1 else f"«quantile_disc({value}, -{1 - share})»"


for _of in ("bigint", "real", "double"):
    FUNCTIONS.add(f"approx_percentile({_of}, double) {_of}", _percentile, "aggregate")
    FUNCTIONS.add(f"approx_percentile({_of}, array(double)) array({_of})", _percentile, "aggregate")


def _weighted(_: Call) -> tuple[str, Type]:
    raise refused("approx_percentile with a weight", "Repeat the values, or compute it outside the query.")


FUNCTIONS.add("approx_percentile(T, double, double) T", _weighted, "aggregate")
FUNCTIONS.add("approx_percentile(T, bigint, double, double) T", _weighted, "aggregate")


def _several(name: str, function: str) -> None:
    FUNCTIONS.add(
        f"{name}(T, bigint) array(T)",
        lambda call: (f"«{function}({call.sqls[0]}, {call.sqls[1]})»", array(call.types["T"])),
        "aggregate",
    )
    FUNCTIONS.add(
        f"{name}_by(T, U, bigint) array(T)",
        lambda call: (
            f"«{'arg_max' if name == 'max' else 'arg_min'}({call.sqls[0]}, {call.sqls[1]}, {call.sqls[2]})»",
            array(call.types["T"]),
        ),
        "aggregate",
    )


_several("max", "max")
_several("min", "min")


def _moments(name: str, minimum: int) -> None:
    FUNCTIONS.add(
        f"{name}(double) double",
        lambda call: (_moment_sql(name, minimum, call.sqls[0]), DOUBLE),
        "aggregate",
    )


def _moment_sql(name: str, minimum: int, x: str) -> str:
    """From central moments, so that the estimators are Trino's (Apache Commons' for kurtosis, n-based skewness)."""
    count, mean = f"CAST(«count({x})» AS DOUBLE)", f"«avg({x})»"
    powers = [f"«avg(pow({x}, {k}))»" for k in (2, 3, 4)]
    m2 = f"({powers[0]} - pow({mean}, 2))"
    m3 = f"({powers[1]} - 3 * {mean} * {powers[0]} + 2 * pow({mean}, 3))"
    m4 = f"({powers[2]} - 4 * {mean} * {powers[1]} + 6 * pow({mean}, 2) * {powers[0]} - 3 * pow({mean}, 4))"
    n = count
    if name == "skewness":
        sql = f"{m3} / pow({m2}, 1.5e0)"
    else:
        sql = f"({n} * ({n} + 1) / (({n} - 1) * ({n} - 2) * ({n} - 3)) * ({n} * {m4} * pow(({n} - 1) / ({n} * {m2}), 2)) - 3 * pow({n} - 1, 2) / (({n} - 2) * ({n} - 3)))"
    return f"CASE WHEN {n} >= {minimum} THEN {sql} END"


_moments("skewness", 3)
_moments("kurtosis", 4)


FUNCTIONS.add("grouping(T*) integer", "CAST(«grouping({*})» AS INTEGER)", "aggregate")
FUNCTIONS.refuse(
    "Sketches of Trino's kind exist only there: use count(DISTINCT x) or approx_percentile.",
    "approx_set", "merge", "empty_approx_set", "tdigest_agg", "qdigest_agg", "value_at_quantile", "values_at_quantiles",
    "make_set_digest", "merge_set_digest", "approx_most_frequent", "numeric_histogram", "bing_tile",
)  # fmt: skip
FUNCTIONS.refuse(
    "Aggregate with array_agg and reduce.",
    "reduce_agg",
    "map_union",
    "checksum",
    "bitwise_xor_agg",
    "entropy",
    "learn_classifier",
)
FUNCTIONS.refuse(
    "Athena answers it; the local endpoint has no geometry.",
    "st_point",
    "st_distance",
    "st_contains",
    "st_geometryfromtext",
)
FUNCTIONS.refuse(
    "Write the text with || and CAST.",
    "format",
    "format_number",
    "human_readable_seconds",
    "bar",
    "color",
    "render",
    "rgb",
)
FUNCTIONS.refuse("Generate ids in the producer.", "uuid")
FUNCTIONS.refuse("Use BETWEEN on the numbers.", "contains_prefix", "ip_prefix", "is_subnet_of")
