"""A compiled query, and what it hands down to its sources once the whole statement is known."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.athena.sql.conditions import down_to
from infra.local.athena.sql.scope import Domain, Ref, Source, Typed
from infra.local.athena.sql.tree import Sql
from infra.local.athena.sql.types import Type


@dataclass(eq=False)
class Query:
    """A compiled query. Its columns are called c0, c1, ... in DuckDB; `fields` has the names that clients see."""

    sql: Sql
    fields: list[tuple[str, Type]]
    outputs: list[Typed] = field(default_factory=list)
    always: frozenset[Ref] = frozenset()
    sources: list[Source] = field(default_factory=list)
    conditions: Mapping[Ref, Domain] = field(default_factory=dict)
    hands_down: frozenset[int] = frozenset()
    branches: list["Query"] = field(default_factory=list)
    ctes: list["Cte"] = field(default_factory=list)

    def demand(self, needed: frozenset[int], domains: Mapping[int, Domain]) -> None:
        """Which output columns are read, and what is kept of them: told once, when the whole query is known."""
        for branch in self.branches:
            branch.demand(needed, domains)
        refs = self.always.union(*(self.outputs[i].refs for i in needed if i < len(self.outputs)))
        kept: dict[Ref, Domain] = dict(self.conditions)
        for index, domain in domains.items():
            if index in self.hands_down and (found := down_to(self.outputs[index], domain)) is not None:
                ref, inner = found
                kept[ref] = kept[ref].meet(inner) if ref in kept else inner
        for source in self.sources:
            own = {ref.column: domain for ref, domain in kept.items() if ref.source is source}
            source.demand(frozenset(ref for ref in refs if ref.source is source), own)
        for cte in reversed(self.ctes):
            cte.settle()

    @property
    def all_refs(self) -> frozenset[Ref]:
        """Every column that the query reads, its own sources' and those of queries around it."""
        inner = (branch.all_refs for branch in self.branches)
        return self.always.union(*(output.refs for output in self.outputs), *inner)


@dataclass(eq=False)
class Cte:
    """A named query of WITH. Its uses say what they need; the query hears the union of it."""

    name: str
    query: Query
    asked: list[tuple[frozenset[int], Mapping[int, Domain]]] = field(default_factory=list)
    recursive: bool = False

    def settle(self) -> None:
        """Hand on what all uses ask together."""
        needed = frozenset().union(*(n for n, _ in self.asked)) if self.asked else frozenset()
        if self.recursive:
            self.query.demand(frozenset(range(len(self.query.fields))), {})
            return
        shared: dict[int, Domain] = {}
        if self.asked:
            for index in frozenset.intersection(*(frozenset(d) for _, d in self.asked)):
                domain = self.asked[0][1][index]
                for _, other in self.asked[1:]:
                    domain = domain.join(other[index])
                shared[index] = domain
        self.query.demand(needed, shared)


Ctes = Mapping[str, Cte]
