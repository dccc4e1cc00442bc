"""One query's compilation: the catalog it reads, the parameters it is given, and what running it will need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlglot import exp

from infra.local.athena.errors import QueryError
from infra.local.athena.sql import aggregates, json_casts, queries, subqueries, times
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import Rules
from infra.local.athena.sql.functions.registry import FUNCTIONS, Udf
from infra.local.athena.sql.parse import parse_query
from infra.local.athena.sql.query_model import Ctes, Query
from infra.local.athena.sql.scope import Scope, Typed
from infra.local.athena.sql.tables import Catalog, Scan
from infra.local.athena.sql.types import Type


@dataclass(frozen=True)
class CompiledQuery:
    """A query for DuckDB: its text, output columns, the tables to put in place, the functions to register."""

    sql: str
    columns: tuple[tuple[str, Type], ...]
    scans: tuple[Scan, ...]
    udfs: tuple[Udf, ...]


Fold = Callable[[Typed, Sequence[Udf]], Any]
"""Computes an expression that reads no column, for pruning; None when it cannot."""


class Compiler:
    """Compiles one statement's query. Made anew for each."""

    def __init__(
        self,
        catalog: Catalog,
        database: str,
        *,
        now: datetime,
        parameters: Sequence[str] = (),
        fold: Fold | None = None,
    ) -> None:
        self.catalog, self.database, self.started = catalog, database, now
        self.parameters, self.fold = list(parameters), fold
        self.scans: list[Scan] = []
        self.udfs: dict[str, Udf] = {}
        self.views: list[str] = []
        self._places: dict[int, int] = {}
        self._count = 0

    def compile(self, sql: str) -> CompiledQuery:
        """The whole query. Raises QueryError."""
        return self.compile_tree(parse_query(sql))

    def compile_tree(self, tree: exp.Expr) -> CompiledQuery:
        """The whole query from its tree. Raises QueryError."""
        places = sorted(int(node.name) for node in tree.find_all(exp.Placeholder))
        self._places = {place: index for index, place in enumerate(places)}
        if len(places) != len(self.parameters):
            wrong = f"Incorrect number of parameters: expected {len(places)} but found {len(self.parameters)}"
            raise QueryError("INVALID_PARAMETER_USAGE", wrong, 1, 1)
        query = self.query(tree, None, {})
        query.demand(frozenset(range(len(query.fields))), {})
        return CompiledQuery(
            str(query.sql), tuple(query.fields), tuple(self.scans), tuple(self.udfs.values())
        )

    # What expressions and queries ask

    def query(self, node: exp.Expr, parent: Scope | None, ctes: Ctes) -> Query:
        """A query inside the statement."""
        return queries.compile_query(self, node, parent, ctes)

    def fresh(self, letter: str) -> str:
        """A name that this query has not used."""
        self._count += 1
        return f"{letter}{self._count}"

    def use(self, udf: Udf) -> str:
        """Note that the query needs the function."""
        self.udfs[udf.name] = udf
        return udf.name

    def parameter(self, node: exp.Placeholder) -> Typed:
        """The literal that was given for this `?`, as an expression of its own."""
        written = self.parameters[self._places[int(node.name)]]
        tree = parse_query(f"SELECT {written}")
        listed = (
            tree.expressions if {name for name, part in tree.args.items() if part} == {"expressions"} else []
        )
        if not isinstance(tree, exp.Select) or len(listed) != 1 or not _is_literal(listed[0]):
            raise QueryError(
                "INVALID_PARAMETER_USAGE", f"Parameter is not a literal: {written}. Quote strings: 'text'."
            )
        return Expressions(self, Scope())(listed[0])

    def now(self, name: str) -> Typed:
        """current_date, current_timestamp, localtimestamp, ...: when the execution was submitted."""
        return times.now(name, self.started)

    def at_time_zone(self, node: exp.Expr, zone: Typed, within: Expressions) -> Typed:
        """`node AT TIME ZONE zone`."""
        return times.at_time_zone(within(node), zone)

    def json_cast(self, value: Typed, wanted: Type, *, safe: bool) -> Typed:
        """CAST to or from json."""
        return json_casts.json_cast(self, value, wanted, safe=safe)

    def json_path(self, node: exp.Expr, within: Expressions) -> Typed:
        """JSON_VALUE and JSON_QUERY."""
        return json_casts.json_path(node, within)

    def is_aggregate(self, name: str) -> bool:
        """Whether the function reduces rows."""
        return any(o.kind == "aggregate" for o in FUNCTIONS.overloads.get(name, ()))

    def aggregate(self, node: exp.Expr, within: Expressions) -> Typed:
        """An aggregate function call."""
        return aggregates.aggregate(node, within)

    def window(self, node: exp.Window, within: Expressions) -> Typed:
        """A call with OVER."""
        return aggregates.window(node, within)

    def scalar_query(self, node: exp.Subquery, within: Expressions) -> Typed:
        """A subquery as a value."""
        return subqueries.scalar_query(self, node, within.scope)

    def exists(self, node: exp.Exists, within: Expressions) -> Typed:
        """EXISTS (query)."""
        return subqueries.exists(self, node, within.scope)

    def in_query(self, node: exp.In, within: Rules) -> Typed:
        """value IN (query)."""
        return subqueries.in_query(self, node, within)

    def quantified(self, symbol: str, node: exp.Expr, within: Rules) -> Typed:
        """value = ANY (query), value > ALL (query)."""
        return subqueries.quantified(self, symbol, node, within)


def _is_literal(node: exp.Expr) -> bool:
    """A string, number, boolean or NULL, and what has a type in front of it: DATE '2026-11-24', -1."""
    if isinstance(node, (exp.Neg, exp.Interval)) or type(node) is exp.Cast:
        return isinstance(node.this, exp.Literal)
    return isinstance(node, (exp.Literal, exp.Boolean, exp.Null, exp.HexString))
