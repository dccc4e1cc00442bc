"""Field wells: columns, derived fields and measures as QuickSight's dimension and measure fields."""

from collections.abc import Mapping
from typing import Any

from dashboards.column_types import Kind
from dashboards.model import Axis, Measure, Source

_SEPARATORS = {
    "DecimalSeparator": "DOT",
    "ThousandsSeparator": {"Symbol": "COMMA", "Visibility": "VISIBLE"},
}
_DECIMALS = {"integer": 0, "decimal": 2, "percent": 2, "bytes": 1, "seconds": 1, "money": 2}
_TIME_FORMAT = {
    "hour": "YYYY-MM-DD HH:mm",
    "day": "YYYY-MM-DD",
    "week": "YYYY-MM-DD",
    "month": "YYYY-MM",
}


def column(report: str, name: str) -> dict[str, str]:
    """A ColumnIdentifier."""
    return {"DataSetIdentifier": report, "ColumnName": name}


def field_id(visual: str, name: str) -> str:
    """Derives from names, so reordering a declaration changes no id."""
    return f"{visual}-{name.replace('_', '-')}"


def dimension(
    visual: str, report: str, axis: Axis, kinds: Mapping[str, Kind], hierarchy: str = ""
) -> dict[str, Any]:
    """A DimensionField. A time column never becomes a category: QuickSight would draw nothing."""
    base: dict[str, Any] = {
        "FieldId": field_id(visual, axis.column),
        "Column": column(report, axis.column),
    }
    if hierarchy:
        base["HierarchyId"] = hierarchy
    kind = kinds.get(axis.column, "text")
    if kind == "time":
        format_ = {"DateTimeFormat": _TIME_FORMAT[axis.granularity]}
        return {"DateDimensionField": base | {"DateGranularity": axis.granularity.upper(),
                                              "FormatConfiguration": format_}}  # fmt: skip
    return {"NumericalDimensionField" if kind == "number" else "CategoricalDimensionField": base}


def measure(visual: str, report: str, declared: Measure) -> dict[str, Any]:
    """A MeasureField of a measure. It aggregates by itself, so an AggregationFunction would be an error."""
    return {
        "NumericalMeasureField": {
            "FieldId": field_id(visual, declared.name),
            "Column": column(report, declared.title),
            "FormatConfiguration": {"FormatConfiguration": number_format(declared)},
        }
    }


def number_format(declared: Measure) -> dict[str, Any]:
    """The NumericFormatConfiguration of a measure.

    An amount of several currencies says no number of decimals: QuickSight has one for all rows of a column,
    and yen have none, dinars three.
    """
    name = declared.format
    common: dict[str, Any] = {"SeparatorConfiguration": _SEPARATORS}
    if not declared.currency:
        common["DecimalPlacesConfiguration"] = {"DecimalPlaces": _DECIMALS[name]}
    if name == "percent":
        return {"PercentageDisplayFormatConfiguration": common}
    if name == "seconds":
        common = common | {"Suffix": " s"}
    if name == "bytes":
        common = common | {"NumberScale": "AUTO", "Suffix": "B"}
    return {"NumberDisplayFormatConfiguration": common}


def calculated_fields(source: Source) -> list[dict[str, str]]:
    """Derived fields under their own name, measures under their title, which is what viewers read."""
    derived = [(field.name, field.expression) for field in source.fields.values()]
    measures = [(entry.title, entry.expression) for entry in source.measures.values()]
    return [
        {"DataSetIdentifier": source.report, "Name": name, "Expression": expression}
        for name, expression in sorted([*derived, *measures])
    ]


def label(axis: Axis, source: Source) -> str:
    """A column or field in words; a time column by the unit that it is shown in."""
    if axis.column in source.fields:
        return source.fields[axis.column].title
    return (axis.granularity or axis.column.replace("_", " ")).capitalize()
