"""A Definition, opened: its datasets' columns, fields, parameters, filters and sheets, found by id."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from dashboards.column_types import Kind
from dashboards.expressions.duckdb_sql import sql
from dashboards.expressions.parse import parse
from dashboards.expressions.tree import ExpressionError, Field, Node
from dashboards.expressions.typing import Names, typed
from dashboards.render.state import State, time_of

SUPPORTED = {
    "KPIVisual": "kpi", "BarChartVisual": "bar", "LineChartVisual": "line", "ComboChartVisual": "combo",
    "PieChartVisual": "pie", "TableVisual": "table", "PivotTableVisual": "pivot", "InsightVisual": "insight",
}  # fmt: skip
_KIND_OF_PARAMETER: dict[str, Kind] = {
    "StringParameterDeclaration": "text",
    "IntegerParameterDeclaration": "number",
    "DecimalParameterDeclaration": "number",
    "DateTimeParameterDeclaration": "time",
}


@dataclass(frozen=True)
class VisualView:
    """One visual as the Definition has it: member of the Visual union, and its body."""

    member: str
    body: Mapping[str, Any]
    sheet_id: str

    @property
    def id(self) -> str:
        """VisualId."""
        return str(self.body.get("VisualId", ""))

    @property
    def kind(self) -> str:
        """Our word for the member; empty when the preview cannot draw it."""
        return SUPPORTED.get(self.member, "")

    @property
    def title(self) -> str:
        """The title in plain text."""
        return plain_text(self.body.get("Title", {})) or self.id

    @property
    def chart(self) -> Mapping[str, Any]:
        """ChartConfiguration, or an empty one."""
        found: Mapping[str, Any] = self.body.get("ChartConfiguration", {})
        return found


@dataclass(frozen=True)
class ParameterView:
    """A declared parameter: name, kind, whether it takes several values, and its default."""

    name: str
    kind: Kind
    is_multiple: bool
    default: Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """A Definition with the columns of its datasets (identifier -> column -> kind)."""

    definition: Mapping[str, Any]
    columns: Mapping[str, Mapping[str, Kind]]
    name: str = ""
    title: str = ""
    broken: dict[str, str] = field(default_factory=dict)

    @cached_property
    def visuals(self) -> Mapping[str, VisualView]:
        """Every visual by id."""
        found = {}
        for sheet in self.sheets:
            for entry in sheet.get("Visuals", []):
                for member, body in entry.items():
                    view = VisualView(member, body, sheet["SheetId"])
                    found[view.id] = view
        return found

    @property
    def sheets(self) -> list[Mapping[str, Any]]:
        """SheetDefinitions, in order."""
        found: list[Mapping[str, Any]] = self.definition.get("Sheets", [])
        return found

    @cached_property
    def parameters(self) -> Mapping[str, ParameterView]:
        """Declared parameters by name."""
        found = {}
        for entry in self.definition.get("ParameterDeclarations", []):
            for member, body in entry.items():
                name = body["Name"]
                multiple = body.get("ParameterValueType") == "MULTI_VALUED"
                found[name] = ParameterView(
                    name, _KIND_OF_PARAMETER[member], multiple, body.get("DefaultValues", {})
                )
        return found

    @cached_property
    def control_titles(self) -> Mapping[str, str]:
        """Parameter -> the title of the first control that sets it."""
        found: dict[str, str] = {}
        for sheet in self.sheets:
            for entry in sheet.get("ParameterControls", []):
                for body in entry.values():
                    if body.get("Title"):
                        found.setdefault(body["SourceParameterName"], body["Title"])
        return found

    @cached_property
    def _names(self) -> Mapping[str, Names]:
        fields: dict[str, dict[str, Node]] = {}
        for entry in self.definition.get("CalculatedFields", []):
            try:
                node = parse(entry["Expression"])
            except ExpressionError as error:
                self.broken[f"{entry['DataSetIdentifier']}/{entry['Name']}"] = str(error)
                continue
            fields.setdefault(entry["DataSetIdentifier"], {})[entry["Name"]] = node
        kinds = {name: entry.kind for name, entry in self.parameters.items()}
        return {
            declared["Identifier"]: Names(
                self.columns.get(declared["Identifier"], {}), fields.get(declared["Identifier"], {}), kinds
            )
            for declared in self.definition.get("DataSetIdentifierDeclarations", [])
        }

    @cached_property
    def coloring(self) -> list[tuple[str, str, str]]:
        """(dataset, column or field, its SQL) of whatever a chart may color by: texts, and fields of rows."""
        found = []
        for data_set, kinds in self.columns.items():
            names = self.names(data_set)
            texts = [name for name, kind in kinds.items() if kind == "text"]
            for column in [*texts, *names.fields]:
                with suppress(ExpressionError):
                    if column in texts or typed(Field(column), names).level == "row":
                        found.append((data_set, column, sql(Field(column), names)))
        return found

    def names(self, data_set: str) -> Names:
        """What expressions over a dataset may name."""
        return self._names.get(data_set, Names(self.columns.get(data_set, {}), {}, {}))

    @cached_property
    def filters(self) -> list[tuple[Mapping[str, Any], str, Mapping[str, Any]]]:
        """(group, member of the Filter union, its body) of every enabled filter."""
        return [
            (group, member, body)
            for group in self.definition.get("FilterGroups", [])
            if group.get("Status", "ENABLED") == "ENABLED"
            for entry in group.get("Filters", [])
            for member, body in entry.items()
        ]

    def values(self, state: State, now: datetime) -> dict[str, Any]:
        """Every parameter's value as DuckDB takes it: what was chosen, else the default."""
        return {
            name: _value(entry, state.parameters.get(name), now) for name, entry in self.parameters.items()
        }

    @property
    def week_starts_on_monday(self) -> bool:
        """QuickSight's weeks start on Sunday unless the Definition says otherwise."""
        return bool(self.definition.get("Options", {}).get("WeekStart") == "MONDAY")


