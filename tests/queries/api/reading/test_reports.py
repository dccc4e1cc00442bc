"""What there is, how fresh it is, where its files lie; and that no request makes the API fail."""

import os
import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from queries.api.reading.cursors import Cursor, cursor_text
from queries.api.routes import ROUTES
from tests.queries.api.reading.world import NOW, PLAIN, SALES, World, sale

HOURS = [f"2026-11-24-{hour:02d}" for hour in range(4)]


def filled() -> World:
    world = World()
    for hour in HOURS:
        world.publish(SALES, hour, [sale("DE", "a"), sale("JP", "b")])
    world.mark(SALES, "2026-11-24-09")
    return world


def test_a_report_says_what_it_is_and_how_fresh() -> None:
    world = filled()
    found = {each["name"]: each for each in world.get("/v1/reports").json["reports"]}
    assert found["plain"] == {
        "name": "plain", "title": "Plain", "grain": "event_date", "zone": "UTC", "schema_version": 1,
        "version": found["plain"]["version"], "newest": None, "as_of": None, "published_at": None,
        "stale": False, "access": "all",
    }  # fmt: skip
    sales = world.get("/v1/reports/sales").json
    assert sales["columns"][:2] == [
        {"name": "event_hour", "type": "varchar"},
        {"name": "country", "type": "varchar"},
    ]
    assert {**found["sales"], "columns": sales["columns"], "keys": ["country", "product"]} == sales
    assert (sales["newest"], sales["stale"]) == (HOURS[-1], True)
    assert sales["as_of"] == "2027-01-15T08:00:00.000Z"


def test_the_version_changes_with_each_publish_and_with_nothing_else() -> None:
    world = filled()
    one = world.get("/v1/reports/sales")
    again = world.get("/v1/reports/sales", if_none_match=one.headers["etag"])
    assert (again.status, again.body) == (304, "")
    world.mark(SALES, HOURS[0])
    marked = world.get("/v1/reports/sales")
    assert marked.json["version"] == one.json["version"]
    world.publish(SALES, HOURS[0], [sale("DE", "a"), sale("JP", "b")])
    published = world.get("/v1/reports/sales", if_none_match=one.headers["etag"])
    assert published.status == 200
    assert published.json["version"] != one.json["version"]


def test_files_are_those_of_what_is_published_and_the_rest_is_a_period_later() -> None:
    world = filled()
    world.publish(SALES, HOURS[0], [sale("DE", "a"), sale("DE", "b")], files=2)
    answer = world.get("/v1/reports/sales/files", query={"from": HOURS[0], "limit": 2})
    files = answer.json["files"]
    assert [each["partition"] for each in files] == [HOURS[0], HOURS[0], HOURS[1]]
    for each in files:
        key = each["url"].removeprefix("https://bucket/").removesuffix("?expires=300")
        assert len(world.objects.kept[key]) == each["bytes"]
        assert "/run=1/" not in key, "an earlier version"
        assert each["expires_at"] == "2027-01-15T08:05:00.000Z"
    assert NOW == 1_800_000_000_000
    assert answer.json["next"] == HOURS[2]
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    rest = world.get("/v1/reports/sales/files", query={"from": HOURS[2], "to": HOURS[3]}).json
    assert ([each["partition"] for each in rest["files"]], rest["next"]) == (HOURS[2:], None)


def test_freshness_is_of_every_report_or_of_one() -> None:
    world = filled()
    world.publish(PLAIN, "2026-11-24", [{"name": "a"}])
    everything = world.get("/v1/freshness", query={"limit": 2}).json["partitions"]
    assert [(each["report"], each["partition"], each["condition"]) for each in everything] == [
        ("sales", HOURS[3], "fresh"),
        ("sales", "2026-11-24-09", "stale"),
        ("plain", "2026-11-24", "fresh"),
    ]
    assert everything[1]["published_at"] is None
    one = world.get("/v1/freshness", query={"report": "sales", "from": HOURS[1], "limit": 1}).json
    assert (one["next"], one["partitions"][0]["partition"]) == (HOURS[2], HOURS[1])
    assert one["partitions"][0]["is_complete"] is True
    assert "rows" not in one["partitions"][0]


def test_what_there_is_not_is_said_to_be_missing() -> None:
    world = filled()
    for path in ("/v1/reports/nothing", "/v1/reports/nothing/rows", "/v1/reports/~run/files"):
        answer = world.get(path)
        assert (answer.status, answer.json["title"]) == (404, "no such report")
        assert "There are: sales, plain." in answer.json["detail"]
    assert world.get("/v1/freshness", query={"report": "~run"}).status == 404
    assert world.get("/v1/nothing").json["title"] == "no such route"
    assert world.get("/v1/freshness", query={"from": HOURS[0]}).status == 400


EXAMPLES = int(os.environ.get("PENSTOCK_TEST_REQUESTS", "40"))
_TEXT = st.text(max_size=20) | st.sampled_from(
    ["\x00", "1" * 400, "-0", "1e400", "2026-11-24-03", "~", "'\"", "9" * 19]
)
_NAMES = ["from", "to", "limit", "cursor", "report", "event_hour", *(column.name for column in SALES.columns)]
_CURSORS = st.builds(
    cursor_text,
    st.builds(Cursor, st.sampled_from([*HOURS, "x"]), st.integers(-1, 2**60), st.integers(-1, 2**60)),
)
_QUERIES = st.dictionaries(
    st.sampled_from(_NAMES) | _TEXT, st.lists(_TEXT | _CURSORS, max_size=3), max_size=4
)
_PATHS = (
    st.sampled_from([route.path.replace("{name}", "sales") for route in ROUTES if route.function == "reader"])
    | st.text(string.printable + "ä\x00", max_size=30).map(lambda text: f"/v1/reports/{text}")
    | _TEXT
)
_RANDOM = filled()


@settings(max_examples=EXAMPLES)
@given(
    path=_PATHS,
    query=_QUERIES | _TEXT,
    method=st.sampled_from(["GET", "GET", "GET", "POST", "PUT", "HEAD", "OPTIONS"]),
    groups=st.sampled_from(["viewers board", "viewers emea", "operators", "", None]),
    accept=st.sampled_from(["", "text/csv", "*/*;q=2", "application/json;q=0.5"]) | _TEXT,
    known=st.sampled_from(["", "*", '"a", W/"b"']) | _TEXT,
)
def test_no_request_makes_the_api_fail(
    path: str, query: Any, method: str, groups: str | None, accept: str, known: str
) -> None:
    answer = _RANDOM.get(path, groups, query=query, method=method, accept=accept, if_none_match=known)
    assert answer.status < 500, answer
    assert answer.status in (200, 304) or answer.headers["content-type"] == "application/problem+json"


@settings(max_examples=30)
@given(value=st.text(max_size=30), column=st.sampled_from(["country", "product"]))
def test_a_text_finds_the_rows_that_have_it_and_no_other(value: str, column: str) -> None:
    rows = _RANDOM.rows("/v1/reports/sales/rows", **{column: [value]})
    assert [row[column] for row in rows] == [value] * len(rows)
    assert len(rows) == (4 if value in {"country": ("DE", "JP"), "product": ("a", "b")}[column] else 0)
