"""Replays whose repair moves rows from one hour to another."""

from collections.abc import Callable

import pytest

from tests.golden.poison.corpus import ARRIVAL_MS
from tests.transforms.failed.memory_bucket import MemoryObjects, error_line
from tests.transforms.failed.replaying import broken, mend, rows
from transforms.failed.replay import Counts, Order


def test_a_repair_that_moves_a_row_to_another_hour_leaves_it_in_one_place(
    objects: MemoryObjects, replayed: Callable[..., Counts]
) -> None:
    replayed(objects)

    def later(raw: bytes) -> bytes | None:
        mended = mend(raw)
        return mended.replace(b"T09:", b"T08:") if mended else None

    replayed(objects, repair=later, order=Order(repair_name="later"))
    assert rows(objects) == [("2026-11-24-08", 2), ("2026-11-24-10", 1), ("2026-11-24-10", 3)]


@pytest.mark.parametrize("hours", [3, 40])
def test_a_repair_that_changes_after_a_kill_leaves_each_event_in_one_hour(
    hours: int, replayed: Callable[..., Counts]
) -> None:
    def fresh() -> MemoryObjects:
        found = MemoryObjects()
        times = [b"%02dT%02d:" % divmod(number + 24, 24) for number in range(hours)]
        events = [broken(number).replace(b"24T10:", at) for number, at in enumerate(times, start=1)]
        body = b"".join(error_line(each.replace(b"simulator", b"replay"), ARRIVAL_MS) for each in events)
        found.bodies["failed/processing-failed/dt=2026-11-24/a"] = body
        return found

    def later(raw: bytes) -> bytes | None:
        mended = mend(raw)
        return None if mended is None else mended.replace(b"2026-11-", b"2026-10-")

    stopped = fresh()
    stopped.fails_after = hours // 2
    with pytest.raises(ConnectionError):
        replayed(stopped)
    stopped.fails_after = None
    replayed(stopped, repair=later, order=Order(repair_name="later"))
    assert sorted(seq for _, seq in rows(stopped)) == list(range(1, hours + 1))
    assert all(hour.startswith("2026-10-") for hour, _ in rows(stopped))


def test_a_row_that_moves_between_hours_is_never_in_none_of_them(replayed: Callable[..., Counts]) -> None:
    def fresh() -> MemoryObjects:
        found = MemoryObjects()
        lines = [broken(1), broken(2).replace(b"T10:", b"T09:"), broken(3).replace(b"T10:", b"T08:")]
        body = b"".join(error_line(line, ARRIVAL_MS) for line in lines)
        found.bodies["failed/processing-failed/dt=2026-11-24/a"] = body
        replayed(found)
        return found

    def turned(raw: bytes) -> bytes | None:
        mended = mend(raw)
        turns = {b"T10:": b"T09:", b"T09:": b"T08:", b"T08:": b"T10:"}
        return next((mended.replace(a, b) for a, b in turns.items() if a in mended), None) if mended else None

    whole = fresh()
    before = whole.writes
    replayed(whole, repair=turned, order=Order(repair_name="turned"))
    assert rows(whole) == [("2026-11-24-08", 2), ("2026-11-24-09", 1), ("2026-11-24-10", 3)]
    for stop in range(whole.writes - before):
        stopped = fresh()
        stopped.fails_after = stopped.writes + stop
        with pytest.raises(ConnectionError):
            replayed(stopped, repair=turned, order=Order(repair_name="turned"))
        assert {seq for _, seq in rows(stopped)} == {1, 2, 3}
        stopped.fails_after = None
        replayed(stopped, repair=turned, order=Order(repair_name="turned"))
        assert rows(stopped) == rows(whole)
