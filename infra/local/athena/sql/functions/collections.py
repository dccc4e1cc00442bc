"""Arrays, maps, lambdas. Sources: Trino documentation, "Array functions", "Map functions", "Lambda expressions"."""

from typing import Any

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.casts import cast, fail
from infra.local.athena.sql.functions.registry import FUNCTIONS, MOST_ENTRIES, Call
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import Sql, build, join
from infra.local.athena.sql.types import BIGINT, BOOLEAN, VARCHAR, Type, array

_NULLS = "list_filter({0}, lambda e: e IS NULL)"

FUNCTIONS.many(
    {
        "cardinality(array(T)) bigint": "CAST(len({0}) AS BIGINT)",
        "cardinality(map(K, V)) bigint": "CAST(cardinality({0}) AS BIGINT)",
        "array_distinct(array(T)) array(T)": "list_filter({0}, lambda e, i: list_position({0}, e) = i)",
        "array_except(array(T), array(T)) array(T)": (
            "list_filter({0}, lambda e, i: list_position({0}, e) = i AND list_position({1}, e) IS NULL)"
        ),
        "array_intersect(array(T), array(T)) array(T)": (  # in the order of the longer one
            "CASE WHEN {1} IS NULL THEN NULL WHEN len({1}) > len({0}) THEN "
            "list_filter({1}, lambda e, i: list_position({1}, e) = i AND list_position({0}, e) IS NOT NULL) ELSE "
            "list_filter({0}, lambda e, i: list_position({0}, e) = i AND list_position({1}, e) IS NOT NULL) END"
        ),
        "array_union(array(T), array(T)) array(T)": (
            "CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL ELSE "
            "list_filter(list_concat({0}, {1}), lambda e, i: list_position(list_concat({0}, {1}), e) = i) END"
        ),
        "array_min(array(T)) T": f"CASE WHEN len({_NULLS}) > 0 THEN NULL ELSE list_min({{0}}) END",
        "array_remove(array(T), T) array(T)": "CASE WHEN {1} IS NULL THEN NULL ELSE list_filter({0}, lambda e: e IS DISTINCT FROM {1}) END",
        "array_sort(array(T)) array(T)": "list_sort({0}, 'ASC', 'NULLS LAST')",
        "arrays_overlap(array(T), array(T)) boolean": (
            "CASE WHEN {0} IS NULL OR {1} IS NULL THEN NULL WHEN list_has_any({0}, {1}) THEN true "
            "WHEN len({0}) > 0 AND len({1}) > 0 AND (len(list_filter({0}, lambda e: e IS NULL)) > 0 "
            "OR len(list_filter({1}, lambda e: e IS NULL)) > 0) THEN NULL ELSE false END"
        ),
        "element_at(map(K, V), K) V": "map_extract_value({0}, {1})",
        "filter(array(T), function(T, boolean)) array(T)": "list_filter({0}, {1})",
        "flatten(array(array(T))) array(T)": "flatten({0})",
        "map_keys(map(K, V)) array(K)": "map_keys({0})",
        "map_values(map(K, V)) array(V)": "map_values({0})",
        "reverse(array(T)) array(T)": "list_reverse({0})",
        "transform(array(T), function(T, U)) array(U)": "list_transform({0}, {1})",
        "any_match(array(T), function(T, boolean)) boolean": "t_any(list_transform({0}, {1}))",
        "all_match(array(T), function(T, boolean)) boolean": "t_all(list_transform({0}, {1}))",
        "none_match(array(T), function(T, boolean)) boolean": "NOT t_any(list_transform({0}, {1}))",
    }
)


def _at(sql: Sql, index: Sql) -> Sql:
    return build("list_extract({}, {})", sql, index)


def _element_at(call: Call) -> tuple[Sql, Type]:
    value, index = call.sqls
    zero = fail("INVALID_FUNCTION_ARGUMENT", "'SQL array indices start at 1'", call.types["T"].duck)
    return build("CASE WHEN {} = 0 THEN {} ELSE {} END", index, zero, _at(value, index)), call.types["T"]


def _array_subscript(call: Call) -> tuple[Sql, Type]:
    value, index = call.sqls
    of = call.types["T"]
    zero = fail("INVALID_FUNCTION_ARGUMENT", "'SQL array indices start at 1'", of.duck)
    negative = fail(
        "INVALID_FUNCTION_ARGUMENT", build("'Array subscript is negative: ' || {}", index), of.duck
    )
    message = build(
        "'Array subscript must be less than or equal to array length: ' || {} || ' > ' || len({})",
        index,
        value,
    )
    outside = fail("INVALID_FUNCTION_ARGUMENT", message, of.duck)
    return (
        build(
            "CASE WHEN {0} = 0 THEN {2} WHEN {0} < 0 THEN {3} WHEN {0} > len({1}) THEN {4} ELSE {5} END",
            index,
            value,
            zero,
            negative,
            outside,
            _at(value, index),
        ),
        of,
    )


