"""Runs that nobody reads any more are retired, each once, and no longer than there is time for."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from moto import mock_aws

from queries.partitions import Key
from queries.requests import Request
from queries.store.glue import GlueReportStore
from tests.queries.refresh.sealing_world import HOUR_MS, TABLE, World

HOUR = "2026-11-24-10"
RUNS = 7
KEPT_MS = 48 * HOUR_MS


@pytest.fixture
def world() -> Iterator[World]:
    """One hour that was sealed several times, long ago."""
    with mock_aws():
        world = World()
        for number in range(RUNS):
            world.put(HOUR, str(number), f"event-{number}")
            world.notify(HOUR)
            world.pass_time(8 * HOUR_MS)
            world.service().refresher.mark([Key(TABLE, HOUR)], force=True, at_once=True)
            world.tick()
        # What is stored here is as old as this machine's clock says.
        world.now = int(datetime.now(UTC).timestamp() * 1000) + 2 * KEPT_MS
        yield world


@pytest.fixture
def tagged(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each run was tagged."""
    found: Counter[str] = Counter()
    retire = GlueReportStore.retire

    def counted(store: GlueReportStore, location: str) -> int:
        found[location] += 1
        return retire(store, location)

    monkeypatch.setattr(GlueReportStore, "retire", counted)
    return found


def keep_house(world: World, *, seconds: float = 60) -> None:
    stop_at = world.now + int(seconds * 1000)
    world.service().prepare(Request("tick", housekeeping=True), stop_at=stop_at)


def test_a_run_that_is_retired_is_not_tagged_again_however_long_it_stays_listed(
    world: World, tagged: Counter[str]
) -> None:
    for _ in range(5):
        keep_house(world)
        world.pass_time(HOUR_MS)
    assert tagged
    assert set(tagged.values()) == {1}
    serving = world.location(HOUR).removeprefix("s3://reporting/")
    assert not any(serving.startswith(run) for run in tagged)


def test_what_there_was_no_time_for_is_retired_the_next_time(world: World, tagged: Counter[str]) -> None:
    keep_house(world, seconds=0)
    assert not tagged
    keep_house(world)
    assert tagged


def test_runs_that_s3_has_deleted_are_forgotten(world: World, tagged: Counter[str]) -> None:
    keep_house(world)
    note = f"sealed/{TABLE}/v1/_retired.json"
    store = world.service().store
    assert store.get(note) != b"[]"
    for run in tagged:
        answer = world.s3.list_objects_v2(Bucket="reporting", Prefix=run)
        for found in answer["Contents"]:
            world.s3.delete_object(Bucket="reporting", Key=found["Key"])
    keep_house(world)
    assert store.get(note) == b"[]"
