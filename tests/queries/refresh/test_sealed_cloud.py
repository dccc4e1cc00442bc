"""Sealing on the local cloud, by the command: what lies where, what readers see, what reports notice."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.local.cloud import LocalCloud
from queries.commands.cli import reports_app
from tests.queries.cloud import Chain
from tests.queries.events import page_viewed
from tests.shop import SHOP

pytestmark = pytest.mark.cloud

HOURS = ("2023-05-04-10", "2023-05-04-11", "2023-05-04-12")
LATE = HOURS[1]
MINE = "sealing-test"
BETWEEN = f"event_hour BETWEEN '{HOURS[0]}' AND '{HOURS[-1]}'"


class Here:
    """What the commands find in `ctx.obj`."""

    json = True
    project = SHOP

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def client(self, service: str) -> Any:
        return self._chain.client(service)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain.outputs, name)


@dataclass(frozen=True)
class Snapshot:
    """The hours at one moment.

    Attributes:
        locations: where each hour's partition lies.
        objects: how many objects lie there.
        rows: rows of the table of hours; `arrived` of the lake table; `viewed` of the view.
        told: what `penstock reports hours` says of each hour.
        reports: keys and contents' hashes of the served files of two reports.
    """

    locations: Mapping[str, str]
    objects: Mapping[str, int]
    rows: Mapping[str, int]
    arrived: Mapping[str, int]
    viewed: Mapping[str, int]
    told: Mapping[str, str]
    reports: frozenset[tuple[str, str]]


class Observed:
    """The running chain, and what can be asked of it."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self._glue, self._s3 = chain, chain.client("glue"), chain.client("s3")

    def command(self, *arguments: str) -> Any:
        """What `penstock reports ...` answers."""
        done = CliRunner().invoke(reports_app, arguments, obj=Here(self.chain))
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def seal(self) -> dict[str, Any]:
        found: dict[str, Any] = self.command("seal", "--from", HOURS[0], "--to", HOURS[-1], "--yes")
        return found

    def snapshot(self) -> Snapshot:
        locations = {hour: self._location("web_events_hours", hour) for hour in HOURS}
        return Snapshot(
            locations=locations,
            objects={hour: len(self._objects(location)) for hour, location in locations.items()},
            rows=self._counts("web_events_hours"),
            arrived=self._counts("web_events"),
            viewed=self._counts("page_viewed"),
            told={
                row["hour"]: row["condition"]
                for row in self.command("hours", "--from", HOURS[0], "--to", HOURS[-1])
            },
            reports=frozenset(
                found
                for report, partitions in (("traffic_by_hour", HOURS), ("top_pages_by_day", ["2023-05-04"]))
                for partition in partitions
                for found in self._objects(self._location(report, partition))
            ),
        )

    def _location(self, table: str, value: str) -> str:
        found = self._glue.get_partition(
            DatabaseName=self.chain.outputs.database, TableName=table, PartitionValues=[value]
        )
        return str(found["Partition"]["StorageDescriptor"]["Location"])

    def _objects(self, location: str) -> Sequence[tuple[str, str]]:
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return [(found["Key"], found["ETag"]) for found in listed]

    def _counts(self, table: str) -> dict[str, int]:
        sql = f"SELECT event_hour, count(*) AS n FROM {table} WHERE {BETWEEN} GROUP BY event_hour"
        return {row["event_hour"]: row["n"] for row in self.chain.records(sql)}


@dataclass(frozen=True)
class Story:
    observed: Observed
    opened: Snapshot
    sealed: Snapshot
    reopened: Snapshot
    resealed: Snapshot
    first: Mapping[str, Any]
    again: Mapping[str, Any]


