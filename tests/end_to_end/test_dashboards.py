"""The preview over the whole chain: what Chromium shows is what lies in the published Parquet files."""

import csv
import io
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.aws.outputs import Outputs
from infra.local import processes
from tests.dashboards.preview.viewer import Viewer, fetch, opened, violations
from tests.dashboards.render.test_numbers import PAGES, SECTION, assert_equal, by_hand, comparable, ordered
from tests.end_to_end.conftest import Shell
from tests.shop import REPORTS

pytestmark = [pytest.mark.cloud, pytest.mark.browser]

EVENTS, PATIENCE_MS = 3000, 60_000
FROM, TO = "2016-01-01T00:00:00", "2100-01-01T00:00:00"
"""Wider than anything that a demo sends; other tests of this cloud replay a log of 2015."""
EVERYTHING = f"t >= TIMESTAMP '{FROM}' AND t < TIMESTAMP '{TO}'"
WIDE = f"p.TimeFrom={FROM}&p.TimeTo={TO}"
SLOW = "p95_lag_seconds > 300"
TABLES = "document.querySelectorAll('section[data-id] footer button:not([hidden])').forEach(b => b.click())"
# Of each visual: its state, its big number, and its table's cells by row; a pivot's by themselves.
SHOWN = """all => all.map(e => ({
  id: e.dataset.id, state: e.dataset.state, isPivot: e.classList.contains('pivot'),
  number: e.querySelector('.number data')?.value,
  rows: [...e.querySelectorAll('tbody tr')].map(r => [...r.querySelectorAll('data')].map(d => d.value)),
}))"""


