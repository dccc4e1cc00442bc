"""Which columns are times, in which form they are written, and columns that make a time together."""

import re
from collections.abc import Iterator, Mapping

from producers.inference.model import Profile, TimeColumns, literal, quoted
from producers.inference.names import words_of
from producers.inference.profiling import trimmed
from producers.sources.engine import FILE, Engine

_DAYS = (
    ("%Y/%m/%d", r"\d{4}/\d{1,2}/\d{1,2}"), ("%d.%m.%Y", r"\d{1,2}\.\d{1,2}\.\d{4}"),
    ("%d/%m/%Y", r"\d{1,2}/\d{1,2}/\d{4}"), ("%m/%d/%Y", r"\d{1,2}/\d{1,2}/\d{4}"),
    ("%d-%m-%Y", r"\d{1,2}-\d{1,2}-\d{4}"), ("%m-%d-%Y", r"\d{1,2}-\d{1,2}-\d{4}"),
    ("%Y%m%d", r"(?:1[5-9]|20)\d{2}[01]\d[0-3]\d"), ("%b %d %Y", r"[A-Z][a-z]{2} \d{1,2} \d{4}"),
    ("%b %d, %Y", r"[A-Z][a-z]{2} \d{1,2}, \d{4}"), ("%B %d, %Y", r"[A-Z][a-z]{2,8} \d{1,2}, \d{4}"),
    ("%d %b %Y", r"\d{1,2} [A-Z][a-z]{2} \d{4}"), ("%d-%b-%Y", r"\d{1,2}-[A-Z][a-z]{2}-\d{4}"),
    ("%b-%d-%Y", r"[A-Z][a-z]{2}-\d{1,2}-\d{4}"), ("%Y.%m.%d", r"\d{4}\.\d{1,2}\.\d{1,2}"),
)  # fmt: skip
_CLOCKS = (
    ("", ""), (" %H:%M", r" \d{1,2}:\d{2}"), (" %H:%M:%S", r" \d{1,2}:\d{2}:\d{2}"),
    (" %H:%M:%S.%f", r" \d{1,2}:\d{2}:\d{2}\.\d{1,6}"), (" %I:%M %p", r" \d{1,2}:\d{2} [AaPp][Mm]"),
    (" %I:%M:%S %p", r" \d{1,2}:\d{2}:\d{2} [AaPp][Mm]"),
)  # fmt: skip
_FORMS = tuple((day + clock, f"{like}{also}") for day, like in _DAYS for clock, also in _CLOCKS)
_EPOCHS = ((1e8, 5e9, "to_timestamp({0})", "seconds"), (1e11, 5e12, "epoch_ms({0})", "milliseconds"),
           (1e14, 5e15, "make_timestamp({0})", "microseconds"))  # fmt: skip
_EPOCH_WORDS = frozenset({"ts", "time", "timestamp", "epoch", "at", "unix", "ms", "date", "datetime"})


def time_of(engine: Engine, profile: Profile) -> TimeColumns | None:
    """How the column is a time; None where it is not one."""
    column = quoted(profile.name)
    if profile.type.startswith("TIMESTAMP") or profile.type == "DATE":
        is_zoned, is_by_day = "WITH TIME ZONE" in profile.type, profile.type == "DATE"
        return TimeColumns((profile.name,), column, "a time by its type", is_zoned, is_by_day=is_by_day)
    if profile.all_like("iso"):
        is_by_day = profile.longest <= len("2013-01-31")
        zoned = profile.all_like("zoned")
        return TimeColumns((profile.name,), column, f"such as {_shown(profile)}", zoned, is_by_day=is_by_day)
    if profile.all_like("whole") and (found := _epoch(profile)) is not None:
        return found
    return _written(engine, profile)


def _epoch(profile: Profile) -> TimeColumns | None:
    if not _EPOCH_WORDS & {*words_of(profile.name)} or profile.low is None or profile.high is None:
        return None
    for low, high, sql, unit in _EPOCHS:
        if low <= profile.low and profile.high <= high:
            made = sql.format(f"CAST({quoted(profile.name)} AS BIGINT)")
            return TimeColumns((profile.name,), made, f"{unit} since 1970", is_zoned=True)
    return None