def in_scope(group: Mapping[str, Any], visual: VisualView) -> bool:
    """Whether a filter group applies to a visual."""
    scope = group.get("ScopeConfiguration", {})
    if "AllSheets" in scope:
        return True
    for entry in scope.get("SelectedSheets", {}).get("SheetVisualScopingConfigurations", []):
        if entry["SheetId"] == visual.sheet_id:
            return entry["Scope"] == "ALL_VISUALS" or visual.id in entry.get("VisualIds", [])
    return False


def plain_text(label: Mapping[str, Any]) -> str:
    """A title's or subtitle's text, without markup."""
    text = label.get("FormatText", {})
    if label.get("Visibility") == "HIDDEN":
        return ""
    return without_markup(str(text.get("PlainText") or text.get("RichText") or ""))


def without_markup(text: str) -> str:
    """Rich text as plain text: tags gone, entities resolved."""
    stripped = re.sub(r"<br\s*/?>", "\n", text)
    stripped = re.sub(r"<[^>]+>", "", stripped)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&quot;", '"'), ("&amp;", "&")):
        stripped = stripped.replace(entity, character)
    return "\n".join(line.strip() for line in stripped.splitlines()).strip()


def every(value: Any, key: str) -> Iterator[Any]:
    """Every value that stands under `key` anywhere inside."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from every(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from every(inner, key)


def _value(entry: ParameterView, chosen: tuple[str, ...] | None, now: datetime) -> Any:
    if chosen is None or not any(chosen):
        return _default(entry, now)
    typed = [_typed(entry.kind, text) for text in chosen if text]
    return typed if entry.is_multiple else typed[0]


def _typed(kind: Kind, text: str) -> Any:
    if kind == "time":
        return time_of(text)
    if kind == "number":
        return float(text) if "." in text else int(text)
    return text


def _default(entry: ParameterView, now: datetime) -> Any:
    if "RollingDate" in entry.default:
        return rolling(str(entry.default["RollingDate"]["Expression"]), now)
    static = entry.default.get("StaticValues", [])
    values = [_typed(entry.kind, str(value)) for value in static]
    if entry.is_multiple:
        return values
    return values[0] if values else None


@lru_cache(maxsize=64)
def rolling(expression: str, now: datetime) -> datetime:
    """A rolling default such as `addDateTime(-7, 'DD', truncDate('DD', now()))`. Raises ExpressionError."""
    text = sql(parse(expression), Names({}, {}, {}))
    given = {"now": now} if "$now" in text else {}
    with _calculator().cursor() as cursor:
        found: datetime = cursor.execute(f"SELECT CAST({text} AS TIMESTAMP)", given).fetchall()[0][0]
    return found


@lru_cache(maxsize=1)
def _calculator() -> Any:
    """A database for expressions over no rows; to open one takes 30 ms."""
    import duckdb

    return duckdb.connect(":memory:")
