"""What a query reads: tables and views of a catalog, and each use of one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from infra.local.athena.sql.scope import Domain, Ref
from infra.local.athena.sql.types import Type


@dataclass(frozen=True)
class TableColumn:
    """A column of a table, or (`hidden`) one like "$path" that `*` leaves out."""

    name: str
    type: Type
    partition: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class Table:
    """A table of the catalog; `handle` is the catalog's own description of it."""

    catalog: str
    database: str
    name: str
    columns: tuple[TableColumn, ...]
    handle: Any = None


@dataclass(frozen=True)
class View:
    """A view of the catalog: its query, and the database that its bare names are in."""

    catalog: str
    database: str
    name: str
    sql: str


class Catalog(Protocol):
    """Where names of tables are looked up."""

    def find(self, parts: Sequence[str], database: str, place: tuple[int, int]) -> Table | View:
        """The table or view. Raises QueryError TABLE_NOT_FOUND or SCHEMA_NOT_FOUND."""
        ...


@dataclass(eq=False)
class Scan:
    """One use of a table: DuckDB's name for it, and (after `demand`) which columns and values the query reads."""

    name: str
    table: Table
    needed: frozenset[Ref] = frozenset()
    domains: dict[str, Domain] = field(default_factory=dict)

    def demand(self, needed: frozenset[Ref], domains: Any) -> None:
        """What the query reads of the table, and which values of its columns can matter."""
        self.needed, self.domains = needed, dict(domains)

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        """The table's columns that the query reads, in table order."""
        names = {ref.column for ref in self.needed}
        return tuple(column for column in self.table.columns if column.name in names)

    def offered(self, sql: str) -> tuple[TableColumn, ...]:
        """The columns that the query's text may mention, read or not; DuckDB leaves out what is not read."""
        return tuple(c for c in self.table.columns if not c.hidden or f'"{c.name}"' in sql)
