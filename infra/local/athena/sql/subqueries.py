"""Subqueries that stand as values: scalar, EXISTS, IN, ANY and ALL; and WITH RECURSIVE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.casts import coerce
from infra.local.athena.sql.expression_base import Rules, place_of
from infra.local.athena.sql.query_model import Cte, Ctes, Query
from infra.local.athena.sql.scope import Domains, Ref, Scope, Typed
from infra.local.athena.sql.tree import EMPTY, Sql, build, join
from infra.local.athena.sql.types import BOOLEAN, common

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler


@dataclass(eq=False)
class ValueSource:
    """A subquery that stands as a value: all of it is needed."""

    query: Query

    def demand(self, needed: frozenset[Ref], domains: Domains) -> None:  # noqa: ARG002
        """Pass on that everything is needed."""
        self.query.demand(frozenset(range(len(self.query.fields))), {})


def recursive(
    compiler: "Compiler",
    item: exp.CTE,
    stored: str,
    names: Sequence[str],
    parent: Scope | None,
    known: Mapping[str, Cte],
) -> Cte:
    """WITH RECURSIVE: the types are those of the first branch."""
    union = item.this
    if not isinstance(union, exp.Union) or not names:
        raise QueryError("SYNTAX_ERROR", "WITH RECURSIVE needs a column list and a UNION", *place_of(item))
    base = compiler.query(union.this, parent, known)
    shape = Query(EMPTY, [(n, t) for n, (_, t) in zip(names, base.fields, strict=True)])
    step_known = {**known, item.alias.lower(): Cte(stored, shape)}
    step = compiler.query(union.expression, parent, step_known)
    parts = []
    for index, ((_, wanted), (_, given)) in enumerate(zip(base.fields, step.fields, strict=True)):
        both = common(given, wanted)
        if both is None or (both != wanted and not wanted.is_text):
            raise QueryError(
                "TYPE_MISMATCH",
                f"Recursion changes column {index + 1} from {wanted} to {given}",
                *place_of(item),
            )
        parts.append(build("CAST(c{} AS {}) AS c{}", index, wanted.duck, index))
    word = "UNION" if union.args.get("distinct") else "UNION ALL"
    sql = build("{} {} SELECT {} FROM ({})", base.sql, word, join(", ", parts), step.sql)
    return Cte(stored, Query(sql, shape.fields, branches=[base, step]), recursive=True)


def _as_value(compiler: "Compiler", node: exp.Expr, scope: Scope) -> tuple[Query, frozenset[Ref]]:
    query = compiler.query(node, scope, compiler_ctes(scope))
    source = ValueSource(query)
    return query, query.all_refs | frozenset({Ref(source, "*")})


def compiler_ctes(scope: Scope) -> Ctes:
    """The WITH queries that are visible where the scope is."""
    found: Scope | None = scope
    while found is not None:
        if found.ctes:
            return found.ctes
        found = found.parent
    return {}


def scalar_query(compiler: "Compiler", node: exp.Subquery, scope: Scope) -> Typed:
    """A subquery as a value. Raises QueryError when it has more than one column."""
    query, refs = _as_value(compiler, node.this, scope)
    if len(query.fields) != 1:
        raise QueryError(
            "SYNTAX_ERROR",
            f"Multiple columns returned by subquery are not yet supported. Found {len(query.fields)}",
            *place_of(node),
        )
    return Typed(build("({})", query.sql), query.fields[0][1], refs)


def exists(compiler: "Compiler", node: exp.Exists, scope: Scope) -> Typed:
    """EXISTS (query)."""
    inner = node.this.this if isinstance(node.this, exp.Subquery) else node.this
    query, refs = _as_value(compiler, inner, scope)
    return Typed(build("EXISTS ({})", query.sql), BOOLEAN, refs)


def in_query(compiler: "Compiler", node: exp.In, within: Rules) -> Typed:
    """value IN (query)."""
    value = within(node.this)
    inner = node.args["query"]
    query, refs = _as_value(compiler, inner.this if isinstance(inner, exp.Subquery) else inner, within.scope)
    return _membership(build("IN"), value, query, refs, node)


def _membership(word: Sql, value: Typed, query: Query, refs: frozenset[Ref], node: exp.Expr) -> Typed:
    if len(query.fields) != 1 or value.type.name == "row":
        raise refused("IN with a subquery of several columns", "Use EXISTS.", *place_of(node))
    both = common(value.type, query.fields[0][1])
    if both is None:
        message = f"Value expression and result of subquery must be of the same type: {value.type} vs {query.fields[0][1]}"
        raise QueryError("TYPE_MISMATCH", message, *place_of(node))
    a = coerce(value, both)
    b = coerce(Typed(build("c0"), query.fields[0][1]), both)
    return Typed(
        build("({} {} (SELECT {} FROM ({})))", a.sql, word, b.sql, query.sql), BOOLEAN, value.refs | refs
    )


def quantified(compiler: "Compiler", symbol: str, node: exp.Expr, within: Rules) -> Typed:
    """value = ANY (query), value > ALL (query)."""
    other = node.expression
    every = isinstance(other, exp.All) or (isinstance(other, exp.Anonymous) and other.name.lower() == "all")
    inner = other.expressions[0] if isinstance(other, exp.Anonymous) else other.this
    inner = inner.this if isinstance(inner, exp.Subquery) else inner
    if not isinstance(inner, (exp.Query, exp.Values)):
        raise QueryError("SYNTAX_ERROR", "ANY and ALL need a subquery", *place_of(node))
    value = within(node.this)
    query, refs = _as_value(compiler, inner, within.scope)
    return _membership(build("{} {}", symbol, "ALL" if every else "ANY"), value, query, refs, node)
