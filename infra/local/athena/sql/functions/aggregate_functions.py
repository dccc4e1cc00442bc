"""Aggregate functions. Source: Trino documentation, "Aggregate functions".

« » marks DuckDB's aggregate inside a rule (see `sql.aggregates`). What Trino approximates is exact here: an exact
answer is one of those that Trino may give.
"""

from decimal import Decimal

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.functions.registry import FUNCTIONS, Call, Udf
from infra.local.athena.sql.tree import Sql, build, join, number
from infra.local.athena.sql.types import Type, array, decimal

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
        "covar_pop(double, double) double": "«covar_pop({0}, {1})»",
        "covar_samp(double, double) double": "«covar_samp({0}, {1})»",
        "geometric_mean(double) double": "exp(«avg(ln({0}))»)",
        "bitwise_and_agg(bigint) bigint": "«bit_and({0})»",
        "bitwise_or_agg(bigint) bigint": "«bit_or({0})»",
        "map_agg(K, V) map(K, V)": "t_first_pairs(«list(CASE WHEN {0} IS NOT NULL THEN struct_pack(k := {0}, v := {1}) END)»)",
        "multimap_agg(K, V) map(K, array(V))": "t_grouped_pairs(«list(CASE WHEN {0} IS NOT NULL THEN struct_pack(k := {0}, v := {1}) END)»)",
        "histogram(T) map(T, bigint)": "t_histogram(«list({0})»)",
    },
    "aggregate",
)


def _without_nan(value: Sql) -> Sql:
    return build("CASE WHEN NOT isnan({}) THEN {} END", value, value)


def _comparable(of: Type) -> Type:
    if of.name in ("array", "row"):
        raise refused(f"The smallest or largest {of}", "Compare its elements.")
    return of


def _min(call: Call) -> tuple[Sql, Type]:
    return build("«min({})»", call.sqls[0]), _comparable(call.types["T"])


def _max(call: Call) -> tuple[Sql, Type]:
    """To Trino's max NaN is the smallest number, to DuckDB's the largest."""
    of, value = _comparable(call.types["T"]), call.sqls[0]
    if of.is_float:
        return build("coalesce(«max({})», «max({})»)", _without_nan(value), value), of
    return build("«max({})»", value), of


def _max_by(call: Call) -> tuple[Sql, Type]:
    of, (value, key) = call.types["T"], call.sqls
    if call.types["U"].is_float:
        pair = build("struct_pack(a := NOT isnan({}), b := {})", key, key)
        key = build("CASE WHEN {} IS NOT NULL THEN {} END", key, pair)
    return build("«arg_max_null({}, {})»", value, key), of


FUNCTIONS.add("min(T) T", _min, "aggregate")
FUNCTIONS.add("max(T) T", _max, "aggregate")
FUNCTIONS.add("max_by(T, U) T", _max_by, "aggregate")
for _name in ("covar_pop", "covar_samp"):
    FUNCTIONS.add(
        f"{_name}(real, real) real",
        f"CAST(«{_name}(CAST({{0}} AS DOUBLE), CAST({{1}} AS DOUBLE))» AS FLOAT)",
        "aggregate",
    )


for _name in ("corr", "regr_slope", "regr_intercept"):
    _call = f"«{_name}(CAST({{0}} AS DOUBLE), CAST({{1}} AS DOUBLE))»"
    _finite = f"CASE WHEN isfinite({_call}) THEN {_call} END"  # Trino's is NULL where nothing is spread
    FUNCTIONS.add(f"{_name}(double, double) double", _finite, "aggregate")
    FUNCTIONS.add(f"{_name}(real, real) real", f"CAST({_finite} AS FLOAT)", "aggregate")


def _sum(call: Call) -> tuple[Sql, Type]:
    given = call.args[0].type
    if given.is_integer or given.name == "unknown":
        return build("CAST(«sum({})» AS BIGINT)", call.sqls[0]), Type("bigint")
    if given.name == "decimal":
        of = decimal(38, given.scale)
        return build("CAST(«sum({})» AS {})", call.sqls[0], of.duck), of
    if given.is_float:
        return build("CAST(«sum({})» AS {})", call.sqls[0], given.duck), given
    if given.is_interval and given.name == "interval day to second":
        return build("to_microseconds(CAST(«sum(epoch({}) * 1000000)» AS BIGINT))", call.sqls[0]), given
    raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({given}) for function sum")


