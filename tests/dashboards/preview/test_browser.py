"""The preview in Chromium: what a viewer sees, clicks, hears and saves."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dashboards.board.board import Board
from dashboards.preview.foreign import adopt, definition_of
from dashboards.preview.server import Watch
from tests.dashboards import rows
from tests.dashboards.conftest import Served, resources, served_at
from tests.dashboards.preview.test_server import exported
from tests.dashboards.preview.viewer import EMPTY, Viewer, csv_rows, fetch, opened, violations

pytestmark = pytest.mark.browser
SHEETS = [
    ("traffic", "overview"), ("traffic", "pages"), ("traffic", "info"), ("orders", "overview"), ("orders", "days"),
    ("orders", "info"), ("health", "overview"), ("health", "hours"), ("health", "info"),
]  # fmt: skip


@pytest.fixture
def viewer(chromium: Any, served: Served) -> Iterator[Viewer]:
    with opened(chromium, served.url) as found:
        yield found


@pytest.mark.parametrize(("name", "sheet"), SHEETS)
def test_every_sheet_is_drawn_without_error_asks_nothing_outside_and_meets_wcag_2_2_aa(
    viewer: Viewer, name: str, sheet: str
) -> None:
    viewer.open(f"/{name}?sheet={sheet}")
    assert viewer.states() == {"data"}
    assert viewer.errors == []
    assert viewer.outside == []
    assert violations(viewer) == []


@pytest.mark.parametrize(
    "state",
    [
        EMPTY,
        "as=not+listed",
        "c.orders-by-currency=EUR",
        "d.orders-by-day=day@2026-11-24T00:00:00&sheet=days",
    ],
)
def test_every_state_meets_wcag_2_2_aa(viewer: Viewer, state: str) -> None:
    viewer.open(f"/orders?{state}")
    assert violations(viewer) == []


@pytest.mark.parametrize("name", ["traffic", "orders", "health"])
def test_visuals_whose_data_cannot_be_read_say_so_and_meet_wcag_2_2_aa(chromium: Any, name: str) -> None:
    def broken(_: str) -> object:
        raise ConnectionError("Athena is away")

    board = Board(resources, broken, stale_after={}, clock=lambda: rows.NOW)
    with served_at(board, Watch(dict)) as url, opened(chromium, url) as viewer:
        viewer.open(f"/{name}")
        assert "error" in viewer.states()
        assert violations(viewer) == []


def test_visuals_that_are_not_supported_say_so_and_meet_wcag_2_2_aa(chromium: Any) -> None:
    board = Board(dict, lambda _: pytest.fail("no data is asked for"), stale_after={}, clock=lambda: rows.NOW)
    adopt(board, "theirs", "Theirs", definition_of(json.dumps(exported()), "theirs.json"))
    with served_at(board, Watch(dict)) as url, opened(chromium, url) as viewer:
        viewer.open("/theirs")
        assert {"unsupported", "empty"} <= viewer.states()
        assert violations(viewer) == []


def test_the_tables_behind_the_charts_meet_wcag_2_2_aa_and_equal_their_csv(viewer: Viewer) -> None:
    for name, sheet in (("traffic", "overview"), ("orders", "days"), ("health", "overview")):
        viewer.open(f"/{name}?sheet={sheet}")
        toggles = viewer.page.locator("footer button:visible")
        for at in range(toggles.count()):
            toggles.nth(at).click()
        assert violations(viewer) == []
        for tile in viewer.page.locator("section[data-id]:has(table)").all():
            shown = [
                [cell.get_attribute("value") for cell in row.locator("data").all()]
                for row in tile.locator("tbody tr").all()
            ]
            if tile.get_attribute("class") == "tile pivot":
                continue
            wanted = csv_rows(f"{viewer.url}/api/{name}/{tile.get_attribute('data-id')}.csv")
            assert shown == wanted, tile.get_attribute("data-id")


def test_the_page_forbids_eval_and_everything_from_elsewhere(viewer: Viewer) -> None:
    with urllib.request.urlopen(f"{viewer.url}/traffic") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    viewer.open("/traffic")
    assert viewer.page.locator(".chart svg").count() == 4


def test_a_filter_changes_the_visuals_of_its_dataset_only(viewer: Viewer) -> None:
    viewer.open("/orders")
    orders, conversion = viewer.number("orders"), viewer.number("conversion")
    viewer.page.locator("details.pick summary").click()
    viewer.after(lambda: viewer.page.get_by_label("EUR", exact=True).check())
    assert int(viewer.number("orders")) < int(orders)
    assert viewer.number("conversion") == conversion
    assert "f.currency=EUR" in viewer.page.url


def test_the_address_holds_every_choice(viewer: Viewer) -> None:
    viewer.open("/orders?f.currency=EUR&p.TimeFrom=2026-11-24T00:00:00&p.TimeTo=2026-11-25T00:00:00")
    assert viewer.page.input_value("#overview-timefrom-control") == "2026-11-24T00:00"
    assert viewer.tile("orders").locator(".stand").inner_text() == "24 rows"
    assert viewer.page.locator("details.pick summary b").inner_text() == "EUR"


def test_an_empty_range_says_so_and_leads_to_where_the_data_is(viewer: Viewer) -> None:
    viewer.open(f"/traffic?{EMPTY}")
    states = viewer.page.eval_on_selector_all("section[data-state]", "all => all.map(e => e.dataset.state)")
    assert set(states) == {"empty"}
    viewer.after(lambda: viewer.page.get_by_role("button", name="Show all data").click())
    assert viewer.tile("page-views").get_attribute("data-state") == "data"


def test_a_click_on_a_mark_filters_the_other_visuals_and_a_chip_takes_it_back(viewer: Viewer) -> None:
    viewer.open("/orders")
    orders = int(viewer.number("orders"))
    box = viewer.tile("orders-by-currency").locator("svg .mark-arc path").first.bounding_box()
    # The largest arc begins at the top and takes the right side: its outer edge is surely fire, not hole.
    viewer.after(
        lambda: viewer.page.mouse.click(box["x"] + box["width"] * 0.85, box["y"] + box["height"] * 0.5)
    )
    assert int(viewer.number("orders")) < orders
    viewer.after(lambda: viewer.page.locator(".chips button").click())
    assert int(viewer.number("orders")) == orders


def test_a_drill_goes_from_the_day_to_its_hours_by_keyboard(viewer: Viewer) -> None:
    viewer.open("/health")
    tile = viewer.tile("events-by-time")
    tile.get_by_role("button", name="show as table").press("Enter")
    day = tile.locator("tbody th button").nth(6)
    assert day.inner_text() == "2026-11-24"
    viewer.after(lambda: day.press("Enter"))
    assert tile.locator("tbody tr").count() == 24
    viewer.after(lambda: viewer.page.locator(".chips button").press("Enter"))
    assert tile.locator("tbody tr").count() == 8


def test_the_keyboard_reaches_every_control(viewer: Viewer) -> None:
    viewer.open("/orders")
    count = viewer.page.locator(
        "a[href]:visible, button:visible, input:visible, select:visible, summary:visible, [tabindex='0']:visible"
    ).count()
    reached = set()
    for _ in range(count + 30):
        viewer.page.keyboard.press("Tab")
        reached.add(viewer.page.evaluate("document.activeElement.outerHTML.slice(0, 160)"))
    names = " ".join(reached)
    for wanted in (
        "Skip to the dashboard",
        "overview-timefrom-control",
        "view-as",
        "<summary",
        "tab-overview",
        "show as table",
        "save as CSV",
    ):
        assert wanted in names, wanted


def test_a_viewer_who_is_not_listed_sees_no_row_of_a_ruled_dataset(viewer: Viewer) -> None:
    viewer.open("/orders?as=not+listed")
    assert viewer.tile("orders").get_attribute("data-state") == "empty"
    assert viewer.tile("funnel").get_attribute("data-state") == "data"
    viewer.after(lambda: viewer.page.select_option("#view-as", "europe"))
    shown = viewer.tile("money").locator("tbody th").all_inner_texts()
    assert sorted(shown) == ["EUR", "GBP"]


def test_a_publish_reaches_the_page_and_keeps_filters_focus_and_scroll(
    viewer: Viewer, served: Served
) -> None:
    viewer.open("/orders?f.currency=EUR")
    before = viewer.number("orders")
    viewer.page.locator("#view-as").focus()
    viewer.page.evaluate("window.scrollTo(0, 200)")
    scroll = viewer.page.evaluate("window.scrollY")
    file = served.folder / "orders_by_hour.parquet"
    kept = file.read_bytes()
    try:
        table = pq.read_table(file).to_pylist()
        seconds = viewer.after(
            lambda: rows.publish(file, [{**row, "orders": row["orders"] + 1} for row in table])
        )
        assert int(viewer.number("orders")) > int(before)
        assert viewer.page.evaluate("document.activeElement.id") == "view-as"
        assert viewer.page.evaluate("window.scrollY") == scroll
        assert "f.currency=EUR" in viewer.page.url
        assert "orders_by_hour" in viewer.page.locator("#announce").inner_text()
        assert seconds < 10
    finally:
        viewer.after(lambda: rows.replace(file, kept))


def test_an_error_in_a_definition_is_on_the_page_and_goes_when_it_is_fixed(
    viewer: Viewer, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.open("/traffic")

    def broken() -> Any:
        raise ValueError("dashboards/definitions/traffic.toml:56: Unknown kind 'barr'.")

    with monkeypatch.context() as patch:
        patch.setattr(served.board, "_build", broken)
        viewer.after(lambda: served.token.__setitem__(0, "2"))
        assert "traffic.toml:56" in viewer.page.locator(".problem").inner_text()
        assert viewer.tile("page-views").get_attribute("data-state") == "data"
    viewer.after(lambda: served.token.__setitem__(0, "3"))
    assert viewer.page.locator(".problem").count() == 0


def test_the_page_says_how_far_quicksight_may_be_behind(viewer: Viewer) -> None:
    viewer.open("/orders")
    said = viewer.page.locator("p.foot").first.inner_text()
    assert "In QuickSight, funnel by day is a copy" in said
    assert "at most 52 minutes later" in said
    assert "its newest rows every 15 minutes" in said
    viewer.open("/health")
    assert "copy" not in viewer.page.locator("main").inner_text()


def test_an_unknown_dashboard_is_said_to_be_one(viewer: Viewer) -> None:
    viewer.open("/sales")
    assert "There is no dashboard sales" in viewer.page.locator(".problem").inner_text()
    assert violations(viewer) == []


def test_a_saved_page_needs_no_server_and_shows_the_same_numbers(
    viewer: Viewer, chromium: Any, tmp_path: Path
) -> None:
    viewer.open("/traffic?f.section=home")
    file = tmp_path / "traffic.html"
    file.write_text(fetch(f"{viewer.url}/traffic.html?f.section=home"), encoding="utf-8")
    page = chromium.new_page()
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(file.as_uri())
    assert (
        page.locator('[data-id="page-views"] .number').inner_text()
        == viewer.tile("page-views").locator(".number").inner_text()
    )
    page.locator(".chart svg").nth(4).wait_for()
    assert problems == []
    page.close()


def test_a_picture_of_a_visual_is_a_png(viewer: Viewer) -> None:
    with urllib.request.urlopen(f"{viewer.url}/api/traffic/views-by-time.png") as answer:
        assert answer.read(8) == b"\x89PNG\r\n\x1a\n"
        assert answer.headers["Content-Type"] == "image/png"


def test_the_page_reflows_at_320_pixels(viewer: Viewer) -> None:
    viewer.page.set_viewport_size({"width": 320, "height": 800})
    viewer.open("/traffic")
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(viewer) == []
