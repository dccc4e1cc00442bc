"""Names of UTC hours and days, as they stand in partitions: `2026-11-24-10` and `2026-11-24`."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from transforms.contracts import EVENT_HOUR_FORMAT

_HOUR = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_FORMAT = "%Y-%m-%d"
_YEARS = range(1000, 9999)
"""Hours around these can be reckoned, and their names have four digits and sort as they follow."""


class HourNameError(ValueError):
    """The text is not a valid name of an hour, or of a day; the message says how one is written."""


def parse_hour(text: str) -> datetime:
    """The start of the hour. Raises HourNameError for anything but a real hour of the years 1000 to 9998."""
    found = _parse(text, _HOUR)
    if found is None:
        raise HourNameError(f"{text!r} is not an hour. Write it like 2026-11-24-10.")
    return found


def parse_day(text: str) -> datetime:
    """The start of the day. Raises HourNameError for anything but a real day of the years 1000 to 9998."""
    found = _parse(text, _DAY)
    if found is None:
        raise HourNameError(f"{text!r} is not a day. Write it like 2026-11-24.")
    return found


def _parse(text: str, pattern: re.Pattern[str]) -> datetime | None:
    try:
        if pattern.fullmatch(text):
            year, month, day, *hour = map(int, text.split("-"))
            # Not strptime, which takes ten times as long: a year has 8,760 of them.
            found = datetime(year, month, day, sum(hour), tzinfo=UTC)
            return found if year in _YEARS else None
    except ValueError:
        pass  # the 31st of June
    return None


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


def ranges(hours: Iterable[str], *, over: int = 0) -> list[tuple[str, str]]:
    """The hours as runs, each (first, last), in order, that reach over gaps of at most `over` hours."""
    found: list[tuple[str, str]] = []
    expected = ""
    for hour in sorted(set(hours)):
        if hour <= expected:
            found[-1] = (found[-1][0], hour)
        else:
            found.append((hour, hour))
        expected = hour_of(parse_hour(hour) + timedelta(hours=1 + over))
    return found
