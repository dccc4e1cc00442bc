"""What an expression gives, and on which level: per row, per group (aggregate) or over groups (window)."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.column_types import Kind
from dashboards.expressions.functions import FUNCTIONS, REFUSED, WINDOWS, Level
from dashboards.expressions.tree import (
    Binary,
    Call,
    ExpressionError,
    Field,
    Keyword,
    Listing,
    Node,
    Number,
    Parameter,
    Text,
    Unary,
)

_RANK = {"row": 0, "aggregate": 1, "window": 2}


class UnsupportedError(ExpressionError):
    """QuickSight may well understand this; the preview does not, and will not guess."""


@dataclass(frozen=True)
class Typed:
    """Kind and level. `constant`: no column in it, so it may stand on any level."""

    kind: Kind | None
    level: Level
    constant: bool = False


@dataclass(frozen=True)
class Names:
    """What an expression may name: columns with their kinds, calculated fields, parameters with their
    kinds.
    """

    columns: Mapping[str, Kind]
    fields: Mapping[str, Node]
    parameters: Mapping[str, Kind]


def typed(node: Node, names: Names, within: tuple[str, ...] = ()) -> Typed:
    """The type of an expression. Raises ExpressionError; UnsupportedError for what only QuickSight can do."""
    match node:
        case Number():
            return Typed("number", "row", constant=True)
        case Text():
            return Typed("text", "row", constant=True)
        case Parameter(name=name, position=at):
            if name not in names.parameters:
                raise ExpressionError(f"There is no parameter {name!r}.", at)
            return Typed(names.parameters[name], "row", constant=True)
        case Field():
            return _field(node, names, within)
        case Keyword():
            return Typed(None, "row", constant=True)
        case Unary():
            return _unary(node, names, within)
        case Binary():
            return _binary(node, names, within)
        case Listing(position=at):
            raise ExpressionError("A list stands only after in, notIn or inside a window function.", at)
        case Call():
            return _call(node, names, within)


def _field(node: Field, names: Names, within: tuple[str, ...]) -> Typed:
    if node.name in names.columns:
        return Typed(names.columns[node.name], "row")
    if node.name not in names.fields:
        raise ExpressionError(f"There is no column or field {node.name!r}.", node.position)
    if node.name in within:
        raise ExpressionError(
            f"Field {node.name!r} is made from itself: {' -> '.join(within)}.", node.position
        )
    return typed(names.fields[node.name], names, (*within, node.name))


def _unary(node: Unary, names: Names, within: tuple[str, ...]) -> Typed:
    operand = typed(node.operand, names, within)
    _wants("boolean" if node.operator == "not" else "number", operand, node.operand)
    return operand


def _binary(node: Binary, names: Names, within: tuple[str, ...]) -> Typed:
    left, right = typed(node.left, names, within), typed(node.right, names, within)
    together = _joined((left, right), node)
    if node.operator in ("and", "or"):
        _wants("boolean", left, node.left)
        _wants("boolean", right, node.right)
        return Typed("boolean", together.level, together.constant)
    if node.operator in ("=", "!=", "<", ">", "<=", ">="):
        if left.kind and right.kind and left.kind != right.kind:
            raise ExpressionError(f"Compares a {left.kind} with a {right.kind}.", node.position)
        return Typed("boolean", together.level, together.constant)
    _wants("number", left, node.left)
    _wants("number", right, node.right)
    return Typed("number", together.level, together.constant)


def _call(node: Call, names: Names, within: tuple[str, ...]) -> Typed:
    if node.name in ("in", "notin"):
        return _membership(node, names, within)
    if node.name in WINDOWS:
        return _window(node, names, within)
    if node.name in REFUSED:
        raise UnsupportedError(f"{node.name} is not supported by the preview.", node.position)
    if node.name not in FUNCTIONS:
        raise ExpressionError(f"There is no function {node.name!r}.", node.position)
    function = FUNCTIONS[node.name]
    arguments = node.arguments
    if function.level == "aggregate" and arguments and isinstance(arguments[-1], Listing):
        raise UnsupportedError("Level-aware aggregation is not supported by the preview.", node.position)
    _counted(node, function.least, function.most)
    given = [typed(argument, names, within) for argument in arguments]
    for at, (argument, found) in enumerate(zip(arguments, given, strict=True)):
        wanted = function.takes[min(at, len(function.takes) - 1)]
        if wanted != "any":
            _wants(wanted, found, argument)
    if node.name == "ifelse":
        for condition, found in zip(arguments[:-1:2], given[:-1:2], strict=True):
            _wants("boolean", found, condition)
        _same_kind([*given[1::2], given[-1]], node)
    together = _joined(given, node)
    kind = {
        "same": given[0].kind if given else None,
        "second": given[1].kind if len(given) > 1 else None,
    }.get(function.gives, function.gives)
    if function.level == "aggregate":
        if any(found.level != "row" for found in given):
            raise ExpressionError(f"{node.name} aggregates what is an aggregate already.", node.position)
        return Typed(kind, "aggregate")  # type: ignore[arg-type]
    return Typed(kind, together.level, together.constant)  # type: ignore[arg-type]


def _membership(node: Call, names: Names, within: tuple[str, ...]) -> Typed:
    value = typed(node.arguments[0], names, within)
    for other in node.arguments[1:]:
        terms = [term.value for term in other.terms] if isinstance(other, Listing) else [other]
        for term in terms:
            found = typed(term, names, within)
            if found.kind and value.kind and found.kind != value.kind:
                raise ExpressionError(f"Looks for a {found.kind} among {value.kind}s.", node.position)
    return Typed("boolean", value.level, value.constant)


def _window(node: Call, names: Names, within: tuple[str, ...]) -> Typed:
    if any(
        isinstance(argument, Keyword) and argument.name != "POST_AGG_FILTER" for argument in node.arguments
    ):
        raise UnsupportedError(
            f"{node.name} before aggregation is not supported by the preview.", node.position
        )
    if not node.arguments:
        raise ExpressionError(f"{node.name} needs arguments.", node.position)
    if node.name in ("rank", "denserank"):
        if not isinstance(node.arguments[0], Listing):
            raise ExpressionError(f"{node.name} starts with a list: rank([sum(x) DESC]).", node.position)
        return Typed("number", "window")
    value = typed(node.arguments[0], names, within)
    if value.level != "aggregate":
        raise ExpressionError(f"{node.name} needs an aggregate, as in {node.name}(sum(...)).", node.position)
    return Typed(value.kind, "window")


def _joined(found: "list[Typed] | tuple[Typed, ...]", node: Node) -> Typed:
    """The level of an operation over several values: rows and aggregates do not mix."""
    moving = [entry for entry in found if not entry.constant]
    levels = {entry.level for entry in moving}
    if "row" in levels and len(levels) > 1:
        raise ExpressionError("Mixes values per row with aggregates. Aggregate both sides.", node.position)
    level: Level = max(levels, key=lambda entry: _RANK[entry], default="row")
    return Typed(None, level, constant=not moving)


def _wants(kind: str, found: Typed, node: Node) -> None:
    if found.kind is not None and found.kind != kind:
        raise ExpressionError(f"Needs a {kind}, and this is a {found.kind}.", node.position)


def _same_kind(found: list[Typed], node: Node) -> None:
    kinds = {entry.kind for entry in found if entry.kind is not None}
    if len(kinds) > 1:
        raise ExpressionError(f"The branches differ in kind: {', '.join(sorted(kinds))}.", node.position)


def _counted(node: Call, least: int, most: int) -> None:
    count = len(node.arguments)
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ExpressionError(f"{node.name} takes {wanted} arguments, not {count}.", node.position)
