"""ORDER BY, LIMIT, OFFSET and FETCH FIRST."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import NULL, place_of
from infra.local.athena.sql.scope import Scope, Typed
from infra.local.athena.sql.tree import Sql, build, join
from infra.local.athena.sql.types import Type

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler


def limits(compiler: "Compiler", node: exp.Expr) -> Sql:
    """OFFSET and LIMIT or FETCH FIRST, as DuckDB's clauses."""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    parts = []
    if limit is not None:
        count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
        options = limit.args.get("limit_options")
        if options is not None and options.args.get("with_ties"):
            raise refused("FETCH FIRST WITH TIES", "Use rank() in a subquery.", *place_of(node))
        if isinstance(limit, exp.Fetch) and count is None:
            count = exp.Literal.number(1)
        if not (isinstance(count, exp.Var) and count.name.upper() == "ALL"):
            parts.append(build(" LIMIT {}", _count(compiler, count, "LIMIT")))
    if offset is not None:
        parts.append(build(" OFFSET {}", _count(compiler, offset.expression, "OFFSET")))
    return join("", parts)


def _count(compiler: "Compiler", node: exp.Expr | None, what: str) -> int:
    value = Expressions(compiler, Scope())(node) if node is not None else NULL
    if not isinstance(value.literal, int) or value.literal < 0:
        raise QueryError("INVALID_LIMIT_CLAUSE", f"{what} needs a non-negative integer")
    return value.literal


def output_place(node: exp.Expr, outputs: int, clause: str) -> int | None:
    """Which output column, from 0, a whole number in ORDER BY or GROUP BY means. Raises QueryError."""
    literal = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(literal, exp.Literal) or literal.is_string or not literal.name.isdigit():
        return None
    position = -int(literal.name) if literal is not node else int(literal.name)
    if not 1 <= position <= outputs:
        raise QueryError(
            "INVALID_COLUMN_REFERENCE", f"{clause} position {position} is not in select list", *place_of(node)
        )
    return position - 1


def ordering(
    within: Expressions, items: Sequence[exp.Expr], outputs: Sequence[Type] = ()
) -> tuple[Sql, list[Typed]]:
    """ORDER BY keys; a number is an output column. NULLs come last unless the query says otherwise."""
    keys, values = [], []
    for item in items:
        node = item.this if isinstance(item, exp.Ordered) else item
        place = output_place(node, len(outputs), "ORDER BY") if outputs else None
        if place is not None:
            orderable(outputs[place])
            key = build("{}", place + 1)
        else:
            value = within(node)
            orderable(value.type)
            values.append(value)
            key = (
                value.sql
                if value.literal is None
                else build("({} || '')", value.sql)
                if value.type.is_text
                else build("({})", value.sql)
            )
        words = "DESC" if item.args.get("desc") else "ASC"
        nulls = "NULLS FIRST" if item.args.get("nulls_first") else "NULLS LAST"
        keys.append(build("{} {} {}", key, words, nulls))
    return join(", ", keys), values


def orderable(of: Type) -> None:
    """Raise QueryError for types without an order, and for those whose order fails on a NULL inside."""
    if of.name in ("array", "row"):
        raise refused(f"ORDER BY of {of}", "Order by its elements.")
    if of.name in ("map", "json"):
        raise QueryError(
            "TYPE_MISMATCH", f"Type {of} is not orderable, and therefore cannot be used in ORDER BY"
        )
