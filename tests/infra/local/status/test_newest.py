"""The event that landed last is found, whatever else was written after it."""

from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.parts.activity import Activity
from infra.local.status.trace import HOURS_LOOKED_AT, Tracer, UnknownEventError


class Lake:
    """Event hours with an event each; the others hold totals of producers alone."""

    def __init__(self, events: dict[str, str]) -> None:
        self.events = events
        self.asked: list[str] = []

    def rows(self, sql: str) -> Any:
        self.asked.append(sql)
        found = [(event_id,) for hour, event_id in self.events.items() if f"'{hour}'" in sql]
        return SimpleNamespace(rows=found)


def _newest(lake: Lake, *keys: str) -> str:
    activity = Activity()
    for number, key in enumerate(keys):
        activity.add("lake", "object", at=float(number), key=key)
    given: Any = (SimpleNamespace(activity=activity), SimpleNamespace(asking=lake), None)
    return Tracer(*given).newest()["event_id"]


def _key(hour: str, number: int = 0, table: str = "web_events") -> str:
    return f"{table}/event_hour={hour}/{number}.parquet"


def test_an_event_of_an_old_hour_is_the_newest_when_totals_alone_came_after_it() -> None:
    lake = Lake({"2026-11-03-10": "an event"})
    keys = [_key("2026-11-03-10"), _key("2026-11-24-09", 1, "parcels_events"), _key("2026-11-24-09", 2)]
    assert _newest(lake, *keys) == "an event"
    assert ["parcels_events" in sql for sql in lake.asked] == [False, True, False]


def test_an_hour_is_asked_once_however_many_objects_it_has_and_few_hours_are() -> None:
    lake = Lake({})
    keys = [_key(f"2026-11-{day:02d}-10", number) for day in range(1, 20) for number in range(3)]
    with pytest.raises(UnknownEventError, match="No event has landed lately"):
        _newest(lake, *keys)
    assert len(lake.asked) == HOURS_LOOKED_AT
