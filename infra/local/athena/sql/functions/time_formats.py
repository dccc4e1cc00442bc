"""Formats of dates and times: ISO 8601, MySQL's codes, Joda's letters, durations. What is not known is refused."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.literals import zone_of

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ISO = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:T(?:(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?"
)
_WEEK = re.compile(r"(\d{4})-W(\d{1,2})(?:-(\d))?")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})")


def invalid(text: str, what: str) -> QueryError:
    """Trino's complaint about a text that is not a time."""
    return QueryError("INVALID_FUNCTION_ARGUMENT", f'Invalid format: "{text}" is not {what}')


def iso_instant(text: str) -> tuple[datetime, str]:
    """The UTC instant and zone of an ISO 8601 timestamp."""
    match = _ISO.fullmatch(text)
    if match is None and re.match(r"[+-]?\d+(-|$)", text):
        raise refused(f"The year of '{text}'", "Write years with four digits.")
    if match is None:
        raise invalid(text, "an ISO 8601 timestamp")
    *parts, fraction, offset = match.groups()
    name, where = zone_of("UTC" if offset in (None, "Z") else offset)
    numbers = [
        int(part) if part else default for part, default in zip(parts, (0, 1, 1, 0, 0, 0), strict=True)
    ]
    try:
        moment = datetime(*numbers, int((fraction or "").ljust(3, "0")[:3]) * 1000, tzinfo=where)  # type: ignore[misc, arg-type]
    except ValueError as error:
        raise invalid(text, "a time of the calendar") from error
    return moment.astimezone(UTC), name


def iso_utc(text: str) -> datetime:
    """The instant of a text that is in UTC. Raises QueryError for any other offset."""
    moment, name = iso_instant(text)
    if name != "UTC":
        raise refused(f"from_iso8601_timestamp on a column with the offset {name}", "Store times in UTC.")
    return moment.replace(tzinfo=None)


