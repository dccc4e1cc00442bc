"""Compiles every chart that the dashboards can draw, for functions that have no compiler."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from dashboards import emit
from dashboards.board.board import Board
from dashboards.expressions.tree import ExpressionError
from dashboards.expressions.typing import UnsupportedError
from dashboards.model import Dashboard
from dashboards.render.compile import compiled
from dashboards.render.page import Page, VisualView
from dashboards.render.state import Drill, State
from dashboards.render.vega import CHARTED, spec
from dashboards.site.charts import Spec, distinct
from dashboards.site.place import PLACE
from queries.contracts import Report

_ANY_TIME = datetime(2000, 1, 1)  # noqa: DTZ001  as the columns have them
Compiler = Callable[[Spec], tuple[str, Mapping[str, Any]]]


def compiled_charts(
    reports: Mapping[str, Report], dashboards: Mapping[str, Dashboard], compiler: Compiler
) -> dict[str, Any]:
    """Name of a shape -> Vega specification, for every chart at every level of its drill."""
    board = Board(
        lambda: emit.resources(reports, dashboards, **PLACE),
        _no_rows,
        stale_after={},
        clock=lambda: _ANY_TIME,
    )
    if not board.rebuild():
        raise ValueError(board.error)
    drawn = (found for page in board.pages.values() for found in _specs(page))
    return {name: compiler(shape)[1] for name, shape in distinct(drawn)}


def _specs(page: Page) -> Iterator[Spec]:
    for visual in page.visuals.values():
        if visual.kind in CHARTED:
            yield from _levels(page, visual)


def _levels(page: Page, visual: VisualView) -> Iterator[Spec]:
    """The visual's chart, and what it becomes with each step down its time hierarchy."""
    steps: tuple[Drill, ...] = ()
    while True:
        state = State(drills={visual.id: steps} if steps else {})
        try:
            outs = compiled(page, visual, state, _ANY_TIME, {}).outs
        except (UnsupportedError, ExpressionError, KeyError):
            return  # the sheet says so in its place
        yield spec(visual, outs, (), {})
        unit = next((out.unit for out in outs if out.hierarchy and not out.is_measure), "")
        if not unit or unit in [step.unit for step in steps]:
            return
        steps = (*steps, Drill(unit, _ANY_TIME.isoformat()))


def _no_rows(sql: str) -> Any:
    raise NotImplementedError(sql)
