"""Every number of every visual equals SQL written by hand over the same Parquet, and equals its CSV."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboards.board.board import Board
from dashboards.board.csv_text import csv_of
from dashboards.render.state import State
from dashboards.render.tile import tile

# visual -> (report, SELECT list, GROUP BY and the rest); `h` and `d` are the hour and day of a row.
TRAFFIC = {
    "page-views": ("traffic_by_hour", "sum(page_views)", ""),
    "error-rate": ("traffic_by_hour", "sum(errors) / sum(page_views)", ""),
    "sessions": ("sessions_by_day", "sum(sessions)", ""),
    "latest-hour": ("traffic_by_hour", "t, sum(page_views)", "GROUP BY t"),
    "as-of": ("traffic_by_hour", "max(t)", ""),
    "views-by-time": ("traffic_by_hour", "t, sum(page_views), sum(errors) / sum(page_views)", "GROUP BY t"),
    "visitors-by-time": ("traffic_by_hour", "date_trunc('day', t), max(visitors)", "GROUP BY 1"),
    "sessions-by-day": ("sessions_by_day", "t, sum(sessions), sum(bounces) / sum(sessions)", "GROUP BY t"),
    "session-length": ("sessions_by_day", "t, max(median_seconds)", "GROUP BY t"),
    "bytes-by-time": ("traffic_by_hour", "t, sum(bytes_sent)", "GROUP BY t"),
    "pages-table": ("top_pages_by_day", "path, sum(page_views), sum(visitors), sum(page_views) / sum(visitors)", "GROUP BY path"),
    "section-by-day": ("top_pages_by_day", "SECTION, t, sum(page_views)", "GROUP BY ALL"),
    "top-pages": ("top_pages_by_day", "CASE WHEN path IN (SELECT path FROM rows GROUP BY path ORDER BY sum(page_views) DESC, path LIMIT 12) THEN path ELSE 'Other' END, sum(page_views)", "GROUP BY 1"),
    "sections": ("top_pages_by_day", "CASE WHEN SECTION IN (SELECT SECTION FROM rows GROUP BY 1 ORDER BY sum(page_views) DESC, 1 LIMIT 6) THEN SECTION ELSE 'Other' END, sum(page_views)", "GROUP BY 1"),
    "traffic-by-hour-rows": ("traffic_by_hour", "count(t)", ""),
    "traffic-by-hour-as-of": ("traffic_by_hour", "max(t)", ""),
    "sessions-by-day-rows": ("sessions_by_day", "count(t)", ""),
    "sessions-by-day-as-of": ("sessions_by_day", "max(t)", ""),
    "top-pages-by-day-rows": ("top_pages_by_day", "count(t)", ""),
    "top-pages-by-day-as-of": ("top_pages_by_day", "max(t)", ""),
}  # fmt: skip
CONVERSION = "sum(visitors) FILTER (step = '4 order') / sum(visitors) FILTER (step = '1 page')"
ORDERS = {
    "orders": ("orders_by_hour", "sum(orders)", ""),
    "conversion": ("funnel_by_day", CONVERSION, ""),
    "currencies": ("orders_by_hour", "count(DISTINCT currency)", ""),
    "latest-hour": ("orders_by_hour", "t, sum(orders)", "GROUP BY t"),
    "as-of": ("orders_by_hour", "max(t)", ""),
    "orders-by-time": ("orders_by_hour", "t, currency, sum(orders)", "GROUP BY ALL"),
    "orders-by-currency": ("orders_by_hour", "currency, sum(orders)", "GROUP BY 1"),
    "funnel": ("funnel_by_day", "step, sum(visitors)", "GROUP BY 1"),
    "money": ("orders_by_hour", "currency, sum(orders), sum(revenue_minor) / 100, sum(revenue_minor) / sum(orders) / 100", "GROUP BY 1"),
    "orders-by-day": ("orders_by_hour", "date_trunc('day', t), currency, sum(orders)", "GROUP BY ALL"),
    "conversion-by-day": ("funnel_by_day", f"t, {CONVERSION}", "GROUP BY t"),
    "revenue-by-day": ("orders_by_hour", "date_trunc('day', t), currency, sum(revenue_minor) / 100", "GROUP BY ALL"),
    "orders-by-hour-rows": ("orders_by_hour", "count(t)", ""),
    "orders-by-hour-as-of": ("orders_by_hour", "max(t)", ""),
    "funnel-by-day-rows": ("funnel_by_day", "count(t)", ""),
    "funnel-by-day-as-of": ("funnel_by_day", "max(t)", ""),
}  # fmt: skip
TIMELINESS = "CASE WHEN p95_lag_seconds <= 60 THEN '1 within a minute' WHEN p95_lag_seconds <= 300 THEN '2 within five minutes' ELSE '3 slower' END"
HEALTH = {
    "events": ("health_by_hour", "sum(events)", ""),
    "duplicates": ("health_by_hour", "sum(duplicates)", ""),
    "late-share": ("health_by_hour", "sum(late) / sum(events)", ""),
    "latest-lag": ("health_by_hour", "t, max(p95_lag_seconds)", "GROUP BY t"),
    "as-of": ("health_by_hour", "max(t)", ""),
    "lag": ("health_by_hour", "t, max(p50_lag_seconds), max(p95_lag_seconds)", "GROUP BY t"),
    "hours-by-timeliness": ("health_by_hour", f"{TIMELINESS}, sum(events)", "GROUP BY 1"),
    "events-by-time": ("health_by_hour", "date_trunc('day', t), sum(events)", "GROUP BY 1"),
    "trouble-by-time": ("health_by_hour", "t, sum(late), sum(duplicates)", "GROUP BY t"),
    "hours-table": ("health_by_hour", "t, sum(events), sum(duplicates), sum(late), sum(late) / sum(events), max(p50_lag_seconds), max(p95_lag_seconds)", "GROUP BY t"),
    "health-by-hour-rows": ("health_by_hour", "count(t)", ""),
    "health-by-hour-as-of": ("health_by_hour", "max(t)", ""),
}  # fmt: skip
PAGES: Mapping[str, Mapping[str, tuple[str, str, str]]] = {
    "traffic": TRAFFIC,
    "orders": ORDERS,
    "health": HEALTH,
}
SECTION = "CASE WHEN path = '/' THEN 'home' ELSE '/' || split_part(path, '/', 2) END"

DEFAULT = "t >= TIMESTAMP '2026-11-18' AND t < TIMESTAMP '2026-11-26'"
ONE_DAY = "t >= TIMESTAMP '2026-11-24' AND t < TIMESTAMP '2026-11-25'"
STATES: Mapping[str, tuple[State, str, Mapping[str, str]]] = {
    "as it opens": (State(), DEFAULT, {}),
    "one day": (State({"TimeFrom": ("2026-11-24T00:00:00",), "TimeTo": ("2026-11-25T00:00:00",)}), ONE_DAY, {}),
    "everything": (State({"TimeFrom": ("2000-01-01T00:00:00",)}), "t < TIMESTAMP '2026-11-26'", {}),
    "two sections": (State(picks={"section": ("home", "/blog")}), DEFAULT, {"top_pages_by_day": f"{SECTION} IN ('home', '/blog')"}),
    "two currencies": (State(picks={"currency": ("EUR", "SEK")}), DEFAULT, {"orders_by_hour": "currency IN ('EUR', 'SEK')"}),
    "slow hours": (State(picks={"timeliness": ("3 slower",)}), DEFAULT, {"health_by_hour": "p95_lag_seconds > 300"}),
    "nothing": (State({"TimeFrom": ("2020-01-01T00:00:00",), "TimeTo": ("2020-01-02T00:00:00",)}), "false", {}),
}  # fmt: skip
CASES = [(page, state) for page in PAGES for state in STATES]


def by_hand(folder: Path, case: tuple[str, str, str], where: str) -> list[tuple[Any, ...]]:
    report, select, rest = case
    grain, pattern = (
        ("event_date", "%Y-%m-%d") if report.endswith("_by_day") else ("event_hour", "%Y-%m-%d-%H")
    )
    rows = f"SELECT *, strptime({grain}, '{pattern}') AS t FROM read_parquet('{folder / report}.parquet')"
    text = f"WITH rows AS (SELECT * FROM ({rows}) WHERE {where}) SELECT {select} FROM rows {rest}".replace(
        "SECTION", SECTION
    )
    with duckdb.connect(":memory:") as connection:
        return connection.execute(text).fetchall()


def comparable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return float(value) if value is not None and not isinstance(value, (str, bool)) else value


def ordered(rows: list[Any]) -> list[tuple[Any, ...]]:
    return sorted(
        (tuple(comparable(value) for value in row) for row in rows), key=lambda row: [str(v) for v in row[:2]]
    )


def assert_equal(shown: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]], what: str) -> None:
    assert len(shown) == len(wanted), what
    for one, other in zip(shown, wanted, strict=True):
        for left, right in zip(one, other, strict=True):
            if isinstance(right, float) and isinstance(left, float):
                assert left == pytest.approx(right, rel=1e-9, abs=1e-9), what
            else:
                assert left == right, what


@pytest.mark.parametrize(("page", "state"), CASES)
def test_every_number_equals_sql_written_by_hand_and_its_csv(
    board: Board, folder: Path, page: str, state: str
) -> None:
    chosen, window, more = STATES[state]
    view = board.view(page, chosen)
    sheets = {sheet["SheetId"]: sheet for sheet in view.page.sheets}
    for name, visual in view.page.visuals.items():
        if visual.kind == "insight":
            continue
        case = PAGES[page][name]
        is_info = sheets[visual.sheet_id]["Name"] == "Info"
        where = "true" if is_info else f"{window} AND {more.get(case[0], 'true')}"
        drawn = tile(view, visual)
        wanted = ordered(by_hand(folder, case, where))
        if drawn["state"] == "empty":
            assert all(value is None or value == 0 for row in wanted for value in row), name
            assert csv_of(view, visual).count("\r\n") == 1
            continue
        assert drawn["state"] == "data", (name, drawn.get("message"))
        assert_equal(ordered(drawn["rows"]), wanted, name)
        saved = list(csv.reader(io.StringIO(csv_of(view, visual))))[1:]
        assert saved == [["" if v is None else str(v) for v in row] for row in drawn["rows"]], name


def test_every_visual_has_sql_written_by_hand(board: Board) -> None:
    for name, page in board.pages.items():
        drawn = {visual.id for visual in page.visuals.values() if visual.kind != "insight"}
        assert drawn == set(PAGES[name])


def test_the_numbers_in_insights_are_those_of_their_visuals(board: Board, folder: Path) -> None:
    view = board.view("traffic", State())
    drawn = tile(view, view.page.visuals["what-stands-out"])
    total = by_hand(folder, ("top_pages_by_day", "sum(page_views)", ""), DEFAULT)[0][0]
    top = by_hand(
        folder,
        ("top_pages_by_day", "path, sum(page_views) AS n", "GROUP BY 1 ORDER BY 2 DESC LIMIT 3"),
        DEFAULT,
    )
    assert drawn["rows"][0][1] == total
    assert [tuple(row) for row in drawn["rows"][1:4]] == top
    assert f"{total:,}" in drawn["lines"][0]


def test_a_click_filters_the_other_visuals_by_the_clicked_value(board: Board, folder: Path) -> None:
    view = board.view("orders", State(clicks={"orders-by-currency": "GBP"}))
    drawn = tile(view, view.page.visuals["orders"])
    assert drawn["rows"][0][0] == by_hand(folder, ORDERS["orders"], f"{DEFAULT} AND currency = 'GBP'")[0][0]
    itself = tile(view, view.page.visuals["orders-by-currency"])
    assert len(itself["rows"]) == 4


@pytest.mark.parametrize(
    ("viewer", "where"),
    [
        ("owner", "true"),
        ("finance", "true"),
        ("europe", "currency IN ('EUR', 'GBP')"),
        ("america", "currency = 'USD'"),
        ("not listed", "false"),
    ],
)
def test_a_viewer_sees_the_rows_that_the_rules_give_and_no_other(
    board: Board, folder: Path, viewer: str, where: str
) -> None:
    view = board.view("orders", State(), viewer)
    drawn = tile(view, view.page.visuals["orders-by-hour-rows"])
    wanted = by_hand(folder, ("orders_by_hour", "count(t)", ""), where)[0][0]
    assert (drawn["rows"][0][0] if drawn["state"] == "data" else 0) == wanted
    funnel = tile(view, view.page.visuals["funnel-by-day-rows"])
    assert funnel["rows"][0][0] == 32