@dataclass(frozen=True)
class Preview:
    """`penstock dashboards preview`, running, and the rows of every published report as Parquet files."""

    url: str
    folder: Path

    def middle(self, report: str, column: str) -> str:
        """A value of a column that some rows have and others have not."""
        values = sorted({row[column] for row in pq.read_table(self.folder / f"{report}.parquet").to_pylist()})
        assert len(values) > 1
        return str(values[len(values) // 2])


@pytest.fixture(scope="module")
def preview(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preview]:
    shell.json("demo", "--events", str(EVENTS), "--seed", "7")
    folder = tmp_path_factory.mktemp("published")
    save_published(shell, folder)
    (port,) = processes.free_ports(1)
    command = [sys.executable, "-m", "infra.command.cli", "dashboards", "preview", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        command, cwd=shell.directory, env=shell.environment, stderr=subprocess.PIPE
    ) as serving:
        try:
            wait_until_served(f"{url}/traffic", serving)
            yield Preview(url, folder)
        finally:
            serving.terminate()


@pytest.fixture
def viewer(chromium: Any, preview: Preview) -> Iterator[Viewer]:
    with opened(chromium, preview.url) as found:
        yield found
        assert found.errors == []
        assert found.outside == []


def wait_until_served(url: str, serving: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            assert serving.poll() is None, serving.stderr and serving.stderr.read().decode()
            assert time.monotonic() < deadline, "the preview did not start"
            time.sleep(0.1)


def save_published(shell: Shell, folder: Path) -> None:
    """Each report's served files, found through the catalogue and read without any query engine."""
    client, database = shell.cloud.context.client, Outputs.from_document(shell.cloud.outputs).database
    for report in REPORTS.values():
        pages = client("glue").get_paginator("get_partitions")
        tables = []
        for page in pages.paginate(DatabaseName=database, TableName=report.name):
            for partition in page["Partitions"]:
                bucket, _, prefix = partition["StorageDescriptor"]["Location"][5:].partition("/")
                names = [column.name for column in report.columns]
                for key in keys(client("s3"), bucket, prefix):
                    body = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
                    rows = pq.ParquetFile(io.BytesIO(body)).read(columns=names)
                    value = pa.array([partition["Values"][0]] * rows.num_rows, pa.string())
                    tables.append(rows.append_column(report.grain, value))
        pq.write_table(pa.concat_tables(tables), folder / f"{report.name}.parquet")


def keys(s3: Any, bucket: str, prefix: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [entry["Key"] for entry in found if entry["Size"]]


def conditions(preview: Preview, page: str, choice: str) -> tuple[str, str, dict[str, str]]:
    """A choice as the page's address has it, and as SQL: for every report, and for single ones."""
    if choice == "everything":
        return WIDE, EVERYTHING, {}
    if choice == "nothing":
        return "p.TimeFrom=2001-01-01T00:00:00&p.TimeTo=2001-01-02T00:00:00", "false", {}
    if choice == "a range":
        hour = preview.middle("traffic_by_hour", "event_hour")
        since = f"{hour[:10]}T{hour[11:]}:00:00"
        return f"p.TimeFrom={since}&p.TimeTo={TO}", f"t >= TIMESTAMP '{since}'", {}
    picks = {
        "traffic": ("f.section=/products", "top_pages_by_day", f"{SECTION} = '/products'"),
        "orders": ("f.currency=EUR", "orders_by_hour", "currency = 'EUR'"),
        "health": ("f.timeliness=3%20slower", "health_by_hour", SLOW),
    }
    query, report, where = picks[page]
    return f"{WIDE}&{query}", EVERYTHING, {report: where}


@pytest.mark.parametrize("choice", ["everything", "a range", "a pick", "nothing"])
@pytest.mark.parametrize("page", list(PAGES))
def test_every_number_on_the_screen_is_that_of_the_published_files_and_of_its_csv(
    viewer: Viewer, preview: Preview, page: str, choice: str
) -> None:
    query, window, more = conditions(preview, page, choice)
    seen = set()
    for sheet in ("overview", {"traffic": "pages", "orders": "days", "health": "hours"}[page], "info"):
        viewer.open(f"/{page}?{query}&sheet={sheet}")
        viewer.page.evaluate(TABLES)
        for tile in viewer.page.eval_on_selector_all("section[data-state]", SHOWN):
            if tile["id"] not in PAGES[page]:
                continue  # an insight: sentences over the numbers of the others
            seen.add(tile["id"])
            case = PAGES[page][tile["id"]]
            where = "true" if sheet == "info" else f"{window} AND {more.get(case[0], 'true')}"
            wanted = ordered(by_hand(preview.folder, case, where))
            saved = list(csv.reader(io.StringIO(fetch(f"{viewer.url}/api/{page}/{tile['id']}.csv?{query}"))))
            if tile["state"] == "empty":
                assert all(value is None or value == 0 for row in wanted for value in row), tile["id"]
                assert len(saved) == 1
                continue
            assert tile["state"] == "data", tile
            assert_shown(tile, wanted)
            assert_equal(ordered(typed(saved[1:], wanted)), wanted, tile["id"])
    assert seen == set(PAGES[page])


def assert_shown(tile: Any, wanted: list[tuple[Any, ...]]) -> None:
    """The cells of the visual, or its one number, are the rows."""
    if tile["isPivot"]:
        numbers = sorted(float(cell) for row in tile["rows"] for cell in row)
        assert numbers == sorted(row[-1] for row in wanted), tile["id"]
    elif tile["rows"]:
        assert_equal(ordered(typed(tile["rows"], wanted)), wanted, tile["id"])
    else:
        assert_equal(ordered(typed([[tile["number"]]], wanted)), wanted, tile["id"])


def typed(rows: list[list[str]], wanted: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Texts of cells as values of the types that are expected in their columns."""
    kinds = [next((type(v) for v in column if v is not None), str) for column in zip(*wanted, strict=True)]
    return [
        tuple(None if text == "" else comparable(kind(text)) for kind, text in zip(kinds, row, strict=True))
        for row in rows
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_numbers_lead_to_their_receipts_by_click_and_by_keyboard(
    viewer: Viewer, preview: Preview, width: int, scheme: str
) -> None:
    page = viewer.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    viewer.open(f"/health?sheet=hours&{WIDE}")
    assert page.locator('[data-id="hours-table"] a.receipt[tabindex="0"]').count() == 1
    page.locator('[data-id="hours-table"] a.receipt').first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    row = page.locator('[data-id="hours-table"] tbody tr').nth(1)
    moment, events = (row.locator("data").nth(at).get_attribute("value") for at in (0, 1))
    assert violations(viewer) == []
    page.keyboard.press("Enter")
    page.wait_for_selector("footer code", timeout=PATIENCE_MS)
    hour = str(moment)[:13].replace("T", "-")
    assert page.locator("h1").inner_text().startswith(f"WHOLE: health_by_hour {hour} events = {events}, from")
    assert page.locator(".value").inner_text() == events
    assert violations(viewer) == []

    viewer.open(f"/orders?{WIDE}")
    orders = viewer.number("orders")
    viewer.tile("orders").locator("a.receipt").click()
    page.wait_for_selector("h1.plain", timeout=PATIENCE_MS)
    assert page.locator(".value").inner_text().replace(",", "") == orders
    listed = [int(text) for text in page.locator("td a").all_inner_texts()]
    assert sum(listed) == int(orders)
    assert violations(viewer) == []
    page.locator("td a").first.click()
    page.wait_for_selector("footer code", timeout=PATIENCE_MS)
    assert page.locator(".value").inner_text() == str(listed[0])
    assert " orders = " in page.locator("h1").inner_text()


def test_a_mark_of_a_chart_leads_to_the_receipt_of_its_number(viewer: Viewer, preview: Preview) -> None:
    viewer.open(f"/traffic?{WIDE}")
    viewer.page.locator('[data-id="views-by-time"] .mark-rect path').last.click()
    viewer.page.wait_for_selector("footer code", timeout=PATIENCE_MS)
    (newest,) = (
        pq.read_table(preview.folder / "traffic_by_hour.parquet").sort_by("event_hour").to_pylist()[-1:]
    )
    said = f"traffic_by_hour {newest['event_hour']} page_views = {newest['page_views']}"
    assert said in viewer.page.locator("h1").inner_text()


def test_a_number_that_is_not_on_the_page_any_more_says_so(viewer: Viewer) -> None:
    viewer.errors = []
    answer = viewer.page.goto(f"{viewer.url}/_number/orders/orders-by-currency?column=c1&at.c0=XXX&{WIDE}")
    assert answer.status == 404
    assert "has no such row any more" in viewer.page.locator("h1").inner_text()
    assert violations(viewer) == []
    viewer.errors = []  # Chromium writes a line for every page that is not found


def test_a_publish_reaches_the_screen_and_keeps_filter_and_focus(viewer: Viewer, shell: Shell) -> None:
    viewer.open(f"/orders?{WIDE}&f.currency=EUR")
    before = int(viewer.number("orders"))
    viewer.page.locator("#view-as").focus()
    viewer.page.evaluate("window.before = true")
    shell.json("demo", "--events", "1500", "--seed", "8")
    deadline = time.monotonic() + 60
    while int(viewer.number("orders")) <= before:
        assert time.monotonic() < deadline, "the publish did not reach the screen"
        time.sleep(0.05)
    assert viewer.page.evaluate("window.before"), "the page was loaded anew"
    assert viewer.page.evaluate("document.activeElement.id") == "view-as"
    assert viewer.page.locator("details.pick summary b").inner_text() == "EUR"
    assert "by_" in viewer.page.locator("#announce").inner_text()


def test_a_publish_started_an_ingestion_of_every_copied_dataset(preview: Preview, shell: Shell) -> None:
    quicksight, account = shell.cloud.context.client("quicksight"), shell.cloud.context.account_id
    for data_set in ("penstock-funnel-by-day", "penstock-sessions-by-day"):
        deadline = time.monotonic() + 60
        while True:
            found = quicksight.list_ingestions(AwsAccountId=account, DataSetId=data_set)["Ingestions"]
            if any(entry["IngestionStatus"] == "COMPLETED" for entry in found):
                break
            assert time.monotonic() < deadline, f"{data_set}: {found}"
            time.sleep(0.2)
        assert len(found) == 1, "the second publish came within the spacing, and has to wait"
