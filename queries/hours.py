"""Names of UTC hours and days, as they stand in partitions: `2026-11-24-10` and `2026-11-24`."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from transforms.contracts import EVENT_HOUR_FORMAT

_HOUR = re.compile(r"\d{4}-\d{2}-\d{2}-\d{2}")
_DAY_FORMAT = "%Y-%m-%d"


class HourNameError(ValueError):
    """The text is no name of an hour, or of a day; the message says how one is written."""


def parse_hour(text: str) -> datetime:
    """The start of the hour. Raises HourNameError for anything but a real hour."""
    try:
        if _HOUR.fullmatch(text):
            return datetime.strptime(text, EVENT_HOUR_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        pass  # the 31st of June
    raise HourNameError(f"{text!r} is not an hour. Write it like 2026-11-24-10.")


def parse_day(text: str) -> datetime:
    """The start of the day. Raises HourNameError for anything but a real day."""
    try:
        return datetime.strptime(text, _DAY_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise HourNameError(f"{text!r} is not a day. Write it like 2026-11-24.") from error


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
