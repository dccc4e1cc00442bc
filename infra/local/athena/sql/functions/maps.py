"""Maps made, filtered and joined. Source: Trino documentation, "Map functions"."""

from typing import Any

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.casts import fail
from infra.local.athena.sql.functions.registry import FUNCTIONS, Call
from infra.local.athena.sql.tree import Sql, build, join, quoted
from infra.local.athena.sql.types import Type, array, map_of


def _map_constructor(call: Call) -> tuple[Sql, Type]:
    if not call.args:
        return Sql(("MAP {}",)), map_of(Type("unknown"), Type("unknown"))
    of = map_of(call.types["K"], call.types["V"])
    bad = fail("INVALID_FUNCTION_ARGUMENT", "'Key and value arrays must be the same length'", of.duck)
    null = fail("INVALID_FUNCTION_ARGUMENT", "'map key cannot be null'", of.duck)
    keys, values = call.sqls
    return (
        build(
            "CASE WHEN len({}) <> len({}) THEN {} WHEN len(list_filter({}, lambda e: e IS NULL)) > 0 THEN {} ELSE map({}, {}) END",
            keys,
            values,
            bad,
            keys,
            null,
            keys,
            values,
        ),
        of,
    )


FUNCTIONS.add("map() map(K, V)", _map_constructor)
FUNCTIONS.add("map(array(K), array(V)) map(K, V)", _map_constructor)


_KEY, _VALUE = build("me.key"), build("me.value")


def _map_filter(call: Call) -> tuple[Sql, Type]:
    body = call.function(1).applied(_KEY, _VALUE)
    of = map_of(call.types["K"], call.types["V"])
    return build("map_from_entries(list_filter(map_entries({}), lambda me: {}))", call.sqls[0], body), of


def _transform(part: str) -> Any:
    def rule(call: Call) -> tuple[Sql, Type]:
        body = call.function(1).applied(_KEY, _VALUE)
        k, v = (body, _VALUE) if part == "key" else (_KEY, body)
        of = (
            map_of(call.types["U"], call.types["V"])
            if part == "key"
            else map_of(call.types["K"], call.types["U"])
        )
        return (
            build(
                "map_from_entries(list_transform(map_entries({}), lambda me: struct_pack(k := {}, v := {})))",
                call.sqls[0],
                k,
                v,
            ),
            of,
        )

    return rule


FUNCTIONS.add("map_filter(map(K, V), function(K, V, boolean)) map(K, V)", _map_filter)
FUNCTIONS.add("transform_values(map(K, V), function(K, V, U)) map(K, U)", _transform("value"))
FUNCTIONS.add("transform_keys(map(K, V), function(K, V, U)) map(U, V)", _transform("key"))


def _map_concat(call: Call) -> tuple[Sql, Type]:
    checks = join(" OR ", (build("{} IS NULL", sql) for sql in call.sqls))
    return build("CASE WHEN {} THEN NULL ELSE map_concat({}) END", checks, join(", ", call.sqls)), map_of(
        call.types["K"], call.types["V"]
    )


FUNCTIONS.add("map_concat(map(K, V), map(K, V)*) map(K, V)", _map_concat)


def _entries(call: Call) -> tuple[Sql, Type]:
    of = array(Type("row", of=(call.types["K"], call.types["V"]), names=("", "")))
    packed = "list_transform(map_entries({}), lambda e: struct_pack(field0 := e.key, field1 := e.value))"
    return build(packed, call.sqls[0]), of


def _from_entries(call: Call) -> tuple[Sql, Type]:
    given = call.args[0].type
    if given.name != "array" or given.of[0].name != "row" or len(given.of[0].of) != 2:
        raise QueryError(
            "FUNCTION_NOT_FOUND", f"Unexpected parameters ({given}) for function map_from_entries"
        )
    pair = given.of[0]
    key, value = map(quoted, pair.stored_names)
    packed = build(
        "list_transform({}, lambda e: struct_pack(k := e.{}, v := e.{}))", call.sqls[0], key, value
    )
    return build("map_from_entries({})", packed), map_of(*pair.of)


FUNCTIONS.add("map_entries(map(K, V)) any", _entries)
FUNCTIONS.add("map_from_entries(any) any", _from_entries)
