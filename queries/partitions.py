"""Which report partitions a lake object makes stale, and which lake hours a report partition reads."""

from collections.abc import Container, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from queries.contracts import Report
from queries.hours import day_of, hour_of, hours_between, parse_day, parse_hour
from transforms.contracts import EVENT_HOUR, is_data

_MOMENT = timedelta(microseconds=1)
_LAKE_YEARS = range(1970, 9000)
"""A report's context reaches over both ends of an hour, and must find days there."""


class Key(NamedTuple):
    """Names one report partition: the unit of staleness, of claiming and of publishing."""

    report: str
    partition: str

    def __str__(self) -> str:
        return f"{self.report}/{self.partition}"


class LakeHour(NamedTuple):
    """One hour of one lake table."""

    table: str
    hour: str


def lake_hour(key: str, tables: Container[str]) -> LakeHour | None:
    """The lake hour that the object's key (not URL-encoded) belongs to; None when it is not lake data.

    No lake data: another prefix (failed records among them), what is hidden, folders, an impossible hour.
    """
    table, _, rest = key.partition("/")
    folder, _, name = rest.partition("/")
    column, _, hour = folder.partition("=")
    if table not in tables or column != EVENT_HOUR or not name or not is_data(key):
        return None
    try:
        is_possible = parse_hour(hour).year in _LAKE_YEARS
    except ValueError:
        return None
    return LakeHour(table, hour) if is_possible else None


def stale_partitions(hours: Iterable[LakeHour], reports: Iterable[Report]) -> list[Key]:
    """The report partitions that read any of these hours, each once, in order."""
    by_source: dict[str, list[Report]] = {}
    for report in reports:
        for source in report.sources:
            by_source.setdefault(source, []).append(report)
    return sorted(
        {
            Key(report.name, partition)
            for table, hour in set(hours)
            for report in by_source.get(table, ())
            for partition in partitions_reading(report, hour)
        }
    )


def partitions_reading(report: Report, hour: str) -> list[str]:
    """The report's partitions whose input, context included, has this hour in it."""
    start = parse_hour(hour)
    context = timedelta(seconds=report.context_seconds)
    found = partitions_between(report, start - context, start + timedelta(hours=1) + context)
    return sorted(found)


def partitions_between(report: Report, start: datetime, end: datetime) -> set[str]:
    """The report's partitions that have moments in [start, end)."""
    found = {partition_of(report, parse_hour(hour)) for hour in hours_between(start, end)}
    if report.zone:
        # In some zones a day begins in the middle of an hour.
        found |= {partition_of(report, start), partition_of(report, end - _MOMENT)}
        found |= {
            partition_of(report, parse_hour(hour) + timedelta(hours=1) - _MOMENT)
            for hour in hours_between(start, end - timedelta(hours=1))
        }
    return found


def partition_of(report: Report, moment: datetime) -> str:
    """The report's partition that `moment` lies in."""
    if report.grain == "event_hour":
        return hour_of(moment)
    if not report.zone:
        return day_of(moment)
    day = moment.astimezone(ZoneInfo(report.zone)).date()
    # Where a clock has gone back over midnight, a date comes twice: the day is what `window` says.
    for name in (f"{day + timedelta(days=step):%Y-%m-%d}" for step in (0, 1, -1)):
        start, end = window(report, name)
        if start <= moment < end:
            return name
    raise AssertionError(f"{moment} is in no day of {report.zone}")


def window(report: Report, partition: str) -> tuple[datetime, datetime]:
    """Start and (exclusive) end of the partition's event times, in UTC. Raises ValueError for an odd name.

    A day begins at its first midnight; one that a zone has left out is empty.
    """
    if report.grain == "event_hour":
        start = parse_hour(partition)
        return start, start + timedelta(hours=1)
    start = parse_day(partition)
    if not report.zone:
        return start, start + timedelta(days=1)
    return _midnight(start, report.zone), _midnight(start + timedelta(days=1), report.zone)


@lru_cache(maxsize=10_000)
def _midnight(day: datetime, zone: str) -> datetime:
    return day.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def input_of(report: Report, partitions: Sequence[str]) -> list[LakeHour]:
    """The hours of the lake tables that these partitions read, table after table, each once."""
    hours = input_hours(report, partitions)
    return [LakeHour(table, hour) for table in report.sources for hour in hours]


def input_hours(report: Report, partitions: Sequence[str]) -> list[str]:
    """The lake hours that these partitions read, context included, in order, each once."""
    context = timedelta(seconds=report.context_seconds)
    found: dict[str, None] = {}
    for partition in sorted(partitions):
        start, end = window(report, partition)
        found |= dict.fromkeys(hours_between(start - context, end + context))
    return list(found)
