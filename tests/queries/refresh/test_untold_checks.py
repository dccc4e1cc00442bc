"""Files whose footers do not say which rows fail a check: a query counts the rows, and decides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from moto import mock_aws

from queries.engine.port import QueryFailedError, Rows
from queries.store.checks import UNTOLD
from queries.store.glue import GlueReportStore
from queries.store.port import Output
from tests.queries.refresh.sealing_world import HOUR_MS, Engine, World

HOURS = ("2026-11-24-09", "2026-11-24-10")


class Counting:
    """Answers the statement that counts, and keeps it."""

    def __init__(self, patch: pytest.MonkeyPatch, failing: Sequence[tuple[str, str]] | None) -> None:
        self.asked: list[str] = []

        def rows(_: Engine, sql: str, __: Sequence[str] = ()) -> Rows:
            self.asked.append(sql)
            if failing is None:
                raise QueryFailedError("GENERIC_INTERNAL_ERROR")
            return Rows(("event_hour", "failed_check"), ("varchar", "varchar"), failing, 0, 0.0)

        patch.setattr(Engine, "rows", rows)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Two hours that are due to be sealed, by an engine that writes no statistics."""
    outputs = GlueReportStore.outputs

    def untold(store: GlueReportStore, location: str, grain: str) -> Mapping[str, Output]:
        return {name: replace(one, untold=one.files) for name, one in outputs(store, location, grain).items()}

    monkeypatch.setattr(GlueReportStore, "outputs", untold)
    with mock_aws():
        world = World()
        for hour in HOURS:
            world.put(hour, "1", hour)
        world.notify(*HOURS)
        world.pass_time(8 * HOUR_MS)
        yield world


def test_partitions_without_failing_rows_are_published_after_one_more_statement(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(monkeypatch, [])
    assert len(world.tick().published) == len(HOURS)
    (sql,) = counting.asked
    assert all(hour in sql for hour in HOURS)
    assert "failed_check IS NOT NULL" in sql


def test_a_partition_with_failing_rows_is_quarantined_and_its_neighbour_published(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Counting(monkeypatch, [(HOURS[0], "not_null(event_id)")])
    summary = world.tick()
    assert [key.partition for key in summary.published] == [HOURS[1]]
    assert ["not_null(event_id)" in text for text in summary.failed.values()] == [True]


def test_what_cannot_be_counted_is_not_published_and_says_why(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    Counting(monkeypatch, None)
    summary = world.tick()
    assert summary.published == []
    assert {UNTOLD in text for text in summary.failed.values()} == {True}
