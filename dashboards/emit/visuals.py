"""Declared visuals as QuickSight's Visual members."""

from collections.abc import Mapping
from typing import Any

from dashboards.column_types import Kind
from dashboards.emit.fields import column, dimension, field_id, label, measure
from dashboards.model import Axis, Source, Visual

WINDOW = (
    "<visual-subtitle><parameter>${TimeFrom}</parameter> to "
    "<parameter>${TimeTo}</parameter>, UTC</visual-subtitle>"
)
ROW_LIMIT = 200


def visual(declared: Visual, source: Source, kinds: Mapping[str, Kind], *, windowed: bool) -> dict[str, Any]:
    """A member of SheetDefinition.Visuals.

    `windowed`: the sheet has the time parameters, so the subtitle says them.
    """
    member, chart = _CHARTS[declared.kind](_Wells(declared, source, kinds))
    body: dict[str, Any] = {"VisualId": declared.id, "Title": plain_title(declared.title)}
    if windowed:
        body["Subtitle"] = {"Visibility": "VISIBLE", "FormatText": {"RichText": WINDOW}}
    body |= chart
    if declared.click == "filter":
        body["Actions"] = [_click_filters(declared)]
    if declared.drill:
        body["ColumnHierarchies"] = [{"DateTimeHierarchy": {"HierarchyId": _hierarchy(declared)}}]
    return {member: body}


def plain_title(text: str) -> dict[str, Any]:
    """A VisualTitleLabelOptions."""
    return {"Visibility": "VISIBLE", "FormatText": {"PlainText": text}}


def kpi_options(*, sparkline: bool) -> dict[str, Any]:
    """Complete: QuickSight draws a KPI with partial options blank."""
    visible = "VISIBLE" if sparkline else "HIDDEN"
    return {
        "Comparison": {"ComparisonMethod": "PERCENT_DIFFERENCE"},
        "PrimaryValueDisplayType": "ACTUAL",
        "PrimaryValueFontConfiguration": {"FontSize": {"Relative": "EXTRA_LARGE"}},
        "ProgressBar": {"Visibility": "HIDDEN"},
        "SecondaryValue": {"Visibility": visible},
        "SecondaryValueFontConfiguration": {"FontSize": {"Relative": "MEDIUM"}},
        "Sparkline": {"Visibility": visible, "Type": "AREA"},
        "TrendArrows": {"Visibility": visible},
        "VisualLayoutOptions": {"StandardLayout": {"Type": "VERTICAL"}},
    }


class _Wells:
    """The fields of one visual, ready to be put into its wells."""

    def __init__(self, declared: Visual, source: Source, kinds: Mapping[str, Kind]) -> None:
        self.declared, self.source, self.kinds = declared, source, kinds

    def axis(self, axis: Axis | None) -> list[dict[str, Any]]:
        if axis is None:
            return []
        is_drilled = self.declared.drill and axis is self.declared.x
        hierarchy = _hierarchy(self.declared) if is_drilled else ""
        return [dimension(self.declared.id, self.source.report, axis, self.kinds, hierarchy)]

    def measures(self, names: tuple[str, ...]) -> list[dict[str, Any]]:
        return [measure(self.declared.id, self.source.report, self.source.measures[name]) for name in names]

    def is_time(self) -> bool:
        return self.declared.x is not None and self.kinds.get(self.declared.x.column) == "time"

    def sort(self) -> list[dict[str, Any]]:
        """By time or by the axis' own values upwards, else by the first measure downwards."""
        if self.declared.x is None:
            return []
        by_axis = self.is_time() or self.declared.sort == "x"
        name = self.declared.x.column if by_axis else self.declared.y[0]
        field = {"FieldId": field_id(self.declared.id, name), "Direction": "ASC" if by_axis else "DESC"}
        return [{"FieldSort": field}]

    def category_sort(self, limit_name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"CategorySort": self.sort()}
        if self.declared.limit:
            found[limit_name] = {"ItemsLimit": self.declared.limit, "OtherCategories": "INCLUDE"}
        return found

    def axis_label(self) -> dict[str, Any]:
        """A CustomLabel without ApplyTo is ignored, so it always has one."""
        assert self.declared.x is not None
        name = self.declared.x.column
        return {
            "AxisLabelOptions": [
                {
                    "CustomLabel": label(self.declared.x, self.source),
                    "ApplyTo": {
                        "FieldId": field_id(self.declared.id, name),
                        "Column": column(self.source.report, name),
                    },
                }
            ]
        }


def _kpi(wells: _Wells) -> tuple[str, dict[str, Any]]:
    trend = wells.axis(wells.declared.x)
    configuration: dict[str, Any] = {
        "FieldWells": {"Values": wells.measures(wells.declared.y), "TargetValues": [], "TrendGroups": trend},
        "KPIOptions": kpi_options(sparkline=bool(trend)),
    }
    if trend:
        configuration["SortConfiguration"] = {"TrendGroupSort": wells.sort()}
    return "KPIVisual", {"ChartConfiguration": configuration}


def _bar(wells: _Wells) -> tuple[str, dict[str, Any]]:
    return "BarChartVisual", {"ChartConfiguration": {
        "FieldWells": {"BarChartAggregatedFieldWells": {
            "Category": wells.axis(wells.declared.x), "Values": wells.measures(wells.declared.y),
            "Colors": wells.axis(wells.declared.color)}},
        "SortConfiguration": wells.category_sort("CategoryItemsLimit"),
        "Orientation": "HORIZONTAL" if wells.declared.horizontal else "VERTICAL",
        "BarsArrangement": "STACKED" if wells.declared.color else "CLUSTERED",
        "CategoryLabelOptions": wells.axis_label(),
        "Legend": {"Visibility": "VISIBLE" if wells.declared.color else "HIDDEN"}}}  # fmt: skip


