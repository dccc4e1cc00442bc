"""What was dropped and what failed is read from where the pipeline leaves it."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.accounting.evidence import dropped_names, failed_names, first_hour, found_in, readable
from infra.accounting.intervals import IntervalSet
from infra.accounting.reconcile import ProducerEpoch
from queries.engine.port import QueryFailedError, Rows

ONE, TWO = ProducerEpoch("web-1", 7), ProducerEpoch("web/2", 1)


def test_dropped_events_are_named_by_the_transforms_log() -> None:
    said = json.dumps({"dropped": 4, "dropped_seqs": {"web-1/7": "3,5-6", "web/2/1": "9"}})
    found, copies = dropped_names(["START RequestId: x", f"prefix {said}", "{not json", "[1]", "{}"])
    assert found == {ONE: IntervalSet.parse("3,5-6"), TWO: IntervalSet.parse("9")}
    assert sum(copies.values()) == 0


def test_copies_are_counted_within_a_batch_and_over_batches() -> None:
    first = json.dumps({"dropped": 3, "dropped_seqs": {"web-1/7": "3,5"}})
    second = json.dumps({"dropped": 2, "dropped_seqs": {"web-1/7": "5,8"}})
    found, copies = dropped_names([first, second])
    assert found == {ONE: IntervalSet.parse("3,5,8")}
    assert copies == {ONE: 2}


def test_failed_records_are_named_and_those_without_a_name_counted_by_their_bytes() -> None:
    sound = b'{"producer_id":"web-1","epoch":7,"seq":4,"payload":{}}'
    audit = sound.replace(b":4", b":0")
    named, nameless = failed_names([sound, sound, audit, b"\xff", b"\xff", b"{}"])
    assert named == {ONE: IntervalSet.parse("4")}
    assert len(nameless) == 2


class Statements:
    """An engine that notes what it is asked, and cannot read some objects."""

    def __init__(self, *unreadable: str) -> None:
        self.asked: list[str] = []
        self._unreadable = list(unreadable)

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        """Nothing, or the error about the next object."""
        self.asked.append(sql)
        if self._unreadable:
            raise QueryFailedError(f"cannot open s3://lake/{self._unreadable.pop(0)}/a.parquet")
        assert not parameters
        return Rows((), (), (), 0, 0.0)


@pytest.mark.parametrize(
    ("listed", "hour"),
    [(["web_events/event_hour=2026-11-24-10/a.parquet"], "2026-11-24-10"), ([], "")],
)
def test_the_first_hour_of_a_table_is_that_of_its_first_object(listed: Sequence[str], hour: str) -> None:
    asked: list[dict[str, Any]] = []

    def list_objects_v2(**arguments: Any) -> Any:
        asked.append(arguments)
        return {"Contents": [{"Key": key} for key in listed]}

    assert first_hour(SimpleNamespace(list_objects_v2=list_objects_v2), "lake", "web_events") == hour
    assert asked == [{"Bucket": "lake", "Prefix": "web_events/event_hour=", "MaxKeys": 1}]


def test_nothing_is_asked_of_hours_before_the_first_one() -> None:
    engine = Statements()
    found_in(engine, ["web_events", "others"], firsts={"web_events": "2026-11-24-10"})
    first, other = engine.asked
    assert "FROM (SELECT * FROM web_events WHERE event_hour >= '2026-11-24-10') AS readable" in first
    assert "FROM others\n" in other


def test_hours_that_cannot_be_read_are_left_out_of_those_from_the_first_one_on() -> None:
    engine = Statements("web_events/event_hour=2026-11-24-10", "web_events/event_hour=2026-11-24-13")
    unreadable: dict[str, str] = {}
    readable(engine, "FROM {table}", "web_events", unreadable, first="2026-11-24-10")
    assert set(unreadable) == {"2026-11-24-10", "2026-11-24-13"}
    assert engine.asked[-1] == (
        "FROM (SELECT * FROM web_events WHERE event_hour BETWEEN '2026-11-24-11' AND '2026-11-24-12'"
        " UNION ALL SELECT * FROM web_events WHERE event_hour >= '2026-11-24-14') AS readable"
    )


@given(st.lists(st.tuples(st.sets(st.integers(1, 12), min_size=1), st.integers(0, 3)), max_size=8))
def test_copies_are_what_the_lines_name_beyond_the_events(lines: list[tuple[set[int], int]]) -> None:
    """`lines`: the numbers that a batch names, and how many copies it dropped besides."""
    told = [
        json.dumps({"dropped": len(seqs) + more, "dropped_seqs": {"web-1/7": ",".join(map(str, seqs))}})
        for seqs, more in lines
    ]
    found, copies = dropped_names(told)
    events = set[int]().union(*(seqs for seqs, _ in lines))
    assert set(found.get(ONE, IntervalSet())) == events
    assert copies.get(ONE, 0) == sum(len(seqs) + more for seqs, more in lines) - len(events)
