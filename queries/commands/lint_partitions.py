"""What in a report's SQL makes its partitions depend on which others are computed in the same statement.

One statement computes one partition or 96, and each must get the rows that it would get alone.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from queries.refresh.rendering import SOURCE
from queries.store.checks import FAILED_CHECK

if TYPE_CHECKING:
    from sqlglot import exp

Found = tuple[int, str, str]
"""Line within the SQL, rule, message."""

_UNSTABLE = (
    "now",
    "current_timestamp",
    "current_date",
    "localtimestamp",
    "random",
    "rand",
    "uuid",
    "shuffle",
)


def apart(tree: "exp.Query", grain: str, references: Sequence[str] = ()) -> Iterator[Found]:
    """Every place where partitions would be mixed, or an answer would be another at each run.

    Rows of `references`, tables of reference data, belong to no partition.
    """
    from sqlglot import exp

    if tree.args.get("limit") or tree.args.get("offset"):
        yield 1, "grain", f"LIMIT counts over all partitions of a run. Rank by {grain} with row_number()."
    literal = _literal_names(tree, references)
    for select in tree.find_all(exp.Select):
        if _has_rows(select, literal) or not references:
            yield from _grouping(select, grain)
    yield from _joins(tree, grain, literal)
    yield from _subqueries(tree, grain, literal)
    for window in tree.find_all(exp.Window):
        if grain not in [_name(key) for key in window.args.get("partition_by") or []]:
            yield (
                line_of(window),
                "grain",
                f"A window without {grain} in its PARTITION BY looks across partitions. Add {grain}.",
            )
    for call in tree.find_all(exp.Func):
        name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()
        if name in _UNSTABLE:
            message = f"{name}() gives another answer at each run. Use event_time or arrival_time."
            yield line_of(call), "determinism", message
    for table in tree.find_all(exp.Table):
        if table.name == FAILED_CHECK or table.name.startswith(SOURCE):
            yield line_of(table), "names", f"The name {table.name} is the runner's own. Take another."


def line_of(node: Any) -> int:
    """The line within the SQL that the node begins in."""
    return next((one.meta["line"] for one in node.walk() if "line" in one.meta), 1)


def _grouping(select: "exp.Select", grain: str) -> Iterator[Found]:
    group = select.args.get("group")
    keys = [_name(key) for key in group.expressions] if group else []
    keys += [_name(select.selects[int(key) - 1]) for key in keys if key.isdigit()]
    if (group or _aggregates(select)) and grain not in keys and _reads_rows(select):
        yield (
            line_of(select),
            "grain",
            f"This SELECT aggregates without {grain} in its GROUP BY, so partitions of one run would "
            f"be mixed. Add {grain} to the GROUP BY.",
        )
    if select.args.get("distinct") and grain not in [_name(one) for one in select.selects]:
        yield line_of(select), "grain", f"SELECT DISTINCT without {grain} mixes partitions. Add {grain}."


def _joins(tree: "exp.Query", grain: str, literal: frozenset[str]) -> Iterator[Found]:
    """Joins of rows of one partition with rows of another."""
    from sqlglot import exp

    for join in tree.find_all(exp.Join):
        select = join.parent
        if not isinstance(select, exp.Select) or not _has_rows(join.this, literal):
            continue
        left = [select.args["from_"].this, *(each.this for each in select.args["joins"] if each is not join)]
        left = left[: 1 + select.args["joins"].index(join)]
        if not any(_has_rows(each, literal) for each in left):
            continue
        using = [_name(each) for each in join.args.get("using") or []]
        if (
            grain in using
            or _equates(join.args.get("on"), grain)
            or _equates(select.args.get("where"), grain)
        ):
            continue
        yield (
            line_of(join),
            "grain",
            f"This join has no {grain} of both sides in its condition, so rows of one partition would meet "
            f"those of another. Add {grain} = {grain}.",
        )


def _subqueries(tree: "exp.Query", grain: str, literal: frozenset[str]) -> Iterator[Found]:
    """Conditions and values that look into the rows of every partition of the run."""
    from sqlglot import exp

    for inner in tree.find_all(exp.Select):
        if not _has_rows(inner, literal):
            continue
        holder = inner.parent.parent if isinstance(inner.parent, exp.Subquery) else inner.parent
        if isinstance(holder, exp.In) and isinstance(holder.this, exp.Tuple):
            compared = grain in [_name(each) for each in holder.this.expressions]
            if compared and grain in [_name(each) for each in inner.selects]:
                continue
        is_value = isinstance(inner.parent, exp.Subquery) and not isinstance(
            holder, exp.From | exp.Join | exp.CTE | exp.SetOperation | exp.Subquery | None
        )
        if (isinstance(holder, exp.In | exp.Exists) or is_value) and not _equates(
            inner.args.get("where"), grain
        ):
            yield (
                line_of(inner),
                "grain",
                f"This subquery reads the rows of every partition of the run. Compare its {grain} with the "
                f"outer {grain} in its WHERE.",
            )


def _literal_names(tree: "exp.Query", references: Sequence[str]) -> frozenset[str]:
    """Names whose rows belong to no partition: of reference tables, and of the WITH clause where its rows are
    written in the SQL or read of such a table.
    """
    from sqlglot import exp

    found: set[str] = set(references)
    for cte in tree.find_all(exp.CTE):
        if not any(table.name and table.name not in found for table in cte.find_all(exp.Table)):
            found.add(cte.alias)
    return frozenset(found)


def _has_rows(read: Any, literal: frozenset[str]) -> bool:
    """Whether what is read has rows of partitions."""
    from sqlglot import exp

    if isinstance(read, exp.Unnest | exp.Lateral | exp.Values):
        return False
    return any(table.name and table.name not in literal for table in read.find_all(exp.Table))


def _equates(condition: Any, grain: str) -> bool:
    """Whether the grain of one relation equals that of another here."""
    from sqlglot import exp

    return condition is not None and any(
        all(
            isinstance(side, exp.Column) and side.name.lower() == grain
            for side in (each.this, each.expression)
        )
        for each in condition.find_all(exp.EQ)
    )


def _reads_rows(select: "exp.Select") -> bool:
    """Whether rows of several partitions can reach it: not when it only reads literal rows."""
    from sqlglot import exp

    return select.args.get("from_") is not None and not isinstance(select.args["from_"].this, exp.Values)


def _aggregates(select: "exp.Select") -> bool:
    from sqlglot import exp

    for found in select.expressions:
        for call in found.find_all(exp.AggFunc):
            if call.find_ancestor(exp.Window, exp.Select) is select:
                return True
    return False


def _name(node: Any) -> str:
    return str(node.alias_or_name or node.sql())
