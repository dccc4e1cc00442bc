"""Shapes of SQL in which the events behind a row cannot be told exactly, each refused by its name."""

from collections.abc import Sequence

from sqlglot import exp

from queries.receipts.errors import CannotTraceError

_REFUSED: Sequence[tuple[type[exp.Expr], str]] = (
    (exp.Except, "its SQL takes rows away with EXCEPT"),
    (exp.Intersect, "its SQL keeps common rows with INTERSECT"),
    (exp.Limit, "its SQL has a LIMIT"),
    (exp.Fetch, "its SQL has a FETCH FIRST"),
    (exp.Offset, "its SQL has an OFFSET"),
    (exp.TableSample, "its SQL reads a TABLESAMPLE"),
    (exp.MatchRecognize, "its SQL looks for patterns with MATCH_RECOGNIZE"),
    (exp.Pivot, "its SQL has a PIVOT"),
    (exp.Lateral, "its SQL joins LATERAL rows"),
    (exp.Exists, "its SQL asks EXISTS of a subquery"),
)


def refuse(tree: exp.Query, tables: Sequence[str]) -> None:
    """Raises CannotTraceError for a query over these tables in which events cannot be followed."""
    for kind, reason in _REFUSED:
        if tree.find(kind):
            raise CannotTraceError(reason)
    for clause in tree.find_all(exp.With):
        if clause.args.get("recursive"):
            raise CannotTraceError("its WITH is recursive")
    if hidden := next((cte.alias for cte in tree.find_all(exp.CTE) if cte.alias.lower() in tables), None):
        raise CannotTraceError(f"its WITH hides the table {hidden} behind the same name")
    for query in tree.find_all(exp.Select, exp.SetOperation):
        holder = query.parent
        while isinstance(holder, exp.Subquery):
            holder = holder.parent
        if not isinstance(holder, exp.From | exp.Join | exp.CTE | exp.SetOperation | None):
            raise CannotTraceError("its SQL has a subquery in a condition or as a value")
