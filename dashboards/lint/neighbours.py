"""Filters and clicks that act on one dataset's visuals and leave those beside them whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.expressions.tree import ExpressionError, Field
from dashboards.expressions.typing import typed
from dashboards.lint.assets import Page, each, field_bodies
from dashboards.lint.findings import Finding, JsonPath


def check(page: Page) -> Iterator[Finding]:
    """Findings of one Definition. What the data does not allow is a note; what one member fixes, a defect."""
    yield from _filters(page)
    yield from _clicks(page)


def _filters(page: Page) -> Iterator[Finding]:
    controlled = {source for _, source in page.every("SourceFilterId")}
    for path, member, body, group in page.filters:
        if member != "CategoryFilter" or body.get("FilterId") not in controlled:
            continue
        column = body.get("Column", {})
        name, own = str(column.get("ColumnName")), str(column.get("DataSetIdentifier"))
        others = {
            _data_set(visual)
            for _, _, visual, sheet in page.visuals
            if _in_scope(group, sheet, str(visual.get("VisualId")))
        } - {own, ""}
        able = sorted(other for other in others if _has_same(page, name, own, other))
        if able and group.get("CrossDataset") != "ALL_DATASETS":
            yield page.found(
                "silent/one-dataset",
                path,
                f"The filter leaves visuals of {', '.join(able)} whole, which have the column {name!r} too.",
                "Set CrossDataset to ALL_DATASETS.",
            )
        yield from _unable(page, path, f"The filter on {name!r}", name, sorted(others - set(able)))


def _clicks(page: Page) -> Iterator[Finding]:
    for path, _, body, sheet in page.visuals:
        fields = {
            str(field.get("FieldId")): str(field.get("Column", {}).get("ColumnName"))
            for _, _, field in field_bodies(body)
        }
        own = _data_set(body)
        for _, operation in each(body.get("Actions", []), "FilterOperation"):
            targets = operation.get("TargetVisualsConfiguration", {}).get(
                "SameSheetTargetVisualConfiguration", {}
            )
            named = targets.get("TargetVisuals", [])
            is_all = targets.get("TargetVisualOptions") == "ALL_VISUALS"
            others = {
                _data_set(visual)
                for _, _, visual, where in page.visuals
                if where == sheet and (is_all or visual.get("VisualId") in named)
            } - {own, ""}
            for field_id in operation.get("SelectedFieldsConfiguration", {}).get("SelectedFields", []):
                name = fields.get(field_id, field_id)
                unable = sorted(other for other in others if not _has_same(page, name, own, other))
                yield from _unable(page, path, f"A click on {name!r}", name, unable)


def _unable(page: Page, path: JsonPath, what: str, name: str, others: list[str]) -> Iterator[Finding]:
    if others:
        yield page.noted(
            "silent/not-filtered",
            path,
            f"{what} does not act on visuals of {' and '.join(others)}: there is no such column.",
            f"Add {name!r} there, or leave it: the preview says so on each of them.",
        )


def _data_set(visual: Mapping[str, Any]) -> str:
    if "DataSetIdentifier" in visual:
        return str(visual["DataSetIdentifier"])
    names = (field.get("Column", {}).get("DataSetIdentifier") for _, _, field in field_bodies(visual))
    return str(next((name for name in names if name), ""))


def _in_scope(group: Mapping[str, Any], sheet: str, visual: str) -> bool:
    scope = group.get("ScopeConfiguration", {})
    return "AllSheets" in scope or any(
        entry.get("SheetId") == sheet
        and (entry.get("Scope") == "ALL_VISUALS" or visual in entry.get("VisualIds", []))
        for entry in scope.get("SelectedSheets", {}).get("SheetVisualScopingConfigurations", [])
    )


def _has_same(page: Page, name: str, own: str, other: str) -> bool:
    try:
        here, there = (typed(Field(name), page.names(data_set)) for data_set in (own, other))
    except ExpressionError:
        return False
    return (here.kind, here.level) == (there.kind, there.level)
