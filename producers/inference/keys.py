"""The columns that name an event: a combination that is unique in the sample, and means something."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from math import prod

from producers.inference.model import Profile, TimeColumns
from producers.inference.names import words_of
from producers.sources.engine import FILE, Engine

_NAMING = frozenset(
    {"id", "ids", "uuid", "guid", "key", "ref", "reference", "number", "no", "nr", "code", "serial", "sku"}
)
_MEASURING = frozenset(
    {
        "time", "date", "year", "month", "day", "hour", "minute", "second", "delay", "distance", "duration",
        "count", "total", "sum", "amount", "price", "cost", "cents", "value", "volume", "size", "length",
        "width", "height", "weight", "seconds", "minutes", "age", "population", "pop", "rate", "percent",
        "temp", "temperature", "lat", "lon", "latitude", "longitude",
    }
)  # fmt: skip
_NEARLY = 0.995
_MOST_ASKED = 40
_ENOUGH_ROWS = 100


def key_of(
    engine: Engine,
    profiles: Mapping[str, Profile],
    times: Mapping[str, TimeColumns],
    time: TimeColumns,
    personal: Mapping[str, str],
) -> tuple[str, ...]:
    """Columns of the key, in order; none where no combination is unique.

    Where columns tell nearly all rows apart, and not all, adding another one would do so by chance: then
    there is no key.
    """
    rows = engine.rows(f"SELECT count(*) FROM (SELECT DISTINCT * FROM {FILE})")[0][0]  # noqa: S608
    named = _naming(profiles, times, time, personal)
    for name in named:
        if profiles[name].distinct == rows and _names_alone(profiles[name], next(iter(profiles)), rows):
            return (name,)
    nearly: list[frozenset[str]] = []
    asked = 0
    for columns in _combinations(named, time):
        if any(each <= {*columns} for each in nearly):
            continue
        if (most := prod(profiles[name].distinct for name in columns)) < rows:
            if len(columns) == 1 and most >= rows * _NEARLY:
                nearly.append(frozenset(columns))
            continue
        asked += 1
        if asked > _MOST_ASKED:
            break
        listed = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
        found = engine.rows(f"SELECT count(*) FROM (SELECT DISTINCT {listed} FROM {FILE})")[0][0]  # noqa: S608
        if found == rows:
            return columns
        if found >= rows * _NEARLY:
            nearly.append(frozenset(columns))
    return ()


def _naming(
    profiles: Mapping[str, Profile],
    times: Mapping[str, TimeColumns],
    time: TimeColumns,
    personal: Mapping[str, str],
) -> list[str]:
    """Columns that may name something, those that most likely do first; none with a missing value."""
    found: list[tuple[int, str]] = []
    for name, profile in profiles.items():
        if profile.missing or name in times or name in time.columns or profile.distinct < 2:
            continue
        words = {*words_of(name)}
        is_whole = profile.all_like("whole") or profile.type.endswith("INT") or profile.type == "INTEGER"
        if words & _NAMING:
            rank = 0
        elif profile.type == "VARCHAR" and not profile.all_like("number") and not profile.all_like("json"):
            rank = 2 if name in personal else 1
        elif is_whole and not words & _MEASURING and (profile.low or 0) >= 0:
            rank = 3
        else:
            continue
        found.append((rank, name))
    return [name for _, name in sorted(found, key=lambda one: one[0])]


def _names_alone(profile: Profile, first: str, rows: int) -> bool:
    """Whether a column that is unique is so because it names the rows."""
    if {*words_of(profile.name)} & _NAMING:
        return True
    return profile.name == first and rows >= _ENOUGH_ROWS and profile.type == "VARCHAR"


def _combinations(named: Sequence[str], time: TimeColumns) -> Iterator[tuple[str, ...]]:
    yield time.columns
    few = named[:12]
    for size in (1, 2, 3):
        for columns in combinations(few, size):
            yield (*columns, *time.columns)
    for columns in combinations(few, 2):
        yield columns
