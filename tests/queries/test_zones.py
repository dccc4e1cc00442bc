"""Days of a declared zone: which hours they read, which days an hour makes stale, and which rows are in them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from queries.contracts import Report, ReportDefinitionError, parse_header
from queries.hours import hour_of, hours_between
from queries.partitions import input_hours, partition_of, partitions_reading, window
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import source
from tests.shop import TABLE

HEADER = """\
-- report:   days
-- title:    Days
-- owner:    tests
-- source:   web_events
-- grain:    {grain}
-- columns:  events bigint
"""
PERIODS = [
    ("America/New_York", "2013-03-08", "2013-03-13"),
    ("America/New_York", "2013-11-01", "2013-11-06"),
    ("America/Sao_Paulo", "2013-10-18", "2013-10-23"),
    ("America/Sao_Paulo", "2013-02-15", "2013-02-20"),
    ("Asia/Kolkata", "2013-06-01", "2013-06-04"),
    ("Australia/Lord_Howe", "2013-10-04", "2013-10-09"),
    ("Pacific/Chatham", "2013-04-05", "2013-04-10"),
    ("Pacific/Apia", "2011-12-28", "2012-01-02"),
]


def declared(grain: str) -> Report:
    return parse_header(HEADER.format(grain=grain), "days.sql")


def quarters(first: str, last: str) -> list[datetime]:
    """Every quarter of an hour between two days of UTC."""
    moment, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))
    found = []
    while moment < end:
        found.append(moment)
        moment += timedelta(minutes=15)
    return found


@pytest.mark.parametrize(("zone", "first", "last"), PERIODS)
def test_a_moment_is_in_the_day_that_clocks_show_and_its_hour_is_read_by_that_day(
    zone: str, first: str, last: str
) -> None:
    report = declared(f"event_date in {zone}")
    for moment in quarters(first, last):
        day = f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d}"
        assert partition_of(report, moment) == day
        start, end = window(report, day)
        assert start <= moment < end
        assert hour_of(moment) in input_hours(report, [day])
        assert day in partitions_reading(report, hour_of(moment))


@pytest.mark.parametrize(("zone", "first", "last"), PERIODS)
def test_an_hour_makes_just_those_days_stale_that_read_it(zone: str, first: str, last: str) -> None:
    report = declared(f"event_date in {zone}")
    start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))
    for hour in hours_between(start, end):
        days = partitions_reading(report, hour)
        around = [f"{start + timedelta(days=step):%Y-%m-%d}" for step in range(-2, 8)]
        assert days == [day for day in around if hour in input_hours(report, [day])]


def test_days_of_new_york_have_23_and_25_hours_when_clocks_change() -> None:
    report = declared("event_date in America/New_York")
    assert [
        len(input_hours(report, [day])) for day in ("2013-03-09", "2013-03-10", "2013-11-03", "2013-11-04")
    ] == [24, 23, 25, 24]


@pytest.mark.parametrize(("zone", "first", "last"), PERIODS)
def test_sql_sees_the_day_that_clocks_show_and_no_row_of_another_day(
    zone: str, first: str, last: str
) -> None:
    query = ReportQuery(
        declared(f"event_date in {zone}"),
        "SELECT event_date, count(*) AS events FROM web_events GROUP BY 1",
        (TABLE,),
    )
    expected: dict[str, int] = {}
    for moment in quarters(first, last):
        day = f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d}"
        expected[day] = expected.get(day, 0) + 1
    whole = dict(sorted(expected.items())[1:-1])
    with duckdb.connect() as connection:
        rows = [
            (f"e{number}", moment.replace(tzinfo=None), hour_of(moment))
            for number, moment in enumerate(quarters(first, last))
        ]
        connection.execute(
            "CREATE TABLE lake (event_id VARCHAR, event_time TIMESTAMP, event_hour VARCHAR, arrival_time TIMESTAMP,"
            " producer_id VARCHAR, epoch BIGINT, seq BIGINT)"
        )
        connection.register(
            "given", pa.table(dict(zip(("i", "t", "h"), zip(*rows, strict=True), strict=True)))
        )
        connection.execute("INSERT INTO lake SELECT i, t, h, '2026-01-01', 'p', 1, 1 FROM given")
        for chunk in ([day] for day in whole), [list(whole)]:
            found: dict[str, int] = {}
            for days in chunk:
                tables = source(query, days).replace("FROM web_events", "FROM lake", 1)
                sql = f"WITH {tables} SELECT event_date, count(*) FROM web_events GROUP BY 1"
                found |= dict(connection.execute(sql).fetchall())
            assert found == whole


def test_a_grain_without_a_zone_is_of_utc_as_before() -> None:
    assert declared("event_date").zone == declared("event_date in UTC").zone == ""
    assert source(ReportQuery(declared("event_date"), "", (TABLE,)), ["2013-03-10"]) == source(
        ReportQuery(declared("event_date in UTC"), "", (TABLE,)), ["2013-03-10"]
    )


@pytest.mark.parametrize(
    ("grain", "says"),
    [
        ("event_date in America/Gotham", "There is no time zone 'America/Gotham'"),
        ("event_hour in America/New_York", "Hours are of UTC in every zone"),
        ("event_week in America/New_York", "Unknown grain 'event_week'"),
        ("event_date in ../../etc/passwd", "There is no time zone"),
    ],
)
def test_a_grain_that_cannot_be_is_refused_with_its_line(grain: str, says: str) -> None:
    with pytest.raises(ReportDefinitionError, match=says) as refused:
        declared(grain)
    assert refused.value.line == 5
