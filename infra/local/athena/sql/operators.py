"""Trino's operators: result types, exact decimals, and comparisons that know NaN and NULL inside arrays."""

from collections.abc import Callable
from dataclasses import replace
from decimal import ROUND_HALF_UP, Context, Decimal

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.casts import cast, coerce, zone
from infra.local.athena.sql.functions.registry import Session, Udf
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import Sql, build, join, quoted, text
from infra.local.athena.sql.types import (
    BOOLEAN,
    DAY_TO_SECOND,
    DOUBLE,
    YEAR_TO_MONTH,
    Type,
    as_decimal,
    common,
    decimal,
)

_EXACT = Context(prec=80, rounding=ROUND_HALF_UP)


def mismatch(operator: str, left: Type, right: Type) -> QueryError:
    """Trino's complaint about operands that do not fit."""
    return QueryError("TYPE_MISMATCH", f"Cannot apply operator: {left} {operator} {right}")


def arithmetic(operator: str, left: Typed, right: Typed, session: Session) -> Typed:
    """`left operator right` for + - * / %. Raises QueryError TYPE_MISMATCH."""
    refs = left.refs | right.refs
    kinds = (left.type, right.type)
    if any(t.is_interval or t.name in ("date", "time") or t.name.startswith("timestamp") for t in kinds):
        sql, of = _time(operator, left, right)
        return Typed(sql, of, refs)
    both = common(left.type, right.type)
    if both is None or not (both.is_number or both.name == "unknown"):
        raise mismatch(operator, left.type, right.type)
    if both.name == "unknown" and operator == "%":
        both = Type("tinyint")
    if both.name == "unknown":
        raise QueryError(
            "AMBIGUOUS_FUNCTION_CALL", f"Could not choose a type for NULL {operator} NULL. Cast one."
        )
    if both.name == "decimal":
        return _decimal(operator, left, right, session)
    a, b = coerce(left, both).sql, coerce(right, both).sql
    symbol = "//" if operator == "/" and both.is_integer else operator
    sql = build("({} {} {})", a, symbol, b)
    if operator == "%" and both.is_integer:  # DuckDB divides, and the smallest number by -1 is too large
        sql = build("(CASE WHEN {} = -1 THEN {} - {} ELSE {} % {} END)", b, a, a, a, b)
    # DuckDB widens some results (tinyint, real); the type of Trino's result is the operands'.
    return Typed(
        sql if both.name in ("integer", "bigint", "double") else build("CAST({} AS {})", sql, both.duck),
        both,
        refs,
    )


def decimal_result(operator: str, a: Type, b: Type) -> Type:
    """Precision and scale of a decimal operation (Trino documentation, decimal functions and operators)."""
    scale = max(a.scale, b.scale)
    if operator in "+-":
        return decimal(min(38, 1 + scale + max(a.precision - a.scale, b.precision - b.scale)), scale)
    if operator == "*":
        return decimal(min(38, a.precision + b.precision), a.scale + b.scale)
    if operator == "/":
        return decimal(min(38, a.precision + b.scale + max(0, b.scale - a.scale)), scale)
    return decimal(min(38, min(a.precision - a.scale, b.precision - b.scale) + scale), scale)


def _decimal(operator: str, left: Typed, right: Typed, session: Session) -> Typed:
    a, b = as_decimal(left.type) if left.type.name != "unknown" else decimal(1, 0), decimal(1, 0)
    b = as_decimal(right.type) if right.type.name != "unknown" else b
    of = decimal_result(operator, a, b)
    if of.scale > 38:
        raise QueryError(
            "NUMERIC_VALUE_OUT_OF_RANGE", f"DECIMAL scale must be in range [0, precision (38)]: {of.scale}"
        )
    x, y = cast(left, a).sql, cast(right, b).sql
    refs = left.refs | right.refs
    if operator in "+-*" and of.precision < 38:
        return Typed(build("CAST({} {} {} AS {})", x, operator, y, of.duck), of, refs)
    names = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "remainder"}
    types = f"{a.precision}_{a.scale}_{b.precision}_{b.scale}"
    udf = Udf(f"t_decimal_{names[operator]}_{types}", _exact(operator, of), (a, b), of)
    return Typed(build("{}({}, {})", session.use(udf), x, y), of, refs)


