"""Hours are sealed when their lateness has passed, opened by exactly what is late, and sealed again."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from moto import mock_aws

from queries.commands.sealed_hours import sealed_hours
from queries.hours import hours_between
from queries.partitions import Key
from queries.refresh.sealing import sealing_queries
from queries.store.port import Entry
from tests.queries.refresh.sealing_world import HOUR_MS, TABLE, KilledError, World, lake_object
from tests.shop import TABLES

HOUR, NEXT = "2026-11-24-10", "2026-11-24-11"
LATENESS = 6 * HOUR_MS


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        yield World()


def sealed(world: World) -> World:
    """Two hours in two objects each, with a copy in the first; their lateness has passed, and they are sealed."""
    for hour in (HOUR, NEXT):
        world.put(hour, "1", f"{hour} a", f"{hour} b")
        world.put(hour, "2", f"{hour} c", *([f"{hour} a"] if hour == HOUR else []))
    world.notify(HOUR, NEXT)
    world.pass_time(LATENESS + 2 * HOUR_MS)
    world.tick()
    assert world.is_sealed(HOUR)
    assert world.is_sealed(NEXT)
    return world


def once(hour: str, *more: str) -> Counter[str]:
    return Counter([f"{hour} a", f"{hour} b", f"{hour} c", *more])


def test_an_hour_is_readable_with_its_first_notification_and_shows_what_comes_at_once(world: World) -> None:
    world.put(HOUR, "1", "a")
    world.notify(HOUR)
    assert world.location(HOUR) == f"s3://lake/web_events/event_hour={HOUR}/"
    world.put(HOUR, "2", "b")
    assert world.seen(HOUR) == Counter("ab")


def test_an_hour_whose_notification_was_lost_is_opened_by_the_tick(world: World) -> None:
    world.put(HOUR, "1", "a")
    world.tick()
    assert world.seen(HOUR) == Counter("a")


def test_nothing_is_sealed_before_its_lateness_has_passed(world: World) -> None:
    world.put(HOUR, "1", "a")
    world.notify(HOUR)
    world.pass_time(LATENESS - HOUR_MS)
    world.tick()
    assert (world.is_sealed(HOUR), world.statements) == (False, 0)
    world.pass_time(2 * HOUR_MS)
    world.tick()
    assert (world.is_sealed(HOUR), world.statements) == (True, 1)


def test_a_sealed_hour_has_each_event_once_and_hours_are_sealed_by_one_statement(world: World) -> None:
    sealed(world)
    assert (world.seen(HOUR), world.seen(NEXT)) == (once(HOUR), once(NEXT))
    assert world.statements == 1


def test_an_hour_that_an_import_wrote_as_one_object_is_not_sealed_until_something_else_comes(
    world: World,
) -> None:
    key = f"web_events/event_hour={HOUR}/import-1.pq"
    world.s3.put_object(Bucket="lake", Key=key, Body=lake_object(["a", "b"]))
    world.notify(HOUR)
    for _ in range(3):
        world.pass_time(5 * LATENESS)
        world.tick()
    assert (world.is_sealed(HOUR), world.statements, world.seen(HOUR)) == (False, 0, Counter("ab"))
    world.put(HOUR, "late", "b", "c")
    world.notify(HOUR)
    world.pass_time(5 * LATENESS)
    world.tick()
    assert (world.is_sealed(HOUR), world.statements, world.seen(HOUR)) == (True, 1, Counter("abc"))


def test_a_late_event_opens_exactly_its_own_hour_and_is_seen_at_once(world: World) -> None:
    sealed(world)
    before = world.location(NEXT)
    world.put(HOUR, "late", "late")
    world.notify(HOUR)
    assert not world.is_sealed(HOUR)
    assert set(world.seen(HOUR)) == set(once(HOUR, "late"))
    assert world.location(NEXT) == before


def test_a_late_event_whose_notification_was_lost_opens_its_hour_with_the_next_tick(world: World) -> None:
    sealed(world)
    world.put(HOUR, "late", "late")
    world.tick()
    assert (world.is_sealed(HOUR), world.is_sealed(NEXT)) == (False, True)


def test_an_hour_that_was_opened_again_is_sealed_again_after_as_long_a_silence(world: World) -> None:
    sealed(world)
    world.put(HOUR, "late", "late")
    world.notify(HOUR)
    world.pass_time(LATENESS - 1000)
    world.tick()
    assert not world.is_sealed(HOUR)
    world.pass_time(2000)
    world.tick()
    assert world.is_sealed(HOUR)
    assert world.seen(HOUR) == once(HOUR, "late")


def test_sealing_again_without_anything_new_runs_nothing(world: World) -> None:
    sealed(world)
    before = world.location(HOUR)
    world.notify(HOUR, HOUR, NEXT)
    world.pass_time(5 * LATENESS)
    world.tick(everything=True)
    assert (world.location(HOUR), world.statements) == (before, 1)
    assert not any(state.is_stale for state in world.service().ledger.report(TABLE))


def test_an_hour_that_gets_something_while_it_is_being_sealed_stays_open(world: World) -> None:
    def late() -> None:
        world.during_query = lambda: None
        world.put(HOUR, "late", "late")
        world.notify(HOUR)

    world.put(HOUR, "1", "a")
    world.notify(HOUR)
    world.pass_time(LATENESS + 2 * HOUR_MS)
    world.during_query = late
    world.tick()
    assert not world.is_sealed(HOUR)
    assert world.seen(HOUR) == Counter(["a", "late"])
    world.pass_time(LATENESS + 1000)
    world.tick()
    assert world.is_sealed(HOUR)
    assert world.seen(HOUR) == Counter(["a", "late"])


def test_two_workers_that_open_an_hour_at_the_same_time_are_not_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.put(HOUR, "1", "a")
    first, second = world.service(), world.service()
    served = second.store.served
    before: list[dict[str, Entry]] = [{}]

    def blind_once(*given: Any) -> Any:
        return before.pop() if before else served(*given)

    monkeypatch.setattr(second.store, "served", blind_once)
    first._open_hours.open([Key(TABLE, HOUR)])
    assert second._open_hours.open([Key(TABLE, HOUR)]) == [Key(TABLE, HOUR)]
    assert world.seen(HOUR) == Counter("a")


def test_opening_keeps_the_fence_so_that_no_older_seal_can_come_back(world: World) -> None:
    sealed(world)
    world.put(HOUR, "late", "late")
    world.notify(HOUR)
    (entry,) = world.service().store.served(TABLE, [HOUR]).values()
    assert isinstance(entry, Entry)
    assert entry.parameters["fence"] == "1"


def test_a_worker_may_die_at_any_call_and_every_event_is_still_seen_once_in_the_end(world: World) -> None:
    """Each step is an hour of its own: old ones, which are due as soon as nothing has come for a while."""
    steps = 0
    for hour in hours_between(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)):
        done, statements = False, world.statements
        world.put(hour, "1", "a", "b")
        world.notify(hour)
        world.put(hour, "2", "b", "c")
        world.kill_at = steps
        with suppress(KilledError):
            world.notify(hour)
            world.pass_time(LATENESS + 1000)
            world.tick()
            done = True
        world.kill_at = None
        assert set(world.seen(hour)) == {"a", "b", "c"}
        world.pass_time(LATENESS + 1000)
        world.tick(everything=True)
        assert world.is_sealed(hour), f"killed at call {steps}"
        assert world.seen(hour) == Counter("abc"), f"killed at call {steps}"
        assert world.statements == statements + 1, f"killed at call {steps}"
        if done:
            break
        steps += 1
    assert steps > 20


def test_hours_are_listed_open_sealed_and_opened_again(world: World) -> None:
    sealed(world)
    world.put(HOUR, "late", "late")
    world.put("2026-11-24-19", "1", "a")
    world.notify(HOUR, "2026-11-24-19")
    found = {one.hour: one for one in sealed_hours(world.service(), TABLE, "", "9999")}
    assert {hour: one.condition for hour, one in found.items()} == {
        HOUR: "reopened",
        NEXT: "sealed",
        "2026-11-24-19": "open",
    }
    assert (found[NEXT].rows, found[NEXT].lake_objects) == (3, 2)
    never = found["2026-11-24-19"]
    assert (never.rows, never.lake_objects, never.sealed_at) == (None, None, None)


def test_sealing_is_in_no_list_of_reports_and_waits_as_long_as_its_stream_allows() -> None:
    report = sealing_queries(TABLES)[TABLE].report
    assert report.lateness_seconds == 6 * 3600
    assert report.prefix == f"sealed/{TABLE}/v1/"
