"""One column as a field: its kind, bounds with slack, choices, and what they were inferred from (pure)."""

from math import ceil, floor, log10

from producers.inference.model import Field, Kind, Profile, TimeColumns, quoted
from producers.inference.names import words_of

_MOST_CHOICES = 12
_ROWS_A_CHOICE = 20
_LARGEST = 2**53 - 1
_LENGTHS = (64, 256, 1024, 4096, 16_384, 65_536, 262_144)
_DEGREES = {"lat": 90.0, "latitude": 90.0, "lon": 180.0, "lng": 180.0, "longitude": 180.0}


def field_of(profile: Profile, name: str, *, personal: str, in_key: bool, time: TimeColumns | None) -> Field:
    """The field that a column becomes. `personal` says why it is personal; `time` how it is a time."""
    kind = _kind(profile, time)
    if personal or (kind == "enum" and in_key):
        kind = "text"
    sql = time.sql if kind == "time" and time is not None else quoted(profile.name)
    if kind == "json" and profile.type not in ("VARCHAR", "JSON"):
        sql = f"CAST(to_json({sql}) AS VARCHAR)"
    low, high = _bounds(profile, kind)
    why = [_seen(profile, kind, time)]
    if profile.missing:
        why.append(f"missing in {profile.missing:,} of {profile.rows:,} rows")
    if personal:
        why.append(f"personal by {personal}: the lake holds a pseudonym")
    choices = tuple(sorted(value for value, _ in profile.common)) if kind == "enum" else ()
    return Field(
        name=name,
        column=profile.name,
        kind=kind,
        sql=sql,
        is_optional=profile.missing > 0,
        is_personal=bool(personal),
        choices=choices,
        low=low,
        high=high,
        longest=next((each for each in _LENGTHS if each >= profile.longest * 2), profile.longest * 2),
        why="; ".join(why),
    )


def _kind(profile: Profile, time: TimeColumns | None) -> Kind:
    if time is not None:
        return "time"
    if profile.type == "BOOLEAN" or profile.all_like("flag"):
        return "bool"
    if profile.type.endswith("INT") or profile.type == "INTEGER":
        return "int" if not profile.like["large"] else "text"
    if profile.type in ("FLOAT", "DOUBLE") or profile.type.startswith("DECIMAL"):
        return "float"
    if profile.all_like("whole"):
        return "text" if profile.like["padded"] or profile.like["large"] else "int"
    if profile.all_like("number") and not profile.like["padded"] and not profile.like["large"]:
        return "float"
    if profile.all_like("json") or profile.type.endswith("]") or profile.type.startswith(("STRUCT", "MAP")):
        return "json"
    is_closed = 2 <= profile.distinct <= _MOST_CHOICES and profile.least >= 2
    return "enum" if is_closed and profile.present >= profile.distinct * _ROWS_A_CHOICE else "text"


def _bounds(profile: Profile, kind: Kind) -> tuple[float | None, float | None]:
    """The numbers' range with slack: ten times as far as the sample goes; from 0 where none is below."""
    if kind not in ("int", "float") or profile.low is None or profile.high is None:
        return None, None
    degrees = next((_DEGREES[word] for word in words_of(profile.name) if word in _DEGREES), None)
    if degrees is not None and -degrees <= profile.low and profile.high <= degrees:
        return -degrees, degrees
    low = 0.0 if profile.low >= 0 else -_round_up(-profile.low)
    high = _round_up(profile.high) if profile.high > 0 else 0.0
    return low, min(high, _LARGEST) if kind == "int" else high


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 followed by zeros, from ten times the value on."""
    power = 10.0 ** floor(log10(value * 10))
    leading = ceil(round(value * 10 / power, 9))
    return power * next(step for step in (1, 2, 5, 10) if step >= leading)


def _seen(profile: Profile, kind: Kind, time: TimeColumns | None) -> str:
    if kind == "time" and time is not None:
        return time.said
    if not profile.present:
        return "no row has a value"
    if kind in ("int", "float") and profile.low is not None and profile.high is not None:
        return f"{number(profile.low)} to {number(profile.high)}"
    if kind == "enum":
        return f"{profile.distinct} words in {profile.present:,} rows, the rarest in {profile.least:,}"
    if kind == "json":
        return "lists or objects, kept as JSON text"
    shown = profile.common[0][0]
    if profile.like["padded"] and profile.all_like("whole"):
        return f"{profile.distinct:,} values with zeros in front, such as {shown[:40]!r}"
    values = f"{profile.distinct:,} values" if profile.distinct > 1 else "one value"
    return f"{values}, at most {profile.longest:,} characters"


def number(value: float) -> str:
    """A number as people read it."""
    return f"{int(value):,}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"
