"""`penstock.js` in Chromium, on a page of another origin than the collector's: nothing is lost or sent in vain."""

import http.client
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from infra.collector.commands import script
from infra.local.cloud import LocalCloud
from tests.end_to_end.collector_rig import made_key, until
from tests.queries.cloud import Chain
from tests.shop import TABLE

pytestmark = [pytest.mark.cloud, pytest.mark.browser]

OFFLINE_SECONDS = float(os.environ.get("PENSTOCK_TEST_OFFLINE_SECONDS", "3"))
PRODUCT = {"product_id": "sku-1", "price_minor": 990, "currency": "EUR"}
CART = {"cart_id": "cart-1", "product_id": "sku-1", "action": "added", "quantity": 1}
ORDER = {
    "order_id": "order-1",
    "items": [{"product_id": "sku-1", "quantity": 1, "price_minor": 990}],
    "total_minor": 990,
    "currency": "EUR",
}
SUMS = {
    "page views": "SELECT sum(page_views) FROM traffic_by_hour",
    "views of the page": "SELECT sum(page_views) FROM top_pages_by_day WHERE path = '/shelf'",
    "orders": "SELECT sum(orders) FROM orders_by_hour WHERE currency = 'EUR'",
    "revenue": "SELECT sum(revenue_minor) FROM orders_by_hour WHERE currency = 'EUR'",
    "events": "SELECT sum(events) FROM health_by_hour",
}


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where pages that load the script are."""
    document = b"<!doctype html><title>Shop</title><script src=/penstock.js></script><h1>Shop</h1>"

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_script = self.path == "/penstock.js"
            body = script().encode() if is_script else document
            self.send_response(200)
            self.send_header("content-type", "text/javascript" if is_script else "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Front:
    """A door in front of the collector that sees what browsers ask for: (method, content type)."""

    url: str
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def preflights(self) -> int:
        return sum(method == "OPTIONS" for method, _ in self.asked)

    def posts(self) -> list[str]:
        return [media for method, media in self.asked if method == "POST"]


@pytest.fixture
def front(local_cloud: LocalCloud) -> Iterator[Front]:
    behind, seen = urlsplit(local_cloud.collector_url).netloc, Front("")

    class Door(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            seen.asked.append((self.command, self.headers.get("content-type", "")))
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            connection = http.client.HTTPConnection(behind, timeout=60)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            answer = connection.getresponse()
            told = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)
            connection.close()

        do_GET = do_POST = do_OPTIONS = _pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    seen.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield seen
    server.shutdown()
    server.server_close()
    thread.join()


def start(page: Page, origin: str, front: Front, key: str, **settings: Any) -> None:
    page.goto(f"{origin}/shelf")
    page.evaluate("given => penstock.init(given)", {"url": front.url, "key": key, **settings})


def stored(page: Page) -> int:
    """How many events the page keeps."""
    found = page.evaluate(
        "Object.keys(localStorage).filter(each => each.startsWith('penstock:'))"
        ".flatMap(each => JSON.parse(localStorage.getItem(each))).length"
    )
    return int(found)


def wait_for(found: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def counted(chain: Chain) -> dict[str, int]:
    """What the reports count, once everything on the stream has landed and no report is stale."""
    chain.deliver()
    chain.refresh()
    return {name: int(chain.rows(sql).rows[0][0] or 0) for name, sql in SUMS.items()}


def steps(chain: Chain, day: str) -> tuple[dict[str, int], dict[str, int]]:
    """(visitors by step of the day as the report has them, visitors by event type as the lake has them)."""
    report = chain.records(
        f"SELECT step, visitors FROM funnel_by_day WHERE event_date = '{day}' ORDER BY step"
    )
    lake = chain.records(f"""
        SELECT event_type, count(DISTINCT client_key) AS visitors
        FROM {TABLE.name} WHERE event_hour BETWEEN '{day}-00' AND '{day}-23' GROUP BY 1
    """)
    return (
        {str(each["step"]): int(each["visitors"]) for each in report},
        {str(each["event_type"]): int(each["visitors"]) for each in lake},
    )


def test_views_events_and_the_last_ones_of_a_page_arrive_from_another_origin_and_all_reports_count_them(
    local_cloud: LocalCloud, chromium: Browser, origin: str, front: Front
) -> None:
    chain = Chain.of(local_cloud)
    before = counted(chain)
    key, source = made_key(chain, origins=(origin,))
    with chromium.new_context() as context:
        page = context.new_page()
        start(page, origin, front, key, interval=50)
        for _ in range(3):
            assert page.evaluate("given => penstock.send('product_viewed', given)", PRODUCT)
        assert page.evaluate("given => penstock.send('cart_updated', given)", CART)
        assert page.evaluate("given => penstock.send('order_placed', given)", ORDER)
        wait_for(lambda: stored(page) == 0, 120)
        # The network goes, events are made, the page is left, another one is opened: then it is back.
        context.set_offline(True)
        for _ in range(20):
            assert page.evaluate("given => penstock.send('product_viewed', given)", PRODUCT)
        page.wait_for_timeout(OFFLINE_SECONDS * 1000)
        assert stored(page) == 20
        context.set_offline(False)
        wait_for(lambda: stored(page) == 0)
        # The last events of a page leave with it, as a beacon: nothing else would send them.
        start(page, origin, front, key, views=False, interval=600_000)
        page.evaluate("given => penstock.send('product_viewed', given)", PRODUCT)
        sent = len(front.posts())
        page.goto("about:blank")
        wait_for(lambda: len(front.posts()) > sent)
        assert front.posts()[-1] == "text/plain"
        assert front.preflights == 0
        assert context.cookies() == []
        # A request that does need a preflight is seen to have one.
        page.goto(origin)
        page.evaluate(
            "url => fetch(url + '/v1/batch', {method: 'POST', headers: {'x-write-key': 'none'}, body: '{}'})",
            front.url,
        )
        wait_for(lambda: front.preflights == 1)
    query = f"""
        SELECT event_type, count(DISTINCT event_id), min(event_hour)
        FROM {TABLE.name} WHERE source = '{source}' AND event_hour >= '2026-01-01-00' GROUP BY 1 ORDER BY 1
    """

    def landed() -> Any:
        chain.deliver()
        return {str(row[0]): int(row[1]) for row in chain.rows(query).rows} == {
            "page_viewed": 1,
            "product_viewed": 24,
            "cart_updated": 1,
            "order_placed": 1,
        }

    until(landed)
    after = counted(chain)
    assert {name: after[name] - before[name] for name in SUMS} == {
        "page views": 1, "views of the page": 1, "orders": 1, "revenue": 990, "events": 27,
    }  # fmt: skip
    day = min(str(row[2]) for row in chain.rows(query).rows)[:10]
    report, lake = steps(chain, day)
    assert list(report.values()) == [
        lake[each] for each in ("page_viewed", "product_viewed", "cart_updated", "order_placed")
    ]
    [[sessions]] = chain.rows(f"SELECT sessions FROM sessions_by_day WHERE event_date = '{day}'").rows
    assert int(sessions) >= 1


def test_nothing_is_sent_or_kept_where_the_visitor_does_not_want_it(
    local_cloud: LocalCloud, chromium: Browser, origin: str, front: Front
) -> None:
    key, _ = made_key(Chain.of(local_cloud))
    with chromium.new_context() as context:
        page = context.new_page()
        page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {get: () => true})")
        start(page, origin, front, key, visitor=True)
        assert page.evaluate("penstock.send('page_viewed', {url: '/', status: 200})") is False
        page.goto("about:blank")
        assert (front.asked, context.cookies()) == ([], [])


def test_the_buffer_is_bounded_what_it_refuses_is_counted_and_a_cookie_is_set_only_when_asked_for(
    local_cloud: LocalCloud, chromium: Browser, origin: str, front: Front
) -> None:
    key, _ = made_key(Chain.of(local_cloud))
    with chromium.new_context() as context:
        page = context.new_page()
        start(page, origin, front, key, buffer=5, views=False, visitor=True, interval=60_000)
        made = [page.evaluate("penstock.send('page_viewed', {url: '/', status: 200})") for _ in range(7)]
        assert made == [True] * 5 + [False] * 2
        assert (page.evaluate("penstock.refused"), stored(page)) == (2, 5)
        assert [each["name"] for each in context.cookies()] == ["penstock"]
        # The same visitor, and what the page before kept, once more.
        page.goto("about:blank")
        start(page, origin, front, key, views=False, visitor=True, interval=50)
        wait_for(lambda: stored(page) == 0)
