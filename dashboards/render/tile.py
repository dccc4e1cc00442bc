"""One visual, ready for a page: its state, its numbers as values and as text, its chart, and what it
stands on.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dashboards.expressions.duckdb_sql import quoted
from dashboards.expressions.tree import ExpressionError
from dashboards.expressions.typing import UnsupportedError
from dashboards.render import insight
from dashboards.render.compile import MAX_ROWS, OTHER, Query, base_rows, click_fields, compiled, not_clicked
from dashboards.render.filters import not_filtered_by
from dashboards.render.page import VisualView
from dashboards.render.state import State
from dashboards.render.vega import CHARTED, spec
from dashboards.render.view import View, plain
from dashboards.render.wells import FINER, Out


def tile(view: View, visual: VisualView) -> dict[str, Any]:
    """The visual as JSON values. Never raises for what is in a Definition: that becomes a state with a
    message.

    `state` is data, empty, error or unsupported.
    """
    found: dict[str, Any] = {"id": visual.id, "kind": visual.kind, "title": visual.title}
    try:
        return found | _drawn(view, visual)
    except UnsupportedError as error:
        return found | {"state": "unsupported", "message": error.message}
    except (ExpressionError, KeyError, ValueError, StopIteration) as error:
        return found | {"state": "error", "message": _message(error)}


def result(view: View, visual: VisualView) -> tuple[Query, list[tuple[Any, ...]]]:
    """A visual's query and its rows, unrounded. Raises ExpressionError and UnsupportedError."""
    if not visual.kind:
        raise UnsupportedError(f"{visual.member} is not drawn by the preview.")
    query = compiled(view.page, visual, view.state, view.now, view.rules)
    return query, view.run(query.sql, query.parameters)


def _drawn(view: View, visual: VisualView) -> dict[str, Any]:
    if visual.kind == "insight":
        drawn = insight.drawn(view, visual)
        return drawn | {"unfiltered": _unfiltered(view, visual, drawn["data_set"])}
    query, rows = result(view, visual)
    behind = count_behind(view, visual, query.data_set)
    is_cut = len(rows) > MAX_ROWS
    rows = rows[:MAX_ROWS]
    found: dict[str, Any] = {
        "state": "data" if behind else "empty",
        "behind": behind,
        "data_set": query.data_set,
        "columns": [_column(out, query.outs) for out in query.outs],
        "rows": [[plain(value) for value in row] for row in rows],
        "texts": [_texts(query.outs, row) for row in rows],
        "unfiltered": _unfiltered(view, visual, query.data_set),
        "message": f"Only the first {MAX_ROWS} rows are shown." if is_cut else "",
    }
    if visual.kind in CHARTED:
        found["spec"] = spec(visual, query.outs, rows, view.colors)
    if visual.kind == "kpi":
        found["kpi"] = _kpi(query.outs, rows)
    return found | _interaction(visual, query, view.state)


def _unfiltered(view: View, visual: VisualView, data_set: str) -> list[str]:
    """What the viewer chose and this visual cannot follow: beside visuals that do, that must be said."""
    given = view.page, visual, data_set, view.state
    return list(dict.fromkeys([*not_filtered_by(*given), *not_clicked(*given)]))


def _texts(outs: Sequence[Out], row: Sequence[Any]) -> list[str]:
    of = {out.column: value for out, value in zip(outs, row, strict=True) if not out.is_measure}
    return [out.text(value, of.get(out.currency)) for out, value in zip(outs, row, strict=True)]


def count_behind(view: View, visual: VisualView, data_set: str) -> int:
    """How many rows of the dataset the visual stands on, after all filters."""
    base, parameters = base_rows(view.page, visual, data_set, view.state, view.now, view.rules)
    return int(view.run(f"SELECT count(*) FROM ({base})", parameters)[0][0])  # noqa: S608


def _column(out: Out, outs: Sequence[Out]) -> dict[str, Any]:
    """A column as the page knows it. `apart`: the column within whose values alone its own compare, such as
    the currency of an amount.
    """
    apart = next((at for at, other in enumerate(outs) if out.currency and other.column == out.currency), None)
    return {"alias": out.alias, "label": out.label, "kind": out.kind, "role": out.role, "unit": out.unit,
            "apart": apart}  # fmt: skip


def _kpi(outs: Sequence[Out], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The number; with a trend, the latest period's, what it was the period before, and the way there."""
    at = next(index for index, out in enumerate(outs) if out.role == "value")
    format_ = outs[at].format
    latest = rows[-1][at] if rows else None
    found: dict[str, Any] = {"text": format_.text(latest), "value": plain(latest)}
    if len(outs) == 1:
        return found
    found["of"] = outs[0].format.text(rows[-1][0]) if rows else ""
    found["trend"] = [plain(row[at]) for row in rows]
    if len(rows) > 1 and latest is not None and rows[-2][at] is not None:
        before = rows[-2][at]
        found["before"] = format_.text(before)
        if before:
            change = (float(latest) - float(before)) / abs(float(before))
            found["change"] = {"value": change, "text": f"{change:+.1%}"}
    return found


def _interaction(visual: VisualView, query: Query, state: State) -> dict[str, Any]:
    """What a click on a category does: filter the other visuals, or go down the time hierarchy."""
    found: dict[str, Any] = {}
    ids = [out.field_id for out in query.outs]
    for field_id, _ in click_fields(visual):
        if field_id in ids:
            found["click"] = {
                "column": ids.index(field_id),
                "chosen": state.clicks.get(visual.id),
                "other": OTHER,
            }
    steps = state.drills.get(visual.id, ())
    for at, out in enumerate(query.outs):
        if out.hierarchy and not out.is_measure:
            can = out.unit in FINER and out.unit != "hour"
            found["drill"] = {"column": at, "unit": out.unit, "can": can, "depth": len(steps),
                              "within": [step.start for step in steps]}  # fmt: skip
    return found


def through(view: View, data_set: str) -> datetime | None:
    """The newest time in a dataset, of its first time column: what the data goes up to."""
    for name, kind in view.page.columns.get(data_set, {}).items():
        if kind == "time":
            found: datetime | None = view.run(f"SELECT max({quoted(name)}) FROM {quoted(data_set)}", {})[0][0]  # noqa: S608
            return found
    return None


def _message(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"The Definition lacks {error.args[0]!r} here."
    return str(error) or type(error).__name__
