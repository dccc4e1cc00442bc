"""Which rows of a group its aggregates take into account at all."""

from collections.abc import Iterable

from sqlglot import exp

from queries.receipts.reading_sql import aggregates_in

_LEAVE_NULLS_OUT = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.ApproxDistinct, exp.ApproxQuantile)


def narrowed(columns: Iterable[exp.Expr]) -> exp.Expr | None:
    """A condition that is true of every row which these columns of a group depend on; None for all rows.

    `count_if(status >= 400)` depends on the rows with such a status only, `sum(x)` on those that have an x.
    """
    conditions: list[exp.Expr] = []
    for column in columns:
        aggregates = list(aggregates_in(column))
        if not aggregates or column.find(exp.Anonymous, exp.Window):
            return None
        for aggregate in aggregates:
            condition = _taken(aggregate)
            if condition is None:
                return None
            conditions.append(condition)
    return exp.or_(*conditions) if conditions else None


def _taken(aggregate: exp.Expr) -> exp.Expr | None:
    if isinstance(aggregate, exp.Filter):
        kept: exp.Expr = aggregate.expression.this
        inner = _taken(aggregate.this)
        return exp.and_(kept, inner) if inner is not None else exp.paren(kept, copy=True)
    if isinstance(aggregate, exp.CountIf):
        return exp.paren(aggregate.this, copy=True)
    value = aggregate.this
    if isinstance(value, exp.Distinct):
        value = value.expressions[0] if len(value.expressions) == 1 else None
    if not isinstance(value, exp.Expr) or isinstance(value, exp.Star | exp.Literal):
        return None
    if isinstance(aggregate, exp.Count) and not aggregate.args.get("expressions"):
        return _is_known(value)
    return _is_known(value) if isinstance(aggregate, _LEAVE_NULLS_OUT) else None


def _is_known(value: exp.Expr) -> exp.Expr:
    return exp.not_(exp.Is(this=exp.paren(value, copy=True), expression=exp.null()))
