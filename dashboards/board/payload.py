"""What the page fetches, as JSON values: a page's frame, and the tiles of a sheet with their freshness."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from math import ceil
from typing import Any

from dashboards.board.access import OWNER, Viewer
from dashboards.board.board import Board, Freshness
from dashboards.ingestions import Budget
from dashboards.render.sheet import frames, limits
from dashboards.render.state import State
from dashboards.render.tile import tile
from dashboards.render.view import View

Charts = Callable[[Mapping[str, Any]], tuple[str, Mapping[str, Any]]]
"""A Vega-Lite specification as the page draws it: a name, and the compiled one."""


def opening(board: Board, name: str) -> dict[str, Any]:
    """The pages there are, the error of the declarations when there is one, and this page's frame, if it is
    one.
    """
    pages = [{"name": name, "title": page.title or name} for name, page in board.pages.items()]
    return {
        "pages": pages,
        "error": board.error,
        "frame": frame(board, name) if name in board.pages else None,
    }


def frame(board: Board, name: str) -> dict[str, Any]:
    """A page without its numbers. Raises KeyError."""
    page = board.pages[name]
    view = board.view(name, State())
    return {
        "name": name,
        "title": page.title or name,
        "sheets": frames(page),
        "viewers": board.viewers(name),
        "limits": limits(page, State(), view.now),
        "copies": [
            {"data_set": name, "at_most_minutes": ceil(Budget().spacing / 60), "is_scheduled": is_scheduled}
            for name, is_scheduled in sorted(board.copies.items())
            if name in page.columns
        ],
    }


def tiles(
    board: Board,
    name: str,
    sheet: str,
    state: State,
    viewer: Viewer = OWNER,
    asked: Collection[str] = (),
    *,
    charts: Charts,
) -> dict[str, Any]:
    """Every visual of a sheet (the first when none is named), drawn for a viewer's choices.

    `asked`: datasets whose numbers have receipts. Raises KeyError.
    """
    view = board.view(name, state, viewer)
    sheet = sheet or str(view.page.sheets[0]["SheetId"])
    fresh = board.freshness(name)
    drawn = [
        _finished(tile(view, visual), fresh, asked, charts)
        for visual in view.page.visuals.values()
        if visual.sheet_id == sheet
    ]
    return {
        "tiles": drawn,
        "parameters": _parameters(view, state),
        "choices": board.choices(view),
        "fresh": {data_set: _fresh(entry, view.now) for data_set, entry in fresh.items()},
        "data_range": data_range(view),
        "error": board.error,
    }


def _finished(
    drawn: dict[str, Any], fresh: Mapping[str, Freshness], asked: Collection[str], charts: Charts
) -> dict[str, Any]:
    """The tile with its compiled chart; a dataset that could not be read shows as an error, not as empty."""
    entry = fresh.get(drawn.get("data_set", ""))
    if drawn.get("data_set") in asked:
        drawn = drawn | {"has_receipts": True}
    if entry is not None and entry.error and not entry.rows:
        return {**_without_chart(drawn), "state": "error", "message": entry.error}
    if "spec" in drawn and drawn["state"] == "data":
        name, chart = charts(drawn["spec"])
        drawn = drawn | {"vega": chart, "chart": name}
    if entry is not None:
        drawn = drawn | {"is_stale": entry.is_stale, "through": _iso(entry.through)}
    return {key: value for key, value in drawn.items() if key != "spec"}


def _without_chart(drawn: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in drawn.items() if key not in ("spec", "rows", "texts", "kpi", "lines")
    }


def _parameters(view: View, state: State) -> dict[str, Any]:
    """Each parameter's value in force; `chosen` when it is not the default."""
    return {
        name: {
            "value": _iso(value) if isinstance(value, datetime) else value,
            "chosen": name in state.parameters,
        }
        for name, value in view.page.values(state, view.now).items()
    }


def data_range(view: View) -> dict[str, Any]:
    """The oldest and newest time in any dataset of the page: where the data is, whatever the filters say."""
    found: list[datetime] = []
    for data_set, kinds in view.page.columns.items():
        for column, kind in kinds.items():
            if kind == "time":
                low, high = view.run(f'SELECT min("{column}"), max("{column}") FROM "{data_set}"', {})[0]  # noqa: S608
                found += [low, high] if low is not None else []
    return {"from": _iso(min(found)), "to": _iso(max(found))} if found else {}


def _fresh(entry: Freshness, now: datetime) -> dict[str, Any]:
    age = (now - entry.through).total_seconds() if entry.through else None
    return {
        "rows": entry.rows,
        "through": _iso(entry.through),
        "age_seconds": age,
        "is_stale": entry.is_stale,
        "read_at": _iso(entry.read_at),
        "error": entry.error,
    }


def _iso(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time is not None else None
