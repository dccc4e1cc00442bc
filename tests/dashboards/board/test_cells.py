"""The cells behind a number give the number: SQL by hand over them alone, from the same Parquet files."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from dashboards.board.board import Board
from dashboards.board.cells import Behind, NumberGoneError, as_declared, behind
from dashboards.render.compile import OTHER
from dashboards.render.state import State
from dashboards.render.tile import result, tile
from dashboards.render.view import View
from tests.dashboards.render.test_numbers import PAGES, STATES, by_hand, comparable
from tests.shop import REPORTS

PICKS = {"traffic": "two sections", "orders": "two currencies", "health": "slow hours"}


def numbers(view: View) -> Iterator[tuple[str, dict[str, Any], int, dict[str, str], list[Any]]]:
    """(visual, tile, column, the values that name the row, the row) of the first and last number of each column."""
    for name, visual in view.page.visuals.items():
        drawn = tile(view, visual)
        if visual.kind == "insight" or drawn["state"] != "data":
            continue
        for row in {0: drawn["rows"][0], len(drawn["rows"]): drawn["rows"][-1]}.values():
            at = {
                column["alias"]: str(value)
                for column, value in zip(drawn["columns"], row, strict=True)
                if column["role"] not in ("value", "line") and value is not None
            }
            for number, column in enumerate(drawn["columns"]):
                if column["role"] in ("value", "line") and column["kind"] == "number":
                    yield name, drawn, number, at, row


def condition(found: Behind) -> str:
    """SQL that is true of the rows of these cells alone."""
    report = REPORTS[found.report]
    rows = {(cell["partition"], *cell["keys"].values()) for cell in found.cells}
    names = ", ".join([report.grain, *report.keys])
    listed = ", ".join("(" + ", ".join(f"'{value}'" for value in row) + ")" for row in sorted(rows))
    return f"({names}) IN ({listed})"


@pytest.mark.parametrize("page", PAGES)
def test_the_cells_behind_a_number_give_it_to_sql_by_hand(board: Board, folder: Path, page: str) -> None:
    state, where, more = STATES[PICKS[page]]
    view, whole = board.view(page, state), 0
    for name, drawn, number, at, row in numbers(view):
        case = PAGES[page][name]
        found = behind(view, view.page.visuals[name], REPORTS, drawn["columns"][number]["alias"], at)
        assert found.report == case[0]
        assert found.cells, name
        columns = {cell["column"] for cell in found.cells}
        assert found.total % len(columns) == 0
        if found.total > len(found.cells):
            wanted = f"{where} AND {more.get(case[0], 'true')}"
            ((count,),) = by_hand(folder, (case[0], "count(*)", ""), "true" if "rows" in name else wanted)
            assert len(found.cells) < found.total <= count * len(columns), name
            continue
        whole += 1
        rows = by_hand(folder, case, condition(found))
        place = [column["alias"] for column in drawn["columns"]].index(drawn["columns"][number]["alias"])
        values = [comparable(each[place]) for each in rows]
        expected = sum(values) if OTHER in row else values[0]
        assert expected == pytest.approx(comparable(row[number]), rel=1e-9), name
        assert len(rows) == 1 or OTHER in row, name
        for cell in found.cells:
            grain, pattern = REPORTS[found.report].grain, cell["partition"]
            keys = " AND ".join(f"{key} = '{value}'" for key, value in cell["keys"].items()) or "true"
            (value,) = by_hand(
                folder, (found.report, cell["column"], ""), f"{grain} = '{pattern}' AND {keys}"
            )
            assert value == (cell["value"],), name
            break
    assert whole > 5


def test_a_number_of_one_cell_is_that_cell(board: Board) -> None:
    view = board.view("orders", State())
    visual = view.page.visuals["orders-by-time"]
    query, rows = result(view, visual)
    aliases = [out.alias for out in query.outs]
    moment, currency, orders = rows[0]
    found = behind(view, visual, REPORTS, aliases[2], {aliases[0]: moment.isoformat(), aliases[1]: currency})
    assert found.cells == (
        {
            "partition": f"{moment:%Y-%m-%d-%H}",
            "keys": {"currency": currency},
            "column": "orders",
            "value": orders,
        },
    )
    assert found.total == 1


def test_an_amount_is_computed_from_its_minor_units_and_not_from_its_currency(board: Board) -> None:
    view = board.view("orders", State())
    visual = view.page.visuals["money"]
    query, rows = result(view, visual)
    at = {query.outs[0].alias: rows[0][0]}
    of = {out.label: behind(view, visual, REPORTS, out.alias, at) for out in query.outs[1:]}
    columns = [{cell["column"] for cell in found.cells} for found in of.values()]
    assert columns == [{"orders"}, {"revenue_minor"}, {"orders", "revenue_minor"}]


@pytest.mark.parametrize(
    ("column", "at"), [("c9", {}), ("", {}), ("c1", {"c0": "XXX"}), ("c1", {}), ("c0", {"c0": "EUR"})]
)
def test_a_number_that_is_not_there_is_refused(board: Board, column: str, at: dict[str, str]) -> None:
    view = board.view("orders", State())
    with pytest.raises(NumberGoneError):
        behind(view, view.page.visuals["orders-by-currency"], REPORTS, column, at)


def test_a_viewer_is_shown_the_cells_of_the_rows_that_they_may_see(board: Board) -> None:
    view = board.view("orders", State(), viewer="not listed")
    visual = view.page.visuals["orders"]
    query, rows = result(view, visual)
    assert len(rows) == 1
    assert behind(view, visual, REPORTS, query.outs[0].alias, {}).cells == ()


def test_a_day_of_a_date_is_written_as_a_date() -> None:
    assert as_declared(datetime(2026, 11, 24), "date") == date(2026, 11, 24)
    assert as_declared("2026-11-24", "varchar") == "2026-11-24"