def _exact(operator: str, of: Type) -> Callable[[Decimal, Decimal], Decimal]:
    unit, limit = Decimal(1).scaleb(-of.scale), Decimal(10) ** (of.precision - of.scale)
    operations: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
        "+": _EXACT.add,
        "-": _EXACT.subtract,
        "*": _EXACT.multiply,
        "/": _EXACT.divide,
        "%": _EXACT.remainder,
    }

    def calculate(a: Decimal, b: Decimal) -> Decimal:
        if operator in "/%" and not b:
            raise QueryError("DIVISION_BY_ZERO", "Division by zero")
        result = operations[operator](a, b).quantize(unit, context=_EXACT)
        if abs(result) >= limit:
            raise QueryError("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow")
        return result

    return calculate


def _time(operator: str, left: Typed, right: Typed) -> tuple[Sql, Type]:
    a, b = left.type, right.type
    if operator == "+" and a.is_interval and not b.is_interval:
        return _time(operator, right, left)
    if operator in "+-" and b.is_interval:
        if a == b:
            return build("({} {} {})", left.sql, operator, right.sql), a
        if a.name == "timestamp":
            digits = a if b == YEAR_TO_MONTH else replace(a, args=(max(3, a.precision),))
            return build("({} {} {})", left.sql, operator, right.sql), digits
        if a.name == "date":
            return build("CAST({} {} {} AS DATE)", left.sql, operator, _whole_days(right)), a
        if a.name == "time" and b == DAY_TO_SECOND:
            return build("({} {} {})", left.sql, operator, right.sql), a
        if a.name == "timestamp with time zone":
            if b == DAY_TO_SECOND or zone(a) == "UTC":
                return build("({} {} {})", left.sql, operator, right.sql), a
            name = text(zone(a))
            return build("timezone({}, timezone({}, {}) {} {})", name, name, left.sql, operator, right.sql), a
    if operator == "-" and a.name == b.name and a.name in ("date", "timestamp", "timestamp with time zone"):
        passed = build("(epoch_us({}) - epoch_us({}))", left.sql, right.sql)
        return build("t_span(CAST(round({} / 1000) AS BIGINT) * 1000)", passed), DAY_TO_SECOND
    if operator == "-" and (both := common(a, b)) is not None and both.name.startswith("timestamp"):
        return _time(operator, coerce(left, both), coerce(right, both))
    if operator == "*" and b.is_interval and not a.is_interval:
        return _time(operator, right, left)
    if operator in "*/" and a.is_interval and b.is_number:
        factor = coerce(right, DOUBLE).sql if not b.is_integer or operator == "/" else right.sql
        if a == DAY_TO_SECOND:
            return (
                build(
                    "t_span(CAST(trunc(epoch({}) * 1000 {} {}) AS BIGINT) * 1000)",
                    left.sql,
                    operator,
                    factor,
                ),
                a,
            )
        months = build("(date_part('year', {}) * 12 + date_part('month', {}))", left.sql, left.sql)
        return build("to_months(CAST(trunc({} {} {}) AS INTEGER))", months, operator, factor), YEAR_TO_MONTH
    raise mismatch(operator, a, b)


def _whole_days(interval: Typed) -> Sql:
    if interval.type == YEAR_TO_MONTH:
        return interval.sql
    return build("t_whole_days({})", interval.sql)


def compare(operator: str, left: Typed, right: Typed) -> Typed:
    """`left operator right` for = <> < <= > >=. Raises QueryError TYPE_MISMATCH."""
    both = common(left.type, right.type)
    if both is None or both.name in ("json",):
        raise mismatch(operator, left.type, right.type)
    a, b = coerce(left, both), coerce(right, both)
    return Typed(_compare(operator, a, b, both), BOOLEAN, left.refs | right.refs)


def _compare(operator: str, a: Typed, b: Typed, of: Type) -> Sql:
    sql = build("({} {} {})", a.sql, operator, b.sql)
    if of.is_float:  # in DuckDB NaN equals itself and is the largest
        doubtful = [x.sql for x in (a, b) if x.literal is None]
        if operator == "<>":
            return build("({})", join(" OR ", [sql, *(build("isnan({})", x) for x in doubtful)]))
        return build("({})", join(" AND ", [sql, *(build("NOT isnan({})", x) for x in doubtful)]))
    if of.name in ("array", "map", "row") and operator in ("=", "<>"):
        equal = _equal_nested(a, b, of)
        return equal if operator == "=" else build("(NOT {})", equal)
    if of.name == "map" or (of.name in ("array", "row") and operator not in ("=", "<>")):
        if of.name == "map":
            raise mismatch(operator, of, of)
        return build("t_ordered({} OR {}, {})", _has_null(a, of), _has_null(b, of), sql)
    return sql


