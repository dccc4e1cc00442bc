"""The live page in a real browser: one event followed into every report, and no request that leaves."""

import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from producers.contracts.shop.web import PageViewed
from producers.producer import Producer
from producers.sinks.kinesis import KinesisSink
from tests.dashboards.preview.viewer import Viewer, violations
from tests.end_to_end.conftest import Shell
from tests.shop import REPORTS

pytestmark = [pytest.mark.cloud, pytest.mark.browser]

PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def live(shell: Shell) -> LocalCloud:
    """The local cloud, up, with the demo's events in it."""
    shell.json("demo", "--events", "500")
    return shell.cloud


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a real browser; fails when the page's own code does."""
    opened = chromium.new_page(viewport={"width": 1360, "height": 900}, color_scheme="light")
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield opened
    opened.close()
    assert errors == []


def test_one_event_is_followed_from_produced_to_report(live: LocalCloud, page: Page, tmp_path: Path) -> None:
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.goto(live.context.server_url)
    expect(page.locator(".stage")).to_have_count(6)
    expect(page.locator("#link")).to_have_text("live")

    outputs = Outputs.from_document(live.outputs)
    with Producer(sink=KinesisSink(outputs.stream_name, live.context.client("kinesis"))) as producer:
        event_id = producer.put(
            PageViewed(url="https://shop.example/followed", client_address="192.0.2.7", status=200)
        )
    page.get_by_label("Event id").fill(event_id)
    page.get_by_role("button", name="Follow", exact=True).click()

    steps = page.locator(".step")
    expect(page.locator("#follow-note")).to_contain_text("from produced to reported", timeout=PATIENCE_MS)
    expect(steps.first).to_contain_text("Produced")
    expect(page.locator(".step[data-step=stream]")).to_contain_text("shard")
    expect(page.locator(".step[data-step=lake]")).to_contain_text("web_events/event_hour=")
    expect(page.locator(".step[data-step=report]")).to_have_count(len(REPORTS))
    assert all(" " in took for took in page.locator(".step .took").all_inner_texts())
    assert f"event={event_id}" in page.url

    card = page.locator("[data-report=traffic_by_hour]")
    expect(card.locator("svg")).to_be_visible(timeout=PATIENCE_MS)
    card.locator("summary").click()
    expect(card.locator("tbody tr").first).to_be_visible()
    expect(page.locator("#activity tr").first).to_be_visible()

    picture = Path(os.environ.get("PENSTOCK_PICTURE", tmp_path / "live-page.png"))
    card.locator("summary").click()
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 20_000
    assert asked == {urlsplit(live.context.server_url).netloc}


@pytest.mark.parametrize(("width", "scheme"), [(1440, "dark"), (390, "light")])
def test_a_number_leads_to_its_receipt(live: LocalCloud, page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(live.context.server_url)
    card = page.locator("[data-report=orders_by_hour]")
    card.locator("summary").click(timeout=PATIENCE_MS)
    viewer = Viewer(page, live.context.server_url)
    assert violations(viewer) == []
    row = card.locator("tbody tr").nth(1)
    hour, currency, orders = (row.locator("td").nth(at).inner_text() for at in range(3))
    card.locator("a.receipt").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    heading = page.locator("h1")
    expect(heading).to_contain_text(
        f"orders_by_hour {hour} currency={currency} orders = {orders}, from", timeout=PATIENCE_MS
    )
    expect(page.locator(".value")).to_have_text(orders)
    assert violations(viewer) == []

    page.goto(live.context.server_url)
    page.locator("[data-report=traffic_by_hour] rect.asks").last.click(timeout=PATIENCE_MS)
    expect(heading).to_contain_text("WHOLE: traffic_by_hour ", timeout=PATIENCE_MS)
    assert viewer.outside == []


def test_the_page_fits_a_telephone_and_shows_what_happened_and_the_collector(
    live: LocalCloud, page: Page
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(live.context.server_url)
    expect(page.locator("#collector-place")).to_have_text(f"{live.collector_url}/v1/batch")
    expect(page.locator("#collector")).to_contain_text("Messages waiting")
    row = page.locator("#activity tr").first
    expect(row).to_be_visible()
    # Facts in a column as narrow as what is left would make each row taller than the table is.
    assert row.evaluate("row => row.offsetHeight < row.closest('.scroll').clientHeight")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_page_can_be_used_with_the_keyboard_alone(live: LocalCloud, page: Page) -> None:
    page.goto(live.context.server_url)
    expect(page.locator(".stage")).to_have_count(6)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    theme = page.locator("#theme")
    theme.focus()
    page.keyboard.press("Enter")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.keyboard.press("Tab")
    expect(page.get_by_label("Event id")).to_be_focused()


def test_a_fault_is_switched_on_and_off_again_on_the_page(live: LocalCloud, page: Page) -> None:
    page.goto(live.context.server_url)
    button = page.locator("[data-fault=delivery_delays]")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#fault-note")).to_contain_text("From now on")
    button.click()
    expect(page.locator("#fault-note")).to_contain_text("No longer")


def _press(page: Page, *faults: str) -> None:
    for fault in faults:
        button = page.locator(f"[data-fault={fault}]")
        was_on = button.get_attribute("aria-pressed") == "true"
        button.click()
        expect(button).to_have_attribute("aria-pressed", "false" if was_on else "true")
        expect(page.locator("#fault-note")).to_contain_text("No longer" if was_on else "From now on")


def _happened(live: LocalCloud) -> dict[str, int]:
    with urllib.request.urlopen(f"{live.context.server_url}/_faults") as answer:
        return {name: switch["happened"] for name, switch in json.load(answer).items()}


def test_what_is_broken_on_the_page_loses_no_event(live: LocalCloud, page: Page, shell: Shell) -> None:
    page.goto(live.context.server_url)
    outputs = Outputs.from_document(live.outputs)
    _press(page, "data_put_fails")
    with Producer(sink=KinesisSink(outputs.stream_name, live.context.client("kinesis"))) as producer:
        producer.put(PageViewed(url="https://shop.example/held-back", client_address="192.0.2.8", status=200))
    expect(page.locator("#activity")).to_contain_text("write failed", timeout=PATIENCE_MS)
    _press(page, "data_put_fails")

    pressed = ("delivery_delays", "delivery_repeats", "delivery_reorders", "same_key_rewrite")
    _press(page, *pressed)
    told = shell.json("demo", "--events", "300", "--seed", "11")
    assert told["balanced"] is True
    assert told["landed"] > 0
    assert [name for name in pressed if not _happened(live)[name]] == []
    _press(page, *pressed)

    _press(page, "transform_error")
    told = shell.json("demo", "--events", "100", "--seed", "12", code=None)
    _press(page, "transform_error")
    assert (told["balanced"], told["landed"], told["failed"]) == (True, 0, told["produced"])


def test_an_id_that_no_event_has_is_reported_as_such(live: LocalCloud, page: Page) -> None:
    page.goto(f"{live.context.server_url}/?event=01998f3e-0000-7000-8000-000000000000")
    expect(page.locator("#follow-note")).to_contain_text("not in the lake", timeout=PATIENCE_MS)
