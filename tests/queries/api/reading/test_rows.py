"""Pages of rows: all of them, once, in one order; filtered, as JSON and as CSV; unchanged ones not again."""

import csv
import os
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from queries.api.reading import duckdb_rows, pages
from tests.queries.api.reading.world import PLAIN, SALES, World, sale

HOURS = [f"2026-11-24-{hour:02d}" for hour in range(6)]
ROWS = "/v1/reports/sales/rows"
FULL = {
    "country": "DE", "product": 'a "b", c\n', "orders": 2**62, "share": 0.1, "amount": Decimal("12.30"),
    "day": date(2026, 11, 24), "at": datetime(2026, 11, 24, 10, 1, 2), "is_new": True, "items": -3,
}  # fmt: skip


@pytest.fixture
def world() -> World:
    made = World()
    for number, hour in enumerate(HOURS):
        made.publish(SALES, hour, [sale("DE", f"p{one:02d}", one) for one in range(number + 3)], files=2)
    return made


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_the_pages_together_have_every_row_once_in_order(world: World, limit: int) -> None:
    found = world.rows(ROWS, limit=limit)
    assert len(found) == sum(range(3, 9))
    named = [(row["event_hour"], row["country"], row["product"]) for row in found]
    assert named == sorted(set(named))


def test_a_period_has_its_first_and_its_last_partition(world: World) -> None:
    found = world.rows(ROWS, **{"from": HOURS[1], "to": HOURS[2]})
    assert {row["event_hour"] for row in found} == {HOURS[1], HOURS[2]}
    assert len(found) == 4 + 5


def test_a_page_reads_no_more_partitions_than_it_takes(world: World) -> None:
    world.get(ROWS, query={"limit": 2})
    assert {key.split("/")[4] for key in world.objects.fetched} == {f"event_hour={HOURS[0]}"}
    before = len(world.objects.fetched)
    world.get(ROWS, query={"limit": 2, "orders": 0})
    world.get(ROWS, query={"limit": 2})
    assert len(world.objects.fetched) == before + 2 * 5, "what was read once is not read again"


def test_a_page_asks_the_ledger_for_few_partitions_unless_rows_are_chosen(world: World) -> None:
    for number in range(40):
        world.publish(SALES, f"2026-12-{1 + number // 24:02d}-{number % 24:02d}", [sale("DE", "a")])
    for query, most in (({"limit": 3}, pages.FEW), ({"limit": 20}, 46), ({"limit": 3, "orders": 7}, 46)):
        before = world.standings.given
        assert world.get(ROWS, query=query).status == 200
        assert world.standings.given - before <= most
    assert len(world.rows(ROWS, limit=7, **{"from": "2026-12-01-00"})) == 40


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("country", "DE"), ("product", FULL["product"]), ("orders", 2**62), ("share", "0.1"), ("amount", "12.3"),
        ("day", "2026-11-24"), ("at", "2026-11-24T10:01:02"), ("is_new", "true"), ("items", "-3"),
    ],
)  # fmt: skip
def test_a_column_of_every_type_is_a_filter(world: World, column: str, value: Any) -> None:
    hour = "2026-11-25-00"
    world.publish(SALES, hour, [FULL, sale("FR", "z")])
    [found] = world.rows(ROWS, **{"from": hour, column: [value]})
    assert found == {
        "event_hour": hour, "country": "DE", "product": 'a "b", c\n', "orders": 2**62, "share": 0.1,
        "amount": "12.30", "day": "2026-11-24", "at": "2026-11-24T10:01:02", "is_new": True, "items": -3,
    }  # fmt: skip


def test_a_column_may_be_given_several_values_and_all_columns_must_match(world: World) -> None:
    found = world.rows(
        ROWS, **{"from": HOURS[0], "to": HOURS[0], "product": ["p00", "p02", "x"], "orders": [0, 1]}
    )
    assert [row["product"] for row in found] == ["p00"]


