"""Type names as written in Trino's SQL, in Hive's DDL and in Glue, and as Athena's API shows them."""

import re
from collections.abc import Iterator

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.types import Type, array, decimal, map_of, row

_TOKEN = re.compile(r'\s*("(?:[^"]|"")+"|`[^`]+`|[\w$.]+|[<>(),:])')
_HIVE = {"string": "varchar", "int": "integer", "float": "real", "binary": "varbinary"}
_TO_HIVE = {"integer": "int", "real": "float", "varbinary": "binary"}
_PLAIN = {
    "unknown", "boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "varchar", "char", "json",
    "varbinary", "date", "time", "timestamp", "decimal", "uuid",
}  # fmt: skip


def parse_type(text: str) -> Type:
    """The type that the text spells, in Trino's or Hive's way. Raises QueryError TYPE_NOT_FOUND."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(self._scan(text))
        self.at = 0

    def _scan(self, text: str) -> Iterator[str]:
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if match is None:
                raise self.unknown()
            yield match[1]
            position = match.end()

    def unknown(self) -> QueryError:
        return QueryError("TYPE_NOT_FOUND", f"Unknown type: {self.text}")

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.peek()
        if not token or (wanted and token.lower() not in wanted):
            raise self.unknown()
        self.at += 1
        return token

    def accept(self, *words: str) -> bool:
        if [t.lower() for t in self.tokens[self.at : self.at + len(words)]] == list(words):
            self.at += len(words)
            return True
        return False

    def whole(self) -> Type:
        found = self.one()
        if self.peek():
            raise self.unknown()
        return found

    def one(self) -> Type:
        name = self.take().lower()
        name = _HIVE.get(name, name)
        if name == "interval":
            words = [self.take().lower() for _ in range(3)]
            return Type(f"interval {' '.join(words)}")
        if name == "array":
            close = self.open()
            found = array(self.one())
        elif name == "map":
            close = self.open()
            key = self.one()
            self.take(",")
            found = map_of(key, self.one())
        elif name in ("row", "struct"):
            close = self.open()
            found = row(*self.fields(close))
        else:
            return self.plain("integer" if name == "int" else name)
        self.take(close)
        return found

    def open(self) -> str:
        return ">" if self.take("<", "(") == "<" else ")"

    def fields(self, close: str) -> Iterator[tuple[str, Type]]:
        while True:
            following = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else ""
            named = following not in (",", close, "(", "<") or self.peek()[0] in '"`'
            name = self.take().strip('"`').lower() if named else ""
            self.accept(":")
            yield name, self.one()
            if not self.accept(","):
                return

    def plain(self, name: str) -> Type:
        if name not in _PLAIN:
            raise self.unknown()
        args: tuple[int, ...] = ()
        if self.accept("("):
            numbers = [int(self.take())]
            while self.accept(","):
                numbers.append(int(self.take()))
            self.take(")")
            args = tuple(numbers)
        if name == "decimal":
            return decimal(*(args or (38, 0))) if len(args) != 1 else decimal(args[0], 0)
        if name == "char" and not args:
            args = (1,)
        if name in ("timestamp", "time"):
            if self.accept("with", "time", "zone"):
                name += " with time zone"
            args = args or (3,)
        return Type(name, args)


def hive_name(of: Type) -> str:
    """The type as Glue spells it, for tables that a query creates. Raises QueryError where Hive has none."""
    if of.name == "array":
        return f"array<{hive_name(of.of[0])}>"
    if of.name == "map":
        return f"map<{hive_name(of.of[0])},{hive_name(of.of[1])}>"
    if of.name == "row":
        return (
            f"struct<{','.join(f'{n}:{hive_name(t)}' for n, t in zip(of.stored_names, of.of, strict=True))}>"
        )
    if of.name == "varchar":
        return f"varchar({of.args[0]})" if of.args else "string"
    if of.name == "timestamp":
        return "timestamp"
    if (
        of.name in ("json", "time", "uuid", "unknown")
        or of.is_interval
        or of.name == "timestamp with time zone"
    ):
        raise QueryError(
            "NOT_SUPPORTED", f"Unsupported Hive type: {of}. Cast the column to a type that Hive has."
        )
    return _TO_HIVE.get(of.name, str(of))


def api_name(of: Type) -> str:
    """`ColumnInfo.Type`: the type's name without its arguments."""
    return of.name


def api_numbers(of: Type) -> tuple[int, int]:
    """`ColumnInfo.Precision` and `Scale` as Athena gives them."""
    if of.name == "decimal":
        return of.precision, of.scale
    if of.is_text:
        return (of.args[0] if of.args else 2147483647), 0
    return {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "real": 17, "double": 17}.get(
        of.name, 3 if of.name in ("timestamp", "time", "timestamp with time zone") else 0
    ), 0
