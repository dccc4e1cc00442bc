"""Reading a declaration file so that every value remembers its line: the base of every message with
file:line.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TABLE = re.compile(r"\[(?P<double>\[)?\s*(?P<path>[\w.\-]+)\s*\]?\]")
_KEY = re.compile(r"(?P<key>[\w\-]+)\s*=")

Path = tuple[str | int, ...]


class DeclarationError(ValueError):
    """A declaration does not say what it must. `file` and `line` (from 1) say where."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


@dataclass(frozen=True)
class Section:
    """A table of the file, and where it stands. Reads give typed values or raise DeclarationError."""

    file: str
    values: Mapping[str, Any]
    lines: Mapping[Path, int]
    path: Path = ()

    def line(self, *keys: str | int) -> int:
        """The line of a key in this table, or of the nearest thing around it."""
        path = (*self.path, *keys)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fail(self, message: str, *keys: str | int) -> DeclarationError:
        """The error that says `message` at the line of `keys`."""
        return DeclarationError(self.file, self.line(*keys), message)

    def only(self, *allowed: str) -> None:
        """Refuse keys that nobody would read."""
        for key in self.values:
            if key not in allowed:
                raise self.fail(f"Unknown key {key!r}. Use one of: {', '.join(allowed)}.", key)

    def text(self, key: str, default: str | None = None) -> str:
        """A string that is not empty."""
        return str(self._value(key, str, default))

    def flag(self, key: str) -> bool:
        """A boolean; false when absent."""
        return bool(self._value(key, bool, False))

    def whole(self, key: str, default: int) -> int:
        """A whole number."""
        return int(self._value(key, int, default))

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of strings."""
        value = self._value(key, list, None if default is None else list(default))
        if not all(isinstance(entry, str) for entry in value):
            raise self.fail(f"{key!r} must be a list of strings.", key)
        return tuple(value)

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of the strings allowed."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.fail(f"Unknown {key} {value!r}. Use one of: {', '.join(allowed)}.", key)
        return value

    def table(self, key: str) -> "Section":
        """A table inside this one; empty when absent."""
        value = self._value(key, dict, {})
        return Section(self.file, value, self.lines, (*self.path, key))

    def tables(self, key: str) -> "tuple[Section, ...]":
        """An array of tables."""
        value = self._value(key, list, [])
        if not all(isinstance(entry, dict) for entry in value):
            raise self.fail(f"{key!r} must be written as [[{key}]].", key)
        return tuple(
            Section(self.file, entry, self.lines, (*self.path, key, at)) for at, entry in enumerate(value)
        )

    def _value(self, key: str, wanted: type, default: Any) -> Any:
        if key not in self.values:
            if default is None:
                raise self.fail(f"{key!r} is missing. Add it.")
            return default
        value = self.values[key]
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            raise self.fail(f"{key!r} must be {_NAMES[wanted]}, not {value!r}.", key)
        if value == "":
            raise self.fail(f"{key!r} is empty. Say something or remove the line.", key)
        return value


_NAMES = {str: "a string", bool: "true or false", int: "a whole number", list: "a list", dict: "a table"}


def read(text: str, file: str) -> Section:
    """The whole file as one section. Raises DeclarationError also for text that is not TOML."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        raise DeclarationError(file, int(where[1]) if where else 1, f"This is not TOML: {error}.") from error
    return Section(file, values, _lines(text))


def _lines(text: str) -> dict[Path, int]:
    """The line of every table header and of every key that starts a line."""
    found: dict[Path, int] = {(): 1}
    table: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if header := _TABLE.match(stripped):
            table = _table_path(header["path"].split("."), bool(header["double"]), found)
            found[table] = number
        elif key := _KEY.match(stripped):
            found.setdefault((*table, key["key"]), number)
    return found


def _table_path(names: list[str], is_entry: bool, found: Mapping[Path, int]) -> Path:
    """Where a header leads: names of arrays are followed by the index of their newest entry."""
    path: Path = ()
    for at, name in enumerate(names):
        path = (*path, name)
        entries = sum(1 for known in found if known[:-1] == path and isinstance(known[-1], int))
        if is_entry and at == len(names) - 1:
            path = (*path, entries)
        elif entries:
            path = (*path, entries - 1)
    return path
