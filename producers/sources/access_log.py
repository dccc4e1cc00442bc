"""Reads lines of the access logs of Apache, nginx and Traefik, common or combined, more fields or not (pure).

One grammar covers them: who asked, a time in brackets, the request, the status, the size, and then, where
they are logged, the referrer and the user agent. Fields after these are ignored.
"""

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from ipaddress import ip_address

from producers.contracts.access_log import AccessLogLine

# No pattern tries a stretch of text twice, so that a long hostile line costs no more than its length.
_QUOTED = r'"((?:[^"\\]|\\.)*+)"'
_TIME_FIELD = re.compile(r' \[([^\[\]]+)\] +(?=")')
_ANSWER = re.compile(
    rf"{_QUOTED} +([0-9]{{3}}) +([0-9]{{1,19}}|-)(?: +{_QUOTED} +{_QUOTED})?"
    r'(?: +(?:"(?:[^"\\]|\\.)*+"|[^"\s]\S*+))*+\s*\Z',
    re.DOTALL | re.ASCII,
)
_TIME = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\Z", re.ASCII)
_METHOD = r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)"
_REQUEST = re.compile(rf"{_METHOD} +(\S.*) [A-Z]+/[\d.]+\Z", re.DOTALL | re.ASCII)
_OLD_REQUEST = re.compile(rf"{_METHOD} +(/.*|[a-z]+://.*)\Z", re.DOTALL | re.ASCII)
_HOST_AND_PORT = re.compile(r"([^\s:\[\]]+|\[[^\s\]]+\]):[0-9]{1,5}\Z")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NOBODY = frozenset({"-", "", "unknown"})


class UnreadableLogLineError(ValueError):
    """The line is not in a known access-log format; the message says what is the matter."""


def looks_like_access_log(line: bytes) -> bool:
    """Whether a file that begins with this line is an access log."""
    return _parted(line) is not None


def parse_line(line: bytes) -> AccessLogLine:
    r"""The fields of one line. Bytes that are not UTF-8 come out as `\xNN`, as servers log them.

    Raises UnreadableLogLineError.
    """
    parted = _parted(line)
    if parted is None:
        raise UnreadableLogLineError(
            "not in the common or combined access-log format: "
            'client ident user [time] "request" status size "referrer" "agent"'
        )
    head, time, answer = parted
    request, status, size, referrer, user_agent = answer.groups()
    address, user = _client_and_user(head)
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


def _parted(line: bytes) -> tuple[str, str, re.Match[str]] | None:
    """What stands before the time, the time, and the answer's fields."""
    text = line.decode("utf-8", "backslashreplace")
    time = _TIME_FIELD.search(text)
    answer = _ANSWER.match(text, time.end()) if time is not None else None
    return None if time is None or answer is None else (text[: time.start()], time[1], answer)


def _given(text: str | None) -> str | None:
    return None if text in ("-", "", None) else text


def _client_and_user(head: str) -> tuple[str, str]:
    """Of `[host[:port]] client ident user`, where a client may be a list of forwarded addresses, the first of
    which is the client's own, and a user's name may have spaces.
    """
    words = head.split()
    if len(words) >= 4 and _is_virtual_host(words[0], words[1]):
        del words[0]
    listed = words[:1]
    while len(listed) < len(words) and listed[-1].endswith(","):
        listed.append(words[len(listed)])
    if len(words) == len(listed):
        raise UnreadableLogLineError("no client, ident and user stand before the time")
    names = [name.strip(' "') for name in " ".join(listed).split(",")]
    client = next((name for name in names if name not in _NOBODY), "-")
    return _without_port(client), " ".join(words[len(listed) + 1 :]).strip('"')


def _is_virtual_host(first: str, second: str) -> bool:
    if _HOST_AND_PORT.match(first):
        return second != "-"
    return not _is_address(first) and not first.endswith(",") and _is_address(second.rstrip(","))


def _without_port(client: str) -> str:
    match = _HOST_AND_PORT.match(client)
    return client if match is None else match[1].strip("[]")


@lru_cache(maxsize=4096)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _split_request(request: str) -> tuple[str | None, str | None]:
    """(method, target); neither for what is not a request: an empty one, or the bytes of another protocol."""
    match = _REQUEST.match(request) or _OLD_REQUEST.match(request)
    return (match[1], match[2]) if match is not None else (None, None)


@lru_cache(maxsize=4096)  # many lines of one second follow each other
def _parse_time(text: str) -> datetime:
    match = _TIME.match(text)
    if match is None or match[2] not in _MONTHS:
        raise UnreadableLogLineError(f"time {text[:60]!r} is not like 17/May/2015:10:05:03 +0000")
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
