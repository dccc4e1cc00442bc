"""A reference table on a running cloud: published by a swap, and the reports that join it follow it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.report_kills import views
from benchmarks.report_lab import Lab, tick, wall_clock
from infra.local.cloud import LocalCloud
from queries.partitions import Key
from queries.reference.declaration import ReferenceTable, parse_reference
from queries.reference.glue import GlueReferenceStore
from queries.reference.port import MissingTableError
from queries.reference.publishing import Published, outdated, publish
from queries.reference.reading import data_file, read_rows
from queries.refresh.catalog import ReportQuery
from queries.store.tables import reference_table_input
from tests.queries.reports import declared

pytestmark = pytest.mark.cloud

NAMES = """title = "Names of event types"
owner = "tests"
keys = ["event_type"]

[columns]
event_type = "varchar"
name = "varchar"
"""
HOURS = ("2026-03-01-10", "2026-03-01-11")
JOINED: ReportQuery = declared(
    "SELECT w.event_hour, n.name AS name, count(*) AS events FROM web_events AS w "
    "JOIN reference_types AS n ON n.event_type = w.event_type GROUP BY w.event_hour, n.name",
    name="named_by_hour",
    columns="name varchar, events bigint",
    more="-- keys: name\n-- reference: types",
)
ALONE: ReportQuery = declared(name="all_by_hour")


class World:
    """A laboratory with two reports, one of which joins the table of names."""

    def __init__(self, cloud: LocalCloud, folder: Path) -> None:
        queries = {query.report.name: query for query in (JOINED, ALONE)}
        self.lab, self.folder = Lab.on(cloud, "references", queries), folder
        self.service = self.lab.service()
        self.table: ReferenceTable = parse_reference(NAMES, str(folder / "types.toml"))
        bucket, database = self.lab.settings.reporting_bucket, self.lab.settings.database
        self.glue = self.lab.client("glue")
        self.store = GlueReferenceStore(self.lab.client("s3"), self.glue, bucket=bucket, database=database)
        for hour in HOURS:
            self.lab.put(hour, "o1", views(hour, 1))

    def create(self) -> None:
        """Make the table, as a deployment does."""
        table = reference_table_input(self.table, self.lab.settings.reporting_bucket)
        self.glue.create_table(DatabaseName=self.lab.settings.database, TableInput=table)

    def publish(self, name: str) -> Published:
        """Publish the table with this name of a page's view, and tell nobody."""
        (self.folder / "types.csv").write_text(f"event_type,name\npage_viewed,{name}\n")
        return publish(self.table, read_rows(self.table, data_file(self.table)), self.store, wall_clock)

    def outdated(self, version: Published) -> list[Key]:
        return outdated(self.table, version.version, self.lab.queries, self.service.ledger)

    def names(self) -> list[tuple[Any, ...]]:
        sql = "SELECT DISTINCT event_hour, name FROM named_by_hour ORDER BY 1"
        return [tuple(row) for row in self.lab.engine().rows(sql).rows]

    def conditions(self) -> Mapping[Key, tuple[str, str]]:
        return {
            state.key: (state.condition, state.last_error)
            for name in self.lab.queries
            for state in self.service.ledger.report(name)
        }


@pytest.fixture(scope="module")
def world(local_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    yield World(local_cloud, tmp_path_factory.mktemp("reference"))


JOINS = [Key(JOINED.report.name, hour) for hour in HOURS]
DOES_NOT = [Key(ALONE.report.name, hour) for hour in HOURS]


def test_the_reports_that_join_a_table_follow_it_and_the_others_are_left_alone(world: World) -> None:
    with pytest.raises(MissingTableError, match="Deploy it first"):
        world.publish("View")
    world.create()
    tick(world.service)
    found = world.conditions()
    assert {found[key] for key in DOES_NOT} == {("fresh", "")}
    refused = "Never published: reference_types. Do so: penstock reference publish"
    assert {found[key] for key in JOINS} == {("quarantined", refused)}
    assert world.names() == []

    first = world.publish("View")
    assert (first.is_new, world.outdated(first)) == (True, JOINS)
    world.service.refresher.mark(world.outdated(first), at_once=True)
    assert sorted(tick(world.service).published) == JOINS
    assert world.names() == [(hour, "View") for hour in HOURS]
    assert world.outdated(first) == []
    assert not world.publish("View").is_new

    changed = world.publish("Page view")
    assert world.names() == [(hour, "View") for hour in HOURS], "readers see the report as it was"
    world.service.refresher.mark(world.outdated(changed), at_once=True)
    done = tick(world.service)
    assert (sorted(done.published), done.statements, done.unchanged) == (JOINS, 1, [])
    assert world.names() == [(hour, "Page view") for hour in HOURS]
    assert tick(world.service).statements == 0


def test_a_publish_that_ended_before_it_told_anybody_is_found_by_the_next_comparison(world: World) -> None:
    world.publish("Seen")
    assert sorted(tick(world.service).published) == JOINS
    assert world.names() == [(hour, "Seen") for hour in HOURS]


def test_a_version_that_comes_back_is_computed_from_the_file_that_lies_there(world: World) -> None:
    back = world.publish("View")
    assert back.is_new
    assert sorted(tick(world.service).published) == JOINS
    assert world.names() == [(hour, "View") for hour in HOURS]
