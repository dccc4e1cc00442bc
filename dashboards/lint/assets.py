"""The assets under check, with what the rules keep asking: ids, columns, kinds, places."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from dashboards.column_types import Kind, UnknownColumnTypeError, of_quicksight
from dashboards.expressions.parse import parse
from dashboards.expressions.tree import ExpressionError, Node
from dashboards.expressions.typing import Names
from dashboards.lint.findings import Finding, JsonPath

PARAMETER_KINDS: dict[str, Kind] = {
    "StringParameterDeclaration": "text",
    "IntegerParameterDeclaration": "number",
    "DecimalParameterDeclaration": "number",
    "DateTimeParameterDeclaration": "time",
}


@dataclass(frozen=True)
class Assets:
    """Every resource by logical id: `type` and `properties`."""

    resources: Mapping[str, Any]

    def of(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(logical id, properties) of the resources of one kind."""
        for name, resource in self.resources.items():
            if resource.type == f"AWS::QuickSight::{kind}":
                yield name, resource.properties

    @cached_property
    def data_sets(self) -> Mapping[str, Mapping[str, Any]]:
        """Properties of each dataset by its id."""
        return {str(properties.get("DataSetId")): properties for _, properties in self.of("DataSet")}

    @cached_property
    def columns(self) -> Mapping[str, Mapping[str, Kind]]:
        """Column -> kind, of each dataset by its id."""
        return {name: kinds_of(properties) for name, properties in self.data_sets.items()}


@dataclass(frozen=True)
class Page:
    """One Definition under check. `at`: the path that leads to it inside its resource."""

    asset: str
    definition: Mapping[str, Any]
    assets: Assets
    at: JsonPath = ("Definition",)

    def found(self, rule: str, path: JsonPath, message: str, fix: str) -> Finding:
        """A finding inside this Definition."""
        return Finding(rule, self.asset, (*self.at, *path), message, fix)

    def noted(self, rule: str, path: JsonPath, message: str, fix: str) -> Finding:
        """A note inside this Definition."""
        return replace(self.found(rule, path, message, fix), is_note=True)

    @cached_property
    def visuals(self) -> list[tuple[JsonPath, str, Mapping[str, Any], str]]:
        """(path, member of the union, body, sheet id) of every visual."""
        return [
            (("Sheets", s, "Visuals", v, member), member, body, str(sheet.get("SheetId")))
            for s, sheet in enumerate(self.definition.get("Sheets", []))
            for v, entry in enumerate(sheet.get("Visuals", []))
            for member, body in entry.items()
            if isinstance(body, Mapping)
        ]

    @cached_property
    def filters(self) -> list[tuple[JsonPath, str, Mapping[str, Any], Mapping[str, Any]]]:
        """(path, member of the union, body, group) of every filter."""
        return [
            (("FilterGroups", g, "Filters", f, member), member, body, group)
            for g, group in enumerate(self.definition.get("FilterGroups", []))
            for f, entry in enumerate(group.get("Filters", []))
            for member, body in entry.items()
            if isinstance(body, Mapping)
        ]

    @cached_property
    def declared(self) -> Mapping[str, str]:
        """Dataset identifier -> dataset id."""
        return {
            str(entry.get("Identifier")): str(entry.get("DataSetArn", "")).rpartition("/")[2]
            for entry in self.definition.get("DataSetIdentifierDeclarations", [])
        }

    @cached_property
    def parameters(self) -> Mapping[str, Kind]:
        """Parameter -> kind."""
        return {
            str(body.get("Name")): PARAMETER_KINDS[member]
            for entry in self.definition.get("ParameterDeclarations", [])
            for member, body in entry.items()
            if member in PARAMETER_KINDS
        }

    @cached_property
    def fields(self) -> Mapping[str, Mapping[str, Node]]:
        """Calculated fields that can be read, by dataset identifier and name."""
        found: dict[str, dict[str, Node]] = {}
        for entry in self.definition.get("CalculatedFields", []):
            try:
                node = parse(str(entry.get("Expression", "")))
            except ExpressionError:
                continue
            found.setdefault(str(entry.get("DataSetIdentifier")), {})[str(entry.get("Name"))] = node
        return found

    @cached_property
    def field_names(self) -> Mapping[str, set[str]]:
        """Names of all calculated fields, readable or not, by dataset identifier."""
        found: dict[str, set[str]] = {}
        for entry in self.definition.get("CalculatedFields", []):
            found.setdefault(str(entry.get("DataSetIdentifier")), set()).add(str(entry.get("Name")))
        return found

    def columns(self, identifier: str) -> Mapping[str, Kind]:
        """Columns of the dataset behind an identifier; empty when it is not among the assets."""
        return self.assets.columns.get(self.declared.get(identifier, ""), {})

    def names(self, identifier: str) -> Names:
        """What an expression over a dataset may name."""
        return Names(self.columns(identifier), self.fields.get(identifier, {}), self.parameters)

    @cached_property
    def _index(self) -> Mapping[str, list[tuple[JsonPath, Any]]]:
        """Every key of the Definition with its places, from one walk."""
        found: dict[str, list[tuple[JsonPath, Any]]] = {}
        _indexed(self.definition, (), found)
        return found

    def every(self, key: str) -> list[tuple[JsonPath, Any]]:
        """(path, value) of everything that stands under `key` anywhere in the Definition."""
        return self._index.get(key, [])

    @cached_property
    def controlled(self) -> set[str]:
        """Parameters that some control sets."""
        return {
            str(body.get("SourceParameterName"))
            for sheet in self.definition.get("Sheets", [])
            for entry in sheet.get("ParameterControls", [])
            for body in entry.values()
        }


