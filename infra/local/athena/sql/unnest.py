"""One item of FROM, and UNNEST as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.expression import Expressions
from infra.local.athena.sql.expression_base import place_of
from infra.local.athena.sql.scope import Field, Ref, Scope, Source, Typed
from infra.local.athena.sql.tree import Sql, build, join, quoted
from infra.local.athena.sql.types import BIGINT, Type

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler


@dataclass
class Item:
    """One item of FROM: its text, fields, and what it reads of the items before it."""

    sql: Sql
    fields: list[Field]
    source: Source | None
    refs: frozenset[Ref] = frozenset()
    lateral: bool = False


def check_renames(renames: Sequence[str], width: int, node: exp.Expr) -> None:
    """Raise QueryError unless there is a new name for each column, or none at all."""
    if renames and len(renames) != width:
        message = f"Column alias list has {len(renames)} entries but relation has {width} columns"
        raise QueryError("MISMATCHED_COLUMN_ALIASES", message, *place_of(node))


def unnest(compiler: "Compiler", node: exp.Unnest, scope: Scope) -> Item:
    """UNNEST of arrays, arrays of rows and maps, side by side, the shorter ones filled up with NULL."""
    values = Expressions(compiler, scope).all(node.expressions)
    lists: list[tuple[Sql, Type]] = []
    for value in values:
        if value.type.name == "map":
            lists += [
                (build("map_keys({})", value.sql), value.type.of[0]),
                (build("map_values({})", value.sql), value.type.of[1]),
            ]
        elif value.type.name == "array":
            lists.append((value.sql, value.type.of[0]))
        else:
            raise QueryError("TYPE_MISMATCH", f"Cannot unnest type: {value.type}", *place_of(node))
    columns: list[tuple[str, Type]] = []
    selected = []
    for index, (_, of) in enumerate(lists):
        if of.name == "row":
            for name, stored, inner in zip(of.names, of.stored_names, of.of, strict=True):
                selected.append(build("u.u{}.{}", index, quoted(stored)))
                columns.append((name, inner))
        else:
            selected.append(build("u.u{}", index))
            columns.append(("", of))
    parts = [build("unnest({}) AS u{}", sql, index) for index, (sql, _) in enumerate(lists)]
    if node.args.get("offset"):
        lengths = join(", ", (build("coalesce(len({}), 0)", sql) for sql, _ in lists))
        longest = build("greatest({})", lengths) if len(lists) > 1 else lengths
        parts.append(build("unnest(generate_series(1, {})) AS ordinality", longest))
        selected.append(build("u.ordinality"))
        columns.append(("", BIGINT))
    listed = join(", ", (build("{} AS c{}", sql, i) for i, sql in enumerate(selected)))
    alias = node.args.get("alias")
    names = [column.name.lower() for column in alias.columns] if alias is not None else []
    ordinality = node.args.get("offset")
    if isinstance(ordinality, exp.Identifier):
        names.append(ordinality.name.lower())
    if names:
        check_renames(names, len(columns), node)
    relation = compiler.fresh("r")
    qualifiers = (alias.name.lower(),) if alias is not None and alias.this else ()
    refs = frozenset().union(*(value.refs for value in values))
    fields = [
        Field(
            qualifiers,
            names[i] if names else name or f"_col{i}",
            Typed(build("{}.c{}", relation, i), of, refs),
        )
        for i, (name, of) in enumerate(columns)
    ]
    return Item(
        build("(SELECT {} FROM (SELECT {}) AS u) AS {}", listed, join(", ", parts), relation),
        fields,
        None,
        refs,
        lateral=True,
    )
