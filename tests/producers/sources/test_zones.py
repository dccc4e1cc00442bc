"""Local times of a declared zone: read as UTC, and refused where a clock showed them twice or never."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from producers.sources.zones import LocalTimeError, Zone
from tests.producers.sources.flights import HEADER, read, source

_EPOCH = datetime(1970, 1, 1)
LOCAL = HEADER + "-- zone: America/New_York\n"


def _us(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
def test_every_moment_is_found_again_from_its_local_time_unless_clocks_showed_it_twice(zone: str) -> None:
    made, rules = Zone(zone), ZoneInfo(zone)
    moment, twice = datetime(2013, 1, 1, tzinfo=UTC), 0
    while moment < datetime(2014, 1, 1, tzinfo=UTC):
        local = moment.astimezone(rules)
        wall = (local.replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1)
        other = local.replace(fold=1 - local.fold).astimezone(UTC)
        if other == moment:
            assert made.utc(wall) == (moment.replace(tzinfo=None) - _EPOCH) // timedelta(microseconds=1)
        else:
            twice += 1
            with pytest.raises(LocalTimeError, match="twice"):
                made.utc(wall)
        moment += timedelta(minutes=15)
    assert twice == {"America/New_York": 8, "Australia/Lord_Howe": 4}.get(zone, 0)


def test_an_ambiguous_time_is_the_earlier_or_the_later_if_the_header_says_so() -> None:
    wall = _us("2013-11-03T01:30:00")
    with pytest.raises(LocalTimeError, match="showed 2013-11-03 01:30 twice"):
        Zone("America/New_York").utc(wall)
    assert Zone("America/New_York", "earlier").utc(wall) == _us("2013-11-03T05:30:00")
    assert Zone("America/New_York", "later").utc(wall) == _us("2013-11-03T06:30:00")


def test_a_time_that_never_was_is_refused_or_shifted() -> None:
    wall = _us("2013-03-10T02:30:00")
    with pytest.raises(LocalTimeError, match="never showed 2013-03-10 02:30"):
        Zone("America/New_York").utc(wall)
    assert Zone("America/New_York", nonexistent="shift").utc(wall) == _us("2013-03-10T07:30:00")


def test_a_file_around_both_changes_fails_at_the_two_hours_only(tmp_path: Path) -> None:
    hours = ["2013-03-10 01:00", "2013-03-10 02:00", "2013-03-10 03:00"]
    hours += ["2013-11-03 00:00", "2013-11-03 01:00", "2013-11-03 02:00", "2013-11-03T01:00:00-05:00"]
    rows = "".join(f"{hour},UA,{number},EWR,2\n" for number, hour in enumerate(hours))
    content = f"time_hour,carrier,flight,origin,dep_delay\n{rows}"
    events, failures = read(source(LOCAL), tmp_path, content)
    assert [each.event_us for each in events] == [
        _us(f"2013-{moment}:00:00") for moment in ("03-10T06", "03-10T07", "11-03T04", "11-03T07", "11-03T06")
    ]
    assert [(each.row, each.column) for each in failures] == [(2, "time_hour"), (5, "time_hour")]
    chosen = LOCAL + "-- ambiguous: later\n-- nonexistent: shift\n"
    assert len(read(source(chosen), tmp_path, content)[0]) == len(hours)


def test_times_in_the_payload_have_the_zone_too(tmp_path: Path) -> None:
    select = "SELECT carrier, flight, origin, time_hour AS scheduled FROM file"
    header = LOCAL.replace("-- event_time:  time_hour", "-- event_time: TIMESTAMPTZ '2013-01-01 00:00:00Z'")
    content = (
        "time_hour,carrier,flight,origin\n2013-07-01 12:00,UA,1,EWR\n2013-11-03 01:30,UA,2,EWR\n,UA,3,EWR\n"
    )
    header = header.replace("time_hour, carrier, flight", "carrier, flight")
    events, failures = read(source(header, select), tmp_path, content)
    assert [each.data for each in events] == [
        b'{"carrier":"UA","flight":1,"origin":"EWR","scheduled":"2013-07-01T16:00:00Z"}',
        b'{"carrier":"UA","flight":3,"origin":"EWR"}',
    ]
    assert [(each.row, each.column) for each in failures] == [(2, "scheduled")]
