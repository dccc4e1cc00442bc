"""A partition that is given up fires until it is fixed, and an outage of Athena fixes itself."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from infra.aws.synth import PACKAGED
from infra.stacks.templates import of_type, read
from queries.contracts import telemetry
from queries.engine.port import QueryStatus
from queries.handler import set_aside
from queries.ledger.rules import MOST_ATTEMPTS, SET_ASIDE_RETRY_MS
from queries.partitions import Key
from tests.queries.refresh.sealing_world import HOUR_MS, TABLE, World

HOUR = "2026-11-24-10"
LATER = 8 * HOUR_MS
MINUTE_MS = 60_000


@pytest.fixture
def world() -> Iterator[World]:
    """One hour that is due to be sealed."""
    with mock_aws():
        world = World()
        world.put(HOUR, "1", "a")
        world.notify(HOUR)
        world.pass_time(LATER)
        yield world


def test_what_has_just_failed_is_counted_at_once_and_each_hour_after_that(world: World) -> None:
    world.ends = QueryStatus("failed", 0, "definition", "SYNTAX_ERROR")
    summary = world.tick()
    assert set_aside(world.service(), summary) == {"set_aside": 1}
    quiet = world.tick()
    assert set_aside(world.service(), quiet) == {}
    assert set_aside(world.service(), quiet, keeps_house=True) == {"set_aside": 1}


def test_nothing_is_counted_any_more_once_it_is_fixed(world: World) -> None:
    world.ends = QueryStatus("failed", 0, "definition", "SYNTAX_ERROR")
    world.tick()
    world.ends = QueryStatus("succeeded", 100)
    world.pass_time(30 * HOUR_MS)
    world.tick()
    assert not world.is_sealed(HOUR)
    world.service().refresher.mark([Key(TABLE, HOUR)], at_once=True)
    world.tick()
    assert world.is_sealed(HOUR)
    assert world.service().set_aside() == 0


def test_an_outage_sets_aside_and_its_end_needs_nobody(world: World) -> None:
    world.ends = QueryStatus("failed", 0, "transient", "GENERIC_INTERNAL_ERROR")
    for _ in range(MOST_ATTEMPTS + 1):
        assert world.service().set_aside() == 0
        world.tick()
        world.pass_time(10 * MINUTE_MS)
    assert world.service().set_aside() == 1
    statements = world.statements
    world.ends = QueryStatus("succeeded", 100)
    world.tick()
    assert world.statements == statements
    world.pass_time(SET_ASIDE_RETRY_MS)
    world.tick()
    assert world.is_sealed(HOUR)
    assert world.service().set_aside() == 0


def test_the_log_line_is_made_a_metric_under_the_alarms_name() -> None:
    (found,) = (
        each.properties
        for each in of_type(read(PACKAGED), "AWS::Logs::MetricFilter")
        if each.properties["MetricTransformations"][0]["MetricName"] == telemetry.PARTITIONS_QUARANTINED
    )
    assert found["MetricTransformations"][0]["MetricValue"] == "$.set_aside"
    assert "$.set_aside" in found["FilterPattern"]
