"""Which report partitions a lake object makes stale, and which lake hours a report partition reads."""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from queries.contracts import Grain, Report
from queries.hours import day_of, hour_of, hours_between, parse_day, parse_hour
from transforms.contracts import EVENT_HOUR, is_data

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
    """The lake hour that the object's key (not URL-encoded) belongs to; None when it is no lake data.

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
        by_source.setdefault(report.source, []).append(report)
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
    found = {
        partition_of(report.grain, parse_hour(name))
        for name in hours_between(start - context, start + timedelta(hours=1) + context)
    }
    return sorted(found)


def partition_of(grain: Grain, moment: datetime) -> str:
    """The partition of this grain that `moment` lies in."""
    return hour_of(moment) if grain == "event_hour" else day_of(moment)


def window(grain: Grain, partition: str) -> tuple[datetime, datetime]:
    """Start and (exclusive) end of the partition's event times. Raises ValueError for an odd name."""
    if grain == "event_hour":
        start = parse_hour(partition)
        return start, start + timedelta(hours=1)
    start = parse_day(partition)
    return start, start + timedelta(days=1)


def input_hours(report: Report, partitions: Sequence[str]) -> list[str]:
    """The lake hours that these partitions read, context included, in order, each once."""
    context = timedelta(seconds=report.context_seconds)
    found: dict[str, None] = {}
    for partition in sorted(partitions):
        start, end = window(report.grain, partition)
        found |= dict.fromkeys(hours_between(start - context, end + context))
    return list(found)
