"""Reports read over HTTP on the running cloud: what readers of Athena see, to whom it may be shown, no query."""

import io
import json
import secrets
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pyarrow.parquet as pq
import pytest
from botocore.credentials import Credentials

from infra.local.cloud import LocalCloud
from queries.api.openapi import openapi
from queries.api.routes import ROUTES
from tests.end_to_end.jobs_rig import World, token
from tests.queries.events import page_viewed
from tests.shop import SHOP

pytestmark = pytest.mark.cloud

DAY = f"{datetime.now(UTC) - timedelta(days=24):%Y-%m-%d}"
"""No other test has events in it."""
HOURS = [f"{DAY}-{hour:02d}" for hour in range(3, 6)]
REPORT = "traffic_by_hour"
ROWS = f"/iam/v1/reports/{REPORT}/rows"
PERIOD = f"from={HOURS[0]}&to={HOURS[-1]}"


@pytest.fixture(scope="module")
def world(local_cloud: LocalCloud) -> World:
    made = World(local_cloud)
    producer = f"reads-{secrets.token_hex(4)}"
    made.chain.put([page_viewed(hour, n, producer=producer) for hour in HOURS for n in range(1, 4)])
    made.chain.deliver()
    made.chain.refresh()
    return made


def queries(world: World) -> int:
    """How many query executions there were."""
    athena = world.chain.client("athena")
    groups = (world.outputs.work_group, world.outputs.analyst_work_group)
    pages = [
        page
        for group in groups
        for page in athena.get_paginator("list_query_executions").paginate(WorkGroup=group)
    ]
    return sum(len(page["QueryExecutionIds"]) for page in pages)


def test_rows_are_those_of_athena_and_no_query_is_run_for_them(world: World) -> None:
    expected = world.chain.records(
        f"SELECT * FROM {REPORT} WHERE event_hour BETWEEN '{HOURS[0]}' AND '{HOURS[-1]}'"
    )
    assert {row["event_hour"] for row in expected} == set(HOURS)
    before = queries(world)
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = world.signed("GET", f"{ROWS}?{PERIOD}&limit=2{cursor and f'&cursor={cursor}'}")
        assert page.status == 200, page.body
        found += page.body["rows"]
        cursor = page.body["next"]

    def plain(rows: list[dict[str, Any]]) -> list[str]:
        return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)

    assert plain(found) == plain(expected)
    for path in ("/iam/v1/reports", f"/iam/v1/reports/{REPORT}", "/iam/v1/freshness", f"{ROWS}?{PERIOD}"):
        assert world.signed("GET", path).status == 200
    assert queries(world) == before > 0


def test_what_is_unchanged_is_answered_with_304_until_it_is_published_again(world: World) -> None:
    first = world.signed("GET", f"{ROWS}?{PERIOD}")
    again = world.signed("GET", f"{ROWS}?{PERIOD}", If_None_Match=first.headers["etag"])
    assert (again.status, again.body, again.headers["etag"]) == (304, None, first.headers["etag"])
    producer = f"reads-{secrets.token_hex(4)}"
    world.chain.put([page_viewed(HOURS[1], n, producer=producer) for n in range(1, 3)])
    world.chain.deliver()
    world.chain.refresh()
    changed = world.signed("GET", f"{ROWS}?{PERIOD}", If_None_Match=first.headers["etag"])
    assert (changed.status, changed.headers["etag"] == first.headers["etag"]) == (200, False)


def test_addresses_of_files_are_for_everybody_who_has_them(world: World) -> None:
    answer = world.signed("GET", f"/iam/v1/reports/{REPORT}/files?{PERIOD}")
    rows = 0
    for file in answer.body["files"]:
        with urlopen(file["url"]) as read:
            content = read.read()
        assert len(content) == file["bytes"]
        rows += pq.read_metadata(io.BytesIO(content)).num_rows
    assert rows == len(world.signed("GET", f"{ROWS}?{PERIOD}&limit=1000").body["rows"])


def test_people_read_as_their_group_allows_as_json_and_as_csv(world: World) -> None:
    path = f"{ROWS}?{PERIOD}".replace("/iam/", "/api/")
    statuses: dict[tuple[str, ...], int] = {}
    for groups in (("viewers",), ("operators",), ()):
        bearer = f"Bearer {token(world, *groups)}"
        statuses[groups] = world.ask("GET", path, Authorization=bearer).status
    assert statuses == {("viewers",): 200, ("operators",): 200, (): 403}
    connection = HTTPConnection(urlsplit(world.cloud.jobs_url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {token(world, 'viewers')}", "Accept": "text/csv"}
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    lines = answer.read().decode().splitlines()
    connection.close()
    assert answer.getheader("content-type", "").startswith("text/csv")
    assert lines[0].startswith('"event_hour","')
    assert len(lines) > len(HOURS)


@pytest.mark.parametrize("path", ["/iam/v1/reports", ROWS, "/api/v1/reports", "/api/v1/freshness"])
def test_who_has_neither_a_key_nor_a_token_reads_nothing(world: World, path: str) -> None:
    forged = Credentials(world.credentials.access_key, "a secret that nobody has here")
    for answer in (
        world.ask("GET", path),
        world.ask("GET", path, Authorization="Bearer a.b.c"),
        world.signed("GET", path, credentials=forged),
    ):
        assert answer.status in (401, 403)


def test_every_route_of_the_document_is_deployed(world: World) -> None:
    paths = openapi(SHOP.reports)["paths"]
    for route in ROUTES:
        assert f"/iam{route.path}" in paths
        path = route.path.replace("{name}", "nothing").replace("{job_id}", "nothing")
        answer = world.signed(route.method, f"/iam{path}")
        assert answer.status in (200, 400, 404), answer
        if answer.status != 200:  # the gateway's own refusals have no request id in their body
            assert answer.body["request_id"]
