"""What a refresh asks of AWS does not grow with every partition where one request serves many."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from moto import mock_aws

from queries.commands.waiting import Standing
from queries.lake.port import Listed
from queries.lake.s3 import S3LakeIndex
from queries.ledger import rules
from queries.ledger.dynamodb import DynamoDbLedger
from queries.ledger.port import LedgerTable
from queries.ledger.state import PartitionState
from queries.partitions import Key
from queries.refresh import refresher
from queries.refresh.due import DUE_AGE_MS, DueKeys
from queries.requests import Request
from tests.queries.commands.test_waiting import Waited, refresh
from tests.queries.refresh.sealing_world import HOUR_MS, TABLE, World

WHOLE_READS = 6
"""By a refresh: to compare, to hasten and to count, at its beginning and at its end."""
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


@pytest.mark.parametrize("chunk", [16, 8])
def test_the_ledger_is_read_as_a_whole_at_the_beginning_and_the_end_however_many_rounds_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    rounds, items = len(HOURS) // chunk, Counter[str]()
    monkeypatch.setattr(refresher, "MOST_ACTIVE", 1)
    monkeypatch.setattr(rules, "CHUNK", chunk)
    report, due = DynamoDbLedger.report, DynamoDbLedger.due

    def whole(ledger: DynamoDbLedger, name: str) -> Sequence[PartitionState]:
        found = report(ledger, name)
        items["whole"] += 1
        return found

    def waiting(ledger: DynamoDbLedger, now: int, limit: int) -> Sequence[Key]:
        found = due(ledger, now, limit)
        items["due"] += len(found)
        return found

    monkeypatch.setattr(DynamoDbLedger, "report", whole)
    monkeypatch.setattr(DynamoDbLedger, "due", waiting)
    world.during_query = lambda: world.pass_time(30_000)
    said: list[Standing] = []
    standing = refresh(world, 3_600, said)
    assert (standing.published, standing.stale) == (len(HOURS), 0)
    assert len(said) >= rounds
    assert [each.stale for each in said[:rounds]] == [len(HOURS) - chunk * n for n in range(1, rounds + 1)]
    assert items["whole"] == WHOLE_READS
    assert items["due"] <= 4 * rounds * len(HOURS)


def test_a_brief_refresh_makes_what_waits_for_its_time_due_at_once(world: World) -> None:
    key, worker = Key(TABLE, "2026-11-24-18"), world.service()
    world.put(key.partition, "1", "a")
    world.notify(key.partition)
    waits_until = worker.ledger.partitions([key])[key].due_at
    assert waits_until is not None
    world.now = waits_until - 60_000
    assert key not in worker.ledger.due(world.now, 1_000)
    worker.prepare(Request("refresh", wants_answer=True, briefly=True))
    assert key in worker.ledger.due(world.now, 1_000)
    assert worker.standing_briefly() == {"stale": len(HOURS) + 1, "held": []}


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
