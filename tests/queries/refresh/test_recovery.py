"""What somebody deletes above the lake is there again after a tick: every row of docs/recovery.md about it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report_kills import views
from benchmarks.report_lab import Lab, tick
from infra.aws.deployed import Deployed
from infra.aws.doctor import served
from infra.local.cloud import LocalCloud
from queries.refresh.recovery import Lost
from queries.refresh.sealing import sealing_queries
from queries.service import ReportService
from tests.infra.local.firehose import test_interrupted_delivery as delivery
from tests.queries.refresh.test_lake_losses import DAMAGES
from tests.shop import CATALOG, SHOP, TABLES

HOURS = ("2026-01-05-10", "2026-01-05-11", "2026-01-05-12")
DAY = "2026-01-05"
HOURLY, DAILY, SEALED, VIEW = "traffic_by_hour", "top_pages_by_day", "web_events_hours", "page_viewed"


class Place:
    """One laboratory with three hours of events, its reports published and its hours sealed."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.lab = Lab.on(
            cloud,
            "recovered",
            {HOURLY: CATALOG[HOURLY], DAILY: CATALOG[DAILY], **sealing_queries(TABLES)},
        )
        for hour in HOURS:
            self.lab.put(hour, "o1", views(hour, 1))
        self.tick()
        self.tick()
        self.truth = self.seen()

    def service(self) -> ReportService:
        return self.lab.service()

    def tick(self) -> int:
        """A tick of a worker of its own; how many statements it ran."""
        return tick(self.service()).statements

    def seen(self) -> dict[str, Any]:
        """What readers see, and in what condition the ledger says that it is."""
        rows = self.lab.engine().rows
        states = [state for name in self.lab.queries for state in self.service().ledger.report(name)]
        return {
            "by hour": rows(f"SELECT event_hour, page_views FROM {HOURLY} ORDER BY 1").rows,
            "by day": rows(f"SELECT sum(page_views) FROM {DAILY} WHERE event_date = '{DAY}'").rows,
            "events": rows(f"SELECT event_hour, count(*) FROM {VIEW} GROUP BY 1 ORDER BY 1").rows,
            "ledger": {str(state.key): state.condition for state in states},
        }

    def lost(self) -> list[str]:
        """What a comparison finds missing."""
        service, found = self.service(), list[Lost]()
        for name in service.queries:
            found += service.recovery.lost(name, service.ledger.report(name), "", files=True)
        return [str(one) for one in found]

    def delete_partition(self, table: str, value: str) -> None:
        self.lab.client("glue").delete_partition(
            DatabaseName=self.lab.settings.database, TableName=table, PartitionValues=[value]
        )

    def delete_table(self, *names: str) -> None:
        for name in names:
            self.lab.client("glue").delete_table(DatabaseName=self.lab.settings.database, Name=name)

    def delete_database(self) -> None:
        glue, database = self.lab.client("glue"), self.lab.settings.database
        self.delete_table(*(table["Name"] for table in glue.get_tables(DatabaseName=database)["TableList"]))
        glue.delete_database(Name=database)

    def delete_files(self, report: str, value: str) -> None:
        state = next(s for s in self.service().ledger.report(report) if s.partition == value)
        assert state.published is not None
        s3, bucket = self.lab.client("s3"), self.lab.settings.reporting_bucket
        found = s3.list_objects_v2(Bucket=bucket, Prefix=state.published.location).get("Contents", [])
        assert found
        for each in found:
            s3.delete_object(Bucket=bucket, Key=each["Key"])

    def delete_items(self, wanted: Callable[[str, str], bool]) -> None:
        dynamodb, table = self.lab.client("dynamodb"), self.lab.settings.ledger_table
        items = dynamodb.scan(TableName=table)["Items"]
        chosen = [item for item in items if wanted(item["report"]["S"], item["partition"]["S"])]
        assert chosen
        for item in chosen:
            key = {"report": item["report"], "partition": item["partition"]}
            dynamodb.delete_item(TableName=table, Key=key)


@pytest.fixture(scope="module")
def place(local_cloud: LocalCloud) -> Iterator[Place]:
    place = Place(local_cloud)
    assert set(place.truth["ledger"].values()) == {"fresh"}
    assert [count for _, count in place.truth["by hour"]] == [3, 3, 3]
    yield place


LOSSES: dict[str, tuple[Callable[[Place], None], int]] = {
    "report partition": (lambda place: place.delete_partition(HOURLY, HOURS[1]), 0),
    "report table": (lambda place: place.delete_table(HOURLY, DAILY), 0),
    "report file": (lambda place: place.delete_files(DAILY, DAY), 1),
    "view": (lambda place: place.delete_table(VIEW), 0),
    "lake table": (lambda place: place.delete_table("web_events"), 0),
    "database": (lambda place: place.delete_database(), 0),
    "some ledger items": (
        lambda place: place.delete_items(lambda name, value: value in (HOURS[0], DAY)),
        0,
    ),
    "all ledger items": (lambda place: place.delete_items(lambda *_: True), 0),
    "sealed hour": (lambda place: place.delete_partition(SEALED, HOURS[1]), 0),
    "sealed file": (lambda place: place.delete_files(SEALED, HOURS[2]), 1),
}
"""What is lost, and how many statements it costs to have it back."""
DELIVERY = {
    "delivery checkpoints": delivery.test_a_lost_checkpoint_delivers_again_what_waited_and_skips_nothing
}
"""Losses that no tick repairs, since nothing above the stream is concerned, and the tests that hold their rows."""


def test_the_document_has_a_row_for_every_loss_that_is_tried_and_no_other() -> None:
    text = Path(__file__).parents[3].joinpath("docs/recovery.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+) \|.*\| (\d+) \| [^|]+ \|$", text, re.MULTILINE)
    assert [name for name, _ in rows] == [*LOSSES, *DAMAGES, *DELIVERY]
    assert {name for name, ticks in rows if ticks == "0"} == set(DELIVERY)
    assert {ticks for name, ticks in rows if name not in DELIVERY} == {"1"}


@pytest.mark.cloud
@pytest.mark.parametrize("what", LOSSES)
def test_a_tick_brings_it_back(place: Place, what: str) -> None:
    lose, statements = LOSSES[what]
    lose(place)
    assert (place.tick(), place.seen()) == (statements, place.truth)
    assert place.lost() == []
    assert place.tick() == 0


@pytest.mark.cloud
def test_what_is_lost_is_named_before_it_is_repaired(place: Place) -> None:
    place.delete_partition(HOURLY, HOURS[0])
    place.delete_files(DAILY, DAY)
    place.delete_items(lambda name, value: (name, value) == (HOURLY, HOURS[2]))
    assert place.lost() == [
        f"{HOURLY}/{HOURS[0]} is not what the catalog shows",
        f"{HOURLY}/{HOURS[2]} is not in the ledger as the catalog shows it",
        f"{DAILY}/{DAY} lacks files",
    ]
    outputs: Any = place.lab.settings
    found = served(Deployed(place.lab.client, outputs, SHOP, SHOP.default))
    assert not found.holds
    assert f"{DAILY}/{DAY} lacks files" in found.seen
    place.tick()
    assert place.lost() == []
    assert place.seen() == place.truth
    assert served(Deployed(place.lab.client, outputs, SHOP, SHOP.default)).holds
