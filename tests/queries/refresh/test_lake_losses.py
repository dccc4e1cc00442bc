"""What happens to objects of the lake, and what that may not do: shrink a report that is called fresh."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest

from benchmarks.report_kills import views
from benchmarks.report_lab import Lab, parquet, tick
from infra.accounting.evidence import readable
from infra.local.cloud import LocalCloud
from queries.ledger.state import PartitionState
from queries.requests import Request
from queries.service import ReportService
from tests.shop import CATALOG

pytestmark = pytest.mark.cloud

HOURLY, DAILY = "traffic_by_hour", "top_pages_by_day"


class Lake:
    """A laboratory whose lake somebody damages; each trial has a day of its own."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.lab = Lab.on(cloud, "losses", {name: CATALOG[name] for name in (HOURLY, DAILY)})
        self.s3, self.bucket = self.lab.client("s3"), self.lab.settings.lake_bucket
        self.day, self.worker = 0, self.lab.service()

    def begin(self) -> tuple[str, str]:
        """Two published hours of a new day, with two objects each; their names."""
        self.day += 1
        hours = (f"2026-02-{self.day:02}-10", f"2026-02-{self.day:02}-11")
        for hour in hours:
            for number in (1, 2):
                self.lab.put(hour, f"o{number}", views(hour, number))
        tick(self.worker)
        assert {self.state(HOURLY, hour).condition for hour in hours} == {"fresh"}
        return hours

    def state(self, report: str, partition: str) -> PartitionState:
        return next(one for one in self.service().ledger.report(report) if one.partition == partition)

    def service(self) -> ReportService:
        return self.worker

    def key(self, hour: str, name: str = "o1") -> str:
        return f"web_events/event_hour={hour}/{name}.parquet"

    def put(self, hour: str, body: bytes, name: str = "o1") -> None:
        self.s3.put_object(Bucket=self.bucket, Key=self.key(hour, name), Body=body)

    def delete(self, hour: str, name: str = "o1") -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=self.key(hour, name))

    def seen(self, day: str) -> tuple[Any, Any]:
        rows = self.lab.engine().rows
        hourly = f"SELECT event_hour, page_views FROM {HOURLY} WHERE event_hour LIKE '{day}%' ORDER BY 1"
        daily = f"SELECT sum(page_views) FROM {DAILY} WHERE event_date = '{day}'"
        return rows(hourly).rows, rows(daily).rows


@pytest.fixture(scope="module")
def lake(local_cloud: LocalCloud) -> Iterator[Lake]:
    yield Lake(local_cloud)


def without(column: str, hour: str) -> bytes:
    """A lake object that lacks a column."""
    table = pq.read_table(io.BytesIO(parquet(views(hour, 9)))).drop_columns([column])
    body = io.BytesIO()
    pq.write_table(table, body)
    return body.getvalue()


DAMAGES: dict[str, tuple[Callable[[Lake, str], None], str]] = {
    "missing object": (lambda lake, hour: lake.delete(hour), "the hour {hour} had 2 objects and has 1"),
    "empty object": (lambda lake, hour: lake.put(hour, b""), "{hour}"),
    "truncated object": (
        lambda lake, hour: lake.put(hour, parquet(views(hour, 1))[:-50]),
        "web_events/event_hour={hour}/o1.parquet is not a whole Parquet file",
    ),
    "foreign object": (
        lambda lake, hour: lake.put(hour, b"a note of somebody", "note"),
        "web_events/event_hour={hour}/note.parquet is not a whole Parquet file",
    ),
    "object without a column": (
        lambda lake, hour: lake.put(hour, without("page_viewed", hour), "o9"),
        "web_events/event_hour={hour}/o9.parquet lacks the column page_viewed",
    ),
}
"""What somebody does to an hour, and what its partitions then say."""


@pytest.mark.parametrize("what", DAMAGES)
def test_the_hour_and_its_day_are_quarantined_by_name_and_shown_as_before(lake: Lake, what: str) -> None:
    damage, says = DAMAGES[what]
    hour, other = lake.begin()
    before = lake.seen(hour[:10])
    assert before == ([(hour, 6), (other, 6)], [(12,)])
    damage(lake, hour)
    lake.lab.put(other, "o3", views(other, 3))
    tick(lake.worker)
    for report, partition in ((HOURLY, hour), (DAILY, hour[:10])):
        state = lake.state(report, partition)
        assert state.condition == "quarantined"
        assert says.format(hour=hour) in state.last_error
    # The neighbour goes on; what is quarantined is shown as it was published.
    assert lake.seen(hour[:10]) == ([(hour, 6), (other, 9)], [(12,)])
    assert tick(lake.worker).statements == 0


def test_the_quarantine_ends_when_the_object_is_back(lake: Lake) -> None:
    hour, _ = lake.begin()
    body = lake.s3.get_object(Bucket=lake.bucket, Key=lake.key(hour))["Body"].read()
    lake.delete(hour)
    tick(lake.worker)
    assert lake.state(HOURLY, hour).condition == "quarantined"
    lake.put(hour, body)
    assert tick(lake.worker).statements == 0
    assert {lake.state(HOURLY, hour).condition, lake.state(DAILY, hour[:10]).condition} == {"fresh"}


def test_a_loss_that_is_accepted_is_computed_and_stays_accepted(lake: Lake) -> None:
    hour, other = lake.begin()
    lake.delete(hour)
    tick(lake.worker)
    lake.worker.prepare(Request("refresh", everything=True, accept_missing=True))
    tick(lake.worker)
    assert lake.seen(hour[:10]) == ([(hour, 3), (other, 6)], [(9,)])
    lake.lab.put(hour, "o4", views(hour, 4))
    tick(lake.worker)
    assert lake.seen(hour[:10]) == ([(hour, 6), (other, 6)], [(12,)])


def test_a_loss_that_nobody_has_noticed_yet_is_accepted_in_one_request(lake: Lake) -> None:
    hour, other = lake.begin()
    lake.delete(hour)
    lake.worker.prepare(Request("refresh", everything=True, accept_missing=True))
    tick(lake.worker)
    assert lake.seen(hour[:10]) == ([(hour, 3), (other, 6)], [(9,)])


def test_an_object_whose_rows_were_all_taken_back_is_not_a_loss(lake: Lake) -> None:
    hour, other = lake.begin()
    lake.lab.put(hour, "o1", [])
    tick(lake.worker)
    assert lake.seen(hour[:10]) == ([(hour, 3), (other, 6)], [(9,)])
    assert lake.state(HOURLY, hour).condition == "fresh"


def test_an_hour_without_any_object_left_is_noticed(lake: Lake) -> None:
    hour, other = lake.begin()
    for name in ("o1", "o2"):
        lake.delete(hour, name)
    tick(lake.worker)
    assert "had 2 objects and has 0" in lake.state(HOURLY, hour).last_error
    assert lake.seen(hour[:10]) == ([(hour, 6), (other, 6)], [(12,)])


def test_an_accounting_leaves_out_an_hour_that_cannot_be_read_and_names_its_object(lake: Lake) -> None:
    hour, other = lake.begin()
    lake.put(hour, parquet(views(hour, 1))[:-50])
    unreadable: dict[str, str] = {}
    sql = "SELECT event_hour, count(*) FROM {table} WHERE seq > 0 GROUP BY event_hour"
    rows = readable(lake.lab.engine(), sql, "web_events", unreadable)
    assert lake.key(hour) in unreadable[hour]
    assert (other, 6) in [tuple(row) for row in rows]
