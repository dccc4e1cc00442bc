"""A report's SQL rewritten so that it lists the events behind its rows, instead of adding them up (pure).

Filters, joins and group keys stay as they are; aggregates, windows and columns that nothing needs are left
out. A row of an aggregated SELECT becomes a row for each of its inputs, which has the group's keys and the
event's own columns, the marks. Where a column of a single row is asked for, only the relations that it is
computed from are followed; below an aggregate all of them are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from queries.receipts.errors import CannotTraceError
from queries.receipts.narrowing import narrowed
from queries.receipts.reading_sql import (
    Relation,
    follows_from,
    group_keys,
    is_aggregated,
    names_read,
    output_names,
    reads_of,
    relations_in,
)
from queries.receipts.shapes import refuse

DIALECT = "trino"
_GROUPED, _ROWS, _KEY = "penstock_grouped", "penstock_rows", "penstock_key"

Names = frozenset[str]
Defined = Mapping[str, exp.Query]
"""What names of a WITH clause stand for."""


@dataclass(frozen=True)
class Branch:
    """A query with the wanted columns and the marks of one followed table.

    `is_changed`: its rows are not those of the query that it was made from, so no window may be put over it.
    """

    query: exp.Select
    is_changed: bool


@dataclass(frozen=True)
class Traced:
    """The queries that list the events behind rows; each gives events of its own, some of them twice.

    `pinned` are the keys that a row may be told by: those that no window of the column looks across.
    """

    branches: tuple[exp.Select, ...]
    pinned: Names
    repeats: bool


@dataclass(frozen=True)
class _Asked:
    """What is asked of a query: the columns needed of it, and those whose value is explained.

    `value` is None below an aggregate, where all rows count.
    """

    needed: Names
    value: Names | None
    is_outermost: bool = False


class Tracer:
    """Rewrites one statement. `tables`: the lake tables' columns; `marked`: the name of each with marks."""

    def __init__(
        self, tables: Mapping[str, Sequence[str]], marked: Mapping[str, str], marks: Sequence[str]
    ) -> None:
        self._tables, self._marked, self._marks = tables, marked, marks
        self._pinned: Names = frozenset()

    def trace(self, tree: exp.Query, *, grain: str, keys: Sequence[str], column: str) -> Traced:
        """The queries behind the rows of this column. Raises CannotTraceError."""
        refuse(tree, list(self._tables))
        self._pinned = frozenset(keys)
        asked = _Asked(frozenset({grain, *keys}), frozenset({column}), is_outermost=True)
        branches = tuple(branch.query for branch in self._query(tree, {}, asked))
        if not branches:
            raise CannotTraceError(f"{column} is computed from no event")
        repeats = len(branches) > 1 or tree.find(exp.Join) is not None
        return Traced(branches, self._pinned, repeats)

    def _query(self, query: exp.Query, defined: Defined, asked: _Asked) -> Iterator[Branch]:
        if isinstance(query, exp.Subquery):
            inner = query.this
            if isinstance(inner, exp.Query):
                yield from self._query(inner, defined, asked)
        elif isinstance(query, exp.SetOperation):
            yield from self._union(query, defined, asked)
        elif isinstance(query, exp.Select):
            yield from self._select(query, self._with(query, defined), asked)

    def _union(self, union: exp.SetOperation, defined: Defined, asked: _Asked) -> Iterator[Branch]:
        names = output_names(union)
        if names is None:
            raise CannotTraceError("its UNION is of rows whose columns are not named")
        for side in (union.this, union.expression):
            named = _renamed(side, names)
            if union.args.get("with_") is not None:
                named.set("with_", union.args["with_"].copy())
            for branch in self._query(named, self._with(union, defined), asked):
                yield Branch(branch.query, is_changed=True)

    def _with(self, query: exp.Query, defined: Defined) -> Defined:
        clause = query.args.get("with_")
        found = dict(defined)
        for cte in clause.expressions if clause is not None else ():
            columns = [each.name for each in cte.args["alias"].columns]
            found[cte.alias.lower()] = _renamed(cte.this, columns) if columns else cte.this
        return found

    def _select(self, select: exp.Select, defined: Defined, asked: _Asked) -> Iterator[Branch]:
        relations = self._relations(select, defined)
        columns = _projections(select, relations)
        if missing := sorted(asked.needed - columns.keys()):
            raise CannotTraceError(f"its SQL has no column {missing[0]} that could be followed")
        values = [columns[name] for name in sorted(asked.value or ()) if name in columns]
        self._unpin(values, is_outermost=asked.is_outermost)
        parts = _Parts(select, {name: columns[name] for name in sorted(asked.needed)})
        are_rows = all(self._is_of_rows(each.node, defined) for each in relations)
        within = parts.condition(values) if are_rows else None
        read = names_read([*parts.read, *([within] if within is not None else [])]) | parts.joined
        for relation in relations:
            if parts.is_aggregated or asked.value is None:
                value = None
            else:
                value = reads_of(values, relation, relations)
                if not value and any(reads_of(values, each, relations) for each in relations):
                    continue
            inner = _Asked(read & frozenset(relation.columns or read), value or None)
            for branch in self._relation(relation.node, defined, inner):
                yield parts.followed(relation, branch, within, self._marks)

    def _unpin(self, values: Sequence[exp.Expr], *, is_outermost: bool) -> None:
        """Keys that the column's windows look across do not tell its rows apart."""
        for value in values:
            for window in value.find_all(exp.Window):
                apart = {each.name.lower() for each in window.args.get("partition_by") or ()}
                self._pinned &= frozenset(apart if is_outermost else ())

    def _relation(self, node: exp.Expr, defined: Defined, asked: _Asked) -> Iterator[Branch]:
        """The branches of a relation, each a query; nothing for rows that are written in the SQL."""
        if isinstance(node, exp.Subquery):
            yield from self._query(node, defined, asked)
        elif isinstance(node, exp.Table):
            name = node.name.lower()
            if name in defined:
                yield from self._query(defined[name], _before(name, defined), asked)
            elif name in self._marked:
                names = [*sorted(asked.needed), *self._marks]
                query = exp.select(*map(exp.column, names)).from_(self._marked[name])
                yield Branch(query, is_changed=False)

    def _is_of_rows(self, node: exp.Expr, defined: Defined) -> bool:
        """Whether its rows are the lake's, or written in the SQL: no window chooses among them."""
        if isinstance(node, exp.Table):
            return node.name.lower() not in defined
        return isinstance(node, exp.Unnest | exp.Values)

    def _columns(self, node: exp.Expr, defined: Defined) -> tuple[str, ...] | None:
        """The relation's columns; None where they are not known."""
        if isinstance(node, exp.Table):
            name = node.name.lower()
            if name not in defined:
                return tuple(self._tables.get(name, ())) or None
            return self._columns(defined[name], _before(name, defined))
        if isinstance(node, exp.Unnest | exp.Values):
            return tuple(each.name.lower() for each in node.args["alias"].columns)
        if isinstance(node, exp.Subquery | exp.SetOperation):
            return self._columns(node.this, self._with(node, defined))
        if isinstance(node, exp.Select):
            known = self._with(node, defined)
            return tuple(_projections(node, self._relations(node, known)))
        return None

    def _relations(self, select: exp.Select, defined: Defined) -> list[Relation]:
        return [
            Relation(place, node, node.alias_or_name.lower(), self._columns(node, defined))
            for place, node in relations_in(select)
        ]


