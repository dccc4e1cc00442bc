"""One SELECT."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.conditions import conditions
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import place_of, refs_of
from infra.local.athena.sql.ordering import limits, ordering, output_place
from infra.local.athena.sql.query_model import Ctes, Query
from infra.local.athena.sql.relations import FromClause, from_clause
from infra.local.athena.sql.scope import Domain, Field, Ref, Scope, Typed
from infra.local.athena.sql.tree import EMPTY, Sql, build, join
from infra.local.athena.sql.types import UNKNOWN

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler

_KNOWN = {
    "expressions", "from_", "joins", "laterals", "where", "group", "having", "order", "limit", "offset", "distinct",
    "windows", "with_", "kind", "hint", "operation_modifiers",
}  # fmt: skip
_REMEDIES = {
    "qualify": "Athena has none: filter in an outer query.",
    "match": "Use window functions.",
    "sample": "",
}


def select(compiler: "Compiler", node: exp.Select, parent: Scope | None, ctes: Ctes) -> Query:
    """The SELECT's text, columns and sources. Raises QueryError."""
    for name, value in node.args.items():
        if value and name not in _KNOWN:
            raise refused(f"{name.upper()}", _REMEDIES.get(name, "Leave it out."), *place_of(node))
    clause = from_clause(compiler, node, parent, ctes)
    windows = {window.name.lower(): window for window in node.args.get("windows") or []}
    scope = Scope(clause.fields, parent, windows=windows, ctes=ctes)
    within = Expressions(compiler, scope)
    where = _condition(within, node.args.get("where"), "WHERE clause")
    names, outputs = _outputs(within, node.expressions, scope)
    group_sql, group, hands_down = _group(within, node.args.get("group"), outputs)
    having = _condition(within, node.args.get("having"), "HAVING clause")
    bounds, order_sql, order = _order(compiler, node, scope, names, outputs)
    sql = _text(node, outputs, clause, where, group_sql, having, order_sql, bounds)
    used = [*([where] if where else []), *group, *([having] if having else []), *order]
    distinct = node.args.get("distinct") is not None
    always = refs_of(*used, *(outputs if distinct else ())) | clause.refs
    return Query(
        sql,
        [(name, output.type) for name, output in zip(names, outputs, strict=True)],
        outputs=outputs,
        always=always,
        sources=clause.sources,
        conditions={**_where_domains(compiler, node.args.get("where"), within, clause)},
        hands_down=_hands_down(node, outputs, group, hands_down, bounds, within),
    )


def _condition(within: Expressions, node: exp.Expr | None, what: str) -> Typed | None:
    return within.boolean(node.this, what) if node is not None else None


def _where_domains(
    compiler: "Compiler", where: exp.Where | None, within: Expressions, clause: FromClause
) -> Mapping[Ref, Domain]:
    found = dict(clause.conditions)
    if where is not None:
        for ref, domain in conditions(where.this, within, lambda value: _fold(compiler, value)).items():
            found[ref] = found[ref].meet(domain) if ref in found else domain
    return found


def _fold(compiler: "Compiler", value: Typed) -> Any:
    written = str(value.sql)
    if compiler.fold is None or value.refs or any(part in written for part in ("random", "(SELECT", "$")):
        return None
    return compiler.fold(value, tuple(compiler.udfs.values()))


def _outputs(within: Expressions, nodes: Sequence[exp.Expr], scope: Scope) -> tuple[list[str], list[Typed]]:
    names: list[str] = []
    outputs: list[Typed] = []
    for node in nodes:
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            for item in _star(node, scope):
                names.append(item.name or f"_col{len(names)}")
                outputs.append(item.value)
            continue
        if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star):
            value = within(node.this)
            raise refused(f"'.*' of {value.type}", "Name the fields.", *place_of(node))
        value = within(node.this if isinstance(node, exp.Alias) else node)
        names.append(_name(node) or f"_col{len(names)}")
        outputs.append(value)
    if not outputs:
        raise QueryError("SYNTAX_ERROR", "SELECT list is empty", 1, 1)
    return names, outputs


def _star(node: exp.Expr, scope: Scope) -> list[Field]:
    if any(node.args.get(word) for word in ("except_", "replace", "rename")):
        raise refused("SELECT * EXCEPT", "Name the columns.", *place_of(node))
    qualifier = ".".join(part.name for part in node.parts[:-1]) if isinstance(node, exp.Column) else ""
    found = scope.star(qualifier)
    if not found:
        message = (
            f"Unable to resolve reference {qualifier}"
            if qualifier
            else "SELECT * not allowed in queries without FROM"
        )
        raise QueryError("TABLE_NOT_FOUND" if qualifier else "SYNTAX_ERROR", message, *place_of(node))
    return found


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Alias):
        return str(node.alias)
    if isinstance(node, exp.Column):
        return str(node.name)
    if isinstance(node, exp.Dot):
        return str(node.expression.name)
    return ""


