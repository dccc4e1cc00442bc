"""JSON as a type: casts from and to it, and SQL/JSON paths. Stored as text, computed in Python."""

from typing import TYPE_CHECKING

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import place_of
from infra.local.athena.sql.functions import json_conversion
from infra.local.athena.sql.functions.registry import Udf, udf_name
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import build
from infra.local.athena.sql.type_names import parse_type
from infra.local.athena.sql.types import JSON, VARCHAR, Type

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler


def json_cast(compiler: "Compiler", value: Typed, wanted: Type, *, safe: bool) -> Typed:
    """CAST(x AS json), CAST(json AS x). Raises QueryError."""
    if value.type.name == "char":
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {value.type} to {wanted}")
    if wanted == JSON:
        function = json_conversion.writer(value.type)
        name = udf_name("to_json", str(value.type))
        udf = Udf(name, function, (value.type,), JSON)
    else:
        function = json_conversion.reader(wanted)
        name = udf_name("from_json", str(wanted))
        udf = Udf(name, function, (JSON,), wanted)
    if safe:
        tried = build("list_transform([{}], lambda v: TRY({}(v)))[1]", value.sql, compiler.use(udf))
        return Typed(tried, wanted, value.refs)
    return Typed(build("{}({})", compiler.use(udf), value.sql), wanted, value.refs)


def json_path(node: exp.Expr, within: Expressions) -> Typed:
    """JSON_VALUE(x, 'lax $.a' [RETURNING type]) and JSON_QUERY without options."""
    if isinstance(node, exp.JSONExtract):
        if node.args.get("option") or node.args.get("quote") or node.args.get("on_condition"):
            raise refused("JSON_QUERY with options", "Use json_extract.", *place_of(node))
        return within.call("json_query", [within(node.this), within(node.expression)], node)
    if node.args.get("on_condition"):
        raise refused(
            "JSON_VALUE with ON EMPTY or ON ERROR", "Use json_extract_scalar and coalesce.", *place_of(node)
        )
    found = within.call("json_value", [within(node.this), within(node.args["path"])], node)
    returning = node.args.get("returning")
    if not isinstance(returning, exp.Expr):
        return found
    wanted = parse_type(returning.sql("trino"))
    if wanted.of or wanted.name.startswith("timestamp"):
        raise QueryError("TYPE_MISMATCH", f"JSON_VALUE cannot return {wanted}", *place_of(node))
    from infra.local.athena.sql.casts import cast

    return cast(Typed(found.sql, VARCHAR, found.refs), wanted, safe=True)
