"""The preview without a browser: foreign definitions, addresses, files, failures, vendored JavaScript."""

import copy
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboards.board import payload
from dashboards.board.address import AddressError, state_of
from dashboards.board.board import Board
from dashboards.board.csv_text import csv_of
from dashboards.board.data import Snapshots
from dashboards.cli import app
from dashboards.preview.athena import read_result
from dashboards.preview.charts import vega
from dashboards.preview.files import png_of
from dashboards.preview.foreign import NoDefinitionError, adopt, definition_of
from dashboards.render.state import State
from dashboards.render.tile import tile
from infra.command.target import Target
from tests.dashboards import rows
from tests.dashboards.conftest import board_over, resources

STATIC = Path(__file__).parents[3] / "dashboards" / "drawing"


def test_the_vendored_javascript_is_what_the_lock_says() -> None:
    for line in (STATIC / "vendor.lock").read_text(encoding="utf-8").splitlines()[1:]:
        *_, file, digest = line.split()
        assert hashlib.sha256((STATIC / "static" / file).read_bytes()).hexdigest() == digest
    lock = (Path(__file__).parent / "vendor" / "vendor.lock").read_text(encoding="utf-8").split()
    axe = (Path(__file__).parent / "vendor" / "axe.min.js").read_bytes()
    assert hashlib.sha256(axe).hexdigest() == lock[-1]


def exported() -> dict[str, object]:
    """One of our definitions as a foreign one: exported, and with what the preview cannot draw."""
    definition = copy.deepcopy(resources()["DashboardTraffic"].properties["Definition"])
    definition["Sheets"][0]["Visuals"].append({"WordCloudVisual": {"VisualId": "words"}})
    definition["CalculatedFields"].append(
        {
            "DataSetIdentifier": "traffic_by_hour",
            "Name": "Moving",
            "Expression": "windowSum(sum({errors}), [], 1, 1)",
        }
    )
    value = definition["Sheets"][0]["Visuals"][0]["KPIVisual"]["ChartConfiguration"]["FieldWells"]["Values"][
        0
    ]
    value["NumericalMeasureField"]["Column"]["ColumnName"] = "Moving"
    return {"DashboardId": "x", "Definition": definition}


def test_a_foreign_definition_opens_with_a_list_of_what_it_cannot_show() -> None:
    board = Board(dict, lambda _: pytest.fail("no data is asked for"), stale_after={}, clock=lambda: rows.NOW)
    adopt(board, "theirs", "Theirs", definition_of(json.dumps(exported()), "theirs.json"))
    frame = payload.frame(board, "theirs")
    reasons = {limit["what"]: limit["reason"] for limit in frame["limits"]}
    assert reasons["WordCloudVisual words"] == "WordCloudVisual is not drawn by the preview."
    assert reasons["KPIVisual Page views"] == "windowsum is not supported by the preview."
    states = {
        drawn["id"]: drawn["state"]
        for drawn in payload.tiles(board, "theirs", "", State(), charts=vega)["tiles"]
    }
    assert states["words"] == states["page-views"] == "unsupported"
    assert states["top-pages"] == "empty"


@pytest.mark.parametrize(("text", "said"), [("{", "is not JSON"), ('{"a": 1}', "holds no Definition")])
def test_a_file_without_a_definition_is_refused(text: str, said: str) -> None:
    with pytest.raises(NoDefinitionError, match=said):
        definition_of(text, "f.json")


def test_an_address_that_cannot_be_is_refused() -> None:
    with pytest.raises(AddressError, match="is not a time"):
        state_of([("d.visual", "day@yesterday")])


def test_a_query_that_fails_keeps_the_old_rows_and_says_so(folder: Path) -> None:
    board = board_over(folder)
    before = payload.tiles(board, "traffic", "", State(), charts=vega)

    def broken(_: str) -> object:
        raise ConnectionError("Athena is away")

    board._query = broken
    board.load({"traffic_by_hour": {"2026-11-25-09"}})
    after = payload.tiles(board, "traffic", "", State(), charts=vega)
    assert after["fresh"]["traffic_by_hour"]["error"] == "ConnectionError: Athena is away"
    assert [t.get("rows") for t in after["tiles"]] == [t.get("rows") for t in before["tiles"]]


def test_a_dataset_that_was_never_read_is_an_error_and_not_an_empty_page() -> None:
    def broken(_: str) -> object:
        raise ConnectionError("Athena is away")

    board = Board(resources, broken, stale_after={}, clock=lambda: rows.NOW)
    board.rebuild()
    board.load()
    drawn = payload.tiles(board, "health", "", State(), charts=vega)["tiles"]
    assert {entry["state"] for entry in drawn} == {"error"}
    assert all("Athena is away" in entry["message"] for entry in drawn)


def test_data_older_than_its_limit_is_stale(folder: Path) -> None:
    board = board_over(folder)
    board._stale_after = {"traffic_by_hour": 60}
    fresh = payload.tiles(board, "traffic", "", State(), charts=vega)["fresh"]
    assert fresh["traffic_by_hour"]["is_stale"]
    assert not fresh["sessions_by_day"]["is_stale"]


