"""An event's way is told from what is known of it, and ends when every report has it."""

from dataclasses import replace

import pytest

from infra.local.status.timeline import LIVE_MS, Landed, Reported, timeline
from infra.local.status.trace import _first_with, _near
from queries.ledger.state import PartitionState, Published

LANDED = Landed(
    event_id="01998f3e-0000-7000-8000-000000000000",
    event_type="some_type",
    producer_id="web-1",
    epoch=7,
    seq=42,
    event_ms=1000,
    arrival_ms=1100,
    event_hour="2026-11-24-10",
    transformed_ms=1500,
    landed_ms=2000,
)
REPORTED = Reported("b_report", "2026-11-24", started_ms=2600, published_ms=3000)


def test_a_whole_way_has_every_stage_one_after_the_other() -> None:
    way = timeline(LANDED, [REPORTED, Reported("a_report", "2026-11-24-10", 2600, 2900)])
    assert way["is_complete"]
    assert way["total_ms"] == 2000
    assert [(step["title"], step["start_ms"], step["took_ms"]) for step in way["steps"]] == [
        ("Produced, in the stream", 0, 100),
        ("Transformed", 100, 400),
        ("Landed in the lake", 500, 500),
        ("Notified, query begun", 1000, 600),
        ("In a_report", 1600, 300),
        ("In b_report", 1600, 400),
    ]


def test_a_stage_that_the_event_has_not_passed_is_waiting() -> None:
    way = timeline(LANDED, [Reported("a_report", "2026-11-24-10"), REPORTED])
    assert not way["is_complete"]
    assert [step["title"] for step in way["steps"] if step["took_ms"] is None] == ["In a_report"]


def test_the_way_of_an_old_event_begins_when_it_was_sent() -> None:
    old = replace(LANDED, event_ms=1100 - LIVE_MS - 1)
    assert timeline(old, [REPORTED])["total_ms"] == 1900


def test_the_way_of_an_event_that_no_report_reads_ends_in_the_lake() -> None:
    way = timeline(LANDED, [])
    assert way["is_complete"]
    assert way["steps"][-1]["key"] == "lake"


def test_the_version_that_first_had_the_event_is_the_one_that_counts() -> None:
    versions = [
        Published(location=f"run={fence}", fence=fence, published_at=at + 50, as_of=at)
        for fence, at in ((1, 1900), (2, 2100), (3, 2500))
    ]
    state = PartitionState(
        report="r", partition="p", published=versions[2], previous=(versions[1], versions[0])
    )
    assert _first_with(state, 2000.4) == versions[1]
    assert _first_with(state, 3000) is None


@pytest.mark.parametrize(
    "event_id", ["ffffffff-ffff-7000-8000-000000000000", "00000000-0000-7000-8000-000000000000"]
)
def test_any_id_has_an_hour_to_look_in_first(event_id: str) -> None:
    assert len(_near(event_id, 1)) == len("2026-11-24-10")