def _line(wells: _Wells) -> tuple[str, dict[str, Any]]:
    has_legend = wells.declared.color is not None or len(wells.declared.y) > 1
    return "LineChartVisual", {"ChartConfiguration": {
        "FieldWells": {"LineChartAggregatedFieldWells": {
            "Category": wells.axis(wells.declared.x), "Values": wells.measures(wells.declared.y),
            "Colors": wells.axis(wells.declared.color)}},
        "SortConfiguration": wells.category_sort("CategoryItemsLimitConfiguration"),
        # Plain AREA would let one series hide another.
        "Type": "STACKED_AREA" if wells.declared.kind == "stacked_area" else "LINE",
        "XAxisLabelOptions": wells.axis_label(),
        "Legend": {"Visibility": "VISIBLE" if has_legend else "HIDDEN"}}}  # fmt: skip


def _combo(wells: _Wells) -> tuple[str, dict[str, Any]]:
    return "ComboChartVisual", {"ChartConfiguration": {
        "FieldWells": {"ComboChartAggregatedFieldWells": {
            "Category": wells.axis(wells.declared.x), "BarValues": wells.measures(wells.declared.y),
            "LineValues": wells.measures(wells.declared.second), "Colors": wells.axis(wells.declared.color)}},
        "SortConfiguration": wells.category_sort("CategoryItemsLimit"),
        "BarsArrangement": "STACKED" if wells.declared.color else "CLUSTERED",
        "CategoryLabelOptions": wells.axis_label(),
        "Legend": {"Visibility": "VISIBLE"}}}  # fmt: skip


def _pie(wells: _Wells) -> tuple[str, dict[str, Any]]:
    return "PieChartVisual", {"ChartConfiguration": {
        "FieldWells": {"PieChartAggregatedFieldWells": {
            "Category": wells.axis(wells.declared.x), "Values": wells.measures(wells.declared.y)}},
        "SortConfiguration": wells.category_sort("CategoryItemsLimit"),
        "DonutOptions": {"ArcOptions": {"ArcThickness": "MEDIUM"}},
        "Legend": {"Visibility": "VISIBLE"}}}  # fmt: skip


def _table(wells: _Wells) -> tuple[str, dict[str, Any]]:
    declared = wells.declared
    return "TableVisual", {"ChartConfiguration": {
        "FieldWells": {"TableAggregatedFieldWells": {
            "GroupBy": wells.axis(declared.x), "Values": wells.measures(declared.y)}},
        "SortConfiguration": {"RowSort": wells.sort()},
        "FieldOptions": {"SelectedFieldOptions": _named(wells), "Order": []}}}  # fmt: skip


def _pivot(wells: _Wells) -> tuple[str, dict[str, Any]]:
    declared = wells.declared
    return "PivotTableVisual", {"ChartConfiguration": {
        "FieldWells": {"PivotTableAggregatedFieldWells": {
            "Rows": wells.axis(declared.x), "Columns": wells.axis(declared.color),
            "Values": wells.measures(declared.y)}},
        "FieldOptions": {"SelectedFieldOptions": _named(wells)}}}  # fmt: skip


def _named(wells: _Wells) -> list[dict[str, str]]:
    """Columns under their names in words."""
    axes = [axis for axis in (wells.declared.x, wells.declared.color) if axis is not None]
    return [
        {
            "FieldId": field_id(wells.declared.id, axis.column),
            "CustomLabel": label(axis, wells.source),
            "Visibility": "VISIBLE",
        }
        for axis in axes
    ]


def _insight(wells: _Wells) -> tuple[str, dict[str, Any]]:
    declared = wells.declared
    category = wells.axis(declared.x)[0]
    value = wells.measures(declared.y)[0]
    computations = [
        {"TotalAggregation": {"ComputationId": f"{declared.id}-total", "Name": "Total", "Value": value}},
        {"TopBottomRanked": {"ComputationId": f"{declared.id}-top", "Name": "Top", "Category": category,
                             "Value": value, "ResultSize": declared.limit or 3, "Type": "TOP"}},
        {"UniqueValues": {"ComputationId": f"{declared.id}-unique", "Name": "Unique", "Category": category}},
    ]  # fmt: skip
    return "InsightVisual", {
        "DataSetIdentifier": wells.source.report,
        "InsightConfiguration": {"Computations": computations},
    }


_CHARTS = {
    "kpi": _kpi,
    "bar": _bar,
    "line": _line,
    "stacked_area": _line,
    "combo": _combo,
    "pie": _pie,
    "table": _table,
    "pivot": _pivot,
    "insight": _insight,
}


def _hierarchy(declared: Visual) -> str:
    return f"{declared.id}-drill"


def _click_filters(declared: Visual) -> dict[str, Any]:
    """A click on a mark filters the other visuals of the sheet by the mark's category."""
    assert declared.x is not None
    return {
        "CustomActionId": f"{declared.id}-click",
        "Name": f"Show only this {declared.x.column.replace('_', ' ')}",
        "Status": "ENABLED",
        "Trigger": "DATA_POINT_CLICK",
        "ActionOperations": [{"FilterOperation": {
            "SelectedFieldsConfiguration": {"SelectedFields": [field_id(declared.id, declared.x.column)]},
            "TargetVisualsConfiguration": {
                "SameSheetTargetVisualConfiguration": {"TargetVisualOptions": "ALL_VISUALS"}}}}],
    }  # fmt: skip
