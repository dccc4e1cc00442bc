"""The report site on the running cloud: its sign-in, its page, its numbers, and whom it refuses."""

import base64
import csv
import hashlib
import io
import json
import os
import re
import secrets
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
import pytest

from infra.local.cloud import LocalCloud
from infra.local.paths import PEOPLE_FILE
from queries.api.site_answers import DashboardsAnswer, FailedAnswer, NumberAnswer, SheetAnswer
from tests.end_to_end.jobs_rig import World, token
from tests.end_to_end.site_rig import Extracts, Site, shown
from tests.end_to_end.test_read_api import queries
from tests.queries.events import page_viewed
from tests.transforms.failed.memory_bucket import error_line
from tests.transforms.failed.replaying import broken
from transforms.failed.error_objects import object_hash

pytestmark = pytest.mark.cloud

DAY = f"{datetime.now(UTC) - timedelta(days=20):%Y-%m-%d}"
"""No other test has events in it."""
HOURS = [f"{DAY}-{hour:02d}" for hour in range(3, 6)]
CHOSEN = f"p.TimeFrom={DAY}T00:00:00&p.TimeTo={DAY}T23:00:00"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' "


@pytest.fixture(scope="module")
def site(local_cloud: LocalCloud) -> Site:
    world = World(local_cloud)
    producer = f"site-{secrets.token_hex(4)}"
    world.chain.put([page_viewed(hour, n, producer=producer) for hour in HOURS for n in range(1, 5)])
    world.chain.deliver()
    world.chain.refresh()
    drawn = world.chain.client("lambda").invoke(
        FunctionName=world.outputs.extract_function,
        Payload=json.dumps({"detail": {"tableName": "traffic_by_hour"}}),
    )
    assert "FunctionError" not in drawn, drawn["Payload"].read()
    return Site(world)


@pytest.fixture(scope="module")
def viewer(site: Site) -> str:
    return token(site.world, "viewers")


def test_numbers_are_those_of_athena_and_no_look_costs_a_query(site: Site, viewer: str) -> None:
    expected = site.world.chain.records(
        f"SELECT event_hour, page_views FROM traffic_by_hour WHERE event_hour LIKE '{DAY}%' ORDER BY 1"
    )
    assert [row["event_hour"] for row in expected] == HOURS
    before = queries(site.world)
    version = site.traffic(viewer)["version"]
    sheet = site.json(f"/api/v1/dashboards/traffic/sheets/overview?v={version}", viewer)
    assert {tile["id"] for tile in sheet["tiles"]} >= {"page-views", "views-by-time"}
    body = json.dumps({"sheet": "overview", "version": version, "state": CHOSEN}).encode()
    view = site.json("/api/v1/dashboards/traffic/view", viewer, method="POST", body=body)
    [drawn] = [tile for tile in view["tiles"] if tile["id"] == "views-by-time"]
    wanted = [
        (f"{row['event_hour'][:10]}T{row['event_hour'][11:]}:00:00", row["page_views"]) for row in expected
    ]
    assert [(row[0], row[1]) for row in drawn["rows"]] == wanted
    assert drawn["vega"]["marks"]

    path = f"/api/v1/dashboards/traffic/sheets/overview/visuals/views-by-time.csv?v={version}&{CHOSEN}"
    status, headers, text = site.ask(path, bearer=viewer)
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/csv")
    [_, *rows] = csv.reader(io.StringIO(text.decode()))
    assert [(row[0], int(row[1])) for row in rows] == wanted
    assert queries(site.world) == before > 0


