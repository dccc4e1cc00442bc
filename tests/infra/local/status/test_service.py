"""The live page's server answers this machine only, and says what is wrong in words."""

import contextlib
import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.local.cloud import LocalCloud
from tests.shop import REPORTS

pytestmark = pytest.mark.cloud

Get = Callable[..., tuple[http.client.HTTPResponse, bytes]]


@pytest.fixture
def get(local_cloud: LocalCloud) -> Get:
    """GET a path of the local server; `host` is the name that the browser thinks it talks to."""

    def fetch(path: str, host: str | None = None) -> tuple[http.client.HTTPResponse, bytes]:
        place = urlsplit(local_cloud.context.server_url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        with contextlib.closing(connection):
            return answer, answer.read()

    return fetch


def test_everything_that_the_page_loads_comes_with_a_policy_that_forbids_the_rest(get: Get) -> None:
    for path in ("/", "/_static/page.js", "/_static/page.css", "/_static/icon.svg", "/_status"):
        answer, body = get(path)
        assert answer.status == 200, body
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_names_no_address_outside_of_itself(get: Get) -> None:
    _, page = get("/")
    assert b"http:" not in page
    assert b"https:" not in page
    assert b"<script>" not in page
    assert b"style=" not in page


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4711", "127.0.0.1.evil.example"])
def test_a_foreign_name_for_this_machine_is_refused(get: Get, host: str) -> None:
    answer, body = get("/_status", host)
    assert answer.status == 403
    assert "127.0.0.1" in json.loads(body)["message"]


@pytest.mark.parametrize(
    "path", ["/_static/nosuch.js", "/_static/..%2fservice.py", "/_static/%2e%2e", "/_report/nosuch"]
)
def test_what_is_not_there_is_not_found(get: Get, path: str) -> None:
    answer, _ = get(path)
    assert answer.status == 404


def test_the_snapshot_has_every_stage_and_every_report(get: Get) -> None:
    _, body = get("/_status")
    snapshot: dict[str, Any] = json.loads(body)
    assert [stage["key"] for stage in snapshot["stages"]] == [
        "stream",
        "transform",
        "lake",
        "queue",
        "query",
        "report",
    ]
    assert all(len(stage["rate"]) == 60 for stage in snapshot["stages"])
    assert [report["name"] for report in snapshot["reports"]] == list(REPORTS)


@pytest.mark.parametrize("event_id", ["x", "1' OR '1'='1", "01998F3E-0000-7000-8000-000000000000"])
def test_what_cannot_be_an_events_id_is_refused_without_asking_the_lake(get: Get, event_id: str) -> None:
    from urllib.parse import quote

    _, body = get(f"/_event/{quote(event_id, safe='')}")
    assert json.loads(body)["may_come"] is False
