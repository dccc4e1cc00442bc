"""Field wells as SQL: each dimension and measure of a visual with its label, kind, format and role."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dashboards import money
from dashboards.column_types import Kind
from dashboards.expressions.duckdb_sql import quoted, sql
from dashboards.expressions.functions import truncated
from dashboards.expressions.tree import Call, ExpressionError, Field, Listing, Node, Text, walk
from dashboards.expressions.typing import UnsupportedError, typed
from dashboards.render.filters import has_same
from dashboards.render.formats import Format, of_field
from dashboards.render.page import Page, VisualView, every

ROLES = {
    "kpi": {"Values": "value", "TargetValues": "target", "TrendGroups": "category"},
    "bar": {"Category": "category", "Values": "value", "Colors": "color", "SmallMultiples": "multiple"},
    "line": {"Category": "category", "Values": "value", "Colors": "color", "SmallMultiples": "multiple"},
    "combo": {"Category": "category", "BarValues": "value", "LineValues": "line", "Colors": "color"},
    "pie": {"Category": "category", "Values": "value", "SmallMultiples": "multiple"},
    "table": {"GroupBy": "category", "Values": "value"},
    "pivot": {"Rows": "category", "Columns": "color", "Values": "value"},
}
FINER = {
    "year": "quarter",
    "quarter": "month",
    "month": "day",
    "week": "day",
    "day": "hour",
    "hour": "minute",
}
_AGGREGATES = {
    "SUM": "sum({0})", "AVERAGE": "avg({0})", "MIN": "min({0})", "MAX": "max({0})", "COUNT": "count({0})",
    "DISTINCT_COUNT": "count(DISTINCT {0})", "VAR": "var_samp({0})", "VARP": "var_pop({0})",
    "STDEV": "stddev_samp({0})", "STDEVP": "stddev_pop({0})", "MEDIAN": "median({0})",
}  # fmt: skip


@dataclass(frozen=True)
class Out:
    """One column of a visual's result.

    `role`: category, color, value, line, target or multiple. `unit`: granularity of a time dimension.
    `currency`: for an amount, the column that says its currency.
    """

    alias: str
    field_id: str
    label: str
    role: str
    kind: Kind
    sql: str
    format: Format
    is_measure: bool
    unit: str = ""
    hierarchy: str = ""
    data_set: str = ""
    column: str = ""
    currency: str = ""

    def text(self, value: Any, currency: Any = None) -> str:
        """The value as a viewer reads it; an amount with the decimals of its currency, when that is known."""
        digits = money.decimals().get(currency) if self.currency else None
        return self.format.text(value, digits)


def outs(page: Page, visual: VisualView, unit_of: Mapping[str, str]) -> list[Out]:
    """The columns of a visual's result, dimensions first. `unit_of`: field id -> granularity after drilling.

    Raises ExpressionError for broken references and UnsupportedError for what the preview will not draw.
    """
    found: list[Out] = []
    labels = _labels(visual)
    for role, entry in _entries(visual):
        for member, body in entry.items():
            out = field_out(page, member, body, role, unit_of)
            label = labels.get(out.field_id, out.label)
            found.append(Out(**{**out.__dict__, "alias": f"c{len(found)}", "label": label}))
    if {out.role for out in found} & {"target", "multiple"}:
        raise UnsupportedError("Target values and small multiples are not supported by the preview.")
    if len({out.data_set for out in found}) > 1:
        raise UnsupportedError("A visual over two datasets is not supported by the preview.")
    if not found:
        raise UnsupportedError("The visual has no fields.")
    return sorted(found, key=lambda out: out.is_measure)


def _entries(visual: VisualView) -> Iterator[tuple[str, Mapping[str, Any]]]:
    wells = visual.chart.get("FieldWells", {})
    if "TableUnaggregatedFieldWells" in wells:
        raise UnsupportedError("Tables of single rows are not supported by the preview.")
    if visual.kind != "kpi":
        wells = next(iter(wells.values()), {})
    for name, entries in wells.items():
        if entries and name not in ROLES[visual.kind]:
            raise UnsupportedError(f"The field well {name} is not supported by the preview.")
        for entry in entries:
            yield ROLES[visual.kind][name], entry


def field_out(page: Page, member: str, body: Mapping[str, Any], role: str, unit_of: Mapping[str, str]) -> Out:
    if member == "CalculatedMeasureField":
        raise UnsupportedError("Calculations inside a visual are not supported by the preview.")
    data_set, column = body["Column"]["DataSetIdentifier"], body["Column"]["ColumnName"]
    names = page.names(data_set)
    found = typed(Field(column), names)
    text = sql(Field(column), names)
    field_id = str(body["FieldId"])
    kind: Kind = found.kind or "text"
    unit = ""
    if member.endswith("DimensionField"):
        if found.level != "row":
            raise ExpressionError(f"{column!r} is an aggregate and cannot split a visual.")
        if member == "DateDimensionField":
            unit = unit_of.get(field_id, str(body.get("DateGranularity", "DAY")).lower())
            text = _at_unit(page, unit, text)
        is_measure = False
    else:
        text, kind = _measured(member, body, text, kind, is_aggregate=found.level != "row")
        is_measure = True
    format_ = of_field(body if not unit else {"DateGranularity": unit})
    hierarchy = str(body.get("HierarchyId", ""))
    currency = _currency(names.fields[column]) if is_measure and column in names.fields else ""
    return Out("", field_id, column, role, kind, text, format_, is_measure, unit, hierarchy, data_set, column,
               currency)  # fmt: skip


@lru_cache(maxsize=256)
def _currency(node: Node) -> str:
    """The column by whose ISO 4217 codes an expression chooses, which makes it an amount; else empty."""
    for call in walk(node):
        match call:
            case Call(name="in", arguments=(Field(name=column), Listing(terms=terms))):
                codes = [term.value.value for term in terms if isinstance(term.value, Text)]
                if codes and len(codes) == len(terms) and set(codes) <= set(money.decimals()):
                    return column
    return ""


def field_over(page: Page, visual: VisualView, field_id: str, data_set: str) -> Out | None:
    """A field of a visual, as a dataset has it: the visual's own, or one with the same column; else None."""
    for role, entry in _entries(visual):
        for member, body in entry.items():
            column = body["Column"]
            if str(body["FieldId"]) != field_id:
                continue
            if column["DataSetIdentifier"] != data_set:
                if not has_same(page, column, data_set):
                    return None
                there = {**body, "Column": {**column, "DataSetIdentifier": data_set}}
                return field_out(page, member, there, role, {})
            return field_out(page, member, body, role, {})
    return None