def test_a_number_is_traced_to_the_numbers_of_its_report_and_no_trace_costs_a_query(
    site: Site, viewer: str
) -> None:
    expected = site.world.chain.records(
        f"SELECT event_hour, page_views FROM traffic_by_hour WHERE event_hour LIKE '{DAY}%' ORDER BY 1 DESC"
    )
    before, version = queries(site.world), site.traffic(viewer)["version"]
    body = json.dumps({"sheet": "overview", "version": version, "state": CHOSEN}).encode()
    view = site.json("/api/v1/dashboards/traffic/view", viewer, method="POST", body=body)
    tiles = {tile["id"]: tile for tile in view["tiles"]}
    assert tiles["page-views"]["has_receipts"]

    def traced(visual: str, column: int, row: int) -> NumberAnswer:
        columns, values = tiles[visual]["columns"], tiles[visual]["rows"][row]
        at = {
            each["alias"]: str(value)
            for each, value in zip(columns, values, strict=True)
            if each["role"] not in ("value", "line") and value is not None
        }
        asked = {"visual": visual, "column": columns[column]["alias"], "at": at}
        sent = json.dumps({**asked, "version": version, "state": CHOSEN}).encode()
        path = "/api/v1/dashboards/traffic/number"
        return msgspec.convert(site.json(path, viewer, method="POST", body=sent), NumberAnswer)

    one = traced("views-by-time", 1, -1)
    last = expected[0]["event_hour"]
    assert (one.report, one.total) == ("traffic_by_hour", 1)
    assert [cell.command for cell in one.cells] == [f"penstock explain traffic_by_hour {last} page_views"]
    whole = traced("page-views", 0, 0)
    assert [(cell.partition, int(cell.value)) for cell in whole.cells] == [
        (row["event_hour"], row["page_views"]) for row in expected
    ]
    assert queries(site.world) == before


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"visual": "nothing"}, 404), ({"column": "nothing"}, 404), ({"at": {"c0": "1999"}}, 404),
        ({"version": "0000000000001-aaaaaaaaaaaa"}, 410), ({"at": []}, 400), ({"state": "x=1"}, 400),
        ({"more": 1}, 400),
    ],
)  # fmt: skip
def test_a_number_that_is_not_there_is_refused_with_a_reason(
    site: Site, viewer: str, change: dict[str, Any], status: int
) -> None:
    version = site.traffic(viewer)["version"]
    asked = {"version": version, "visual": "views-by-time", "column": "value", "at": {}, **change}
    found = site.ask("/api/v1/dashboards/traffic/number", "POST", json.dumps(asked).encode(), viewer)
    assert found[0] == status, found
    assert json.loads(found[2])["detail"]
    assert site.ask("/api/v1/dashboards/traffic/number", "POST", b"{}")[0] == 401


def test_a_sheet_is_kept_by_the_browser_that_asked_and_by_nobody_else(site: Site, viewer: str) -> None:
    path = f"/api/v1/dashboards/traffic/sheets/overview?v={site.traffic(viewer)['version']}"
    status, headers, body = site.ask(path, bearer=viewer, Accept_Encoding="gzip")
    assert (status, headers["content-encoding"], body[:2]) == (200, "gzip", b"\x1f\x8b")
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    assert site.ask("/api/v1/dashboards", bearer=viewer)[1]["cache-control"] == "no-store"


