"""What the tracer asks of a SELECT: its relations, its names, what each of its expressions reads."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from queries.receipts.errors import CannotTraceError

Columns = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Relation:
    """One thing in a FROM: its place (-1: behind FROM, else the join's number), its name there, its columns.

    `columns` is None where they are not known.
    """

    place: int
    node: exp.Expr
    alias: str
    columns: tuple[str, ...] | None

    def put(self, select: exp.Select, node: exp.Expr) -> None:
        """Put `node` in this relation's place of a copy of the SELECT."""
        holder = select.args["from_"] if self.place < 0 else select.args["joins"][self.place]
        holder.set("this", node)


def relations_in(select: exp.Select) -> list[tuple[int, exp.Expr]]:
    """The relations of the FROM clause with their places, in order."""
    source = select.args.get("from_")
    if source is None:
        return []
    return [(-1, source.this), *((at, join.this) for at, join in enumerate(select.args.get("joins") or []))]


def output_names(query: exp.Query) -> tuple[str, ...] | None:
    """Names of the query's columns; None when it says `*`."""
    while isinstance(query, exp.Subquery | exp.SetOperation):
        query = query.this
    names = [each.alias_or_name.lower() for each in query.selects]
    return None if "*" in names else tuple(names)


def names_read(nodes: Sequence[exp.Expr]) -> frozenset[str]:
    """Every name that may be a column of some relation."""
    found: set[str] = set()
    for node in nodes:
        for column in node.find_all(exp.Column):
            found.update(part.name.lower() for part in column.parts[:2])
    return frozenset(found)


def reads_of(nodes: Sequence[exp.Expr], relation: Relation, others: Sequence[Relation]) -> frozenset[str]:
    """The columns of this relation that the expressions read; names of unknown origin count for all."""
    aliases = {each.alias for each in others}
    elsewhere = {name for each in others if each is not relation for name in each.columns or ()}
    found: set[str] = set()
    for node in nodes:
        for column in node.find_all(exp.Column):
            parts = [part.name.lower() for part in column.parts]
            if parts[0] in aliases and len(parts) > 1:
                if parts[0] == relation.alias:
                    found.add(parts[1])
            elif parts[0] in (relation.columns or ()) or parts[0] not in elsewhere:
                found.add(parts[0])
    return frozenset(found)


def group_keys(select: exp.Select) -> list[exp.Expr]:
    """The expressions of GROUP BY, numbers resolved. Raises CannotTraceError for sets of groupings."""
    group = select.args.get("group")
    if group is None:
        return []
    if any(isinstance(each, exp.Rollup | exp.Cube | exp.GroupingSets) for each in group.expressions):
        raise CannotTraceError("its GROUP BY makes several groupings (CUBE, ROLLUP or GROUPING SETS)")
    keys = []
    for key in group.expressions:
        if isinstance(key, exp.Literal) and not key.is_string:
            keys.append(select.selects[int(key.name) - 1].unalias())
        else:
            keys.append(key)
    return keys


def aggregates_in(node: exp.Expr) -> Iterator[exp.Expr]:
    """The aggregates of an expression, but for those that are computed over a window."""
    if isinstance(node, exp.Window):
        return
    if isinstance(node, exp.Filter | exp.AggFunc):
        yield node
        return
    for child in node.iter_expressions():
        yield from aggregates_in(child)


def is_aggregated(select: exp.Select) -> bool:
    """Whether the SELECT makes one row of several."""
    return select.args.get("group") is not None or any(
        True for each in select.selects for _ in aggregates_in(each)
    )


def follows_from(node: exp.Expr, keys: Sequence[exp.Expr]) -> bool:
    """Whether the expression is a function of the group's keys alone."""
    if any(node == key for key in keys):
        return True
    if isinstance(node, exp.Column | exp.AggFunc | exp.Window | exp.Star | exp.Anonymous):
        return False
    return all(follows_from(child, keys) for child in node.iter_expressions())
