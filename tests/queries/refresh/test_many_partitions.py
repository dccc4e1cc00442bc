"""What a refresh asks of AWS does not grow with every partition where one request serves many."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from moto import mock_aws

from queries.lake.port import Listed
from queries.lake.s3 import S3LakeIndex
from queries.ledger.port import LedgerTable
from queries.partitions import Key
from queries.refresh.due import DUE_AGE_MS, DueKeys
from queries.requests import Request
from tests.queries.commands.test_waiting import Waited
from tests.queries.refresh.sealing_world import HOUR_MS, TABLE, World

HOURS = [f"2026-11-{day:02}-{hour:02}" for day in (21, 22) for hour in (*range(6), *range(10, 20))]


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        world = Waited()
        for hour in HOURS:
            world.put(hour, "1", hour)
        world.notify(*HOURS)
        world.pass_time(8 * HOUR_MS)
        yield world


def work(world: World) -> Any:
    return world.service().work(stop_at=world.now + 60_000, hard_end=world.now + 120_000)


def test_the_objects_of_many_hours_with_gaps_are_listed_once_and_their_footers_read_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[str] = Counter()
    objects, columns = S3LakeIndex.objects, S3LakeIndex.columns

    def listing(lake: S3LakeIndex, table: str, first: str, last: str) -> Mapping[str, Sequence[Listed]]:
        asked["listings"] += 1
        return objects(lake, table, first, last)

    def reading(lake: S3LakeIndex, wanted: Iterable[Listed]) -> Mapping[str, Sequence[str] | str]:
        found = columns(lake, wanted)
        asked["readings"] += 1
        asked["footers"] += len(found)
        return found

    monkeypatch.setattr(S3LakeIndex, "objects", listing)
    monkeypatch.setattr(S3LakeIndex, "columns", reading)
    summary = work(world)
    assert (len(summary.published), summary.statements) == (len(HOURS), 1)
    assert asked == {"listings": 1, "readings": 1, "footers": len(HOURS)}


def test_what_is_due_already_is_not_written_again_when_it_is_hastened(world: World) -> None:
    worker = world.service()
    worker.prepare(Request("refresh"))
    before = {state.partition: state.revision for state in worker.ledger.report(TABLE)}
    world.pass_time(20_000)
    worker.prepare(Request("refresh"))
    assert {state.partition: state.revision for state in worker.ledger.report(TABLE)} == before


def test_a_tick_learns_whether_anything_waits_until_nothing_does(world: World) -> None:
    assert world.service().waiting() == len(HOURS)
    work(world)
    assert (world.service().waiting(), world.service().standing()["stale"]) == (0, 0)


class Ledger:
    """Says what is due, and counts how often it is asked."""

    def __init__(self, *keys: Key) -> None:
        self.keys, self.asked = list(keys), 0

    def due(self, now: int, limit: int) -> Sequence[Key]:
        assert now >= 0
        self.asked += 1
        return self.keys[:limit]


def due(ledger: Any, clock: list[int]) -> DueKeys:
    asked: LedgerTable = ledger
    return DueKeys(asked, lambda: clock[0], ("a", "b"))


def test_what_is_due_is_read_once_and_handed_out_report_by_report() -> None:
    ledger, clock = (
        Ledger(Key("b", "1"), Key("a", "2"), Key("gone", "1"), Key("a", "1"), Key("a", "3")),
        [10_000],
    )
    keys = due(ledger, clock)
    keys.begin()
    assert list(keys.take(2)) == [Key("a", "1"), Key("a", "2")]
    keys.begin()
    assert list(keys.take(2)) == [Key("a", "3")]
    assert list(keys.take(2)) == [Key("b", "1")]
    assert ledger.asked == 1


def test_a_worker_that_has_handed_out_everything_looks_once_more_and_no_more_than_that() -> None:
    ledger, clock = Ledger(Key("a", "1")), [10_000]
    keys = due(ledger, clock)
    keys.begin()
    assert keys.take(5)
    assert not keys.take(5)
    keys.begin()
    assert keys.take(5)
    assert ledger.asked == 2


def test_what_was_read_a_while_ago_is_read_again() -> None:
    ledger, clock = Ledger(Key("b", "1"), Key("b", "2")), [10_000]
    keys = due(ledger, clock)
    keys.begin()
    assert list(keys.take(1)) == [Key("b", "1")]
    ledger.keys = [Key("a", "urgent"), Key("b", "2")]
    clock[0] += DUE_AGE_MS
    keys.begin()
    assert list(keys.take(1)) == [Key("a", "urgent")]