def _equal_nested(a: Typed, b: Typed, of: Type) -> Sql:
    """NULL inside makes the answer NULL, unless something else differs."""
    if of.name == "row":
        parts = [_compare("=", _part(a, of, i), _part(b, of, i), inner) for i, inner in enumerate(of.of)]
        return build("({})", join(" AND ", parts))
    if of.name == "map":
        keys = build("list_sort(map_keys({})) = list_sort(map_keys({}))", a.sql, b.sql)
        value = build("map_extract_value({}, k)", b.sql)
        each = _compare(
            "=", Typed(build("map_extract_value({}, k)", a.sql), of.of[1]), Typed(value, of.of[1]), of.of[1]
        )
        found = build("list_transform(map_keys({}), lambda k: {})", a.sql, each)
        return build("(CASE WHEN {} THEN t_all({}) WHEN NOT ({}) THEN false END)", keys, found, keys)
    inner = of.of[0]
    each = _compare("=", Typed(build("p[1]"), inner), Typed(build("p[2]"), inner), inner)
    found = build("list_transform(list_zip({}, {}), lambda p: {})", a.sql, b.sql, each)
    return build("(CASE WHEN len({}) <> len({}) THEN false ELSE t_all({}) END)", a.sql, b.sql, found)


def _part(value: Typed, of: Type, index: int) -> Typed:
    return Typed(build("({}).{}", value.sql, _field(of, index)), of.of[index])


def _field(of: Type, index: int) -> Sql:
    return quoted(of.stored_names[index])


def _has_null(value: Typed, of: Type) -> Sql:
    if of.name == "row":
        tests = (build("({}).{} IS NULL", value.sql, _field(of, i)) for i in range(len(of.of)))
        return build("({})", join(" OR ", tests))
    return build("coalesce(list_bool_or(list_transform({}, lambda e: e IS NULL)), false)", value.sql)


def concat(left: Typed, right: Typed) -> Typed:
    """`left || right`: text, bytes, arrays, an array and an element."""
    a, b = left.type, right.type
    refs = left.refs | right.refs
    if {a.name, b.name} == {"array", "unknown"}:
        raise QueryError(
            "AMBIGUOUS_FUNCTION_CALL", "Could not choose a best candidate operator. Cast the NULL."
        )
    if "unknown" in (a.name, b.name) and (a.is_text or b.is_text):  # Trino reads NULL || text as arrays
        of = Type("array", of=(a if a.is_text else b,))
        return Typed(build("CAST(NULL AS {})", of.duck), of, refs)
    if {a.name, b.name} <= {"varchar", "char"}:
        if "char" in (a.name, b.name) and a.args and b.args:
            return Typed(
                build("({} || {})", left.sql, right.sql), Type("char", (a.args[0] + b.args[0],)), refs
            )
        if "char" in (a.name, b.name):
            raise QueryError(
                "TYPE_MISMATCH", f"Cast {a} || {b} to varchar: a char has a length, and this one none"
            )
        length = (a.args[0] + b.args[0],) if a.args and b.args and a.name == b.name == "varchar" else ()
        return Typed(build("({} || {})", left.sql, right.sql), Type("varchar", length), refs)
    if a.name == "array" or b.name == "array":
        return _concat_arrays(left, right)
    if a.name == b.name == "varbinary":
        return Typed(build("({} || {})", left.sql, right.sql), a, refs)
    raise QueryError(
        "TYPE_MISMATCH", f"Unexpected parameters ({a}, {b}) for function concat. Cast them to varchar."
    )


def _concat_arrays(left: Typed, right: Typed) -> Typed:
    a, b = left.type, right.type
    if a.name == b.name == "array" and a != b and "unknown" in (a.of[0].name, b.of[0].name):
        raise QueryError(
            "AMBIGUOUS_FUNCTION_CALL", f"Could not choose between readings of {a} || {b}. Cast one of them."
        )
    element = common(a.of[0] if a.name == "array" else a, b.of[0] if b.name == "array" else b)
    if element is None:
        raise QueryError("TYPE_MISMATCH", f"Unexpected parameters ({a}, {b}) for function concat.")
    of = Type("array", of=(element,))
    parts = [
        coerce(x, of).sql if x.type.name == "array" else build("[{}]", coerce(x, element).sql)
        for x in (left, right)
    ]
    # DuckDB reads a NULL array as an empty one; in Trino the result is NULL.
    checks = join(" OR ", (build("{} IS NULL", x.sql) for x in (left, right) if x.type.name == "array"))
    return Typed(
        build("(CASE WHEN {} THEN NULL ELSE list_concat({}) END)", checks, join(", ", parts)),
        of,
        left.refs | right.refs,
    )
