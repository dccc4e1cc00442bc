"""What a name means where it stands: the columns of FROM, lambda parameters, and the queries around."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sqlglot import exp

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.tree import Sql, build, quoted
from infra.local.athena.sql.types import Type


@dataclass(frozen=True)
class Ref:
    """A use of a source's column; `path` names the struct fields below it that are read."""

    source: "Source"
    column: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Origin:
    """The value is a source's column as it is, or (`prefix`) the beginning of its text."""

    ref: Ref
    prefix: bool = False


@dataclass(frozen=True)
class Typed:
    """An expression: DuckDB's expression, Trino's type, and which columns it reads.

    `literal` is the value where the query writes one down (a string, int, Decimal text or bool); `origin` is set
    where the value is a column as it stands, so that conditions on it can be handed down to the column; `is_plain`
    where it is a table's column or a field of one.
    """

    sql: Sql
    type: Type
    refs: frozenset[Ref] = frozenset()
    literal: Any = None
    origin: Origin | None = None
    is_plain: bool = False

    def with_sql(self, sql: Sql, of: Type | None = None) -> "Typed":
        """Another text (and type) over the same columns."""
        return Typed(sql, of or self.type, self.refs)


@dataclass(frozen=True)
class Domain:
    """Which values of a column can matter: `values` when they can be listed, else between `low` and `high`."""

    values: frozenset[Any] | None = None
    low: Any = None
    high: Any = None

    def allows(self, value: Any) -> bool:
        """Whether the value is inside."""
        if value is None:
            return False
        if self.values is not None and value not in self.values:
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def meet(self, other: "Domain") -> "Domain":
        """Values inside both."""
        lows = [d.low for d in (self, other) if d.low is not None]
        highs = [d.high for d in (self, other) if d.high is not None]
        sets = [d.values for d in (self, other) if d.values is not None]
        bounds = Domain(None, max(lows, default=None), min(highs, default=None))
        if not sets:
            return bounds
        return Domain(frozenset(v for v in frozenset.intersection(*sets) if bounds.allows(v)))

    def join(self, other: "Domain") -> "Domain":
        """Values inside either, at least."""
        if self.values is not None and other.values is not None:
            return Domain(self.values | other.values)
        lows, highs = (self._low(), other._low()), (self._high(), other._high())
        return Domain(
            None,
            None if None in lows else min(low for low in lows if low is not None),
            None if None in highs else max(high for high in highs if high is not None),
        )

    def _low(self) -> Any:
        return min(self.values) if self.values else self.low

    def _high(self) -> Any:
        return max(self.values) if self.values else self.high


Domains = Mapping[str, Domain]


class Source(Protocol):
    """Something in FROM that can be told, once the whole query is known, what is asked of it."""

    def demand(self, needed: frozenset[Ref], domains: Domains) -> None:
        """The columns that are read, and what the query keeps of them."""
        ...


@dataclass(frozen=True)
class Field:
    """A column that names can mean: its qualifiers (`t`, or `db.t`), its name ("" has none) and its expression."""

    qualifiers: tuple[str, ...]
    name: str
    value: Typed
    hidden: bool = False


@dataclass
class Scope:
    """The fields of one SELECT, with the scope around it for correlated subqueries."""

    fields: list[Field] = field(default_factory=list)
    parent: "Scope | None" = None
    parameters: dict[str, Typed] = field(default_factory=dict)
    windows: dict[str, exp.Window] = field(default_factory=dict)
    ctes: Mapping[str, Any] = field(default_factory=dict)

    def with_parameters(self, parameters: Mapping[str, Typed]) -> "Scope":
        """This scope inside a lambda: its parameters hide columns of the same name."""
        return replace(self, parameters={**self.parameters, **parameters})

    def resolve(self, parts: Sequence[str], line: int = 0, column: int = 0) -> Typed:
        """The expression that a dotted name means. Raises QueryError COLUMN_NOT_FOUND or AMBIGUOUS_NAME."""
        names = [part.lower() for part in parts]
        if names[0] in self.parameters:
            return _fields_of(self.parameters[names[0]], names[1:], line, column)
        scope: Scope | None = self
        while scope is not None:
            for value, rest in scope._matches(names, line, column):
                return _fields_of(value, rest, line, column)
            scope = scope.parent
        raise QueryError("COLUMN_NOT_FOUND", f"Column '{'.'.join(parts)}' cannot be resolved", line, column)

    def _matches(self, names: list[str], line: int, column: int) -> Iterator[tuple[Typed, list[str]]]:
        for used in range(len(names) - 1, -1, -1):  # a longer qualifier wins over a column's field
            qualifier, name, rest = ".".join(names[:used]), names[used], names[used + 1 :]
            found = [f for f in self.fields if f.name == name and (not used or qualifier in f.qualifiers)]
            if len(found) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"Column '{name}' is ambiguous", line, column)
            if found:
                yield found[0].value, rest

    def star(self, qualifier: str = "") -> list[Field]:
        """What `*` or `qualifier.*` stands for."""
        return [
            f for f in self.fields if not f.hidden and (not qualifier or qualifier.lower() in f.qualifiers)
        ]


def _fields_of(value: Typed, names: Sequence[str], line: int, column: int) -> Typed:
    for name in names:
        value = member(value, name, line, column)
    return value


def member(value: Typed, name: str, line: int = 0, column: int = 0) -> Typed:
    """The field of a row. Raises QueryError when it has none of this name."""
    if value.type.name != "row" or name.lower() not in value.type.names:
        raise QueryError("COLUMN_NOT_FOUND", f"'{name}' is not a field of {value.type}", line, column)
    index = value.type.names.index(name.lower())
    refs = value.refs
    if len(refs) == 1 and value.is_plain:  # a plain column or a field of one: only this part is read
        only = next(iter(refs))
        refs = frozenset({Ref(only.source, only.column, (*only.path, name.lower()))})
    return Typed(
        build("{}.{}", value.sql, quoted(value.type.stored_names[index])),
        value.type.of[index],
        refs,
        is_plain=value.is_plain,
    )