def _map_subscript(call: Call) -> tuple[Sql, Type]:
    value, key = call.sqls
    of = call.types["V"]
    shown = cast(Typed(key, call.types["K"]), VARCHAR).sql
    missing = fail("INVALID_FUNCTION_ARGUMENT", build("'Key not present in map: ' || {}", shown), of.duck)
    found = build("map_extract_value({}, {})", value, key)
    return (
        build(
            "CASE WHEN {} IS NULL OR {} IS NULL THEN NULL WHEN map_contains({}, {}) THEN {} ELSE {} END",
            value,
            key,
            value,
            key,
            found,
            missing,
        ),
        of,
    )


FUNCTIONS.add("element_at(array(T), bigint) T", _element_at)
FUNCTIONS.add("[](array(T), bigint) T", _array_subscript)
FUNCTIONS.add("[](map(K, V), K) V", _map_subscript)


def _slice(call: Call) -> tuple[Sql, Type]:
    value, start, length = call.sqls
    of = array(call.types["T"])
    zero = fail("INVALID_FUNCTION_ARGUMENT", "'SQL array indices start at 1'", of.duck)
    negative = fail("INVALID_FUNCTION_ARGUMENT", "'length must be greater than or equal to 0'", of.duck)
    first = build("CASE WHEN {} < 0 THEN len({}) + {} + 1 ELSE {} END", start, value, start, start)
    return (
        build(
            "CASE WHEN {0} IS NULL OR {2} IS NULL OR {5} IS NULL THEN NULL WHEN {0} = 0 THEN {1} WHEN {2} < 0 THEN {3} WHEN {4} < 1 THEN [] "
            "ELSE list_slice({5}, {4}, {4} + least({2}, len({5})) - 1) END",
            start,
            zero,
            length,
            negative,
            first,
            value,
        ),
        of,
    )


def _repeat(call: Call) -> tuple[Sql, Type]:
    (value, count), of = call.sqls, array(call.types["T"])
    outside = fail(
        "INVALID_FUNCTION_ARGUMENT",
        f"'count argument of repeat function must be between 0 and {MOST_ENTRIES}'",
        of.duck,
    )
    # DuckDB evaluates every branch of a CASE over constants: the list itself must stay short.
    listed = build("list_transform(range(least({}, {})), lambda i: {})", count, MOST_ENTRIES, value)
    return build(
        "CASE WHEN {} IS NULL THEN NULL WHEN {} < 0 OR {} > {} THEN {} ELSE {} END",
        count, count, count, MOST_ENTRIES, outside, listed,
    ), of  # fmt: skip


FUNCTIONS.add("repeat(T, bigint) array(T)", _repeat)


FUNCTIONS.add("slice(array(T), bigint, bigint) array(T)", _slice)


def _array_join(call: Call) -> tuple[Sql, Type]:
    inner = call.args[0].type.of[0] if call.args[0].type.name == "array" else VARCHAR
    element = cast(Typed(build("e"), inner), VARCHAR).sql
    if len(call.args) == 3:
        kept = build("list_transform({}, lambda e: coalesce({}, {}))", call.sqls[0], element, call.sqls[2])
    else:
        kept = build(
            "list_transform(list_filter({}, lambda e: e IS NOT NULL), lambda e: {})", call.sqls[0], element
        )
    return (
        build(
            "CASE WHEN {} THEN NULL ELSE coalesce(array_to_string({}, {}), '') END",
            join(" OR ", (build("{} IS NULL", sql) for sql in call.sqls)),
            kept,
            call.sqls[1],
        ),
        VARCHAR,
    )


FUNCTIONS.add("array_join(array(T), varchar) varchar", _array_join)
FUNCTIONS.add("array_join(array(T), varchar, varchar) varchar", _array_join)


def _zip(call: Call) -> tuple[Sql, Type]:
    of = array(Type("row", of=tuple(arg.type.of[0] for arg in call.args), names=("",) * len(call.args)))
    fields = join(
        ", ",
        (build("field{} := list_extract({}, CAST(i AS BIGINT))", i, sql) for i, sql in enumerate(call.sqls)),
    )
    longest = build("greatest({})", join(", ", (build("len({})", sql) for sql in call.sqls)))
    checks = join(" OR ", (build("{} IS NULL", sql) for sql in call.sqls))
    return (
        build(
            "CASE WHEN {} THEN NULL ELSE list_transform(generate_series(1, {}), lambda i: struct_pack({})) END",
            checks,
            longest,
            fields,
        ),
        of,
    )


FUNCTIONS.add("zip(array(A), array(B)) any", _zip)
FUNCTIONS.add("zip(array(A), array(B), array(C)) any", _zip)
FUNCTIONS.add("zip(array(A), array(B), array(C), array(D)) any", _zip)


