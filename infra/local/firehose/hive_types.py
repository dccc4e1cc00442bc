"""Hive's (Glue's) column types, parsed."""

import re
from dataclasses import dataclass

import pyarrow as pa

_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|\d+|[<>(),:])")
INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64}
STRINGS = frozenset({"string", "varchar", "char"})
_ARROW = {
    **{name: getattr(pa, f"int{bits}")() for name, bits in INTEGERS.items()},
    **dict.fromkeys(STRINGS, pa.string()),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("ms"),
    "binary": pa.binary(),
}


class HiveTypeError(ValueError):
    """Not a Hive type."""

    def __init__(self, text: str, position: int, message: str) -> None:
        super().__init__(f"{text!r} is not a Hive type: {message} at character {position + 1}.")
        self.text, self.position = text, position


@dataclass(frozen=True)
class HiveType:
    """A Hive type.

    Attributes:
        name: `bigint`, `struct`, ...
        fields: names and types of a struct; an array has `element`; a map has `key` and `value`.
        arguments: of decimal (precision, scale), varchar and char (length).
    """

    name: str
    fields: tuple[tuple[str, "HiveType"], ...] = ()
    arguments: tuple[int, ...] = ()

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type of its values."""
        if self.name == "struct":
            return pa.struct([(name, inner.arrow) for name, inner in self.fields])
        if self.name == "array":
            return pa.list_(self.fields[0][1].arrow)
        if self.name == "map":
            return pa.map_(self.fields[0][1].arrow, self.fields[1][1].arrow)
        if self.name == "decimal":
            return pa.decimal128(*(self.arguments or (10, 0)))
        return _ARROW[self.name]


def parse_type(text: str) -> HiveType:
    """Parse a type, for example `struct<a:int,b:array<map<string,decimal(10,2)>>>`. Raises HiveTypeError."""
    parser = _Parser(text)
    found = parser.type()
    parser.end()
    return found


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def peek(self) -> str:
        match = _TOKEN.match(self.text, self.at)
        return match[1] if match else ""

    def take(self, wanted: str = "") -> str:
        match = _TOKEN.match(self.text, self.at)
        if not match or (wanted and match[1] != wanted):
            raise HiveTypeError(self.text, self.at, f"expected {wanted or 'a name'}")
        self.at = match.end()
        return match[1]

    def end(self) -> None:
        if self.text[self.at :].strip():
            raise HiveTypeError(self.text, self.at, "unexpected text")

    def type(self) -> HiveType:
        start, name = self.at, self.take().lower()
        if name == "struct":
            return HiveType(name, self.members())
        if name in {"array", "map"}:
            return HiveType(name, self.elements(("element",) if name == "array" else ("key", "value")))
        if name in {"decimal", "varchar", "char"}:
            return HiveType(name, arguments=self.numbers())
        if name not in _ARROW:
            raise HiveTypeError(self.text, start, f"unknown type {name!r}")
        return HiveType(name)

    def members(self) -> tuple[tuple[str, HiveType], ...]:
        self.take("<")
        found = [self.member()]
        while self.peek() == ",":
            self.take()
            found.append(self.member())
        self.take(">")
        return tuple(found)

    def member(self) -> tuple[str, HiveType]:
        name = self.take().lower()
        self.take(":")
        return name, self.type()

    def elements(self, names: tuple[str, ...]) -> tuple[tuple[str, HiveType], ...]:
        self.take("<")
        found = []
        for index, name in enumerate(names):
            if index:
                self.take(",")
            found.append((name, self.type()))
        self.take(">")
        return tuple(found)

    def numbers(self) -> tuple[int, ...]:
        if self.peek() != "(":
            return ()
        self.take()
        found = [self.number()]
        while self.peek() == ",":
            self.take()
            found.append(self.number())
        self.take(")")
        return tuple(found)

    def number(self) -> int:
        start, text = self.at, self.take()
        if not text.isdigit():
            raise HiveTypeError(self.text, start, "expected a number")
        return int(text)
