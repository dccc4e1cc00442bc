"""Mathematical and bitwise functions. Sources: Trino documentation, "Mathematical functions", "Bitwise functions"."""

import math

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.casts import fail
from infra.local.athena.sql.functions.registry import FUNCTIONS, Call
from infra.local.athena.sql.tree import Sql, build, join
from infra.local.athena.sql.types import Type, decimal

_INTEGERS = ("tinyint", "smallint", "integer", "bigint")

for of in (*_INTEGERS, "real", "double"):
    FUNCTIONS.add(f"abs({of}) {of}", "abs({0})")
    duck = str(Type(of).duck)
    FUNCTIONS.add(
        f"sign({of}) {of}",
        f"CAST(CASE WHEN isnan(CAST({{0}} AS DOUBLE)) THEN {{0}} ELSE sign({{0}}) END AS {duck})",
    )
    FUNCTIONS.add(
        f"mod({of}, {of}) {of}",
        f"CAST(CASE WHEN {{1}} = -1 THEN {{0}} - {{0}} ELSE {{0}} % {{1}} END AS {duck})",
    )
for of in _INTEGERS:
    for name in ("ceiling", "ceil", "floor", "round"):
        FUNCTIONS.add(f"{name}({of}) {of}", "{0}")
    FUNCTIONS.add(
        f"round({of}, bigint) {of}", f"CAST(round({{0}}, CAST({{1}} AS INTEGER)) AS {Type(of).duck!s})"
    )
for of in ("real", "double"):
    duck = str(Type(of).duck)
    FUNCTIONS.many(
        {
            f"ceiling({of}) {of}": f"CAST(ceil({{0}}) AS {duck})",
            f"ceil({of}) {of}": f"CAST(ceil({{0}}) AS {duck})",
            f"floor({of}) {of}": f"CAST(floor({{0}}) AS {duck})",
            f"round({of}) {of}": f"CAST(round({{0}}) AS {duck})",
            f"truncate({of}) {of}": f"CAST(trunc({{0}}) AS {duck})",
            f"is_nan({of}) boolean": "isnan({0})",
        }
    )

FUNCTIONS.many(
    {
        "cbrt(double) double": "cbrt({0})",
        "degrees(double) double": "degrees({0})",
        "radians(double) double": "radians({0})",
        "exp(double) double": "exp({0})",
        "ln(double) double": "ln({0})",
        "log2(double) double": "log2({0})",
        "log10(double) double": "log10({0})",
        "log(double, double) double": "ln({1}) / ln({0})",
        "pow(double, double) double": "pow({0}, {1})",
        "power(double, double) double": "pow({0}, {1})",
        "sqrt(double) double": "sqrt({0})",
        "acos(double) double": "CASE WHEN abs({0}) > 1 THEN CAST('NaN' AS DOUBLE) ELSE acos({0}) END",
        "asin(double) double": "CASE WHEN abs({0}) > 1 THEN CAST('NaN' AS DOUBLE) ELSE asin({0}) END",
        "atan(double) double": "atan({0})",
        "atan2(double, double) double": "atan2({0}, {1})",
        "cos(double) double": "cos({0})",
        "cosh(double) double": "cosh({0})",
        "sin(double) double": "sin({0})",
        "sinh(double) double": "sinh({0})",
        "tan(double) double": "tan({0})",
        "tanh(double) double": "tanh({0})",
        "pi() double": "pi()",
        "e() double": "CAST('2.718281828459045' AS DOUBLE)",
        "nan() double": "CAST('NaN' AS DOUBLE)",
        "infinity() double": "CAST('Infinity' AS DOUBLE)",
        "is_finite(double) boolean": "isfinite({0})",
        "is_infinite(double) boolean": "isinf({0})",
        "rand() double": "random()",
        "random() double": "random()",
        "bitwise_and(bigint, bigint) bigint": "{0} & {1}",
        "bitwise_or(bigint, bigint) bigint": "{0} | {1}",
        "bitwise_xor(bigint, bigint) bigint": "xor({0}, {1})",
        "bitwise_not(bigint) bigint": "~{0}",
    }
)


def _round_decimal(call: Call) -> tuple[Sql, Type]:
    """One digit more than before, for what rounding up may carry; the scale stays when digits are asked for."""
    given = call.args[0].type
    if len(call.args) == 1:
        of = decimal(min(38, given.precision - given.scale + min(1, given.scale)), 0)
        return build("CAST(round({}, 0) AS {})", call.sqls[0], of.duck), of
    of = decimal(min(38, given.precision + 1), given.scale)
    digits = call.args[1].literal
    if not isinstance(digits, int):
        raise QueryError(
            "NOT_SUPPORTED", "round(decimal, n) needs a literal n at the local endpoint. Write the number."
        )
    return build("CAST(round({}, {}) AS {})", call.sqls[0], digits, of.duck), of


def _whole_decimal(function: str) -> None:
    def rule(call: Call) -> tuple[Sql, Type]:
        given = call.args[0].type
        extra = 0 if function == "trunc" else min(1, given.scale)
        of = decimal(max(1, min(38, given.precision - given.scale + extra)), 0)
        return build("CAST({}({}) AS {})", function, call.sqls[0], of.duck), of

    for name in {"ceil": ("ceil", "ceiling"), "floor": ("floor",), "trunc": ("truncate",)}[function]:
        FUNCTIONS.add(f"{name}(decimal) decimal", rule)


for _function in ("ceil", "floor", "trunc"):
    _whole_decimal(_function)