def _group(
    within: Expressions, node: exp.Group | None, outputs: Sequence[Typed]
) -> tuple[Sql, list[Typed], frozenset[Sql]]:
    """GROUP BY's text, its expressions, and the texts of keys that every group has."""
    if node is None:
        return EMPTY, [], frozenset()
    if node.args.get("all"):
        raise QueryError("SYNTAX_ERROR", "GROUP BY ALL needs its expressions", *place_of(node))
    values: list[Typed] = []

    def key(item: exp.Expr) -> Sql:
        place = output_place(item, len(outputs), "GROUP BY")
        value = within(item) if place is None else outputs[place]
        values.append(value)
        return value.sql if value.literal is None and value.type != UNKNOWN else build("({})", value.sql)

    def column(item: exp.Expr) -> Sql:
        if not isinstance(item, exp.Column):
            raise QueryError(
                "INVALID_COLUMN_REFERENCE",
                f"GROUP BY expression must be a column reference: {item.sql('trino')}",
                *place_of(item),
            )
        return key(item)

    def sets(item: exp.Expr) -> Sql:
        listed = item.expressions if isinstance(item, exp.Tuple) else [item.unnest()]
        return build("({})", join(", ", map(column, listed)))

    parts, plain = [], []
    for item in node.expressions:
        if isinstance(item, (exp.GroupingSets, exp.Rollup, exp.Cube)):
            word = {exp.GroupingSets: "GROUPING SETS", exp.Rollup: "ROLLUP", exp.Cube: "CUBE"}[type(item)]
            listed = [sets(part) for part in item.expressions]
            if word != "GROUPING SETS" and len(set(listed)) < len(listed):
                raise refused(f"{word} of a repeated column", "Write its GROUPING SETS.", *place_of(item))
            parts.append(build("{} ({})", word, join(", ", listed)))
        elif isinstance(item, exp.Tuple):
            found = [key(part) for part in item.expressions]
            plain += found
            parts += found
        else:
            parts.append(key(item))
            plain.append(parts[-1])
    return build(" GROUP BY {}", join(", ", parts)) if parts else EMPTY, values, frozenset(plain)


def _order(
    compiler: "Compiler", node: exp.Select, scope: Scope, names: Sequence[str], outputs: Sequence[Typed]
) -> tuple[Sql, Sql, list[Typed]]:
    bounds = limits(compiler, node)
    order = node.args.get("order")
    if order is None:
        return bounds, EMPTY, []
    named: dict[str, Typed] = {}
    for name, output in zip(names, outputs, strict=True):
        named.setdefault(name.lower(), output)
    aliases = Scope(
        [Field((), n, v) for n, v in named.items()], scope, scope.parameters, scope.windows, scope.ctes
    )
    keys, values = ordering(
        Expressions(compiler, aliases), order.expressions, [output.type for output in outputs]
    )
    return bounds, build(" ORDER BY {}", keys), values


def _text(
    node: exp.Select,
    outputs: Sequence[Typed],
    clause: FromClause,
    where: Typed | None,
    group: Sql,
    having: Typed | None,
    order: Sql,
    bounds: Sql,
) -> Sql:
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on"):
        raise refused("DISTINCT ON", "Use row_number() in a subquery.", *place_of(node))
    listed = join(", ", (build("{} AS c{}", output.sql, i) for i, output in enumerate(outputs)))
    return (
        build("SELECT {}{}{}", build("DISTINCT ") if distinct is not None else EMPTY, listed, clause.sql)
        + (build(" WHERE {}", where.sql) if where else EMPTY)
        + group
        + (build(" HAVING {}", having.sql) if having else EMPTY)
        + order
        + bounds
    )


def _hands_down(
    node: exp.Select,
    outputs: Sequence[Typed],
    group: Sequence[Typed],
    keys: frozenset[Sql],
    bounds: Sql,
    within: Expressions,
) -> frozenset[int]:
    """Outputs on which a condition from outside may already choose the rows that go in."""
    if bounds:
        return frozenset()
    passed = {i for i, output in enumerate(outputs) if output.origin is not None}
    windows = [
        w
        for w in node.find_all(exp.Window)
        if w.parent_select is node and not isinstance(w.parent, exp.Select)
    ]
    reduces = bool(group) or node.args.get("having") is not None or node.args.get("group") is not None
    if reduces:
        passed = {i for i in passed if outputs[i].sql in keys}
    elif any(output_reduces(expression) for expression in node.expressions):
        return frozenset()
    for window in windows:
        shown = {within(part).sql for part in window.args.get("partition_by") or []}
        passed = {i for i in passed if outputs[i].sql in shown}
    return frozenset(passed)


def output_reduces(node: exp.Expr) -> bool:
    """Whether the expression calls an aggregate function that no OVER makes a window function."""
    from infra.local.athena.sql.functions.registry import FUNCTIONS

    for call in node.find_all(exp.Anonymous, exp.GroupConcat):
        name = call.name.lower() if isinstance(call, exp.Anonymous) else "listagg"
        kinds = {overload.kind for overload in FUNCTIONS.overloads.get(name, ())}
        if "aggregate" in kinds and not isinstance(call.find_ancestor(exp.Window, exp.Select), exp.Window):
            return True
    return False