def test_an_unsupported_filter_makes_its_visuals_unsupported_and_no_number_wrong(board: Board) -> None:
    health = board.pages["health"]
    page = replace(health, definition=copy.deepcopy(dict(health.definition)))
    group = {
        "FilterGroupId": "g", "CrossDataset": "SINGLE_DATASET", "ScopeConfiguration": {"AllSheets": {}},
        "Filters": [{"TopBottomFilter": {"FilterId": "f", "Column": {"DataSetIdentifier": "health_by_hour", "ColumnName": "late"}}}],
    }  # fmt: skip
    page.definition["FilterGroups"].append(group)
    view = board.view("health", State())
    drawn = tile(view.__class__(**{**view.__dict__, "page": page}), page.visuals["events"])
    assert drawn["state"] == "unsupported"
    assert "TopBottomFilter" in drawn["message"]


def test_a_csv_guards_text_that_a_spreadsheet_would_run() -> None:
    from dashboards.board.csv_text import _guarded

    assert _guarded("=1+1") == "'=1+1"
    assert _guarded("/path") == "/path"


def test_the_same_visual_gives_the_same_picture(board: Board) -> None:
    view = board.view("orders", State())
    for name in ("orders", "orders-by-time", "money"):
        visual = view.page.visuals[name]
        assert png_of(view, visual, view.now) == png_of(view, visual, view.now)
    assert csv_of(view, view.page.visuals["orders"]).startswith("Orders\r\n")


def test_a_result_of_athena_keeps_null_apart_from_an_empty_text() -> None:
    table = read_result(b'"a","b"\n"1",\n"","x\ny"\n')
    assert table.to_pylist() == [{"a": "1", "b": None}, {"a": "", "b": "x\ny"}]
    assert read_result(b"").num_rows == 0


def test_answers_are_forgotten_when_a_dataset_is_loaded_anew(folder: Path) -> None:
    board = board_over(folder)
    assert isinstance(board.data, Snapshots)
    view = board.view("health", State())
    before = tile(view, view.page.visuals["health-by-hour-rows"])["rows"]
    board._query = lambda sql: rows.athena(folder)(f"{sql} LIMIT 5")
    board.load({"health_by_hour": ()})
    assert tile(view, view.page.visuals["health-by-hour-rows"])["rows"] == [[5]] != before


def test_a_publish_reads_its_partitions_only_and_gives_what_a_whole_read_gives(tmp_path: Path) -> None:
    made = rows.report_rows(3)
    rows.write(made, tmp_path)
    board, asked = board_over(tmp_path), []
    hours = ["2026-11-24-10", "2026-11-24-11"]
    # One hour has other numbers, one is empty now, and one is new.
    changed = [
        {**row, "orders": row["orders"] + 7} if row["event_hour"] == hours[0] else row
        for row in made["orders_by_hour"]
        if row["event_hour"] != hours[1]
    ]
    changed.append({**changed[0], "event_hour": "2026-11-25-11"})
    rows.write({"orders_by_hour": changed}, tmp_path)

    def query(sql: str) -> object:
        asked.append(sql)
        return rows.athena(tmp_path)(sql)

    board._query = query
    board.load({"orders_by_hour": {*hours, "2026-11-25-11"}})
    (sql,) = asked
    assert sql.endswith(
        'FROM "reports"."orders_by_hour" '
        "WHERE event_hour IN ('2026-11-24-10', '2026-11-24-11', '2026-11-25-11')"
    )
    everything = "SELECT * FROM orders_by_hour ORDER BY ALL"
    assert board.data.run(everything, {}) == board_over(tmp_path).data.run(everything, {})
    assert board.freshness("orders")["orders_by_hour"].rows == len(changed)


def test_after_a_failed_read_the_next_one_reads_everything(folder: Path) -> None:
    board, asked = board_over(folder), []

    def broken(_: str) -> object:
        raise ConnectionError("Athena is away")

    board._query = broken
    board.load({"orders_by_hour": {"2026-11-24-10"}})

    def query(sql: str) -> object:
        asked.append(sql)
        return rows.athena(folder)(sql)

    board._query = query
    board.load({"orders_by_hour": {"2026-11-24-11"}})
    assert [sql for sql in asked if "WHERE" in sql] == []
    assert board.freshness("orders")["orders_by_hour"].error == ""


def test_partitions_that_no_report_can_have_are_never_put_into_sql(board: Board) -> None:
    entry = board._sources["orders_by_hour"]
    assert entry.part({"2026-11-24-10') OR ('a' = 'a"}) is None
    assert entry.part([f"2026-11-24-{hour:02}" for hour in range(24)] * 3) is None
    rules = next(name for name in board._sources if name.endswith("rules"))
    assert board._sources[rules].part({"2026-11-24"}) is None


def _target() -> Target:
    return Target("local", {}, directory=Path.cwd())


def test_lint_finds_nothing_wrong_and_ends_well_on_our_own_definitions() -> None:
    result = CliRunner().invoke(app, ["lint"], obj=_target())
    assert result.exit_code == 0
    assert "nothing found" in result.output


def test_emit_prints_what_goes_into_the_template() -> None:
    result = CliRunner().invoke(app, ["emit"], obj=_target())
    assert json.loads(result.stdout)["DashboardTraffic"]["Type"] == "AWS::QuickSight::Dashboard"


def test_emission_is_the_same_bytes_twice() -> None:
    assert json.dumps(resources(), sort_keys=True) == json.dumps(resources(), sort_keys=True)
