"""What QuickSight accepts and then shows blank, empty or wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.emit.access import ANALYSIS_ACTIONS
from dashboards.expressions.parse import parse
from dashboards.expressions.tree import ExpressionError, Field
from dashboards.expressions.typing import Typed, UnsupportedError, typed
from dashboards.lint.assets import Assets, Page, each, field_bodies
from dashboards.lint.findings import Finding

KPI_OPTIONS = frozenset({
    "Comparison", "PrimaryValueDisplayType", "PrimaryValueFontConfiguration", "ProgressBar", "SecondaryValue",
    "SecondaryValueFontConfiguration", "Sparkline", "TrendArrows", "VisualLayoutOptions",
})  # fmt: skip
_VALUE_WELLS = {"KPIVisual": "Values", "BarChartVisual": "Values", "LineChartVisual": "Values",
                "PieChartVisual": "Values", "ComboChartVisual": "BarValues"}  # fmt: skip


def check(page: Page) -> Iterator[Finding]:
    """Findings of one Definition."""
    for rule in (_expressions, _aggregation, _visuals, _labels, _parameters, _filters, _as_of):
        yield from rule(page)


def check_access(assets: Assets) -> Iterator[Finding]:
    """Findings of permissions, validation and names."""
    for kind in ("Analysis", "Dashboard", "DataSet", "DataSource"):
        for name, properties in assets.of(kind):
            for at, entry in enumerate(properties.get("Permissions", [])):
                missing = ANALYSIS_ACTIONS - set(entry.get("Actions", []))
                if kind == "Analysis" and missing:
                    yield Finding(
                        "silent/analysis-actions",
                        name,
                        ("Permissions", at),
                        f"Without {', '.join(sorted(missing))} the analysis fails later, out of sight.",
                        "Grant all seven actions.",
                    )
            mode = properties.get("ValidationStrategy", {}).get("Mode", "STRICT")
            if mode != "STRICT":
                yield Finding("silent/lenient", name, ("ValidationStrategy", "Mode"),
                              "LENIENT lets broken references through.", "Use STRICT.")  # fmt: skip
            asset_id = str(properties.get(f"{kind}Id", ""))
            prefix = asset_id.partition("-")[0]
            if prefix and prefix not in str(properties.get("Name", "")):
                yield Finding(
                    "silent/name-prefix",
                    name,
                    ("Name",),
                    "Two deployments would look the same in the console.",
                    f"Put {prefix!r} into the name.",
                )


def _expressions(page: Page) -> Iterator[Finding]:
    for at, entry in enumerate(page.definition.get("CalculatedFields", [])):
        path = ("CalculatedFields", at, "Expression")
        text, identifier = str(entry.get("Expression", "")), str(entry.get("DataSetIdentifier"))
        try:
            node = parse(text)
            if page.columns(identifier):
                typed(node, page.names(identifier), (str(entry.get("Name")),))
        except UnsupportedError:
            continue
        except ExpressionError as error:
            mark = text[error.position : error.position + 24]
            yield page.found(
                "expression",
                path,
                f"{error.message} At character {error.position + 1}: {mark!r}.",
                "Correct the expression.",
            )


def _type(page: Page, column: Mapping[str, Any]) -> Typed | None:
    try:
        return typed(Field(str(column.get("ColumnName"))), page.names(str(column.get("DataSetIdentifier"))))
    except ExpressionError:
        return None


def _aggregation(page: Page) -> Iterator[Finding]:
    for path, _, body, _ in page.visuals:
        for inner, member, field in field_bodies(body):
            found = _type(page, field.get("Column", {}))
            if found is None:
                continue
            if found.level != "row" and "AggregationFunction" in field:
                yield page.found("silent/aggregated-twice", (*path, *inner),
                                 "An aggregated field with an AggregationFunction shows an error.",
                                 "Leave the function out.")  # fmt: skip
            if found.level != "row" and member.endswith("DimensionField"):
                yield page.found(
                    "silent/aggregate-dimension",
                    (*path, *inner),
                    "An aggregate cannot split a visual.",
                    "Use a column or a field per row.",
                )
            if member == "NumericalMeasureField" and found.kind not in (None, "number"):
                yield page.found(
                    "silent/field-kind",
                    (*path, *inner),
                    f"A NumericalMeasureField cannot show a {found.kind}.",
                    "Use the measure field of its kind.",
                )


def _visuals(page: Page) -> Iterator[Finding]:
    for path, member, body, _ in page.visuals:
        chart = body.get("ChartConfiguration", {})
        where = (*path, "ChartConfiguration")
        wells = chart.get("FieldWells", {})
        if member != "KPIVisual" and wells:
            wells = next(iter(wells.values()), {})
        if member == "KPIVisual" and set(chart.get("KPIOptions", {})) != KPI_OPTIONS:
            missing = sorted(KPI_OPTIONS - set(chart.get("KPIOptions", {})))
            yield page.found(
                "silent/kpi-options",
                where,
                f"A KPI without {', '.join(missing)} is drawn blank.",
                "Write KPIOptions in full.",
            )
        values = wells.get(_VALUE_WELLS.get(member, ""), None)
        if member in _VALUE_WELLS and not values:
            yield page.found("silent/no-value", where, "The visual has no value to show.", "Add a measure.")
        if member in ("LineChartVisual", "BarChartVisual") and wells.get("Colors") and len(values or []) > 1:
            yield page.found(
                "silent/colors-and-values",
                where,
                "Colors takes one value; with two the chart is broken.",
                "Drop Colors or all values but one.",
            )
        if member == "PieChartVisual" and len(values or []) > 1:
            yield page.found("silent/pie-values", where, "A pie shows one value.", "Keep one.")
        if (
            member == "LineChartVisual"
            and chart.get("Type") == "AREA"
            and (wells.get("Colors") or len(values or []) > 1)
        ):
            yield page.found("silent/plain-area", where, "In a plain AREA the series hide each other.",
                             "Use STACKED_AREA or LINE.")  # fmt: skip
        for inner, limit in each(
            chart.get("SortConfiguration", {}), "ItemsLimit", (*where, "SortConfiguration")
        ):
            holder = _at(page.definition, inner[:-1])
            if limit and "OtherCategories" not in holder:
                yield page.found(
                    "silent/items-limit",
                    inner,
                    "What is beyond the limit vanishes without a word.",
                    "Say OtherCategories: INCLUDE.",
                )
        if not _plain(body.get("Title", {})):
            yield page.found("silent/no-title", path, "The visual has no title.", "Give it one.")


def _plain(title: Mapping[str, Any]) -> str:
    text = title.get("FormatText", {})
    return str(text.get("PlainText") or text.get("RichText") or "")


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _labels(page: Page) -> Iterator[Finding]:
    for path, _, body, _ in page.visuals:
        for inner, options in each(body.get("ChartConfiguration", {}), "AxisLabelOptions", path):
            for at, option in enumerate(options):
                if "CustomLabel" in option and "ApplyTo" not in option:
                    yield page.found(
                        "silent/label",
                        (*inner, at),
                        "A CustomLabel without ApplyTo is ignored.",
                        "Add ApplyTo with the field.",
                    )


def _parameters(page: Page) -> Iterator[Finding]:
    used = {
        name
        for key in ("Parameter", "ParameterName")
        for _, name in each(page.definition.get("FilterGroups", []), key)
    }
    for at, entry in enumerate(page.definition.get("ParameterDeclarations", [])):
        for member, body in entry.items():
            path, name = ("ParameterDeclarations", at, member), body.get("Name")
            if not any(body.get("DefaultValues", {}).values()):
                yield page.found(
                    "silent/no-default",
                    path,
                    f"The parameter {name!r} has no default: its control never fills.",
                    "Give it DefaultValues.",
                )
            if name in used and name not in page.controlled:
                yield page.found(
                    "silent/no-control",
                    path,
                    f"A filter waits for {name!r}, and no control sets it.",
                    "Add a control.",
                )
            for inner, text in each(body, "Expression", path):
                try:
                    parse(str(text))
                except ExpressionError as error:
                    yield page.found("expression", inner, error.message, "Correct the expression.")


def _filters(page: Page) -> Iterator[Finding]:
    for path, member, body, group in page.filters:
        if group.get("Status", "ENABLED") == "DISABLED":
            yield page.found("silent/disabled", path, "The filter is switched off.", "Enable or remove it.")
        listed = (
            body.get("Configuration", {}).get("FilterListConfiguration")
            if member == "CategoryFilter"
            else None
        )
        if listed is not None and not listed.get("CategoryValues") and "SelectAllOptions" not in listed:
            yield page.found("silent/empty-list", path, "The filter lists no value and lets none through.",
                             "Say SelectAllOptions: FILTER_ALL_VALUES.")  # fmt: skip
        if member == "TimeRangeFilter" and not ({"RangeMinimumValue", "RangeMaximumValue"} & set(body)):
            yield page.found("silent/no-bound", path, "The time filter has no bound.", "Give it one.")


def _as_of(page: Page) -> Iterator[Finding]:
    for _, _, body, _ in page.visuals:
        for _, member, field in field_bodies(body):
            if member == "DateMeasureField" and field.get("AggregationFunction") == "MAX":
                return
    yield page.found(
        "silent/no-as-of",
        (),
        "Nothing on the page says how far the data goes: a stale page looks fresh.",
        "Show MAX of the time column.",
    )
