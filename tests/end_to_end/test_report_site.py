"""The report site in Chromium: what people who look at reports, and operators, see and do."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import Request, urlopen

import pytest

from infra.local.cloud import LocalCloud
from tests.dashboards.preview.viewer import EMPTY, violations
from tests.end_to_end.jobs_rig import World, person, token, until
from tests.end_to_end.site_visitor import HELD, Visitor, at_site
from tests.golden.poison.corpus import ARRIVAL_MS
from tests.queries.events import page_viewed
from tests.transforms.failed.memory_bucket import error_line

pytestmark = [pytest.mark.cloud, pytest.mark.browser]

DAY = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
"""Within the range that dashboards begin with; no other test has events in these hours of it."""
HOURS = (f"{DAY}-03", f"{DAY}-04")
TRAFFIC = "/#/d/traffic"
EVERYTHING = bool(os.environ.get("PENSTOCK_TEST_STATES"))
SHEETS = {"traffic": ("overview", "pages", "info"), "orders": ("overview", "days", "info"),
          "health": ("overview", "hours", "info")}  # fmt: skip
LOOKS = [(width, scheme) for width in (390, 768, 1440) for scheme in ("light", "dark")] if EVERYTHING else [
    (390, "dark"), (1440, "light")]  # fmt: skip
PATHS = ["/#/", TRAFFIC, f"{TRAFFIC}?{EMPTY}", "/#/jobs", "/#/failed", "/#/nowhere"]
PATHS += (
    [f"/#/d/{name}?sheet={sheet}" for name, sheets in SHEETS.items() for sheet in sheets]
    if EVERYTHING
    else []
)
TABLES = "document.querySelectorAll('section[data-id] footer button:not([hidden])').forEach((b) => b.textContent === 'Table' && b.click())"


@dataclass(frozen=True)
class Site:
    """The site of a cloud with something published."""

    world: World
    viewer: str
    operator: str

    @property
    def url(self) -> str:
        return self.world.cloud.site_url

    def publish(self, first: int, count: int = 30) -> None:
        """Have events of an hour published, numbered from `first` on."""
        numbers = range(first, first + count)
        self.world.chain.put([page_viewed(HOURS[0], number, producer="site") for number in numbers])
        self.world.chain.deliver()
        self.world.chain.refresh()


@pytest.fixture(scope="module")
def site(local_cloud: LocalCloud) -> Site:
    world = World(local_cloud)
    found = Site(world, token(world, "viewers"), token(world, "operators"))
    found.publish(1)
    bearer = f"Bearer {found.viewer}"

    def is_published() -> bool:
        request = Request(f"{found.url.rstrip('/')}/api/v1/dashboards", headers={"Authorization": bearer})
        with urlopen(request, timeout=60) as answer:
            return "traffic" in [each["name"] for each in json.load(answer).get("dashboards", [])]

    until(is_published)
    return found


@pytest.fixture
def visitor(chromium: Any, site: Site) -> Iterator[Visitor]:
    with at_site(chromium, site.url, site.viewer) as found:
        yield found
        assert found.outside == []


@pytest.fixture
def operator(chromium: Any, site: Site) -> Iterator[Visitor]:
    with at_site(chromium, site.url, site.operator) as found:
        yield found
        assert (found.errors, found.outside) == ([], [])


def test_somebody_signs_in_is_back_where_they_wanted_to_be_and_signs_out(chromium: Any, site: Site) -> None:
    name, password = person(site.world, "viewers")
    with at_site(chromium, site.url) as visitor:
        visitor.open(f"{TRAFFIC}?sheet=pages")
        visitor.sign_in(name, password)
        visitor.until(lambda: visitor.page.locator("#tab-pages[aria-selected=true]").count())
        assert visitor.reads(".who .name") == name
        assert "code=" not in visitor.page.url
        assert visitor.errors == []
        visitor.page.get_by_role("button", name="Sign out").click()
        visitor.until(lambda: visitor.page.locator(".door").count())
        assert visitor.page.evaluate(f"sessionStorage.getItem('{HELD}')") is None


def test_a_file_that_is_saved_has_the_numbers_of_the_table_behind_the_chart(visitor: Visitor) -> None:
    visitor.open(TRAFFIC)
    tile = visitor.tile("views-by-time")
    tile.get_by_role("button", name="show as table").click()
    shown = [
        [cell.get_attribute("value") for cell in row.locator("data").all()]
        for row in tile.locator("tbody tr").all()
    ]
    with visitor.page.expect_download() as saved:
        tile.get_by_role("button", name="save as CSV").click()
    _, *rows = csv.reader(io.StringIO(saved.value.path().read_text(encoding="utf-8")))
    assert rows
    assert [[hour, *map(float, numbers)] for hour, *numbers in rows] == [
        [hour, *map(float, numbers)] for hour, *numbers in shown
    ]
    assert visitor.errors == []


def test_charts_below_the_screen_are_drawn_after_those_on_it(visitor: Visitor) -> None:
    visitor.page.set_viewport_size({"width": 1440, "height": 360})
    visitor.open(TRAFFIC)
    main = visitor.page.locator("main")
    visitor.until(lambda: main.get_attribute("data-drawn") == main.get_attribute("data-loads"))
    charts = visitor.page.locator(".chart")
    assert charts.count() > 1
    assert visitor.page.locator(".chart:has(svg .role-mark)").count() == charts.count()


def test_a_number_leads_to_what_it_is_computed_from_and_back(visitor: Visitor) -> None:
    visitor.open(TRAFFIC)
    tile = visitor.tile("views-by-time")
    tile.get_by_role("button", name="show as table").click()
    row = tile.locator("tbody tr").last
    hour = row.locator("data").first.get_attribute("value")[:13].replace("T", "-")
    link = row.locator("a.receipt").first
    shown = link.inner_text()
    link.click()
    visitor.until(lambda: visitor.page.locator("code").count())
    assert visitor.reads("main .behind") == shown
    assert visitor.reads("main code") == f"penstock explain traffic_by_hour {hour} page_views"
    assert visitor.page.get_by_role("row").count() == 2
    for width, scheme in LOOKS:
        visitor.page.set_viewport_size({"width": width, "height": 800})
        visitor.page.emulate_media(color_scheme=scheme)
        assert violations(visitor) == [], (width, scheme)
    visitor.page.get_by_role("link", name="Back to the dashboard").click()
    visitor.until(lambda: visitor.page.locator("section[data-id=views-by-time]").count())


def test_a_choice_changes_the_numbers_and_its_address_shows_them_again(visitor: Visitor) -> None:
    visitor.open(TRAFFIC)
    assert visitor.tile("page-views").get_attribute("data-state") == "data"
    visitor.page.goto(f"{visitor.url}/#/d/traffic?{EMPTY}")
    visitor.until(lambda: visitor.page.locator(".notice").count())
    assert visitor.states() == {"empty"}
    visitor.after(lambda: visitor.page.get_by_role("button", name="Show all data").click())
    assert visitor.tile("page-views").get_attribute("data-state") == "data"
    number, address = visitor.number("page-views"), visitor.page.url.removeprefix(visitor.url)
    assert visitor.open(address).number("page-views") == number


@pytest.mark.parametrize("change", ["tampered", "expired"])
def test_a_token_that_does_not_hold_leads_to_a_clean_sign_in(visitor: Visitor, change: str) -> None:
    visitor.open(TRAFFIC)
    held = json.loads(visitor.page.evaluate(f"sessionStorage.getItem('{HELD}')"))
    bad = {"token": held["token"][:-4] + "AAAA"} if change == "tampered" else {"until": 1}
    visitor.page.evaluate(f"held => sessionStorage.setItem('{HELD}', held)", json.dumps({**held, **bad}))
    visitor.until(lambda: visitor.page.locator(".door").count())
    assert "sign-in has ended" in visitor.reads(".door")
    assert visitor.page.evaluate(f"sessionStorage.getItem('{HELD}')") is None
    assert visitor.page.locator("#pages").is_hidden()


def test_a_page_that_was_offline_shows_what_was_published_meanwhile(visitor: Visitor, site: Site) -> None:
    visitor.open(TRAFFIC)
    before = int(visitor.number("page-views"))
    visitor.page.context.set_offline(True)
    visitor.until(lambda: "Offline" in visitor.reads("#live-text"))
    site.publish(1_000)
    assert int(visitor.number("page-views")) == before
    visitor.page.context.set_offline(False)
    visitor.until(lambda: int(visitor.number("page-views")) > before)
    assert visitor.reads("#live-text") == "Up to date"
    assert "Updated at" in visitor.reads("#announce")


def test_an_operator_starts_a_job_and_sees_it_succeed(operator: Visitor) -> None:
    operator.open("/#/jobs")
    operator.page.get_by_text("Start a job").click()
    operator.page.select_option("#job-report", "traffic_by_hour")
    operator.page.fill("#job-from", f"{DAY}T03:00")
    operator.page.fill("#job-to", f"{DAY}T03:00")
    operator.page.get_by_label("Also what would not change").check()
    operator.page.get_by_role("button", name="Start", exact=True).click()
    operator.page.get_by_role("link", name="Follow it").click()
    operator.until(lambda: operator.page.locator(".facts .badge.good").count(), 120)
    assert operator.reads(".facts .badge") == "SUCCEEDED"
    assert "1 of 1 chunks" in operator.reads(".facts")
    assert operator.page.get_by_role("button", name="Cancel").count() == 0


def test_a_viewer_sees_jobs_and_nothing_that_only_operators_may_do(visitor: Visitor, site: Site) -> None:
    visitor.open("/#/jobs")
    assert visitor.page.get_by_text("Start a job").count() == 0
    asked = json.dumps({"kind": "backfill", "report": "traffic_by_hour", "from": HOURS[0], "to": HOURS[0]})
    headers = {"Authorization": f"Bearer {site.viewer}", "Idempotency-Key": "k"}
    assert site.world.ask("POST", "/api/v1/jobs", asked.encode(), **headers).status == 403


@pytest.fixture
def mended(site: Site) -> Iterator[Callable[[], None]]:
    """Takes away what failed: a record that is compressed."""
    lake, client = site.world.outputs.lake_bucket, site.world.chain.client("s3")
    key = f"failed/processing-failed/dt={datetime.now(UTC):%Y-%m-%d}/page-test"
    client.put_object(Bucket=lake, Key=key, Body=error_line(b"\x1f\x8b00", ARRIVAL_MS))

    def take_away() -> None:
        client.delete_object(Bucket=lake, Key=key)

    yield take_away
    take_away()


def test_an_operator_sees_what_failed_and_how_to_go_on(operator: Visitor, mended: Callable[[], None]) -> None:
    operator.open("/#/failed")
    rows = operator.page.locator("tbody tr").filter(
        has=operator.page.get_by_role("rowheader", name="compressed", exact=True)
    )
    assert rows.count() == 1
    operator.page.get_by_text("compressed: the newest").click()
    assert "penstock failed replay --reason compressed" in operator.reads("details[open] .said")
    assert violations(operator) == []
    mended()
    operator.after(operator.page.get_by_role("button", name="Read again").click)
    assert rows.count() == 0


def test_somebody_whose_groups_do_not_suffice_reads_what_to_ask_for(chromium: Any, site: Site) -> None:
    with at_site(chromium, site.url, token(site.world)) as visitor:
        visitor.open(TRAFFIC)
        assert "neither of the groups viewers and operators" in visitor.reads("main")
        assert violations(visitor) == []
    with at_site(chromium, site.url, site.viewer) as visitor:
        visitor.open("/#/d/orders")
        assert "members of america, europe, finance do" in visitor.reads(".notice")
        assert "No data in this range" not in visitor.reads("main")
        visitor.open("/#/failed")
        assert "Only members of the group operators see what failed" in visitor.reads("main")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_pages_and_states_meet_wcag_2_2_aa(chromium: Any, site: Site, width: int, scheme: str) -> None:
    with at_site(chromium, site.url, site.operator, width=width, scheme=scheme) as visitor:
        for path in PATHS:
            visitor.open(path)
            assert violations(visitor) == [], path
            assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert visitor.errors == []
    with at_site(chromium, site.url, width=width, scheme=scheme) as visitor:
        assert violations(visitor.open("/")) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_states_that_somebody_brings_about_meet_wcag_2_2_aa(
    chromium: Any, site: Site, width: int, scheme: str
) -> None:
    with at_site(chromium, site.url, site.operator, width=width, scheme=scheme) as visitor:
        visitor.open(TRAFFIC)
        visitor.page.evaluate(TABLES)
        assert violations(visitor) == [], "tables behind the charts"
        visitor.open("/#/jobs").page.get_by_text("Start a job").click()
        assert violations(visitor) == [], "the form"
        visitor.page.get_by_label("What", exact=True).select_option("import")
        visitor.page.fill("#job-source", "no-such-source")
        visitor.page.get_by_role("button", name="Start", exact=True).click()
        visitor.until(lambda: visitor.page.locator(".said .problem").count())
        assert violations(visitor) == [], "a job that is refused"
        visitor.page.context.set_offline(True)
        visitor.until(lambda: "Offline" in visitor.reads("#live-text"))
        assert violations(visitor) == [], "offline"