def _zip_with(call: Call) -> tuple[Sql, Type]:
    body = call.function(2).applied(*(build("list_extract({}, zi)", sql) for sql in call.sqls[:2]))
    longest = build("greatest(len({}), len({}))", call.sqls[0], call.sqls[1])
    return build("list_transform(generate_series(1, {}), lambda zi: {})", longest, body), array(
        call.types["U"]
    )


FUNCTIONS.add("zip_with(array(A), array(B), function(A, B, U)) array(U)", _zip_with)


def _reduce(call: Call) -> tuple[Sql, Type]:
    """reduce(array, start, (state, element) -> state, state -> result)."""
    state, result = call.types["S"], call.types["R"]
    step_of = call.function(2)
    s, e = step_of.names
    # DuckDB folds with elements and state of one type: each step carries both.
    body = step_of.applied(build("{}.s", s), build("{}.e", e))
    element = call.types["T"]
    items = build(
        "list_transform({}, lambda x: struct_pack(s := CAST(NULL AS {}), e := x))", call.sqls[0], state.duck
    )
    start = build(
        "struct_pack(s := CAST({} AS {}), e := CAST(NULL AS {}))", call.sqls[1], state.duck, element.duck
    )
    step = build(
        "lambda {}, {}: struct_pack(s := CAST({} AS {}), e := CAST(NULL AS {}))",
        s,
        e,
        body,
        state.duck,
        element.duck,
    )
    folded = build("(list_reduce({}, {}, {})).s", items, step, start)
    sql = build("list_extract(list_transform([{}], {}), 1)", folded, call.sqls[3])
    return build("CASE WHEN {} IS NULL THEN NULL ELSE {} END", call.sqls[0], sql), result


FUNCTIONS.add("reduce(array(T), S, function(S, T, S), function(S, R)) R", _reduce)


def _sort_by(_: Call) -> tuple[Sql, Type]:
    raise QueryError(
        "NOT_SUPPORTED",
        "array_sort with a comparator is not supported by the local endpoint. Use array_sort(array).",
    )


FUNCTIONS.add("array_sort(array(T), function(T, T, bigint)) array(T)", _sort_by)


def _array_max(call: Call) -> tuple[Sql, Type]:
    """NULL when an element is; NaN only where all are NaN, which DuckDB takes for the largest number."""
    of, listed = call.types["T"], call.sqls[0]
    largest = build("list_max({})", listed)
    if of.is_float:
        numbers = build("list_filter({}, lambda e: NOT isnan(e))", listed)
        largest = build("coalesce(list_max({}), {})", numbers, largest)
    nulls = build("len(list_filter({}, lambda e: e IS NULL)) > 0", listed)
    return build("CASE WHEN {} THEN NULL ELSE {} END", nulls, largest), of


def _unequal_to_all(call: Call) -> Sql:
    """Whether the wanted element equals none, not even itself."""
    return build("isnan({})", call.sqls[1]) if call.types["T"].is_float else build("false")


def _contains(call: Call) -> tuple[Sql, Type]:
    listed, wanted = call.sqls
    nulls = build("len(list_filter({}, lambda e: e IS NULL)) > 0", listed)
    return build(
        "CASE WHEN {} IS NULL OR {} IS NULL THEN NULL WHEN list_contains({}, {}) AND NOT {} THEN true "
        "WHEN {} THEN NULL ELSE false END",
        listed, wanted, listed, wanted, _unequal_to_all(call), nulls,
    ), BOOLEAN  # fmt: skip


def _array_position(call: Call) -> tuple[Sql, Type]:
    listed, wanted = call.sqls
    return build(
        "CASE WHEN {} IS NULL OR {} IS NULL THEN NULL WHEN {} THEN 0 "
        "ELSE CAST(coalesce(list_position({}, {}), 0) AS BIGINT) END",
        listed, wanted, _unequal_to_all(call), listed, wanted,
    ), BIGINT  # fmt: skip


FUNCTIONS.add("array_max(array(T)) T", _array_max)
FUNCTIONS.add("contains(array(T), T) boolean", _contains)
FUNCTIONS.add("array_position(array(T), T) bigint", _array_position)


def _combinations(values: list[Any], size: int) -> list[list[Any]]:
    from itertools import combinations

    return [list(c) for c in combinations(values, size)]


def _ngrams(values: list[Any], size: int) -> list[list[Any]]:
    if size < 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "N must be positive")
    return [values[i : i + size] for i in range(max(1, len(values) - size + 1))]


FUNCTIONS.python("ngrams(array(varchar), bigint) array(array(varchar))", _ngrams)
FUNCTIONS.python("combinations(array(bigint), bigint) array(array(bigint))", _combinations)
FUNCTIONS.python("combinations(array(varchar), bigint) array(array(varchar))", _combinations)
FUNCTIONS.refuse(
    "Use UNNEST and aggregate.",
    "array_histogram map_zip_with multimap_from_entries contains_sequence shuffle "
    "euclidean_distance trim_array dot_product hash_counts intersection_cardinality jaccard_index",
)
