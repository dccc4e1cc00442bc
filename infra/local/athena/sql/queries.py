"""Set operations, VALUES and WITH, and which rule a query's form has."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql import subqueries
from infra.local.athena.sql.casts import coerce
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import place_of, refs_of
from infra.local.athena.sql.ordering import limits, ordering
from infra.local.athena.sql.query_model import Cte, Ctes, Query
from infra.local.athena.sql.scope import Domain, Field, Scope, Typed
from infra.local.athena.sql.select import select
from infra.local.athena.sql.tree import EMPTY, Sql, build, join
from infra.local.athena.sql.types import Type, common

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler


def compile_query(compiler: "Compiler", node: exp.Expr, parent: Scope | None, ctes: Ctes) -> Query:
    """The query of any form. Raises QueryError."""
    own: list[Cte] = []
    prefix = EMPTY
    if (with_ := node.args.get("with_")) is not None:
        prefix, ctes, own = _with(compiler, with_, parent, ctes)
    if isinstance(node, exp.Subquery):
        query = _wrapped(compiler, node, parent, ctes)
    elif isinstance(node, exp.SetOperation):
        query = _set_operation(compiler, node, parent, ctes)
    elif isinstance(node, exp.Values):
        query = _values(compiler, node, parent)
    elif isinstance(node, exp.Select):
        query = select(compiler, node, parent, ctes)
    else:
        raise refused(
            f"A query of kind {type(node).__name__}",
            "Use SELECT, VALUES or a set operation.",
            *place_of(node),
        )
    query.sql = prefix + query.sql
    query.ctes = own
    return query


def _with(
    compiler: "Compiler", node: exp.With, parent: Scope | None, ctes: Ctes
) -> tuple[Sql, Ctes, list[Cte]]:
    known, own, parts = dict(ctes), [], []
    listed_names: set[str] = set()
    for item in node.expressions:
        name, names = item.alias.lower(), [c.name.lower() for c in item.args["alias"].columns]
        if name in listed_names:
            message = f"WITH query name '{name}' specified more than once"
            raise QueryError("DUPLICATE_NAMED_QUERY", message, *place_of(item))
        listed_names.add(name)
        stored = compiler.fresh("w")
        if node.recursive and _mentions(item.this, name):
            cte = subqueries.recursive(compiler, item, stored, names, parent, known)
        else:
            query = compile_query(compiler, item.this, parent, known)
            cte = Cte(stored, _renamed(query, names, item))
        known[name] = cte
        own.append(cte)
        listed = join(", ", (build("c{}", i) for i in range(len(cte.query.fields))))
        parts.append(build("{}({}) AS ({})", stored, listed, cte.query.sql))
    word = "WITH RECURSIVE" if node.recursive else "WITH"
    return build("{} {} ", word, join(", ", parts)), known, own


def _mentions(node: exp.Expr, name: str) -> bool:
    return any(table.name.lower() == name and not table.db for table in node.find_all(exp.Table))


def _renamed(query: Query, names: Sequence[str], node: exp.Expr) -> Query:
    if names:
        if len(names) != len(query.fields):
            message = (
                f"Column alias list has {len(names)} entries but relation has {len(query.fields)} columns"
            )
            raise QueryError("MISMATCHED_COLUMN_ALIASES", message, *place_of(node))
        query.fields = [(name, of) for name, (_, of) in zip(names, query.fields, strict=True)]
    return query


def _wrapped(compiler: "Compiler", node: exp.Subquery, parent: Scope | None, ctes: Ctes) -> Query:
    """(query) ORDER BY ... LIMIT ..."""
    inner = compile_query(compiler, node.this, parent, ctes)
    return _sorted(compiler, inner, node)


def _set_operation(compiler: "Compiler", node: exp.SetOperation, parent: Scope | None, ctes: Ctes) -> Query:
    left, right = (compile_query(compiler, side, parent, ctes) for side in (node.this, node.expression))
    if len(left.fields) != len(right.fields):
        name = type(node).__name__.upper()
        message = f"{name} query has different number of fields: {len(left.fields)}, {len(right.fields)}"
        raise QueryError("TYPE_MISMATCH", message, *place_of(node))
    types: list[Type] = []
    for index, ((_, a), (_, b)) in enumerate(zip(left.fields, right.fields, strict=True)):
        both = common(a, b)
        if both is None:
            message = (
                f"column {index + 1} in {type(node).__name__.upper()} query has incompatible types: {a}, {b}"
            )
            raise QueryError("TYPE_MISMATCH", message, *place_of(node))
        types.append(both)
    word = type(node).__name__.upper() + ("" if node.args.get("distinct") else " ALL")
    sides = [_as_types(query, types) for query in (left, right)]
    fields = [(name, of) for (name, _), of in zip(left.fields, types, strict=True)]
    query = Query(build("({}) {} ({})", sides[0], word, sides[1]), fields, branches=[left, right])
    return _sorted(compiler, query, node)


def _as_types(query: Query, types: Sequence[Type]) -> Sql:
    if [of for _, of in query.fields] == list(types):
        return query.sql
    parts = (
        coerce(Typed(build("c{}", i), given), of).sql
        for i, ((_, given), of) in enumerate(zip(query.fields, types, strict=True))
    )
    return build(
        "SELECT {} FROM ({})",
        join(", ", (build("{} AS c{}", sql, i) for i, sql in enumerate(parts))),
        query.sql,
    )


def _sorted(compiler: "Compiler", inner: Query, node: exp.Expr) -> Query:
    """The query with the ORDER BY, OFFSET and LIMIT that stand behind it."""
    order, bounds = node.args.get("order"), limits(compiler, node)
    if order is None and not bounds:
        return inner
    alias = compiler.fresh("s")
    scope = Scope(
        [
            Field((), name.lower(), Typed(build("{}.c{}", alias, i), of))
            for i, (name, of) in enumerate(inner.fields)
        ]
    )
    columns = join(", ", (build("c{}", i) for i in range(len(inner.fields))))
    keys = (
        ordering(Expressions(compiler, scope), order.expressions, [of for _, of in inner.fields])[0]
        if order is not None
        else EMPTY
    )
    sql = build(
        "SELECT {} FROM ({}) AS {}{}{}",
        columns,
        inner.sql,
        alias,
        build(" ORDER BY {}", keys) if keys else EMPTY,
        bounds,
    )
    return _Sorted(sql, inner.fields, branches=[inner])


class _Sorted(Query):
    """Keeps some rows of its branch only, so conditions from outside stay outside; its order may read any column."""

    def demand(self, needed: frozenset[int], domains: Mapping[int, Domain]) -> None:  # noqa: ARG002
        self.branches[0].demand(frozenset(range(len(self.fields))), {})


def _columns(item: exp.Expr) -> list[exp.Expr]:
    """`(1, 2)`, `ROW(1, 2)` and `(ROW(1, 2))` are the same row of VALUES."""
    listed = item.expressions if isinstance(item, exp.Tuple) else [item]
    only = listed[0]
    if len(listed) == 1 and isinstance(only, exp.Anonymous) and only.name.upper() == "ROW":
        return list(only.expressions)
    return list(listed)


def _values(compiler: "Compiler", node: exp.Values, parent: Scope | None) -> Query:
    expressions = Expressions(compiler, Scope(parent=parent))
    rows = [expressions.all(_columns(item)) for item in node.expressions]
    if any(len(row) == 1 and row[0].type.name == "row" for row in rows):
        raise refused("A computed row in VALUES", "Write its values as (a, b).", *place_of(node))
    widths = {len(row) for row in rows}
    if len(widths) != 1:
        raise QueryError("TYPE_MISMATCH", "Values rows have mismatched sizes", *place_of(node))
    columns = [expressions.unified(column, "Values rows") for column in zip(*rows, strict=True)]
    listed = join(
        ", ", (build("({})", join(", ", (v.sql for v in row))) for row in zip(*columns, strict=True))
    )
    names = join(", ", (build("c{}", i) for i in range(len(columns))))
    fields = [(f"_col{i}", column[0].type) for i, column in enumerate(columns)]
    sql = build("SELECT {} FROM (VALUES {}) AS v({})", names, listed, names)
    query = Query(sql, fields, always=refs_of(*(v for column in columns for v in column)))
    return _sorted(compiler, query, node)
