"""Names of fields, classes and event types, made of what a file calls its columns (pure)."""

import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping

from producers.contracts import ENVELOPE_FIELDS

_TAKEN = frozenset({"int", "float", "str", "bool", "list", "dict", "self", "payload", "datetime"})
"""Names that mean something else in the class of the payload."""
_LONGEST = 60


def field_names(columns: Iterable[str]) -> Mapping[str, str]:
    """A name for each column: lower case, letters, digits and `_`, each once."""
    given = list(columns)
    # A column that is called so already keeps its name, whatever comes before it.
    found = {column: column for column in given if _plain(column, 0) == column}
    for number, column in enumerate(given, start=1):
        if column in found:
            continue
        base = name = _plain(column, number)
        again = 2
        while name in found.values():
            name, again = f"{base}_{again}", again + 1
        found[column] = name
    return {column: found[column] for column in given}


def _plain(column: str, number: int) -> str:
    name = snake(column) or f"column_{number}"
    if name[0].isdigit():
        name = f"n_{name}"
    if keyword.iskeyword(name) or name in _TAKEN or name in ENVELOPE_FIELDS:
        name = f"{name}_value"
    return name


def snake(text: str) -> str:
    """`Adj Close` and `adjClose` are `adj_close`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")[:_LONGEST].strip("_")


def words_of(column: str) -> tuple[str, ...]:
    """The words of a column's name."""
    return tuple(snake(column).split("_"))


def class_name(stream: str) -> str:
    """The class of the events of a stream that is called `flights`: `FlightRecorded`."""
    stem = stream.strip("_")
    if stem.endswith("ies") and len(stem) > 4:
        stem = stem[:-3] + "y"
    elif stem.endswith("s") and not stem.endswith(("ss", "us", "is")):
        stem = stem[:-1]
    return "".join(word.capitalize() for word in f"{stem}_recorded".split("_") if word)


def event_name(stream: str) -> str:
    """The event type that this class declares: `flight_recorded`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name(stream)).lower()