def iso_date(text: str) -> date:
    """A calendar, week or ordinal date."""
    try:
        if match := _WEEK.fullmatch(text):
            return date.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
        if match := _ORDINAL.fullmatch(text):
            return date(int(match[1]), 1, 1) + timedelta(days=int(match[2]) - 1)
        if match := re.fullmatch(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", text):
            return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
        if re.fullmatch(r"[+-]?\d+(-\d{1,2}(-\d{1,2})?)?", text):
            raise refused(f"The year of '{text}'", "Write years with four digits.")
    except ValueError as error:
        raise invalid(text, "an ISO 8601 date") from error
    raise invalid(text, "an ISO 8601 date")


Writer = Callable[[datetime], str]

_MYSQL: dict[str, Writer] = {
    "a": lambda t: _DAYS[t.weekday()][:3],
    "b": lambda t: _MONTHS[t.month - 1][:3],
    "c": lambda t: str(t.month),
    "d": lambda t: f"{t.day:02}",
    "e": lambda t: str(t.day),
    "f": lambda t: f"{t.microsecond:06}",
    "H": lambda t: f"{t.hour:02}",
    "h": lambda t: f"{t.hour % 12 or 12:02}",
    "I": lambda t: f"{t.hour % 12 or 12:02}",
    "i": lambda t: f"{t.minute:02}",
    "j": lambda t: f"{t.timetuple().tm_yday:03}",
    "k": lambda t: str(t.hour),
    "l": lambda t: str(t.hour % 12 or 12),
    "M": lambda t: _MONTHS[t.month - 1],
    "m": lambda t: f"{t.month:02}",
    "p": lambda t: "AM" if t.hour < 12 else "PM",
    "r": lambda t: f"{t.hour % 12 or 12:02}:{t.minute:02}:{t.second:02} {'AM' if t.hour < 12 else 'PM'}",
    "S": lambda t: f"{t.second:02}",
    "s": lambda t: f"{t.second:02}",
    "T": lambda t: f"{t.hour:02}:{t.minute:02}:{t.second:02}",
    "v": lambda t: f"{t.isocalendar()[1]:02}",
    "W": lambda t: _DAYS[t.weekday()],
    "x": lambda t: f"{t.isocalendar()[0]:04}",
    "Y": lambda t: f"{t.year:04}",
    "y": lambda t: f"{t.year % 100:02}",
    "%": lambda _: "%",
}


def _mysql_parts(pattern: str) -> list[str]:
    """Literal pieces and `%c` codes."""
    return re.findall(r"%.|[^%]+|%$", pattern, re.DOTALL)


def mysql_writer(pattern: str, _: str = "UTC") -> Writer:
    """date_format's writer. Raises QueryError for codes that Trino does not support."""
    writers: list[Writer | str] = []
    for part in _mysql_parts(pattern):
        if part[0] == "%" and len(part) == 2:
            if part[1] in "DUuVwX":
                raise QueryError("INVALID_FUNCTION_ARGUMENT", f"{part} not supported in date format string")
            writers.append(_MYSQL.get(part[1], part[1]))
        else:
            writers.append(part)
    return lambda t: "".join(w if isinstance(w, str) else w(t) for w in writers)


# Possessive, because Joda never takes a digit back: `%c%e` does not read '11'.
_MYSQL_READ = {
    "a": ("weekday", r"[A-Za-z]{3}"), "b": ("month_name", r"[A-Za-z]{3}"), "c": ("month", r"\d{1,2}+"),
    "d": ("day", r"\d{1,2}+"), "e": ("day", r"\d{1,2}+"), "f": ("fraction", r"\d{1,9}+"), "H": ("hour", r"\d{1,2}+"),
    "h": ("hour12", r"\d{1,2}+"), "I": ("hour12", r"\d{1,2}+"), "i": ("minute", r"\d{1,2}+"), "j": ("yday", r"\d{1,3}+"),
    "k": ("hour", r"\d{1,2}+"), "l": ("hour12", r"\d{1,2}+"), "M": ("month_name", r"[A-Za-z]+"),
    "m": ("month", r"\d{1,2}+"), "p": ("half", r"(?i:AM|PM)"), "S": ("second", r"\d{1,2}+"), "s": ("second", r"\d{1,2}+"),
    "W": ("weekday", r"[A-Za-z]+"), "Y": ("year", r"[+-]?\d{1,9}+"), "y": ("year2", r"\d{2}"),
}  # fmt: skip
_MYSQL_NUMBERS = frozenset("cdefHhIijklmSsYy")
"""In front of one of these a year has four digits at most."""
_MYSQL_LONG = {"T": "%H:%i:%S", "r": "%I:%i:%S %p"}


def mysql_reader(pattern: str) -> Callable[[str], datetime]:
    """date_parse's reader; the whole text must match."""
    for code, long in _MYSQL_LONG.items():
        pattern = pattern.replace(f"%{code}", long)
    fields: list[str] = []
    expression = ""
    parts = _mysql_parts(pattern)
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        if part[0] == "%" and len(part) == 2 and part[1] in _MYSQL_READ:
            name, regex = _MYSQL_READ[part[1]]
            if name == "year" and after[:1] == "%" and after[1:] in _MYSQL_NUMBERS:
                regex = r"[+-]?\d{1,4}+"
            fields.append(name)
            expression += f"({regex})"
        elif part[0] == "%" and len(part) == 2 and part[1] in "DUuVvwXx":
            raise refused(f"date_parse with {part}", "Parse the other fields and compute it.")
        else:
            expression += re.escape(part[1:] if part == "%%" else part)
    compiled = re.compile(expression)

    def read(text: str) -> datetime:
        match = compiled.fullmatch(text)
        if match is None:
            raise invalid(text, f"of the format {pattern}")
        return _assemble(dict(zip(fields, match.groups(), strict=True)), text)

    return read


def _assemble(found: dict[str, str], text: str) -> datetime:
    year = int(found.get("year", 1970))
    if "year2" in found:
        short = int(found["year2"])
        year = short + (1900 if short >= 70 else 2000)
    month = int(found.get("month", 1))
    if "month_name" in found:
        starts = [
            i for i, m in enumerate(_MONTHS, 1) if m.lower().startswith(found["month_name"].lower()[:3])
        ]
        if not starts:
            raise invalid(text, "a month")
        month = starts[0]
    hour = int(found.get("hour", 0))
    if "hour12" in found:
        hour = int(found["hour12"]) % 12 + (12 if found.get("half", "AM").upper() == "PM" else 0)
    millis = int(found.get("fraction", "0").ljust(3, "0")[:3])
    try:
        day, minute, second = (int(found.get(n, d)) for n, d in (("day", 1), ("minute", 0), ("second", 0)))
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a wall clock
        if "yday" in found:
            moment = moment.replace(month=1, day=1) + timedelta(days=int(found["yday"]) - 1)
    except ValueError as error:
        raise invalid(text, "a time of the calendar") from error
    return moment + timedelta(milliseconds=millis)


_JODA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def _joda_tokens(pattern: str) -> list[tuple[str, int, str]]:
    """(letter, count, literal) of each piece."""
    found = []
    for match in _JODA_TOKEN.finditer(pattern):
        if match[0].startswith("'"):
            found.append(("", 0, (match[1] or "'").replace("''", "'")))
        elif match[2]:
            found.append((match[2], len(match[0]), ""))
        else:
            found.append(("", 0, match[0]))
    return found


def _joda_field(letter: str, count: int, where: timezone | ZoneInfo, name: str) -> Writer:
    numbers: dict[str, Callable[[datetime], int]] = {
        "Y": lambda t: t.year, "y": lambda t: t.year, "x": lambda t: t.isocalendar()[0],
        "w": lambda t: t.isocalendar()[1], "e": lambda t: t.isoweekday(), "D": lambda t: t.timetuple().tm_yday,
        "d": lambda t: t.day, "H": lambda t: t.hour, "h": lambda t: t.hour % 12 or 12, "K": lambda t: t.hour % 12,
        "k": lambda t: t.hour or 24, "m": lambda t: t.minute, "s": lambda t: t.second,
    }  # fmt: skip
    if letter in "yYx" and count == 2:
        return lambda t: f"{numbers[letter](t) % 100:02}"
    if letter in numbers:
        return lambda t: str(numbers[letter](t)).rjust(count, "0")
    if letter == "S":
        return lambda t: f"{t.microsecond // 1000:03}".ljust(count, "0")[:count]
    if letter == "M":
        if count >= 3:
            return lambda t: _MONTHS[t.month - 1][: None if count > 3 else 3]
        return lambda t: str(t.month).rjust(count, "0")
    if letter == "E":
        return lambda t: _DAYS[t.weekday()][: None if count > 3 else 3]
    if letter == "a":
        return lambda t: "AM" if t.hour < 12 else "PM"
    if letter == "G":
        return lambda _: "AD"
    if letter == "Z":
        return lambda t: name if count > 2 else _offset(t, where, ":" if count == 2 else "")
    raise refused(f"The format letter '{letter}'", "Use yMdHhmsSEaZ and quoted text.")


def _offset(moment: datetime, where: timezone | ZoneInfo, colon: str) -> str:
    offset = moment.replace(tzinfo=where).utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{colon}{abs(minutes) % 60:02}"


def joda_writer(pattern: str, zone: str = "UTC") -> Writer:
    """format_datetime's writer."""
    where = zone_of(zone)[1]
    writers = [
        _joda_field(letter, n, where, zone) if letter else literal
        for letter, n, literal in _joda_tokens(pattern)
    ]
    return lambda t: "".join(w if isinstance(w, str) else w(t) for w in writers)


_JODA_READ = {
    "y": "year", "Y": "year", "M": "month", "d": "day", "H": "hour", "h": "hour12", "m": "minute", "s": "second",
    "S": "fraction", "a": "half", "Z": "offset", "E": "weekday",
}  # fmt: skip


def joda_reader(pattern: str) -> Callable[[str], datetime]:
    """parse_datetime's reader, for results in UTC; raises QueryError for texts with another offset."""
    fields: list[str] = []
    expression = ""
    for letter, count, literal in _joda_tokens(pattern):
        if not letter:
            expression += re.escape(literal)
            continue
        if letter not in _JODA_READ or (letter in "yY" and count == 2):
            raise refused(
                f"parse_datetime with '{letter * count}'", "Use yyyy, MM, dd, HH, mm, ss, SSS and Z."
            )
        name = "month_name" if letter == "M" and count >= 3 else _JODA_READ[letter]
        fields.append(name)
        expression += {
            "year": r"(\d{1,9})", "month_name": "([A-Za-z]+)", "weekday": "([A-Za-z]+)", "fraction": r"(\d{1,9})",
            "half": "((?i:AM|PM))", "offset": r"(Z|[+-]\d{2}:?\d{2})",
        }.get(name, r"(\d{1,2})")  # fmt: skip
    compiled = re.compile(expression)

    def read(text: str) -> datetime:
        match = compiled.fullmatch(text)
        if match is None:
            raise invalid(text, f"of the format {pattern}")
        found = dict(zip(fields, match.groups(), strict=True))
        offset = found.pop("offset", "Z")
        if offset != "Z" and set(offset) & set("123456789"):
            raise refused(f"parse_datetime on text with the offset {offset}", "Store times in UTC.")
        return _assemble(found, text)

    return read


_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)\s*")
_MILLIS = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def duration(text: str) -> timedelta:
    """parse_duration('3.5h')."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"duration is not a valid data duration string: {text}")
    return timedelta(milliseconds=int(float(match[1]) * _MILLIS[match[2]]))