FUNCTIONS.add("sum(any) any", _sum, "aggregate")


def _avg_decimal(call: Call) -> tuple[Sql, Type]:
    from infra.local.athena.sql.operators import _exact

    given = call.args[0].type
    total, count = decimal(38, given.scale), decimal(19, 0)
    udf = Udf(f"t_average_{given.precision}_{given.scale}", _exact("/", given), (total, count), given)
    name = call.session.use(udf)
    value = call.sqls[0]
    divided = build(
        "{}(CAST(«sum({})» AS {}), CAST(«count({})» AS {}))", name, value, total.duck, value, count.duck
    )
    return build("CASE WHEN «count({})» > 0 THEN {} END", value, divided), given


FUNCTIONS.add("avg(decimal) decimal", _avg_decimal, "aggregate")
FUNCTIONS.add("avg(real) real", "CAST(«avg({0})» AS FLOAT)", "aggregate")


def _percentile(call: Call) -> tuple[Sql, Type]:
    """The value at position floor(p * n) from 0, as Trino's digests give it where they are exact.

    DuckDB's position is ceil(p * n) - 1; counted from the largest value with 1 - p it is Trino's.
    """
    of, at = call.args[0].type, call.args[1]
    if not isinstance(at.literal, (float, str, int, list)):
        raise refused("approx_percentile with a computed percentage", "Write the percentage as a number.")
    shares = at.literal if isinstance(at.literal, list) else [at.literal]
    picked = [_share(call.sqls[0], Decimal(str(share))) for share in shares]
    if isinstance(at.literal, list):
        return build("CASE WHEN «count({})» > 0 THEN [{}] END", call.sqls[0], join(", ", picked)), array(of)
    return picked[0], of


def _share(value: Sql, share: Decimal) -> Sql:
    if not 0 <= share <= 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Percentile must be between 0 and 1")
    return (
        build("«max({})»", value)
        if share == 1
        else build("«quantile_disc({}, -{})»", value, number(1 - share))
    )


for _of in ("bigint", "real", "double"):
    FUNCTIONS.add(f"approx_percentile({_of}, double) {_of}", _percentile, "aggregate")
    FUNCTIONS.add(f"approx_percentile({_of}, array(double)) array({_of})", _percentile, "aggregate")


def _refuse(what: str, remedy: str, *signatures: str) -> None:
    def rule(_: Call) -> tuple[Sql, Type]:
        raise refused(what, remedy)

    for signature in signatures:
        FUNCTIONS.add(signature, rule, "aggregate")


_refuse(
    "approx_percentile with a weight",
    "Repeat the values, or compute it outside the query.",
    "approx_percentile(T, double, double) T",
    "approx_percentile(T, bigint, double, double) T",
)
_refuse(
    "The smallest or largest of several values",
    "Use slice(array_sort(array_agg(x)), 1, n).",
    *(f"{name}(T, bigint) array(T)" for name in ("min", "max")),
    *(f"{name}_by(T, U, bigint) array(T)" for name in ("min", "max")),
)
FUNCTIONS.add("grouping(any*) integer", "CAST(«grouping({*})» AS INTEGER)", "aggregate")
FUNCTIONS.refuse(
    "Sketches of Trino's kind exist only there: use count(DISTINCT x) or approx_percentile.",
    "approx_set merge empty_approx_set tdigest_agg qdigest_agg value_at_quantile "
    "values_at_quantiles make_set_digest merge_set_digest approx_most_frequent numeric_histogram "
    "bing_tile",
)
FUNCTIONS.refuse(
    "Aggregate with array_agg and reduce.",
    "reduce_agg map_union checksum bitwise_xor_agg entropy learn_classifier skewness kurtosis",
)
FUNCTIONS.refuse(
    "Athena answers it; the local endpoint has no geometry.",
    "st_point st_distance st_contains st_geometryfromtext",
)
FUNCTIONS.refuse(
    "Write the text with || and CAST.", "format format_number human_readable_seconds bar color render rgb"
)
FUNCTIONS.refuse("Generate ids in the producer.", "uuid")
FUNCTIONS.refuse("Use BETWEEN on the numbers.", "contains_prefix ip_prefix is_subnet_of")