def _at_unit(page: Page, unit: str, text: str) -> str:
    if unit == "week" and page.week_starts_on_monday:
        return f"date_trunc('week', {text})"
    return truncated(unit, text)


def _measured(
    member: str, body: Mapping[str, Any], text: str, kind: Kind, *, is_aggregate: bool
) -> tuple[str, Kind]:
    given = body.get("AggregationFunction")
    if is_aggregate:
        if given:
            raise ExpressionError(
                "An aggregated field takes no AggregationFunction: QuickSight shows an error."
            )
        return text, kind
    name = given
    if isinstance(given, Mapping):
        name = given.get("SimpleNumericalAggregation")
        if name is None:
            raise UnsupportedError(
                f"{next(iter(given), 'This aggregation')} is not supported by the preview."
            )
    if name is None:
        name = "SUM" if member == "NumericalMeasureField" else "COUNT"
    if name not in _AGGREGATES:
        raise UnsupportedError(f"The aggregation {name} is not supported by the preview.")
    gives: Kind = kind if name in ("MIN", "MAX") else "number"
    return _AGGREGATES[name].format(text), gives


def _labels(visual: VisualView) -> dict[str, str]:
    """Custom labels by field id: of axes (with ApplyTo) and of table columns."""
    found = {}
    for options in every(visual.chart, "AxisLabelOptions"):
        for option in options:
            if "CustomLabel" in option and "ApplyTo" in option:
                found[option["ApplyTo"]["FieldId"]] = option["CustomLabel"]
    for options in every(visual.chart, "SelectedFieldOptions"):
        for option in options:
            if "CustomLabel" in option:
                found[option["FieldId"]] = option["CustomLabel"]
    return found


def alias(out: Out) -> str:
    """The result column's name in SQL."""
    return quoted(out.alias)