class _Parts:
    """What of a SELECT stays when its events are listed."""

    def __init__(self, select: exp.Select, kept: Mapping[str, exp.Expr]) -> None:
        self.is_aggregated = is_aggregated(select)
        self._select, self._kept = select, kept
        self._keys = group_keys(select)
        self._is_direct = not self.is_aggregated or (
            select.args.get("having") is None
            and all(follows_from(each, self._keys) for each in kept.values())
        )

    @property
    def joined(self) -> Names:
        """Names in USING."""
        joins = self._select.args.get("joins") or []
        return frozenset(each.name.lower() for join in joins for each in join.args.get("using") or [])

    @property
    def read(self) -> list[exp.Expr]:
        """The expressions whose columns the listing query reads."""
        joins = [join.args["on"] for join in self._select.args.get("joins") or [] if join.args.get("on")]
        unnested = [node for _, node in relations_in(self._select) if isinstance(node, exp.Unnest)]
        where = self._select.args.get("where")
        shown = self._kept.values() if self._is_direct else self._keys
        return [*shown, *joins, *unnested, *([where] if where is not None else [])]

    def condition(self, values: Sequence[exp.Expr]) -> exp.Expr | None:
        """What is true of the rows that the values depend on; None where that is every row of the group."""
        return narrowed(values) if values and self.is_aggregated and self._is_direct else None

    def followed(
        self, relation: Relation, branch: Branch, within: exp.Expr | None, marks: Sequence[str]
    ) -> Branch:
        """The SELECT over a relation that has marks. Raises CannotTraceError."""
        is_windowed = any(each.find(exp.Window) for each in self._kept.values())
        if branch.is_changed and is_windowed and not self.is_aggregated:
            raise CannotTraceError("its rows are chosen by a window over rows that were aggregated")
        listing = self._bare()
        relation.put(listing, exp.Subquery(this=branch.query, alias=exp.to_identifier(relation.alias)))
        if within is not None:
            listing = listing.where(within, copy=False)
        carried = [exp.column(mark, table=relation.alias) for mark in marks]
        if self._is_direct:
            shown = [exp.alias_(each.copy(), name) for name, each in self._kept.items()]
            listing.set("expressions", [*shown, *carried])
            is_changed = branch.is_changed or self.is_aggregated or bool(self._select.args.get("distinct"))
            return Branch(listing, is_changed)
        keys = [exp.alias_(key.copy(), f"{_KEY}_{at}") for at, key in enumerate(self._keys)]
        listing.set("expressions", [*keys, *carried])
        return Branch(self._joined(listing, keys, marks), is_changed=True)

    def _bare(self) -> exp.Select:
        bare = self._select.copy()
        for clause in ("group", "having", "order", "distinct"):
            bare.set(clause, None)
        return bare

    def _joined(self, listing: exp.Select, keys: Sequence[exp.Expr], marks: Sequence[str]) -> exp.Select:
        """The rows of the SELECT as it is, each beside its inputs: what it has is known of whole groups."""
        grouped = self._select.copy()
        grouped.set("order", None)
        # Numbers in it would mean other columns now.
        grouped.set("group", exp.Group(expressions=[key.unalias().copy() for key in keys]))
        shown = [exp.alias_(each.copy(), name) for name, each in self._kept.items()]
        grouped.set("expressions", [*shown, *(key.copy() for key in keys)])
        same = [
            exp.NullSafeEQ(
                this=exp.column(key.alias, table=_GROUPED), expression=exp.column(key.alias, table=_ROWS)
            )
            for key in keys
        ]
        if not same:
            raise CannotTraceError("its SQL aggregates without a GROUP BY")
        names = [exp.column(name, table=_GROUPED) for name in self._kept]
        return (
            exp.select(*names, *(exp.column(mark, table=_ROWS) for mark in marks))
            .from_(grouped.subquery(_GROUPED))
            .join(listing.subquery(_ROWS), on=exp.and_(*same))
        )


