"""What a schedule asks for when it fires."""

import pytest

from queries.jobs.errors import RequestError
from queries.jobs.scheduled import DatedImport, Firing, NewestBackfill, Planned, asked
from queries.jobs.state import Backfill, Import
from tests.queries.jobs.world import World

GRAINS = {"orders_by_hour": "event_hour", "orders_by_day": "event_date"}


def fired(request: Planned, at: str = "2026-03-01T03:10:00Z") -> Firing:
    return Firing("nightly", at, request)


@pytest.mark.parametrize(
    ("report", "at", "first", "last"),
    [
        ("orders_by_hour", "2026-03-01T03:10:00Z", "2026-03-01-00", "2026-03-01-02"),
        ("orders_by_hour", "2026-03-01T03:00:00Z", "2026-03-01-00", "2026-03-01-02"),
        ("orders_by_hour", "2026-03-01T01:59:59Z", "2026-02-28-22", "2026-03-01-00"),
        ("orders_by_hour", "2026-03-01T03:10:00+02:00", "2026-02-28-22", "2026-03-01-00"),
        ("orders_by_day", "2026-03-01T03:10:00Z", "2026-02-26", "2026-02-28"),
    ],
)
def test_the_newest_partitions_that_are_over_are_asked_for(
    report: str, at: str, first: str, last: str
) -> None:
    found = asked(fired(NewestBackfill(report=report, partitions=3, force=True), at), GRAINS)
    assert found.request == Backfill(report=report, first=first, last=last, force=True)
    assert (found.subject, found.key) == ("schedule:nightly", at)


def test_an_import_may_name_the_time_in_its_prefix_and_nothing_else_in_it_is_replaced() -> None:
    planned = DatedImport(prefix="100%/%Y/%m/%d/%H/%s%%", source="flights")
    assert asked(fired(planned), GRAINS).request == Import(prefix="100%/2026/03/01/03/%s%%", source="flights")


@pytest.mark.parametrize(
    "firing",
    [
        fired(NewestBackfill(report="nothing", partitions=1)),
        fired(DatedImport(prefix="a", source="b"), "<aws.scheduler.scheduled-time>"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(firing: Firing) -> None:
    with pytest.raises(RequestError):
        asked(firing, GRAINS)


def test_a_firing_that_comes_twice_is_one_job_and_the_next_one_another() -> None:
    world = World(10)
    planned = NewestBackfill(report="orders_by_hour", partitions=3)
    first = world.asking.start(*asked(fired(planned), GRAINS))
    assert world.asking.start(*asked(fired(planned), GRAINS)).is_replay
    world.run(first.job.job_id)
    assert not world.asking.start(*asked(fired(planned, "2026-03-02T03:10:00Z"), GRAINS)).is_replay