@pytest.fixture(scope="module")
def story(local_cloud: LocalCloud) -> Iterator[Story]:
    """Thirty events an hour in three deliveries, ten of them twice; sealed; one late event; sealed again."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in local_cloud.environment().items():
            patch.setenv(name, value)
        observed = Observed(Chain.of(local_cloud))
        chain = observed.chain
        for part in range(3):
            for hour in HOURS:
                events = [page_viewed(hour, number, producer=MINE) for number in range(1, 31)]
                chain.put([*events[part * 10 : part * 10 + 10], *(events[:10] if part == 2 else [])])
            chain.deliver()
        chain.refresh()
        opened = observed.snapshot()
        first = observed.seal()
        sealed = observed.snapshot()
        again = observed.seal()
        chain.put([page_viewed(LATE, 100, producer=MINE)])
        chain.deliver()
        chain.refresh()
        reopened = observed.snapshot()
        observed.seal()
        yield Story(observed, opened, sealed, reopened, observed.snapshot(), first, again)


def every(value: Any) -> dict[str, Any]:
    return dict.fromkeys(HOURS, value)


def test_an_open_hour_lies_at_its_lake_objects(story: Story) -> None:
    lake = story.observed.chain.outputs.lake_bucket
    assert story.opened.locations == {h: f"s3://{lake}/web_events/event_hour={h}/" for h in HOURS}
    assert story.opened.told == every("open")
    assert story.opened.rows == story.opened.arrived == every(40)
    assert story.opened.viewed == every(30)


def test_a_sealed_hour_is_one_file_with_each_event_once(story: Story) -> None:
    assert all("/sealed/web_events_hours/v1/run=" in where for where in story.sealed.locations.values())
    assert story.opened.objects == every(3)
    assert story.sealed.objects == every(1)
    assert story.sealed.rows == story.sealed.viewed == every(30)
    assert story.sealed.arrived == every(40)
    assert story.sealed.told == every("sealed")
    assert (story.first["partitions"], story.first["statements"]) == (3, 1)


def test_sealing_again_computes_nothing(story: Story) -> None:
    assert (story.again["partitions"], story.again["statements"]) == (0, 0)


def test_a_late_event_opens_exactly_its_hour(story: Story) -> None:
    assert story.reopened.told == every("sealed") | {LATE: "reopened"}
    assert story.reopened.locations == {**story.sealed.locations, LATE: story.opened.locations[LATE]}
    assert story.reopened.viewed == every(30) | {LATE: 31}


def test_the_hour_is_sealed_again_with_the_late_event_and_the_others_stay_as_they_are(story: Story) -> None:
    assert story.resealed.told == every("sealed")
    assert story.resealed.rows == story.resealed.viewed == every(30) | {LATE: 31}
    moved = [hour for hour in HOURS if story.resealed.locations[hour] != story.sealed.locations[hour]]
    assert moved == [LATE]
    assert story.resealed.objects == every(1)


def test_sealed_rows_are_the_lakes_first_copies_in_every_column(story: Story) -> None:
    columns = "event_id, event_type, event_time, arrival_time, is_late, seq, client_key, page_viewed"
    first = (
        "row_number() OVER (PARTITION BY event_hour, event_id ORDER BY arrival_time, producer_id, epoch, seq)"
    )
    rows = story.observed.chain.records
    assert rows(f"SELECT {columns} FROM web_events_hours WHERE {BETWEEN} ORDER BY event_id") == rows(
        f"SELECT {columns} FROM (SELECT *, {first} AS copy FROM web_events WHERE {BETWEEN}) AS copies "
        "WHERE copy = 1 ORDER BY event_id"
    )


def test_sealing_changes_no_byte_of_a_report(story: Story) -> None:
    assert story.opened.reports
    assert story.sealed.reports == story.opened.reports
    assert story.resealed.reports == story.reopened.reports


def test_a_sealed_hour_scans_fewer_bytes_than_its_lake_objects(story: Story) -> None:
    def scanned(table: str) -> int:
        sql = f"SELECT event_id, page_viewed.path FROM {table} WHERE event_hour = '{HOURS[0]}'"
        return story.observed.chain.rows(sql).bytes_scanned

    assert 0 < scanned("web_events_hours") < scanned("web_events")


def test_sealed_hours_are_not_report_in_the_table_of_freshness(story: Story) -> None:
    sql = "SELECT * FROM report_freshness WHERE report = 'web_events_hours'"
    assert story.observed.chain.records(sql) == []