def _before(name: str, defined: Defined) -> Defined:
    """What a name of a WITH clause may see: the names before it."""
    return dict(list(defined.items())[: list(defined).index(name)])


def _renamed(query: exp.Expr, names: Sequence[str]) -> exp.Query:
    """A copy of the query whose columns have these names."""
    copy = query.copy()
    first = copy
    while isinstance(first, exp.Subquery | exp.SetOperation):
        first = first.this
    if isinstance(first, exp.Select):
        if (written := _written_rows(first)) is not None:
            written.args["alias"].set("columns", [exp.to_identifier(name) for name in names])
            first.set("expressions", [exp.column(name) for name in names])
        if output_names(first) is None or len(first.expressions) != len(names):
            raise CannotTraceError("its SQL names columns of a query that says *")
        renamed = [
            exp.alias_(each.unalias(), name) for each, name in zip(first.expressions, names, strict=True)
        ]
        first.set("expressions", renamed)
    assert isinstance(copy, exp.Query)
    return copy


def _written_rows(select: exp.Select) -> exp.Values | None:
    """The rows of `VALUES`, which are read as all columns of a table without named ones."""
    rows = select.args["from_"].this if select.args.get("from_") is not None else None
    return rows if isinstance(rows, exp.Values) and not rows.args["alias"].columns else None


def _projections(select: exp.Select, relations: Sequence[Relation]) -> dict[str, exp.Expr]:
    """Name to expression of each column, `*` taken apart. Raises CannotTraceError."""
    found: dict[str, exp.Expr] = {}
    for each in select.expressions:
        is_qualified = isinstance(each, exp.Column) and isinstance(each.this, exp.Star)
        if not isinstance(each, exp.Star) and not is_qualified:
            found[each.alias_or_name.lower()] = each.unalias()
            continue
        of = [one for one in relations if not is_qualified or one.alias == each.args["table"].name.lower()]
        for relation in of:
            if relation.columns is None:
                raise CannotTraceError("its SQL says * of columns that are not known")
            for name in relation.columns:
                found.setdefault(name, exp.column(name, table=relation.alias))
    return found
