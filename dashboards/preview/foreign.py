"""A Definition that somebody else made: opened without its data, so that one sees its structure and its
limits.
"""

import json
from collections.abc import Mapping
from typing import Any

from dashboards.board.board import Board
from dashboards.column_types import Kind
from dashboards.expressions.functions import FUNCTIONS, WINDOWS
from dashboards.expressions.parse import parse
from dashboards.expressions.tree import (
    Binary,
    Call,
    ExpressionError,
    Field,
    Node,
    Number,
    children,
    fields,
    walk,
)
from dashboards.render.page import Page, every

_OF_MEMBER: dict[str, Kind] = {
    "DateDimensionField": "time", "DateMeasureField": "time", "NumericalDimensionField": "number",
    "NumericalMeasureField": "number", "CategoricalDimensionField": "text", "CategoricalMeasureField": "text",
    "TimeRangeFilter": "time", "TimeEqualityFilter": "time", "RelativeDatesFilter": "time",
    "NumericRangeFilter": "number", "NumericEqualityFilter": "number", "CategoryFilter": "text",
}  # fmt: skip
_KIND_OF: dict[str, Kind] = {"number": "number", "text": "text", "time": "time", "boolean": "boolean"}
_DUCKDB: dict[Kind, str] = {"time": "TIMESTAMP", "number": "DOUBLE", "text": "VARCHAR", "boolean": "BOOLEAN"}


class NoDefinitionError(ValueError):
    """A file without a QuickSight Definition in it."""


def definition_of(text: str, file: str) -> Mapping[str, Any]:
    """The Definition in a file: bare, or as describe-dashboard-definition and asset bundles hold it.

    Raises NoDefinitionError.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoDefinitionError(
            f"{file} is not JSON: {error}. Export it with describe-dashboard-definition."
        ) from error
    for found in (value, *every(value, "Definition"), *every(value, "definition")):
        if isinstance(found, Mapping) and "Sheets" in found:
            return found
    raise NoDefinitionError(
        f"{file} holds no Definition with Sheets. Export it with describe-dashboard-definition."
    )


def adopt(board: Board, name: str, title: str, definition: Mapping[str, Any]) -> None:
    """Put the Definition on the board, over empty tables with the columns that it uses."""
    columns = inferred(definition)
    for data_set, kinds in columns.items():
        board.data.empty(
            data_set, {column: _DUCKDB[kind] for column, kind in kinds.items()} or {"nothing": "VARCHAR"}
        )
    board.adopt(Page(definition, columns, name, title))


def inferred(definition: Mapping[str, Any]) -> dict[str, dict[str, Kind]]:
    """Dataset identifier -> column -> kind, from how fields, filters and expressions use it."""
    found: dict[str, dict[str, Kind]] = {
        str(entry.get("Identifier")): {} for entry in definition.get("DataSetIdentifierDeclarations", [])
    }
    calculated = {
        (entry.get("DataSetIdentifier"), entry.get("Name"))
        for entry in definition.get("CalculatedFields", [])
    }
    for member, kind in _OF_MEMBER.items():
        for body in every(definition, member):
            column = body.get("Column", {}) if isinstance(body, Mapping) else {}
            key = (column.get("DataSetIdentifier"), column.get("ColumnName"))
            if key[0] in found and key not in calculated:
                found[str(key[0])].setdefault(str(key[1]), kind)
    for entry in definition.get("CalculatedFields", []):
        data_set = str(entry.get("DataSetIdentifier"))
        for name, kind in _named(str(entry.get("Expression", ""))).items():
            if data_set in found and (data_set, name) not in calculated:
                found[data_set].setdefault(name, kind)
    return found


def _named(expression: str) -> dict[str, Kind]:
    """Columns in an expression with the kind that their place asks for; text where any kind would do."""
    found: dict[str, Kind] = {}
    try:
        node = parse(expression)
    except ExpressionError:
        return found
    for inner in walk(node):
        for at, child in enumerate(children(inner)):
            if isinstance(child, Field) and child.name not in found and (kind := _wanted(inner, at)):
                found[child.name] = kind
    return {**{field.name: "text" for field in fields(node)}, **found}


def _wanted(parent: Node, at: int) -> Kind | None:
    """The kind that the argument `at` of an operation must have; None when it may have any."""
    if isinstance(parent, Call) and parent.name in FUNCTIONS:
        takes = FUNCTIONS[parent.name].takes
        kind = takes[min(at, len(takes) - 1)] if takes else "any"
        return _KIND_OF.get(kind)
    if isinstance(parent, Call) and parent.name in WINDOWS:
        return "number"
    if isinstance(parent, Binary) and parent.operator in ("+", "-", "*", "/", "%", "^"):
        return "number"
    if isinstance(parent, Binary) and any(isinstance(side, Number) for side in (parent.left, parent.right)):
        return "number"
    return None
