"""FROM: tables, views, subqueries, joins."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.casts import coerce
from infra.local.athena.sql.conditions import conditions
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import place_of
from infra.local.athena.sql.parse import parse_query
from infra.local.athena.sql.query_model import Cte, Ctes, Query
from infra.local.athena.sql.scope import Domain, Domains, Field, Origin, Ref, Scope, Source, Typed
from infra.local.athena.sql.tables import Scan, Table, View
from infra.local.athena.sql.tree import EMPTY, Sql, build, join, number, quoted
from infra.local.athena.sql.types import Type, common
from infra.local.athena.sql.unnest import Item, check_renames, unnest

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler

_DEEPEST_VIEW = 16


@dataclass
class FromClause:
    """The text after FROM, what names mean there, and whom to tell what the query needs."""

    sql: Sql = EMPTY
    fields: list[Field] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    refs: frozenset[Ref] = frozenset()
    conditions: dict[Ref, Domain] = field(default_factory=dict)


@dataclass(eq=False)
class QuerySource:
    """A subquery, view or WITH query in FROM; its columns are c0, c1, ..."""

    query: Query | None
    cte: Cte | None = None

    def demand(self, needed: frozenset[Ref], domains: Domains) -> None:
        """Pass on what is needed, by position."""
        positions = frozenset(int(ref.column[1:]) for ref in needed)
        bounds = {int(column[1:]): domain for column, domain in domains.items()}
        if self.cte is not None:
            self.cte.asked.append((positions, bounds))
        elif self.query is not None:
            self.query.demand(positions, bounds)


def from_clause(compiler: "Compiler", node: exp.Select, parent: Scope | None, ctes: Ctes) -> FromClause:
    """FROM with its joins. Raises QueryError."""
    start = node.args.get("from_")
    clause = FromClause()
    if start is None:
        return clause
    first = _item(compiler, start.this, parent, ctes, clause)
    clause.sql = build(" FROM {}", first.sql)
    _take(clause, first)
    for item in [*(start.this.args.get("joins") or []), *(node.args.get("joins") or [])]:
        _join(compiler, item, parent, ctes, clause)
    return clause


def _take(clause: FromClause, item: Item) -> None:
    clause.fields = [*clause.fields, *item.fields]
    clause.refs |= item.refs
    if item.source is not None:
        clause.sources.append(item.source)


def _join(compiler: "Compiler", join: exp.Join, parent: Scope | None, ctes: Ctes, clause: FromClause) -> None:
    if join.args.get("method") or join.kind in ("SEMI", "ANTI", "OUTER APPLY", "CROSS APPLY"):
        raise refused(
            f"{join.args.get('method') or join.kind} JOIN", "Write JOIN ... ON or USING.", *place_of(join)
        )
    item = _item(compiler, join.this, parent, ctes, clause)
    side, kind = join.side.upper(), join.kind.upper()
    on, using = join.args.get("on"), join.args.get("using")
    left, right = list(clause.fields), item.fields
    _take(clause, item)
    if kind == "CROSS" or (on is None and not using):
        if on is None and not using and not (kind == "CROSS" or not side):
            raise QueryError("SYNTAX_ERROR", "JOIN needs ON or USING", *place_of(join))
        word = "CROSS JOIN" if not item.lateral else "CROSS JOIN LATERAL"
        clause.sql += build(" {} {}", word, item.sql)
        return
    word = f"{side} JOIN" if side else "JOIN"
    word += " LATERAL" if item.lateral else ""
    if using:
        condition = _using(using, left, right, side, clause)
    else:
        assert on is not None
        within = Expressions(compiler, Scope(clause.fields, parent))
        value = within.boolean(on, "JOIN ON clause")
        clause.refs |= value.refs
        condition = value.sql
        _join_domains(on, within, side, left, right, clause)
        if item.lateral and value.literal is not True:
            raise refused("JOIN UNNEST with a condition", "Use ON TRUE and filter in WHERE.", *place_of(join))
    clause.sql += build(" {} {} ON {}", word, item.sql, condition)


def _join_domains(
    on: exp.Expr,
    within: Expressions,
    side: str,
    left: Sequence[Field],
    right: Sequence[Field],
    clause: FromClause,
) -> None:
    """A condition of an inner join bounds both sides, of an outer join the side that may be missing."""
    free = {"": [*left, *right], "LEFT": list(right), "RIGHT": list(left)}.get(side, [])
    sources = {ref.source for f in free for ref in f.value.refs}
    for ref, domain in conditions(on, within, lambda _: None).items():
        if ref.source in sources:
            clause.conditions[ref] = (
                clause.conditions[ref].meet(domain) if ref in clause.conditions else domain
            )


def _using(
    using: Sequence[exp.Expr],
    left: list[Field],
    right: list[Field],
    side: str,
    clause: FromClause,
) -> Sql:
    tests, merged = [], []
    for identifier in using:
        name = identifier.name.lower()
        a, b = (Scope(fields).resolve([name], *place_of(identifier)) for fields in (left, right))
        both = common(a.type, b.type)
        if both is None:
            raise QueryError(
                "TYPE_MISMATCH", f"Column '{name}' has types {a.type} and {b.type}", *place_of(identifier)
            )
        x, y = coerce(a, both), coerce(b, both)
        tests.append(build("{} = {}", x.sql, y.sql))
        refs = a.refs | b.refs
        value = {"": x, "LEFT": x, "RIGHT": y}.get(side) or Typed(
            build("coalesce({}, {})", x.sql, y.sql), both, refs
        )
        merged.append(
            Field((), name, Typed(value.sql, both, refs, origin=value.origin if not side else None))
        )
        clause.refs |= refs
    names = {f.name for f in merged}
    rest = [f for f in (*left, *right) if f.name not in names]
    clause.fields = [*merged, *rest]
    return join(" AND ", tests)


def _item(compiler: "Compiler", node: exp.Expr, parent: Scope | None, ctes: Ctes, before: FromClause) -> Item:
    sample = node.args.get("sample")
    if isinstance(node, exp.Table):
        item = _table(compiler, node, ctes)
    elif isinstance(node, exp.Unnest):
        return unnest(compiler, node, Scope(before.fields, parent))
    elif isinstance(node, exp.Lateral):
        if not isinstance(node.this, exp.Subquery):
            raise refused("LATERAL of this kind", "Use LATERAL (SELECT ...).", *place_of(node))
        item = _query(compiler, node.this.this, Scope(before.fields, parent), ctes, node.args.get("alias"))
        item.lateral = True
    elif isinstance(node, exp.Subquery):
        joins = node.args.get("joins") or []
        if isinstance(node.this, exp.Table) or joins:
            raise refused(
                "A join in parentheses", "Write it as a subquery: (SELECT * FROM ...).", *place_of(node)
            )
        item = _query(compiler, node.this, parent, ctes, node.args.get("alias"))
        sample = node.args.get("sample") or sample
    elif isinstance(node, exp.Values):
        alias = node.args.get("alias")
        item = _query(
            compiler, node, parent, ctes, alias if alias is not None and alias.name != "_values" else None
        )
    else:
        raise refused(
            f"'{node.sql('trino')[:60]}' in FROM", "Use a table, a subquery or UNNEST.", *place_of(node)
        )
    if sample is not None:
        item.sql += _sample(sample)
    return item


def _sample(node: exp.TableSample) -> Sql:
    method, percent = node.args.get("method"), node.args.get("percent")
    if method is None or percent is None or not isinstance(percent, exp.Literal):
        raise refused("TABLESAMPLE of this form", "Use TABLESAMPLE BERNOULLI (percent).")
    word = "BERNOULLI" if method.name.upper() == "BERNOULLI" else "SYSTEM"
    return build(" TABLESAMPLE {} ({} PERCENT)", word, number(float(percent.name)))


def _qualifiers(node: exp.Table, alias: str) -> tuple[str, ...]:
    if alias:
        return (alias,)
    names = [part.name.lower() for part in (node.args.get("catalog"), node.args.get("db"), node.this) if part]
    return tuple(".".join(names[start:]) for start in range(len(names)))


def _table(compiler: "Compiler", node: exp.Table, ctes: Ctes) -> Item:
    if not isinstance(node.this, exp.Identifier):
        raise refused(f"Table function '{node.sql('trino')[:60]}'", "Use a table or UNNEST(sequence(...)).")
    alias = node.args.get("alias")
    name = alias.name.lower() if alias is not None and alias.this else ""
    renames = [column.name.lower() for column in alias.columns] if alias is not None else []
    if not node.db and (cte := ctes.get(node.name.lower())) is not None:
        columns = [(n, t) for n, t in cte.query.fields]
        return _relation(
            compiler,
            build(cte.name),
            columns,
            QuerySource(None, cte),
            (name or node.name.lower(),),
            renames,
            node,
        )
    parts = [part.name for part in (node.args.get("catalog"), node.args.get("db"), node.this) if part]
    found = compiler.catalog.find(parts, compiler.database, place_of(node))
    if isinstance(found, View):
        query = _view(compiler, found)
        return _relation(
            compiler,
            build("({})", query.sql),
            query.fields,
            QuerySource(query),
            _qualifiers(node, name),
            renames,
            node,
        )
    scan = Scan(compiler.fresh("scan_"), found)
    compiler.scans.append(scan)
    return _scan(compiler, scan, found, _qualifiers(node, name), renames, node)


def _scan(
    compiler: "Compiler",
    scan: Scan,
    table: Table,
    qualifiers: tuple[str, ...],
    renames: Sequence[str],
    node: exp.Expr,
) -> Item:
    alias = compiler.fresh("r")
    visible = [column for column in table.columns if not column.hidden]
    check_renames(renames, len(visible), node)
    names = dict(zip((c.name for c in visible), renames, strict=False))
    fields = []
    for column in table.columns:
        ref = Ref(scan, column.name)
        value = Typed(
            build("{}.{}", alias, quoted(column.name)), column.type, frozenset({ref}), origin=Origin(ref)
        )
        fields.append(Field(qualifiers, names.get(column.name, column.name), value, column.hidden))
    return Item(build("{} AS {}", scan.name, alias), fields, scan)


def _view(compiler: "Compiler", view: View) -> Query:
    """The view's query, with its bare names in the view's database and no WITH query of the outer one visible."""
    if len(compiler.views) >= _DEEPEST_VIEW or f"{view.database}.{view.name}" in compiler.views:
        raise QueryError(
            "VIEW_IS_RECURSIVE", f"Statement would create a recursive view: {view.database}.{view.name}"
        )
    outer = compiler.database
    compiler.views.append(f"{view.database}.{view.name}")
    compiler.database = view.database
    try:
        return compiler.query(parse_query(view.sql), None, {})
    finally:
        compiler.database = outer
        compiler.views.pop()


def _query(
    compiler: "Compiler", node: exp.Expr, parent: Scope | None, ctes: Ctes, alias: exp.TableAlias | None
) -> Item:
    query = compiler.query(node, parent, ctes)
    name = alias.name.lower() if alias is not None and alias.this else ""
    renames = [column.name.lower() for column in alias.columns] if alias is not None else []
    item = _relation(
        compiler,
        build("({})", query.sql),
        query.fields,
        QuerySource(query),
        (name,) if name else (),
        renames,
        node,
    )
    outer = frozenset(ref for ref in query.all_refs if ref.source not in query.sources)
    return Item(item.sql, item.fields, item.source, outer)


def _relation(
    compiler: "Compiler",
    sql: Sql,
    columns: Sequence[tuple[str, Type]],
    source: Source,
    qualifiers: tuple[str, ...],
    renames: Sequence[str],
    node: exp.Expr,
) -> Item:
    alias = compiler.fresh("r")
    check_renames(renames, len(columns), node)
    fields = []
    for index, (name, of) in enumerate(columns):
        ref = Ref(source, f"c{index}")
        value = Typed(build("{}.c{}", alias, index), of, frozenset({ref}), origin=Origin(ref))
        fields.append(Field(qualifiers, renames[index] if renames else name.lower(), value))
    return Item(build("{} AS {}", sql, alias), fields, source)
