"""What the rules for expressions share: where a node stands, what it reads, and what a rule may ask for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from sqlglot import exp

from infra.local.athena.sql.scope import Ref, Scope, Typed
from infra.local.athena.sql.tree import build
from infra.local.athena.sql.types import UNKNOWN

if TYPE_CHECKING:
    from infra.local.athena.sql.compiler import Compiler

NULL = Typed(build("NULL"), UNKNOWN)


def refs_of(*values: Typed) -> frozenset[Ref]:
    """Every column that the values read."""
    return frozenset().union(*(value.refs for value in values)) if values else frozenset()


def place_of(node: exp.Expr) -> tuple[int, int]:
    """Line and column of the first name below the node; (0, 0) when none knows its place."""
    for found in node.find_all(exp.Identifier):
        if "line" in found.meta:
            return int(found.meta["line"]), int(found.meta["col"]) - len(found.name) + 1
    return 0, 0


class Rules(Protocol):
    """The compiler of expressions, as its parts see it."""

    compiler: "Compiler"
    scope: Scope

    def __call__(self, node: exp.Expr) -> Typed:
        """The node's text and type."""
        ...

    def boolean(self, node: exp.Expr, where: str) -> Typed:
        """A condition."""
        ...

    def all(self, nodes: Sequence[exp.Expr]) -> list[Typed]:
        """Every node's text and type."""
        ...

    def unified(self, values: Sequence[Typed], what: str) -> list[Typed]:
        """The values coerced to the one type that holds them all."""
        ...
