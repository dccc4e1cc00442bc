"""Reads lines of the combined (or common) access-log format of Apache and nginx (pure)."""

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from producers.contracts.access_log import AccessLogLine

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = re.compile(
    rf"(\S+) \S+ (\S+) \[([^\]]+)\] {_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED})?\s*\Z", re.DOTALL
)
_TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\Z")
_REQUEST = re.compile(r"([A-Za-z]+) (.*) HTTP/[\d.]+\Z", re.DOTALL)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class UnreadableLogLineError(ValueError):
    """The line is not in the combined format; the message says what is the matter."""


def looks_like_access_log(line: bytes) -> bool:
    """Whether a file that begins with this line is an access log."""
    return _LINE.match(line.decode("utf-8", "backslashreplace")) is not None


def parse_line(line: bytes) -> AccessLogLine:
    r"""The fields of one line. Bytes that are not UTF-8 come out as `\xNN`, as servers log them.

    Raises UnreadableLogLineError.
    """
    match = _LINE.match(line.decode("utf-8", "backslashreplace"))
    if match is None:
        raise UnreadableLogLineError("not in the combined access-log format")
    address, user, time, request, status, size, referrer, user_agent = match.groups()
    method, target = _split_request(request)
    return AccessLogLine(
        client_address=address,
        user=_given(user),
        time=_parse_time(time),
        method=method,
        target=target,
        status=int(status),
        bytes_sent=None if size == "-" else int(size),
        referrer=_given(referrer),
        user_agent=_given(user_agent),
    )


def _given(text: str | None) -> str | None:
    return None if text in ("-", "", None) else text


def _split_request(request: str) -> tuple[str | None, str]:
    match = _REQUEST.match(request)
    if match is None:
        return None, request
    return match[1], match[2]


@lru_cache(maxsize=4096)  # many lines of one second follow each other
def _parse_time(text: str) -> datetime:
    match = _TIME.match(text)
    if match is None or match[2] not in _MONTHS:
        raise UnreadableLogLineError(f"time {text!r} is not like 17/May/2015:10:05:03 +0000")
    # Not strptime: its month names depend on the machine's language.
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        return datetime(
            int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=zone
        )
    except ValueError as error:
        raise UnreadableLogLineError(f"time {text!r}: {error}") from error
