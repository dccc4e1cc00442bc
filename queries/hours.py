"""Names of UTC hours and days, as they stand in partitions: `2026-11-24-10` and `2026-11-24`."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from transforms.contracts import EVENT_HOUR_FORMAT

_HOUR = re.compile(r"\d{4}-\d{2}-\d{2}-\d{2}")
_DAY_FORMAT = "%Y-%m-%d"


def parse_hour(text: str) -> datetime:
    """The start of the hour. Raises ValueError, saying what was found, for anything but a real hour."""
    if not _HOUR.fullmatch(text):
        raise ValueError(f"{text!r} is not an hour. Write it like 2026-11-24-10.")
    return datetime.strptime(text, EVENT_HOUR_FORMAT).replace(tzinfo=UTC)


def parse_day(text: str) -> datetime:
    """The start of the day. Raises ValueError for anything but a real day."""
    try:
        return datetime.strptime(text, _DAY_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a day. Write it like 2026-11-24.") from error


def hour_of(moment: datetime) -> str:
    """The hour that `moment` (with a zone) lies in."""
    return moment.astimezone(UTC).strftime(EVENT_HOUR_FORMAT)


def day_of(moment: datetime) -> str:
    """The day that `moment` (with a zone) lies in."""
    return moment.astimezone(UTC).strftime(_DAY_FORMAT)


def hours_between(start: datetime, end: datetime) -> Iterator[str]:
    """Every hour that overlaps [start, end), in order."""
    moment = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while moment < end:
        yield hour_of(moment)
        moment += timedelta(hours=1)


def ranges(hours: Iterable[str]) -> list[tuple[str, str]]:
    """The hours as runs without a gap, each (first, last), in order."""
    found: list[tuple[str, str]] = []
    expected = ""
    for hour in sorted(set(hours)):
        if hour == expected:
            found[-1] = (found[-1][0], hour)
        else:
            found.append((hour, hour))
        expected = hour_of(parse_hour(hour) + timedelta(hours=1))
    return found
