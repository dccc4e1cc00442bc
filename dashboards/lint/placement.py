"""Checks that every element of a sheet stands in its layout once, on the grid."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.lint.assets import Page, each
from dashboards.lint.findings import Finding, JsonPath

GRID_COLUMNS = 36


def _layouts(page: Page) -> Iterator[Finding]:
    for s, sheet in enumerate(page.definition.get("Sheets", [])):
        there = {"VISUAL": set[str](), "TEXT_BOX": set[str](), "IMAGE": set[str]()}
        there["VISUAL"] = {
            str(body.get("VisualId")) for entry in sheet.get("Visuals", []) for body in entry.values()
        }
        there["TEXT_BOX"] = {str(box.get("SheetTextBoxId")) for box in sheet.get("TextBoxes", [])}
        there["IMAGE"] = {str(box.get("SheetImageId")) for box in sheet.get("Images", [])}
        there["PARAMETER_CONTROL"] = {
            str(body.get("ParameterControlId"))
            for entry in sheet.get("ParameterControls", [])
            for body in entry.values()
        }
        there["FILTER_CONTROL"] = {
            str(body.get("FilterControlId"))
            for entry in sheet.get("FilterControls", [])
            for body in entry.values()
        }
        placed: set[str] = set()
        for key in ("Layouts", "SheetControlLayouts"):
            for path, elements in each(sheet.get(key, []), "Elements", ("Sheets", s, key)):
                yield from _elements(page, path, elements, there)
                placed |= {str(element.get("ElementId")) for element in elements}
        for kind, word in (("VISUAL", "visual"), ("TEXT_BOX", "text box")):
            for name in sorted(there[kind] - placed):
                yield page.found(
                    "reference/not-placed",
                    _visual_path(page, s, name),
                    f"The {word} {name!r} has no place in the layout.",
                    "Add a layout element.",
                )
        if not there["VISUAL"]:
            yield page.found(
                "reference/empty-sheet",
                ("Sheets", s),
                "The sheet has no visual.",
                "Add one or drop the sheet.",
            )


def _visual_path(page: Page, sheet: int, name: str) -> JsonPath:
    for path, _, body, _ in page.visuals:
        if path[1] == sheet and body.get("VisualId") == name:
            return path
    return ("Sheets", sheet)


def _elements(
    page: Page, path: JsonPath, elements: list[Mapping[str, Any]], there: Mapping[str, set[str]]
) -> Iterator[Finding]:
    taken: dict[tuple[int, int], str] = {}
    for at, element in enumerate(elements):
        name, kind = str(element.get("ElementId")), str(element.get("ElementType"))
        if name not in there.get(kind, set()):
            yield page.found(
                "reference/layout-element",
                (*path, at),
                f"The layout places {kind} {name!r}, which is not on the sheet.",
                "Name an element of this sheet.",
            )
        spans = [element.get(key) for key in ("ColumnIndex", "ColumnSpan", "RowIndex", "RowSpan")]
        if not all(isinstance(span, int) for span in spans):
            continue
        left, columns, top, rows = (int(span) for span in spans)  # type: ignore[arg-type]
        if left + columns > GRID_COLUMNS:
            yield page.found(
                "reference/off-grid",
                (*path, at),
                f"{name!r} ends at column {left + columns} of {GRID_COLUMNS}.",
                "Move or narrow it.",
            )
        cells = [(x, y) for x in range(left, left + columns) for y in range(top, top + rows)]
        over = {taken[cell] for cell in cells if cell in taken}
        if over:
            yield page.found(
                "reference/overlap", (*path, at), f"{name!r} lies over {', '.join(sorted(over))}.", "Move it."
            )
        taken |= dict.fromkeys(cells, name)
