"""The first line of a receipt, and what of two numbers is the same."""

import dataclasses
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from queries.receipts import composing
from queries.receipts.around import Around, RunName, Told
from queries.receipts.cell import Cell
from tests.queries.receipts.examples import version
from tests.shop import REPORTS

CELL = Cell(REPORTS["orders_by_hour"], "2026-03-01-10", "orders", {"currency": "EUR"})
COUNT = {
    "event_type": "order_placed",
    "source": "till",
    "producer_id": "p",
    "epoch": 7,
    "is_late": False,
    "path": "s3://lake/a",
    "events": 4,
    "copies": 1,
    "lowest_seq": 3,
    "last_seq": 9,
    "first_event_id": "an|odd|id",
    "first_event_time": datetime(2026, 3, 1, 10, 0, 1),
    "first_arrival_time": datetime(2026, 3, 1, 10, 0, 2),
    "first_seq": 3,
}


def around(missing: str, count: int, nameless: int = 0) -> Around:
    told = Told(9, True, False, 9 - count, 0, 0, missing, count)
    return Around(sequences={RunName("p", 7): told}, nameless=nameless, delivered_until=1_772_362_900_000)


def test_a_gap_is_named_by_producer_and_number() -> None:
    found = around("5,8", 2)
    (gap,) = composing.gaps(composing.producers_of([COUNT], found), found)
    assert gap == (
        "p/7 lacks 5,8 of its numbers up to 9, which are in flight or lost "
        "(the lake has all that was on the streams until 2026-03-01T11:01:40Z)"
    )


def test_a_gap_may_lie_in_hours_that_cannot_be_read_and_these_are_named() -> None:
    hour = "web_events/event_hour=2026-03-01-09"
    found = dataclasses.replace(
        around("5,8", 2), unreadable={hour: "HIVE_BAD_DATA"}, unknown=["failed records"]
    )
    (gap,) = composing.gaps(composing.producers_of([COUNT], found), found)
    assert "which are in flight, lost, or in hours that cannot be read (" in gap
    assert composing.not_looked_at(found, "") == ("failed records", f"numbers in {hour}: HIVE_BAD_DATA")


def test_numbers_that_failed_records_without_a_name_explain_are_not_a_gap() -> None:
    found = around("5,8", 2, nameless=2)
    assert composing.gaps(composing.producers_of([COUNT], found), found) == []


def test_the_first_line_says_what_is_lost_before_anything_else() -> None:
    found = composing.findings(lost="objects are gone", gap=["p/7 lacks 5"], untraced="why", quarantined="x")
    assert [each.partition(":")[0] for each in found] == ["LOST", "GAP", "QUARANTINED", "NOT TRACED"]
    line = composing.headline(CELL, 4, 4, found, [])
    assert line == "LOST: objects are gone [orders_by_hour 2026-03-01-10 currency=EUR orders = 4]"


def test_counts_of_several_rows_are_put_together() -> None:
    late = COUNT | {"is_late": True, "events": 2, "copies": 0, "path": "s3://lake/b", "last_seq": 12}
    (group,) = composing.groups_of([COUNT, late])
    assert (group.events, group.late, group.copies) == (6, 2, 1)
    (run,) = composing.producers_of([COUNT, late], Around())
    assert (run.events, run.first_seq, run.last_seq, run.known) == (6, 3, 12, 0)
    objects = composing.objects_of([COUNT, late], {"s3://lake/a": (10, 1), "s3://lake/c": (20, 2)})
    assert [(each.url, each.events) for each in objects] == [("s3://lake/a", 4), ("s3://lake/c", 0)]


def test_a_sample_is_one_event_also_when_its_id_is_odd() -> None:
    (sample,) = composing.samples_of([COUNT], 5)
    assert (sample.event_id, sample.seq) == ("an|odd|id", 3)
    assert (sample.event_time, sample.arrival_time) == (
        "2026-03-01T10:00:01.000Z",
        "2026-03-01T10:00:02.000Z",
    )


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (3, 3, True),
        (3, 4, False),
        (1, True, False),
        (0.1 + 0.2, 0.3, True),
        (0.3, 0.3001, False),
        (None, None, True),
        (None, 0, False),
        (None, 0.0, False),
        (Decimal("1.0"), 1, True),
        ("a", "a", True),
    ],
)
def test_numbers_are_the_same_up_to_the_order_of_their_sums(one: Any, other: Any, same: bool) -> None:
    assert composing.same_value(one, other) is same


def test_a_digest_changes_with_value_input_and_sql_and_with_nothing_else() -> None:
    base = version(2, 12, is_served=True)
    first = composing.digest(CELL, base)
    assert composing.digest(CELL, replace(base, number=9, published_at=0, run="x", is_served=False)) == first
    changes: tuple[dict[str, Any], ...] = ({"value": 13}, {"input_digest": "x"}, {"sql_sha": "x"})
    assert len({first, *(composing.digest(CELL, replace(base, **each)) for each in changes)}) == 4
