"""A sheet's frame: where things stand, which controls it has, which texts; and what the preview cannot
show.
"""

from collections.abc import Mapping
from typing import Any

from dashboards.expressions.tree import ExpressionError
from dashboards.expressions.typing import UnsupportedError
from dashboards.render.compile import compiled
from dashboards.render.page import Page, VisualView, every, plain_text, without_markup
from dashboards.render.state import State


def frames(page: Page) -> list[dict[str, Any]]:
    """Every sheet: id, name, elements with their places on the grid of 36 columns, controls, texts."""
    return [_frame(page, sheet) for sheet in page.sheets]


def _frame(page: Page, sheet: Mapping[str, Any]) -> dict[str, Any]:
    texts = {
        box["SheetTextBoxId"]: without_markup(box.get("Content", "")) for box in sheet.get("TextBoxes", [])
    }
    places = _places(sheet)
    visuals = [view for view in page.visuals.values() if view.sheet_id == sheet["SheetId"]]
    elements: list[dict[str, Any]] = [
        {
            "id": view.id,
            "type": "visual",
            "kind": view.kind,
            "title": view.title,
            "place": places.get(view.id),
            "subtitle": _subtitle(view),
        }
        for view in visuals
    ]
    elements += [
        {"id": name, "type": "text", "text": text, "place": places.get(name)} for name, text in texts.items()
    ]
    elements.sort(key=lambda element: _order(element["place"]))
    return {
        "id": sheet["SheetId"],
        "name": sheet.get("Name", sheet["SheetId"]),
        "elements": elements,
        "controls": _controls(page, sheet),
    }


def _order(place: Mapping[str, int] | None) -> tuple[int, int]:
    return (place["row"], place["column"]) if place else (10_000, 0)


def _places(sheet: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Element id -> grid place. Free-form layouts are put on the grid by their share of the canvas."""
    found: dict[str, dict[str, int]] = {}
    top = 0
    for elements in every(sheet.get("Layouts", []), "Elements"):
        for element in elements:
            if "ColumnSpan" in element:
                found[element["ElementId"]] = {
                    "column": element.get("ColumnIndex", 0), "columns": element["ColumnSpan"],
                    "row": element.get("RowIndex", top), "rows": element["RowSpan"]}  # fmt: skip
                top = found[element["ElementId"]]["row"] + element["RowSpan"]
    return found


def _subtitle(view: VisualView) -> list[dict[str, str]]:
    """A subtitle in parts: text, and parameters whose value the page fills in."""
    text = view.body.get("Subtitle", {}).get("FormatText", {})
    if view.body.get("Subtitle", {}).get("Visibility") == "HIDDEN":
        return []
    rich = str(text.get("RichText") or "")
    if not rich:
        plain = plain_text(view.body.get("Subtitle", {}))
        return [{"text": plain}] if plain else []
    parts: list[dict[str, str]] = []
    for at, piece in enumerate(rich.replace("</parameter>", "<parameter>").split("<parameter>")):
        if at % 2:
            parts.append({"parameter": piece.strip().removeprefix("${").removesuffix("}")})
        elif without := without_markup_keeping_spaces(piece):
            parts.append({"text": without})
    return parts


def without_markup_keeping_spaces(text: str) -> str:
    """As without_markup, but spaces at the ends stay: they part the text from a parameter."""
    lead = " " if text.startswith(" ") else ""
    tail = " " if text.endswith(" ") else ""
    found = without_markup(text)
    return f"{lead}{found}{tail}" if found else ""


def _controls(page: Page, sheet: Mapping[str, Any]) -> list[dict[str, Any]]:
    filters = {body["FilterId"]: (member, body) for _, member, body in page.filters}
    found: list[dict[str, Any]] = []
    for entry in sheet.get("ParameterControls", []):
        for member, body in entry.items():
            name = body["SourceParameterName"]
            parameter = page.parameters.get(name)
            known = parameter is not None and (member == "DateTimePicker") == (parameter.kind == "time")
            found.append({
                "id": body["ParameterControlId"], "title": body.get("Title", name),
                "type": ("time" if member == "DateTimePicker" else "text") if known else "unsupported",
                "parameter": name})  # fmt: skip
    for entry in sheet.get("FilterControls", []):
        for body in entry.values():
            source = body["SourceFilterId"]
            member, declared = filters.get(source, ("", {}))
            title = declared.get("DefaultFilterControlConfiguration", {}).get("Title")
            column = declared.get("Column", {})
            found.append({
                "id": body["FilterControlId"],
                "title": body.get("Title") or title or column.get("ColumnName", source),
                "type": "pick" if member == "CategoryFilter" else "unsupported", "filter": source,
                "data_set": column.get("DataSetIdentifier", ""),
                "column": column.get("ColumnName", "")})  # fmt: skip
    return found


def limits(page: Page, state: State, now: Any) -> list[dict[str, str]]:
    """Everything in the Definition that the preview does not show, each with its reason."""
    found = []
    for view in page.visuals.values():
        reason = _reason(page, view, state, now)
        if reason:
            found.append({"what": f"{view.member} {view.title}", "sheet": view.sheet_id, "reason": reason})
    found += [{"what": f"field {name}", "sheet": "", "reason": why} for name, why in page.broken.items()]
    return found


def _reason(page: Page, view: VisualView, state: State, now: Any) -> str:
    if not view.kind:
        return f"{view.member} is not drawn by the preview."
    if view.kind == "insight":
        return ""
    try:
        compiled(page, view, state, now, {})
    except (UnsupportedError, ExpressionError) as error:
        return error.message
    except KeyError as error:
        return f"The Definition lacks {error.args[0]!r} here."
    return ""
