"""Aggregate and window calls: DISTINCT, ORDER BY, FILTER, OVER, frames.

An aggregate's rule marks DuckDB's own call with « », which makes it a node of its own: FILTER and OVER land on it and not on the cast around.
"""

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.calls import resolve_call
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import place_of, refs_of
from infra.local.athena.sql.functions.registry import FUNCTIONS
from infra.local.athena.sql.ordering import ordering
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import EMPTY, Aggregate, Sql, build, join

_FRAMELESS = {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"}
_FRAME_WORDS = {"UNBOUNDED": "UNBOUNDED", "CURRENT ROW": "CURRENT ROW"}


def aggregate(node: exp.Expr, within: Expressions) -> Typed:
    """An aggregate call, with FILTER and ORDER BY. Raises QueryError."""
    call, condition = _unfiltered(node, within)
    marked, order, distinct = _marked(call, within, ("aggregate",))
    return _finish(marked, condition, order, distinct, EMPTY)


def window(node: exp.Window, within: Expressions) -> Typed:
    """A call with OVER. Raises QueryError."""
    inner = node.this
    nulls = EMPTY
    if isinstance(inner, (exp.IgnoreNulls, exp.RespectNulls)):
        nulls = build(" IGNORE NULLS") if isinstance(inner, exp.IgnoreNulls) else EMPTY
        inner = inner.this
    if isinstance(inner, exp.Filter):
        raise QueryError("NOT_SUPPORTED", "FILTER is not yet supported for window functions", *place_of(node))
    marked, order, distinct = _marked(inner, within, ("window", "aggregate"))
    over, used = _over(node, within, inner.name.lower())
    made = _finish(marked, None, order, distinct, build(" OVER ({})", over), nulls)
    return Typed(made.sql, made.type, made.refs | refs_of(*used))


def _unfiltered(node: exp.Expr, within: Expressions) -> tuple[exp.Expr, Typed | None]:
    if isinstance(node, exp.Filter):
        return node.this, within.boolean(node.expression.this, "FILTER expression")
    return node, None


def _marked(
    node: exp.Expr, within: Expressions, kinds: tuple[str, ...]
) -> tuple[Typed, tuple[Sql, list[Typed]], bool]:
    if isinstance(node, exp.GroupConcat):
        return _listagg(node, within)
    if not isinstance(node, exp.Anonymous):
        raise QueryError(
            "SYNTAX_ERROR", f"'{node.sql('trino')[:60]}' cannot have FILTER or OVER", *place_of(node)
        )
    arguments = list(node.expressions)
    order: tuple[Sql, list[Typed]] = (EMPTY, [])
    distinct = False
    if arguments and isinstance(arguments[-1], exp.Order):
        order = ordering(within, arguments[-1].expressions)
        arguments[-1] = arguments[-1].this
    if arguments and isinstance(arguments[0], exp.Distinct):
        distinct = True
        arguments = [*arguments[0].expressions, *arguments[1:]]
        if arguments and isinstance(arguments[-1], exp.Order):
            order = ordering(within, arguments[-1].expressions)
            arguments[-1] = arguments[-1].this
    if len(arguments) == 1 and isinstance(arguments[0], exp.Star):
        if node.name.lower() != "count":
            raise QueryError("SYNTAX_ERROR", f"'*' is not allowed in {node.name}", *place_of(node))
        arguments = []
    if order[0] and node.name.lower() not in _ORDERED:
        order = (EMPTY, order[1])  # no order changes a sum
    values = [part if isinstance(part, exp.Lambda) else within(part) for part in arguments]
    made = resolve_call(
        FUNCTIONS, node.name.lower(), values, within.lambda_body, within.compiler,
        kinds=kinds, place=place_of(node), distinct=distinct,
    )  # fmt: skip
    return made, order, distinct


_ORDERED = {"array_agg", "listagg", "map_agg", "multimap_agg", "arbitrary", "any_value"}


def _listagg(node: exp.GroupConcat, within: Expressions) -> tuple[Typed, tuple[Sql, list[Typed]], bool]:
    overflow = node.args.get("on_overflow")
    if overflow is not None and isinstance(overflow, exp.OverflowTruncateBehavior):
        raise refused(
            "LISTAGG ... ON OVERFLOW TRUNCATE",
            "Use array_join(array_agg(x ORDER BY y), ',').",
            *place_of(node),
        )
    value, order = node.this, (EMPTY, list[Typed]())
    if isinstance(value, exp.Order):
        order = ordering(within, value.expressions)
        value = value.this
    distinct = isinstance(value, exp.Distinct)
    if distinct:
        value = value.expressions[0]
    if isinstance(value, exp.Order):
        order = ordering(within, value.expressions)
        value = value.this
    separator = node.args.get("separator")
    arguments = [within(value), within(separator if separator is not None else exp.Literal.string(""))]
    made = resolve_call(
        FUNCTIONS,
        "listagg",
        arguments,
        within.lambda_body,
        within.compiler,
        kinds=("aggregate",),
        place=place_of(node),
    )
    return made, order, distinct


def _finish(
    marked: Typed,
    condition: Typed | None,
    order: tuple[Sql, list[Typed]],
    distinct: bool,
    over: Sql,
    nulls: Sql = EMPTY,
) -> Typed:
    filtered = build(" FILTER (WHERE {})", condition.sql) if condition is not None else EMPTY
    ordered = build(" ORDER BY {}", order[0]) if order[0] else EMPTY
    found: list[Sql] = []

    def finished(part: Sql) -> Sql | None:
        if not isinstance(part, Aggregate):
            return None
        found.append(part)
        inside = part.arguments + ordered + nulls
        inside = build("DISTINCT {}", inside) if distinct else inside
        return build("{}({}){}{}", part.name, inside, filtered, over)

    sql = marked.sql.changed(finished)
    if not found:
        raise refused("This call with OVER or FILTER", "Compute it in a subquery.")
    used = refs_of(*order[1], *([condition] if condition is not None else []))
    return Typed(sql, marked.type, marked.refs | used)


def _over(node: exp.Window, within: Expressions, function: str) -> tuple[Sql, list[Typed]]:
    named = node.args.get("alias")
    if named is not None and not node.args.get("partition_by") and named.name.lower() in within.scope.windows:
        base = within.scope.windows[named.name.lower()]
        partition, order, spec = (
            node.args.get(k) or base.args.get(k) for k in ("partition_by", "order", "spec")
        )
    elif named is not None and not (node.args.get("partition_by") or node.args.get("order")):
        raise QueryError(
            "INVALID_WINDOW_REFERENCE", f"WINDOW '{named.name}' cannot be resolved", *place_of(node)
        )
    else:
        partition, order, spec = (node.args.get(k) for k in ("partition_by", "order", "spec"))
    used: list[Typed] = []
    parts = []
    if partition:
        keys = within.all(partition)
        used += keys
        parts.append(build("PARTITION BY {}", join(", ", (key.sql for key in keys))))
    if order is not None:
        keys_sql, keys = ordering(within, order.expressions)
        used += keys
        parts.append(build("ORDER BY {}", keys_sql))
    if spec is not None:
        if function in _FRAMELESS:
            raise QueryError(
                "INVALID_WINDOW_FRAME",
                f"Cannot specify window frame for {function} function",
                *place_of(node),
            )
        parts.append(_frame(spec, within, used))
    return join(" ", parts), used


def _frame(spec: exp.WindowSpec, within: Expressions, used: list[Typed]) -> Sql:
    if spec.args.get("exclude"):
        raise QueryError("SYNTAX_ERROR", "EXCLUDE is not a part of Trino's window frames")
    start = _bound(spec.args.get("start"), spec.args.get("start_side"), within, used)
    end = (
        _bound(spec.args.get("end"), spec.args.get("end_side"), within, used)
        if spec.args.get("end")
        else build("CURRENT ROW")
    )
    return build("{} BETWEEN {} AND {}", str(spec.args["kind"]).upper(), start, end)


def _bound(value: str | exp.Expr | None, side: str | None, within: Expressions, used: list[Typed]) -> Sql:
    if isinstance(value, exp.Expr):
        amount = within(value)
        used.append(amount)
        return build("{} {}", amount.sql, str(side).upper())
    word = _FRAME_WORDS[str(value)]
    return build(word) if word == "CURRENT ROW" else build("{} {}", word, str(side).upper())
