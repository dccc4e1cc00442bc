"""A page of another origin, in a real browser, tries every port of a running local cloud. Nothing gets through."""

import base64
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from dashboards.board.board import Board
from dashboards.preview.server import Watch
from infra.local.cloud import LocalCloud
from tests.conftest import CHROMIUM_FLAGS
from tests.dashboards import rows
from tests.dashboards.conftest import resources, served_at

pytestmark = [pytest.mark.cloud, pytest.mark.browser]

SCRIPT = (Path(__file__).parent / "foreign_page.js").read_text(encoding="utf-8")
PAGE = f"<!doctype html><title>Of somebody else</title><body><script>{SCRIPT}</script>"
FOREIGN, REBOUND = "evil.example", "rebound.example"
ROOT_KEY = (
    "AWS4-HMAC-SHA256 Credential=test/20261130/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
)


@dataclass
class Target:
    """One port, and what a page would ask it for."""

    base: str
    reads: list[str]
    writes: list[dict[str, Any]] = field(default_factory=list)

    def named(self, host: str) -> str:
        """Its address under another name of this machine."""
        place = urlsplit(self.base)
        return f"{place.scheme}://{host}:{place.port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium in which two foreign names lead to this machine."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed; on Debian: apt-get install chromium")
    rules = f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1, MAP {REBOUND} 127.0.0.1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=[*CHROMIUM_FLAGS, rules])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def foreign_port() -> Iterator[int]:
    """A web server on this machine that is not ours."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def preview() -> Iterator[str]:
    """A preview that is being served."""

    def away(_: str) -> Any:
        raise ConnectionError("no data is needed here")

    with served_at(Board(resources, away, stale_after={}, clock=lambda: rows.NOW), Watch(dict)) as url:
        yield url


def targets(cloud: LocalCloud, preview: str, marker: Path) -> list[Target]:
    """Every port, with what does the most harm there; what empties the emulator comes last."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as written:
        written.writestr("index.py", f"def handler(e, c):\n    open({str(marker)!r}, 'w').write('ran')\n")
    function = {
        "FunctionName": "evil", "Runtime": "python3.13", "Handler": "index.handler",
        "Role": f"arn:aws:iam::{cloud.context.account_id}:role/evil",
        "Code": {"ZipFile": base64.b64encode(code.getvalue()).decode()},
    }  # fmt: skip
    sqs = {"x-amz-target": "AmazonSQS.CreateQueue", "authorization": ROOT_KEY}
    athena = {"x-amz-target": "AmazonAthena.ListWorkGroups"}
    faults = {"data_put_fails": {"probability": 1, "times": 1}}
    return [
        Target(
            preview, ["/api/traffic/opening", "/events", "/traffic", "/_receipt", "/_number/orders/orders"]
        ),
        Target(
            cloud.context.server_url,
            ["/", "/_status", "/_events", "/_static/page.js", "/_receipt?report=orders_by_hour"],
            [
                {"path": "/_faults", "body": json.dumps(faults), "headers": {}},
                {"path": "/_firehose/flush", "body": "seconds=1", "headers": {}},
                {"path": "/", "body": "{}", "headers": athena},
                {"path": "/_cfn", "body": "{}", "headers": {}},
            ],
        ),
        Target(
            cloud.context.endpoint_url,
            ["/", "/2015-03-31/functions"],
            [
                {"path": "/2015-03-31/functions", "body": json.dumps(function), "headers": {}},
                {"path": "/2015-03-31/functions/evil/invocations", "body": "{}", "headers": {}},
                {"path": "/", "body": "Action=CreateUser&UserName=evil&Version=2010-05-08", "headers": {}},
                {"path": "/", "body": '{"QueueName": "evil"}', "headers": sqs},
                {"path": "/evil-bucket", "body": "", "headers": {}},
                {"path": "/_ministack/reset", "body": "init=0", "headers": {}},
            ],
        ),
    ]


class Watched:
    """A browser's context, with every answer that any page of it gets from the ports."""

    def __init__(self, context: BrowserContext, ports: set[int]) -> None:
        self.context, self.through, self.sent = context, [], 0  # type: tuple[BrowserContext, list[str], int]
        context.on("request", lambda request: self._request(request.url, ports))
        context.on("response", lambda answer: self._response(answer, ports))

    def _request(self, url: str, ports: set[int]) -> None:
        self.sent += urlsplit(url).port in ports

    def _response(self, answer: Any, ports: set[int]) -> None:
        if (
            urlsplit(answer.url).port in ports
            and answer.status != 403
            and not answer.url.endswith("/foreign")
        ):
            self.through.append(f"{answer.request.method} {answer.url} was answered with {answer.status}")

    def attack(self, page_url: str, base: str, target: Target) -> None:
        """Open a page and let it loose."""
        page = self.context.new_page()
        page.goto(page_url)
        script = "([base, reads, writes]) => window.attack(base, reads, writes)"
        self.through += page.evaluate(script, [base, target.reads, target.writes])
        page.wait_for_timeout(300)  # beacons answer to nobody
        page.close()


@pytest.mark.parametrize("cloud_name", ["local_cloud", "guarded_cloud"])
def test_no_call_of_a_foreign_page_gets_through(
    cloud_name: str,
    browser: Browser,
    foreign_port: int,
    preview: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    cloud: LocalCloud = request.getfixturevalue(cloud_name)
    marker = tmp_path / "marker"
    found = targets(cloud, preview, marker)
    if cloud.context.enforce_iam:
        found = found[1:]  # the preview does not know of it
    before = _state(cloud)
    ports = {urlsplit(target.base).port or 0 for target in found}
    context = browser.new_context(ignore_https_errors=True)
    watched = Watched(context, ports)
    pages = [f"http://{FOREIGN}:{foreign_port}/", f"http://127.0.0.1:{foreign_port}/"]
    for target in found:
        ways = zip(pages, ("127.0.0.1", "localhost"), strict=True)
        for page_url, host in list(ways)[
            : 2 if target is found[-1] else 1
        ]:  # both where the most can be done
            watched.attack(page_url, target.named(host), target)
        # The rebound name: the page is of the port's own origin, and its name now leads here.
        rebound = target.named(REBOUND)
        context.route(f"{rebound}/foreign", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        watched.attack(f"{rebound}/foreign", rebound, target)
    context.close()
    assert watched.through == []
    assert watched.sent > 100
    assert not marker.exists()
    assert _state(cloud) == before


def _state(cloud: LocalCloud) -> dict[str, Any]:
    """What the calls above would change."""
    client = cloud.context.client
    return {
        "functions": sorted(each["FunctionName"] for each in client("lambda").list_functions()["Functions"]),
        "users": [each["UserName"] for each in client("iam").list_users()["Users"]],
        "queues": sorted(client("sqs").list_queues().get("QueueUrls", [])),
        "buckets": sorted(each["Name"] for each in client("s3").list_buckets()["Buckets"]),
    }
