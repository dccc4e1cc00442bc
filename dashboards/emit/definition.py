"""A declared dashboard as a QuickSight Definition: the JSON that is deployed, and that the preview
renders.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.binding import TIME_COLUMN, ContractMismatchError, kind_of, kinds, mismatches
from dashboards.emit.datasets import Place
from dashboards.emit.fields import calculated_fields, column, field_id
from dashboards.emit.visuals import kpi_options, plain_title, visual
from dashboards.model import GRID_COLUMNS, Dashboard, Filter, Sheet
from queries.contracts import Report

INFO_SHEET = "info"
FROM, TO = "TimeFrom", "TimeTo"
AS_OF_SPAN = 6


@dataclass(frozen=True)
class Build:
    """What made the assets: shown on the Info sheet, so that a viewer can tell what is deployed."""

    version: str
    commit: str = "unknown"


def definition(
    dashboard: Dashboard, reports: Mapping[str, Report], place: Place, build: Build
) -> dict[str, Any]:
    """The Definition. Raises ContractMismatchError when the contracts lack what the declaration names."""
    if wrong := mismatches(dashboard, reports):
        raise ContractMismatchError(wrong)
    window = next((entry for entry in dashboard.filters if entry.kind == "range"), None)
    return {
        "DataSetIdentifierDeclarations": [
            {"Identifier": name, "DataSetArn": place.arn("dataset", place.asset_id(name))}
            for name in sorted(dashboard.sources)
        ],
        "Sheets": [
            *(
                _sheet(dashboard, sheet, reports, is_first=at == 0)
                for at, sheet in enumerate(dashboard.sheets)
            ),
            _info_sheet(dashboard, reports, build),
        ],
        "CalculatedFields": [
            field
            for name in sorted(dashboard.sources)
            for field in calculated_fields(dashboard.sources[name])
        ],
        "ParameterDeclarations": _parameters(window) if window else [],
        "FilterGroups": _filter_groups(dashboard, reports),
        "Options": {"Timezone": "UTC", "WeekStart": "MONDAY"},
    }


def _parameters(window: Filter) -> list[dict[str, Any]]:
    """Both ends have a default: without one the picker would never fill and every visual stay empty."""
    days = max(1, window.default_hours // 24)
    ends: tuple[tuple[str, dict[str, Any]], ...] = (
        (FROM, _rolling(f"addDateTime(-{days}, 'DD', truncDate('DD', now()))")),
        (TO, _rolling("addDateTime(1, 'DD', truncDate('DD', now()))")),
    )
    if window.first:
        ends = ((FROM, _fixed(window.first)), (TO, _fixed(window.last)))
    return [
        {
            "DateTimeParameterDeclaration": {
                "Name": name,
                "TimeGranularity": "HOUR",
                "DefaultValues": default,
            }
        }
        for name, default in ends
    ]


def _rolling(expression: str) -> dict[str, Any]:
    return {"RollingDate": {"Expression": expression}}


def _fixed(day: str) -> dict[str, Any]:
    return {"StaticValues": [f"{day}T00:00:00"]}


def _filter_groups(dashboard: Dashboard, reports: Mapping[str, Report]) -> list[dict[str, Any]]:
    groups = []
    for entry in sorted(dashboard.filters, key=lambda entry: entry.id):
        if entry.kind == "range":
            groups += [_range_group(dashboard, entry, reports[name]) for name in sorted(dashboard.sources)]
        else:
            groups.append(_pick_group(dashboard, entry, reports))
    return groups


def _range_group(dashboard: Dashboard, entry: Filter, report: Report) -> dict[str, Any]:
    name = f"{entry.id}-{report.name.replace('_', '-')}"
    return _group(
        dashboard,
        name,
        {
            "TimeRangeFilter": {
                "FilterId": name,
                "Column": column(report.name, TIME_COLUMN[report.grain]),
                "IncludeMinimum": True,
                "IncludeMaximum": False,
                "NullOption": "NON_NULLS_ONLY",
                "TimeGranularity": "HOUR",
                "RangeMinimumValue": {"Parameter": FROM},
                "RangeMaximumValue": {"Parameter": TO},
            }
        },
    )


def _pick_group(dashboard: Dashboard, entry: Filter, reports: Mapping[str, Report]) -> dict[str, Any]:
    """In force on every report that has the column, so that no neighbour stays whole without a word."""
    named = [
        kind
        for source in dashboard.sources.values()
        if (kind := kind_of(entry.column, source, kinds(reports[source.report]))) is not None
    ]
    return _group(
        dashboard,
        entry.id,
        {
            "CategoryFilter": {
                "FilterId": entry.id,
                "Column": column(entry.report, entry.column),
                "Configuration": {
                    "FilterListConfiguration": {
                        "MatchOperator": "CONTAINS",
                        "SelectAllOptions": "FILTER_ALL_VALUES",
                        "NullOption": "ALL_VALUES",
                    }
                },
                "DefaultFilterControlConfiguration": {
                    "Title": entry.title,
                    "ControlOptions": {"DefaultDropdownOptions": {"Type": "MULTI_SELECT"}},
                },
            }
        },
        is_shared=len(named) > 1,
    )


def _group(
    dashboard: Dashboard, name: str, filter_: dict[str, Any], *, is_shared: bool = False
) -> dict[str, Any]:
    """In force on every sheet but Info, whose counts tell what is there at all."""
    scopes = [{"SheetId": sheet.id, "Scope": "ALL_VISUALS"} for sheet in dashboard.sheets]
    return {
        "FilterGroupId": f"{name}-group",
        "Filters": [filter_],
        "ScopeConfiguration": {"SelectedSheets": {"SheetVisualScopingConfigurations": scopes}},
        "CrossDataset": "ALL_DATASETS" if is_shared else "SINGLE_DATASET",
        "Status": "ENABLED",
    }


def _sheet(
    dashboard: Dashboard, sheet: Sheet, reports: Mapping[str, Report], *, is_first: bool
) -> dict[str, Any]:
    windowed = any(entry.kind == "range" for entry in dashboard.filters)
    placed = [
        (visual(declared, dashboard.sources[declared.report], kinds(reports[declared.report]),
        windowed=windowed),
         declared.id, declared.span)
        for declared in sheet.visuals
    ]  # fmt: skip
    if is_first:
        leading = next((at for at, entry in enumerate(sheet.visuals) if entry.kind != "kpi"), len(placed))
        first = next(iter(dashboard.sources))
        rows = sheet.visuals[0].span[1]
        placed.insert(leading, (_as_of(reports[first], "as-of"), "as-of", (AS_OF_SPAN, rows)))
    controls, places = _controls(dashboard, sheet) if windowed else ([], [])
    return {
        "SheetId": sheet.id,
        "Name": sheet.title,
        "ContentType": "INTERACTIVE",
        "Visuals": [member for member, _, _ in placed],
        "ParameterControls": controls,
        "FilterControls": [
            {"CrossSheet": {"FilterControlId": f"{sheet.id}-{entry.id}-control", "SourceFilterId": entry.id}}
            for entry in dashboard.filters if entry.kind == "pick"
        ],
        "Layouts": [_grid(_flow([(name, "VISUAL", span) for _, name, span in placed]))],
        "SheetControlLayouts": [{"Configuration": {"GridLayout": {"Elements": places}}}],
    }  # fmt: skip


def _controls(dashboard: Dashboard, sheet: Sheet) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    pickers = [
        {
            "DateTimePicker": {
                "ParameterControlId": f"{sheet.id}-{name.lower()}-control",
                "Title": title,
                "SourceParameterName": name,
                "DisplayOptions": {"DateTimeFormat": "YYYY-MM-DD HH:mm"},
            }
        }
        for name, title in ((FROM, "From"), (TO, "To"))
    ]
    names = [(picker["DateTimePicker"]["ParameterControlId"], "PARAMETER_CONTROL") for picker in pickers]
    names += [
        (f"{sheet.id}-{entry.id}-control", "FILTER_CONTROL")
        for entry in dashboard.filters
        if entry.kind == "pick"
    ]
    # A control is as wide as QuickSight makes it by default: two columns of its own grid.
    return pickers, _flow([(str(name), kind, (2, 1)) for name, kind in names])


def _as_of(report: Report, visual_id: str, title: str = "Data through") -> dict[str, Any]:
    name = TIME_COLUMN[report.grain]
    value = {
        "DateMeasureField": {
            "FieldId": field_id(visual_id, name),
            "Column": column(report.name, name),
            "AggregationFunction": "MAX",
            "FormatConfiguration": {"DateTimeFormat": "YYYY-MM-DD HH:mm"},
        }
    }
    return _plain_kpi(visual_id, title, value)


def _row_count(report: Report, visual_id: str) -> dict[str, Any]:
    name = TIME_COLUMN[report.grain]
    value = {
        "DateMeasureField": {
            "FieldId": field_id(visual_id, name),
            "Column": column(report.name, name),
            "AggregationFunction": "COUNT",
        }
    }
    return _plain_kpi(visual_id, f"Rows of {report.name}", value)


def _plain_kpi(visual_id: str, title: str, value: dict[str, Any]) -> dict[str, Any]:
    wells = {"Values": [value], "TargetValues": [], "TrendGroups": []}
    return {"KPIVisual": {
        "VisualId": visual_id, "Title": plain_title(title),
        "ChartConfiguration": {"FieldWells": wells, "KPIOptions": kpi_options(sparkline=False)}}}  # fmt: skip


def _info_sheet(dashboard: Dashboard, reports: Mapping[str, Report], build: Build) -> dict[str, Any]:
    """The canary: when this sheet shows numbers, deployment, permissions and data are there."""
    text = (
        f"<text-box>{_escaped(dashboard.about)}<br/>Penstock {_escaped(build.version)}, "
        f"commit {_escaped(build.commit)}. Times are UTC.</text-box>"
    )
    visuals, elements = [], [("about", "TEXT_BOX", (GRID_COLUMNS, 3))]
    for name in sorted(dashboard.sources):
        dashed = name.replace("_", "-")
        visuals += [
            _row_count(reports[name], f"{dashed}-rows"),
            _as_of(reports[name], f"{dashed}-as-of", f"{name}, through"),
        ]
        elements += [(f"{dashed}-rows", "VISUAL", (9, 4)), (f"{dashed}-as-of", "VISUAL", (9, 4))]
    return {
        "SheetId": INFO_SHEET,
        "Name": "Info",
        "ContentType": "INTERACTIVE",
        "TextBoxes": [{"SheetTextBoxId": "about", "Content": text}],
        "Visuals": visuals,
        "Layouts": [_grid(_flow(elements))],
    }


def _flow(elements: list[tuple[str, str, tuple[int, int]]]) -> list[dict[str, Any]]:
    """Left to right, a new row when the next one does not fit; a row is as tall as its tallest element."""
    placed, left, top, tallest = [], 0, 0, 0
    for element_id, kind, (columns, rows) in elements:
        if left + columns > GRID_COLUMNS:
            left, top, tallest = 0, top + tallest, 0
        placed.append(
            {
                "ElementId": element_id,
                "ElementType": kind,
                "ColumnIndex": left,
                "ColumnSpan": columns,
                "RowIndex": top,
                "RowSpan": rows,
            }
        )
        left, tallest = left + columns, max(tallest, rows)
    return placed


def _grid(elements: list[dict[str, Any]]) -> dict[str, Any]:
    canvas = {"ScreenCanvasSizeOptions": {"ResizeOption": "FIXED", "OptimizedViewPortWidth": "1600px"}}
    return {"Configuration": {"GridLayout": {"Elements": elements, "CanvasSizeOptions": canvas}}}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