def _written(engine: Engine, profile: Profile) -> TimeColumns | None:
    if not profile.common:
        return None
    likely = [
        form
        for form, like in _FORMS
        if all(re.fullmatch(like, value.replace("T", " ")) for value, _ in profile.common)
    ]
    fitting = [form for form in likely if _fits(engine, profile, form)]
    if not fitting:
        return None
    text = quoted(profile.name) if profile.type == "VARCHAR" else f"CAST({quoted(profile.name)} AS VARCHAR)"
    form = fitting[0]
    said = f"written {form}, such as {_shown(profile)}"
    is_by_day = not {"%H", "%I"} & {form[at : at + 2] for at in range(len(form))}
    sql = f"strptime({text}, {literal(form)})"
    return TimeColumns((profile.name,), sql, said, False, len(fitting) == 1, is_by_day)


def _fits(engine: Engine, profile: Profile, form: str) -> bool:
    """Whether as many values as the column has can be read so."""
    column = '"' + profile.name.replace('"', '""') + '"'
    sql = f"SELECT count(*) FROM {FILE} WHERE try_strptime({trimmed(column)}, {literal(form)}) IS NOT NULL"  # noqa: S608
    return int(engine.rows(sql)[0][0]) == profile.present


def composed(found: Mapping[str, Profile], times: Mapping[str, TimeColumns]) -> Iterator[TimeColumns]:
    """Times that several columns make together, the most exact first; each without missing parts."""
    yield from _day_and_clock(found, times)
    by_word = {name.lower(): profile for name, profile in found.items() if not profile.missing}
    parts = {word: by_word.get(word) for word in ("year", "month", "day", "hour", "minute", "quarter")}
    year = parts["year"]
    if year is None or not _within(year, 1500, 2200):
        return
    if _within(parts["month"], 1, 12):
        names = ["year", "month"]
        if _within(parts["day"], 1, 31):
            names.append("day")
            if _within(parts["hour"], 0, 23):
                names.append("hour")
                if _within(parts["minute"], 0, 59):
                    names.append("minute")
        yield _of_parts([by_word[name] for name in names])
    elif _within(parts["quarter"], 1, 4):
        quarter = by_word["quarter"]
        sql = f"make_date({_whole(year)}, {_whole(quarter)} * 3 - 2, 1)"
        yield TimeColumns(
            (year.name, quarter.name), sql, "the first day of the quarter", False, is_by_day=True
        )
    else:
        sql = f"make_date({_whole(year)}, 1, 1)"
        yield TimeColumns((year.name,), sql, "the first day of the year", False, is_by_day=True)


def _day_and_clock(found: Mapping[str, Profile], times: Mapping[str, TimeColumns]) -> Iterator[TimeColumns]:
    clocks = [each for each in found.values() if each.all_like("clock") and not each.missing]
    for name, time in times.items():
        if time.is_by_day and not found[name].missing and clocks:
            clock = clocks[0]
            if time.sql == quoted(name) and found[name].type == "VARCHAR":
                sql = f"{time.sql} || ' ' || {quoted(clock.name)}"
            else:
                sql = f"CAST({time.sql} AS DATE) + CAST({quoted(clock.name)} AS TIME)"
            yield TimeColumns((name, clock.name), sql, "the day of one and the time of the other", False)


def _of_parts(parts: list[Profile]) -> TimeColumns:
    wholes = [_whole(part) for part in parts]
    names = tuple(part.name for part in parts)
    if len(parts) <= 3:
        return TimeColumns(
            names, f"make_date({', '.join([*wholes, '1'][:3])})", "their day", False, is_by_day=True
        )
    sql = f"make_timestamp({', '.join([*wholes, '0'][:5])}, 0.0)"
    return TimeColumns(names, sql, "their hour" if len(parts) == 4 else "their minute", False)


def _whole(profile: Profile) -> str:
    return f"CAST({quoted(profile.name)} AS INTEGER)"


def _within(profile: Profile | None, low: int, high: int) -> bool:
    if profile is None or profile.low is None or profile.high is None or not profile.all_like("whole"):
        return False
    return low <= profile.low and profile.high <= high


def _shown(profile: Profile) -> str:
    return repr(profile.common[0][0][:40]) if profile.common else "nothing"