def test_a_publish_by_hand_changes_nothing_of_a_page_that_is_the_newest(site: Site) -> None:
    before, folder = site.ask("/config.json")[2], site.world.cloud.context.paths.root.parent
    command = [sys.executable, "-m", "infra.command.cli", "site", "publish", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["files"] == []
    assert site.ask("/config.json")[2] == before


def test_an_extract_function_that_is_killed_while_it_writes_leaves_the_old_sheets(
    site: Site, viewer: str
) -> None:
    """Objects of the new version are there and the pointer is the old one: that this was met is required."""
    extracts, seen = Extracts(site), shown(site, viewer, CHOSEN)
    found = next(filter(None, (extracts.killed_while_it_writes() for _ in range(10))), None)
    assert found is not None, "the pointer had always moved before the kill"
    before, unnamed = found
    assert site.traffic(viewer)["version"] == before
    assert shown(site, viewer, CHOSEN) == seen
    extracts.draw()
    after = site.traffic(viewer)["version"]
    assert after > before
    objects = extracts.objects()
    assert objects[after] == objects[before] >= objects[unnamed]
    assert shown(site, viewer, CHOSEN) == seen


def test_people_see_and_do_what_their_group_allows(site: Site, viewer: str) -> None:
    nobody, operator = token(site.world), token(site.world, "operators")
    forged = f"{viewer[:-6]}AAAAAA"
    statuses = {
        who: site.ask("/api/v1/dashboards", bearer=bearer)[0]
        for who, bearer in {"none": "", "forged": forged, "nobody": nobody, "operator": operator}.items()
    }
    assert statuses == {"none": 401, "forged": 401, "nobody": 403, "operator": 200}
    for verb in ("", "/a/cancel", "/a/retry"):
        asked = site.ask(f"/api/v1/jobs{verb}", "POST", b"{}", viewer, Idempotency_Key="a")
        assert asked[0] == 403, verb


@pytest.fixture(scope="module")
def failure(site: Site) -> Iterator[str]:
    """The id of a record that failed today; nobody else counts it."""
    lake, client = site.world.outputs.lake_bucket, site.world.chain.client("s3")
    key = f"failed/processing-failed/dt={datetime.now(UTC):%Y-%m-%d}/site-test"
    client.put_object(Bucket=lake, Key=key, Body=error_line(broken(1), time.time_ns() // 1_000_000))
    yield f"{object_hash(key)[:12]}:1"
    client.delete_object(Bucket=lake, Key=key)


def test_operators_see_what_failed_by_reason_and_nobody_else_does(
    site: Site, viewer: str, failure: str
) -> None:
    operator = token(site.world, "operators")
    found = msgspec.convert(site.json("/api/v1/failed?days=1", operator), FailedAnswer)
    [reason] = [each for each in found.reasons if failure in [sample.record_id for sample in each.samples]]
    assert (reason.reason, found.is_complete) == ("wrong_type", True)
    [sample] = [each for each in reason.samples if each.record_id == failure]
    assert (sample.place, sample.event_type, sample.seq) == ("$.payload.status", "page_viewed", 1)
    statuses = {
        bearer: site.ask("/api/v1/failed", bearer=bearer)[0] for bearer in ("", viewer, token(site.world))
    }
    assert list(statuses.values()) == [401, 403, 403]
    for wrong in ("days=0", "days=31", "days=x", "days=1&days=2", "hours=1"):
        assert site.ask(f"/api/v1/failed?{wrong}", bearer=operator)[0] == 400


def test_answers_are_those_that_the_openapi_document_has(site: Site, viewer: str) -> None:
    listed = msgspec.convert(site.json("/api/v1/dashboards", viewer), DashboardsAnswer)
    assert {each.name: set(each.hidden) for each in listed.dashboards} == {
        "health": set(), "orders": {"orders_by_hour"}, "traffic": set(),
    }  # fmt: skip
    version = site.traffic(viewer)["version"]
    path = f"/api/v1/dashboards/traffic/sheets/overview?v={version}"
    assert msgspec.convert(site.json(path, viewer), SheetAnswer).tiles


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("dashboards/nothing/sheets/a?v={v}", 404), ("dashboards/traffic/sheets/overview?v=1", 410),
        ("dashboards/traffic/sheets/overview?v=0000000000001-aaaaaaaaaaaa", 410),
        ("dashboards/traffic/sheets/overview", 400),
        ("dashboards/traffic/sheets/overview/visuals/nothing.csv?v={v}", 404),
        ("dashboards/traffic/sheets/overview/visuals/views-by-time.csv?v={v}&d.a=day@yesterday", 400),
        ("dashboards/traffic/sheets/overview/visuals/views-by-time.csv?v={v}&x=1", 400),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_a_reason(
    site: Site, viewer: str, path: str, status: int
) -> None:
    version = site.traffic(viewer)["version"]
    found, headers, body = site.ask(f"/api/v1/{path.format(v=version)}", bearer=viewer)
    assert (found, headers["content-type"]) == (status, "application/problem+json"), body
    assert json.loads(body)["detail"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"sheet":"overview"}', b'{"sheet":1,"version":"a"}', b"\xff"])
def test_a_view_that_cannot_be_read_is_refused(site: Site, viewer: str, body: bytes) -> None:
    assert site.ask("/api/v1/dashboards/traffic/view", "POST", body, viewer)[0] == 400


def test_the_page_comes_from_its_bucket_under_a_strict_policy_and_not_twice(site: Site) -> None:
    status, headers, body = site.ask("/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<!doctype html>" in body.lower()
    assert headers["content-security-policy"].startswith(POLICY)
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
    assert "max-age=31536000" in headers["strict-transport-security"]
    again = site.ask("/", If_None_Match=headers["etag"])
    assert (again[0], again[2]) == (304, b"")
    assert site.ask("/nothing")[0] == 403
    assert site.ask("/", "POST")[0] == 403


def test_pages_of_others_and_foreign_names_are_refused(site: Site) -> None:
    for headers in (
        {"Origin": "https://example.com"},
        {"Host": "example.com"},
        {"Sec_Fetch_Site": "cross-site"},
    ):
        for path in ("/", "/api/v1/dashboards", "/oauth2/token", "/config.json"):
            named: Any = headers
            assert site.ask(path, **named)[0] == 403, (path, headers)


def test_a_path_that_climbs_is_not_found(site: Site, viewer: str) -> None:
    assert site.ask("/api/v1/dashboards/traffic/sheets/..%2F..%2Flatest?v=1", bearer=viewer)[0] == 404


def test_a_person_of_the_file_signs_in_with_a_code_and_its_proof(site: Site) -> None:
    file = site.world.cloud.context.paths.run / PEOPLE_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    people = json.loads(file.read_text())[site.world.outputs.user_pool_id]
    config = json.loads(site.ask("/config.json")[2])
    assert config == {
        "client_id": site.world.outputs.user_pool_client_id, "live": None, "login": site.url.rstrip("/"),
        "poll_seconds": 0.25,
        "logout": f"{site.url}logout", "redirect": site.url,
    }  # fmt: skip
    verifier = secrets.token_urlsafe(48)
    proof = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code", "client_id": config["client_id"], "redirect_uri": config["redirect"],
        "scope": "openid email", "state": "s", "code_challenge": proof, "code_challenge_method": "S256",
    }  # fmt: skip
    status, _, page = site.ask(f"/oauth2/authorize?{urlencode(asked)}")
    assert status == 200
    hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page.decode()))
    name = "viewer@example.com"
    form = {**asked, **hidden, "username": name, "password": people[name]}
    kind = "application/x-www-form-urlencoded"
    own = f"http://{site.place}"
    status, headers, _ = site.ask("/login", "POST", urlencode(form).encode(), Content_Type=kind, Origin=own)
    assert (status, headers["location"].partition("?")[0]) == (302, site.url)
    code = parse_qs(urlsplit(headers["location"]).query)["code"][0]
    grant = {
        "grant_type": "authorization_code", "client_id": config["client_id"], "code": code,
        "redirect_uri": config["redirect"],
    }  # fmt: skip

    def traded(proof: str) -> tuple[int, bytes]:
        body = f"{urlencode(grant)}&code_verifier={quote(proof)}".encode()
        status, _, found = site.ask("/oauth2/token", "POST", body, Content_Type=kind)
        return status, found

    status, found = traded(verifier)
    assert status == 200, found
    assert site.ask("/api/v1/dashboards", bearer=json.loads(found)["access_token"])[0] == 200
    assert traded(verifier)[0] == 400, "a code is good once"