def pages(assets: Assets) -> Iterator[Page]:
    """The Definition of every analysis and dashboard."""
    seen: set[int] = set()
    for kind in ("Dashboard", "Analysis"):
        for name, properties in assets.of(kind):
            definition = properties.get("Definition", {})
            # A dashboard and its analysis hold the very same object: one look is enough.
            if id(definition) not in seen:
                seen.add(id(definition))
                yield Page(name, definition, assets)


def kinds_of(data_set: Mapping[str, Any]) -> dict[str, Kind]:
    """Column -> kind of a dataset's physical tables."""
    found: dict[str, Kind] = {}
    for _, column in input_columns(data_set):
        try:
            found[str(column.get("Name"))] = of_quicksight(str(column.get("Type"))).kind
        except UnknownColumnTypeError:
            continue
    return found


def input_columns(data_set: Mapping[str, Any]) -> Iterator[tuple[JsonPath, Mapping[str, Any]]]:
    """(path, column) of every input column."""
    for name, table in data_set.get("PhysicalTableMap", {}).items():
        for member, body in table.items():
            key = "Columns" if "Columns" in body else "InputColumns"
            for at, column in enumerate(body.get(key, [])):
                yield ("PhysicalTableMap", name, member, key, at), column


def each(value: Any, key: str, path: JsonPath = ()) -> Iterator[tuple[JsonPath, Any]]:
    """(path, value) of everything that stands under `key` anywhere inside."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == key:
                yield (*path, name), inner
            yield from each(inner, key, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from each(inner, key, (*path, at))


def _indexed(value: Any, path: JsonPath, found: dict[str, list[tuple[JsonPath, Any]]]) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            found.setdefault(name, []).append(((*path, name), inner))
            _indexed(inner, (*path, name), found)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            _indexed(inner, (*path, at), found)


def field_bodies(visual: Mapping[str, Any]) -> Iterator[tuple[JsonPath, str, Mapping[str, Any]]]:
    """(path, member, body) of every dimension and measure field in a visual's wells and computations."""
    for start in ("ChartConfiguration", "InsightConfiguration"):
        yield from _fields(visual.get(start, {}), (start,))


def _fields(value: Any, path: JsonPath) -> Iterator[tuple[JsonPath, str, Mapping[str, Any]]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name.endswith(("DimensionField", "MeasureField")) and isinstance(inner, Mapping):
                yield (*path, name), name, inner
            else:
                yield from _fields(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _fields(inner, (*path, at))
