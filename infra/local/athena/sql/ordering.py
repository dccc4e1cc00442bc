"""ORDER BY, LIMIT, OFFSET and FETCH FIRST."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import NULL
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
        if options is not None and options.args.get("with_ties") and isinstance(node, exp.SetOperation):
            raise refused(
                "FETCH FIRST WITH TIES on a set operation", "Put the set operation into a subquery."
            )
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


def ordering(
    within: Expressions, items: Sequence[exp.Expr], outputs: int, columns: Sequence[Typed] = ()
) -> tuple[Sql, list[Typed]]:
    """ORDER BY keys; a number is an output column (or, of `columns`, its expression). NULLs come last unless the query says otherwise."""
    keys, values = [], []
    for item in items:
        node = item.this if isinstance(item, exp.Ordered) else item
        if isinstance(node, exp.Literal) and not node.is_string and outputs:
            position = int(node.name)
            if not 1 <= position <= outputs:
                raise QueryError(
                    "INVALID_COLUMN_REFERENCE", f"ORDER BY position {position} is not in select list"
                )
            key = columns[position - 1].sql if columns else build("{}", position)
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
    """Raise QueryError TYPE_MISMATCH for types without an order."""
    if of.name in ("map", "json") or any(inner.name in ("map", "json") for inner in of.of):
        raise QueryError(
            "TYPE_MISMATCH", f"Type {of} is not orderable, and therefore cannot be used in ORDER BY"
        )