def test_csv_has_the_rows_of_json_and_tells_null_from_an_empty_text(world: World) -> None:
    hour = "2026-11-25-00"
    world.publish(SALES, hour, [FULL, sale(None, ""), sale("FR", "=1+1")])
    answer = world.get(ROWS, query={"from": hour, "limit": 2}, accept="text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    rows = list(csv.reader(StringIO(answer.body, newline="")))
    assert rows[0] == ["event_hour", *(column.name for column in SALES.columns)]
    assert rows[1][:5] == [hour, "DE", 'a "b", c\n', str(2**62), "0.1"]
    assert len(rows) == 3
    query = {"from": hour, "limit": 2, "cursor": answer.headers["penstock-next"]}
    rest = world.get(ROWS, query=query, accept="text/csv")
    assert rest.body.splitlines()[1].startswith(f'"{hour}",,"",1,,')
    assert "penstock-next" not in rest.headers


def test_what_is_unchanged_is_not_sent_and_not_read_again(world: World) -> None:
    query = {"from": HOURS[0], "to": HOURS[1]}
    first = world.get(ROWS, query=query)
    fetched = len(world.objects.fetched)
    again = world.get(ROWS, query=query, if_none_match=f'"x", W/{first.headers["etag"]}')
    assert (again.status, again.body, again.headers["etag"]) == (304, "", first.headers["etag"])
    assert len(world.objects.fetched) == fetched
    for other in ({"limit": 5}, {"orders": 1}, {"to": HOURS[2]}):
        assert world.get(ROWS, query=query | other, if_none_match=first.headers["etag"]).status == 200
    assert world.get(ROWS, query=query, if_none_match=first.headers["etag"], accept="text/csv").status == 200
    world.publish(SALES, HOURS[1], [sale("DE", "new")])
    changed = world.get(ROWS, query=query, if_none_match=first.headers["etag"])
    assert changed.status == 200
    assert changed.json["rows"][-1]["product"] == "new"
    world.publish(SALES, HOURS[4], [])
    assert world.get(ROWS, query=query, if_none_match=changed.headers["etag"]).status == 304


def test_a_page_goes_on_in_the_version_that_it_began_in(world: World) -> None:
    first = world.get(ROWS, query={"limit": 2}).json
    world.publish(SALES, HOURS[0], [sale("DE", "p00"), sale("DE", "p01")])
    second = world.get(ROWS, query={"limit": 2, "cursor": first["next"]}).json
    assert [(row["event_hour"], row["product"]) for row in second["rows"]] == [
        (HOURS[0], "p02"),
        (HOURS[1], "p00"),
    ]
    for _ in range(4):
        world.publish(SALES, HOURS[0], [sale("DE", "p00")])
    gone = world.get(ROWS, query={"limit": 2, "cursor": first["next"]})
    assert (gone.status, gone.json["title"]) == (410, "cursor gone")
    assert f"from={HOURS[0]}" in gone.json["detail"]


def test_a_long_period_goes_on_behind_what_one_page_looks_through() -> None:
    world = World([PLAIN])
    days = [f"2026-{month:02d}-{day:02d}" for month in range(1, 10) for day in range(1, 25)]
    for day in days:
        world.publish(PLAIN, day, [{"name": day}])
    found = list(world.pages("/v1/reports/plain/rows", name=[days[150], days[215]]))
    assert [len(page.json["rows"]) for page in found] == [0, 1, 1]
    assert world.rows("/v1/reports/plain/rows") == [{"event_date": day, "name": day} for day in days]


def test_a_page_that_would_be_too_large_ends_before(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_BYTES", 400)
    sizes = [len(page.json["rows"]) for page in world.pages(ROWS)]
    assert sum(sizes) == sum(range(3, 9))
    assert max(sizes) < 4


def test_what_is_kept_in_memory_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = world.rows(ROWS)
    monkeypatch.setattr(duckdb_rows, "KEPT_BYTES", 3 * len(world.objects.kept[world.objects.fetched[0]]))
    assert World(like=world).rows(ROWS, limit=3) == expected
    monkeypatch.setattr(duckdb_rows, "LARGEST_PARTITION", 10)
    refused = World(like=world).get(ROWS)
    assert (refused.status, refused.json["title"]) == (413, "partition too large")


@pytest.mark.parametrize("fault", ["missing", "damaged", "too few"])
def test_rows_that_are_not_there_are_no_empty_page(fault: str) -> None:
    world = World()
    published = world.publish(SALES, HOURS[0], [sale("DE", "a")], counted=2 if fault == "too few" else None)
    key = f"{published.location}0.parquet"
    if fault == "missing":
        del world.objects.kept[key]
    elif fault == "damaged":
        world.objects.kept[key] = b"PAR1 DE PAR1"
    for _ in range(2):
        answer = world.get(ROWS)
        assert (answer.status, answer.json["title"], answer.headers["retry-after"]) == (
            503,
            "rows missing",
            "5",
        )
    world.publish(SALES, HOURS[0], [sale("DE", "a")])
    assert len(world.rows(ROWS)) == 1


def test_a_column_that_was_added_later_is_null_in_older_files() -> None:
    world = World()
    world.publish(SALES, HOURS[0], [sale("DE", "a", items=1)], without="items")
    world.publish(SALES, HOURS[1], [sale("DE", "a", items=1)])
    assert [row["items"] for row in world.rows(ROWS)] == [None, 1]


_IN_TOKYO = """
import sys
from pathlib import Path
from queries.api.reading import duckdb_rows, port
from queries.ledger.state import Published
from tests.queries.api.reading.world import SALES, MemoryObjects
objects = MemoryObjects({"a/0.parquet": Path(sys.argv[1]).read_bytes()})
version = port.Version("2026-11-24-10", Published(location="a/", fence=1, published_at=1, rows=1))
[row] = duckdb_rows.DuckDbRows(objects).rows(port.Selection(SALES, {}), [version], skip=0, limit=2)
print(row.values[6].isoformat())
"""


def test_timestamps_are_of_utc_in_every_zone(tmp_path: Path) -> None:
    moments = pa.array([datetime(2026, 11, 24, 10, 1, 2)], pa.timestamp("us", tz="UTC"))
    pq.write_table(pa.table({"at": moments}), tmp_path / "a.parquet")
    ran = subprocess.run(
        [sys.executable, "-c", _IN_TOKYO, str(tmp_path / "a.parquet")],
        env={**os.environ, "TZ": "Asia/Tokyo"}, cwd=Path(__file__).parents[4],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.strip() == "2026-11-24T10:01:02"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("limit=0", "from 1 to 1000"), ("limit=1&limit=2", "limit is there 2 times"), ("limit=%C2%B2", "from 1 to"),
        ("from=2026-11-24", "like 2026-11-24-10"), ("from=2026-11-24-11&to=2026-11-24-10", "ends"),
        ("nothing=1", "There are: from, to, limit, cursor, country"), ("cursor=x", "cursor cannot be read"),
        ("cursor=WyIyMDI2IiwxLDFd", "cursor: '2026' is not"), ("orders=a", "not a value of the type bigint"),
        (f"orders={2**63}", "bigint"), (f"items={2**31}", "integer"), ("share=nan", "double"), ("share=", "double"),
        ("amount=1e99", "decimal"), ("is_new=yes", "boolean"), ("day=2026-13-01", "date"), ("%ff=1", "UTF-8"),
        ("at=2026-11-24T10:00:00Z", "timestamp"), ("&".join(["a=1"] * 60), "at most 50"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_refused_with_what_is_wrong(
    world: World, query: str, words: str
) -> None:
    answer = world.get(ROWS, query=query)
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert words in answer.json["detail"]
    assert answer.json["request_id"] == "r-1"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"), ("*/*", "application/json"), ("text/csv", "text/csv"), ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/json", "application/json"), ("application/json;q=0.1,text/csv", "text/csv"),
        ("image/png", "application/problem+json"), ("text/csv;q=0", "application/problem+json"),
        ("application/xml, */*;q=0.1", "application/json"), ("text/csv;q=x", "application/problem+json"),
    ],
)  # fmt: skip
def test_the_media_type_is_the_one_that_the_caller_prefers(world: World, accept: str, kind: str) -> None:
    answer = world.get(ROWS, query={"limit": 1}, accept=accept)
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.status == (406 if "problem" in kind else 200)
