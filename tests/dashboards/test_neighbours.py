"""A filter or click acts on every visual that has its column; the others say that it does not."""

import copy
from pathlib import Path
from typing import Any

import pytest

from dashboards import emit
from dashboards.board.board import Board
from dashboards.board.payload import tiles
from dashboards.lint.run import lint
from dashboards.model import Dashboard
from dashboards.preview.charts import vega
from dashboards.reading import load
from dashboards.render.state import State
from tests.dashboards import rows
from tests.dashboards.conftest import PLACE
from tests.shop import REPORTS

DECLARED = """title = "T"
about = "A"

[report.traffic_by_hour]
import_mode = "direct"
stale_after = "2h"
[report.traffic_by_hour.measures]
hours = { title = "Hours", expression = "count({page_views})", format = "integer" }
[report.traffic_by_hour.fields]
part = { title = "Part of week", expression = "ifelse(formatDate({hour_start}, 'yyyy-MM-dd') < '2026-11-21', 'early', 'late')" }

[report.sessions_by_day]
import_mode = "direct"
stale_after = "30h"
[report.sessions_by_day.measures]
days = { title = "Days", expression = "count({sessions})", format = "integer" }
[report.sessions_by_day.fields]
part = { title = "Part of week", expression = "ifelse(formatDate({day_start}, 'yyyy-MM-dd') < '2026-11-21', 'early', 'late')" }

[report.funnel_by_day]
import_mode = "direct"
stale_after = "30h"
[report.funnel_by_day.measures]
steps = { title = "Steps", expression = "count({visitors})", format = "integer" }

[[filter]]
id = "time"
kind = "range"
title = "Time"
default = "7d"

[[filter]]
id = "part"
kind = "pick"
report = "traffic_by_hour"
column = "part"
title = "Part of week"

[[sheet]]
id = "one"
title = "One"

[[sheet.visual]]
id = "hours"
kind = "table"
report = "traffic_by_hour"
title = "Hours"
x = "part"
y = ["hours"]
click = "filter"
span = [12, 9]

[[sheet.visual]]
id = "days"
kind = "kpi"
report = "sessions_by_day"
title = "Days"
y = ["days"]
span = [9, 4]

[[sheet.visual]]
id = "steps"
kind = "kpi"
report = "funnel_by_day"
title = "Steps"
y = ["steps"]
span = [9, 4]
"""


@pytest.fixture(scope="module")
def declared() -> dict[str, Dashboard]:
    return {"test": load(DECLARED, "test", "test.toml")}


def made(declared: dict[str, Dashboard]) -> dict[str, Any]:
    return copy.deepcopy(dict(emit.resources(REPORTS, declared, **PLACE)))


@pytest.fixture(scope="module")
def board(declared: dict[str, Dashboard], folder: Path) -> Board:
    found = Board(lambda: made(declared), rows.athena(folder), stale_after={}, clock=lambda: rows.NOW)
    assert found.rebuild(), found.error
    found.load()
    return found


def drawn(board: Board, state: State) -> dict[str, tuple[Any, list[str]]]:
    """Visual -> its first number, and what it says it is not filtered by."""
    return {
        tile["id"]: (tile["rows"][0][-1], tile["unfiltered"])
        for tile in tiles(board, "test", "one", state, charts=vega)["tiles"]
    }


@pytest.mark.parametrize(
    "state", [State(picks={"part": ("early",)}), State(clicks={"hours": "early"})], ids=["filter", "click"]
)
def test_what_is_chosen_acts_on_every_report_with_the_column_and_the_others_say_so(
    board: Board, state: State
) -> None:
    whole, part = drawn(board, State()), drawn(board, state)
    assert (whole["days"], part["days"]) == ((8, []), (3, []))
    assert part["steps"] == (whole["steps"][0], ["Part of week"])
    # What is clicked on stays whole itself.
    assert part["hours"] == ((72, []) if state.picks else whole["hours"])
    assert all(said == [] for _, said in whole.values())


def test_a_time_range_that_every_dataset_has_a_filter_for_is_nowhere_said_to_be_missing(board: Board) -> None:
    shown = drawn(board, State(parameters={"TimeFrom": ("2026-11-23T00:00:00",)}))
    assert {name: said for name, (_, said) in shown.items() if said} == {}


def test_a_column_of_the_same_name_and_another_kind_is_not_the_same(board: Board) -> None:
    page = copy.deepcopy(dict(board.pages["test"].definition))
    field = next(
        entry
        for entry in page["CalculatedFields"]
        if entry["DataSetIdentifier"] == "sessions_by_day" and entry["Name"] == "part"
    )
    field["Expression"] = "{sessions} * 2"
    other = board.pages["test"].__class__(page, board.pages["test"].columns, "other", "Other")
    board.adopt(other)
    state = State(picks={"part": ("early",)})
    found = {tile["id"]: tile for tile in tiles(board, "other", "one", state, charts=vega)["tiles"]}
    assert found["days"]["unfiltered"] == ["Part of week"]
    assert found["days"]["rows"] == [[8]]


def test_the_filter_is_deployed_for_all_datasets_only_where_several_have_the_column(
    declared: dict[str, Dashboard],
) -> None:
    page = made(declared)["DashboardTest"].properties["Definition"]
    crossing = {group["FilterGroupId"]: group["CrossDataset"] for group in page["FilterGroups"]}
    assert crossing["part-group"] == "ALL_DATASETS"
    assert {kind for name, kind in crossing.items() if name != "part-group"} == {"SINGLE_DATASET"}


def test_lint_notes_what_a_filter_and_a_click_leave_whole(declared: dict[str, Dashboard]) -> None:
    found = lint(made(declared), declared, REPORTS)
    notes = [finding for finding in found if finding.is_note]
    assert [(finding.rule, finding.line) for finding in notes] == [
        ("silent/not-filtered", declared["test"].filters[1].line),
        ("silent/not-filtered", declared["test"].visuals[0].line),
    ]
    assert all("visuals of funnel_by_day:" in finding.message for finding in notes)
    assert [finding for finding in found if not finding.is_note] == []


def test_a_filter_of_one_dataset_beside_another_with_the_column_is_a_defect(
    declared: dict[str, Dashboard],
) -> None:
    seeded = made(declared)
    for group in seeded["DashboardTest"].properties["Definition"]["FilterGroups"]:
        group["CrossDataset"] = "SINGLE_DATASET"
    found = [finding for finding in lint(seeded, declared, REPORTS) if not finding.is_note]
    assert [finding.rule for finding in found] == ["silent/one-dataset"]
    assert found[0].line == declared["test"].filters[1].line
    assert "sessions_by_day" in found[0].message