FUNCTIONS.add("round(decimal) decimal", _round_decimal)
FUNCTIONS.add("round(decimal, bigint) decimal", _round_decimal)
FUNCTIONS.add("abs(decimal) decimal", lambda call: (build("abs({})", call.sqls[0]), call.args[0].type))
FUNCTIONS.add(
    "sign(decimal) decimal",
    lambda call: (build("CAST(sign({}) AS DECIMAL(1,0))", call.sqls[0]), decimal(1, 0)),
)


def _mod_decimal(call: Call) -> tuple[Sql, Type]:
    from infra.local.athena.sql.operators import arithmetic

    made = arithmetic("%", call.args[0], call.args[1], call.session)
    return made.sql, made.type


FUNCTIONS.add("mod(decimal, decimal) decimal", _mod_decimal)


def _round_double(value: float, digits: int) -> float:
    """Halves away from zero on the binary value times the power of ten, as Trino computes it."""
    if math.isnan(value) or math.isinf(value):
        return value
    factor = math.pow(10, digits)
    if value < 0:
        return -math.floor(-value * factor + 0.5) / factor
    return math.floor(value * factor + 0.5) / factor


FUNCTIONS.python("round(double, bigint) double", _round_double)


def _to_base(value: int, radix: int) -> str:
    if not 2 <= radix <= 36:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Radix must be between 2 and 36")
    digits, rest = "", abs(value)
    while rest:
        rest, digit = divmod(rest, radix)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return ("-" if value < 0 else "") + (digits or "0")


def _from_base(text: str, radix: int) -> int:
    try:
        return int(text, radix)
    except ValueError as error:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Not a valid base-{radix} number: {text}") from error


def _width_bucket(value: float, low: float, high: float, count: int) -> int:
    if count <= 0 or low == high or math.isnan(value) or not (math.isfinite(low) and math.isfinite(high)):
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT",
            "width_bucket needs a number, finite bounds that differ, and a bucketCount greater than 0",
        )
    if low < high:
        return (
            0
            if value < low
            else count + 1
            if value >= high
            else int(count * (value - low) / (high - low)) + 1
        )
    return count + 1 - _width_bucket(value, high, low, count)


def _define_shifts(of: str, bits: int) -> None:
    def signed(value: int) -> int:
        value &= 2**bits - 1
        return value - 2**bits if value >= 2 ** (bits - 1) else value

    def places(by: int) -> int:
        """Java takes the low bits of a negative number."""
        return by if by >= 0 else by & 63

    def left(value: int, by: int) -> int:
        return signed(value << places(by)) if by < bits else 0

    def right(value: int, by: int) -> int:
        return signed((value % 2**bits) >> places(by)) if by < bits else 0

    def arithmetic(value: int, by: int) -> int:
        return value >> min(places(by), bits - 1)

    FUNCTIONS.python(f"bitwise_left_shift({of}, integer) {of}", left)
    FUNCTIONS.python(f"bitwise_right_shift({of}, integer) {of}", right)
    FUNCTIONS.python(f"bitwise_right_shift_arithmetic({of}, integer) {of}", arithmetic)


FUNCTIONS.python("to_base(bigint, bigint) varchar", _to_base)
FUNCTIONS.python("from_base(varchar, bigint) bigint", _from_base)
FUNCTIONS.python("width_bucket(double, double, double, bigint) bigint", _width_bucket)
for _of, _bits in (("tinyint", 8), ("smallint", 16), ("integer", 32), ("bigint", 64)):
    _define_shifts(_of, _bits)


def _extreme(smallest: bool) -> None:
    """NULL when any argument is NULL; DuckDB's own functions leave NULLs out. NaN only where all are NaN."""

    def rule(call: Call) -> tuple[Sql, Type]:
        of = call.types["T"]
        checks = join(" OR ", (build("{} IS NULL", sql) for sql in call.sqls))
        found = build("{}({})", "least" if smallest else "greatest", join(", ", call.sqls))
        if of.is_float and not smallest:  # to DuckDB NaN is the largest number
            numbers = join(
                ", ", (build("CASE WHEN NOT isnan({}) THEN {} END", sql, sql) for sql in call.sqls)
            )
            found = build("coalesce(greatest({}), CAST('NaN' AS {}))", numbers, of.duck)
        return build("CASE WHEN {} THEN NULL ELSE {} END", checks, found), of

    FUNCTIONS.add(f"{'least' if smallest else 'greatest'}(T*) T", rule)


_extreme(smallest=True)
_extreme(smallest=False)


def _random_below(call: Call) -> tuple[Sql, Type]:
    low, high = ("0", call.sqls[0]) if len(call.args) == 1 else (call.sqls[0], call.sqls[1])
    bad = fail("INVALID_FUNCTION_ARGUMENT", "'bound must be positive'", call.types["T"].duck)
    sql = build(
        "CASE WHEN {} <= {} THEN {} ELSE {} + CAST(floor(random() * ({} - {})) AS {}) END",
        high,
        low,
        bad,
        low,
        high,
        low,
        call.types["T"].duck,
    )
    return sql, call.types["T"]


for _name in ("rand", "random"):
    FUNCTIONS.add(f"{_name}(T) T", _random_below)
    FUNCTIONS.add(f"{_name}(T, T) T", _random_below)

FUNCTIONS.refuse(
    "Compute it outside the query.",
    "beta_cdf inverse_beta_cdf inverse_normal_cdf normal_cdf wilson_interval_lower "
    "wilson_interval_upper cosine_similarity cosine_distance t_cdf t_pdf bit_count",
)
