"""What kind of statement a text is, and the forms that Athena adds to Trino's: UNLOAD, PREPARE, EXECUTE. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlglot.tokenizer_core import Token, TokenType

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.parse import hive_tokens, tokens

Family = Literal["DML", "DDL", "UTILITY"]


@dataclass(frozen=True)
class Statement:
    """A statement: `kind` is what runs it, `family` and `kind` are what the API shows."""

    sql: str
    kind: str
    family: Family


_FIRST: dict[str, tuple[str, Family]] = {
    "SELECT": ("SELECT", "DML"),
    "WITH": ("SELECT", "DML"),
    "VALUES": ("SELECT", "DML"),
    "TABLE": ("SELECT", "DML"),
    "(": ("SELECT", "DML"),
    "UNLOAD": ("UNLOAD", "DML"),
    "INSERT": ("INSERT", "DML"),
    "EXPLAIN": ("EXPLAIN", "UTILITY"),
    "DESCRIBE": ("DESCRIBE", "UTILITY"),
    "DESC": ("DESCRIBE", "UTILITY"),
    "SHOW": ("SHOW", "UTILITY"),
    "PREPARE": ("PREPARE", "DDL"),
    "EXECUTE": ("EXECUTE", "DML"),
    "DEALLOCATE": ("DEALLOCATE", "DDL"),
    "CREATE": ("CREATE", "DDL"),
    "DROP": ("DROP", "DDL"),
    "ALTER": ("ALTER", "DDL"),
    "MSCK": ("MSCK", "DDL"),
}
_ICEBERG = ("MERGE", "DELETE", "UPDATE", "OPTIMIZE", "VACUUM")


def statement(sql: str) -> Statement:
    """Recognise the statement by its first words. Raises QueryError for what no one serves."""
    text = sql.strip().rstrip(";").strip()
    words = re.sub(r"^(?:\s*(?:--[^\n]*\n|/\*.*?\*/))*\s*", "", text, flags=re.DOTALL)
    match = re.match(r"\(|[A-Za-z]+", words)
    first = match[0].upper() if match else ""
    if first in _ICEBERG:
        raise QueryError(
            "NOT_SUPPORTED",
            f"{first} needs an Iceberg table, which the local endpoint does not have. Write the whole partition anew.",
        )
    if first not in _FIRST:
        raise QueryError(
            "SYNTAX_ERROR", f"mismatched input '{first or words[:20]}'. Expecting: a statement", 1, 1
        )
    kind, family = _FIRST[first]
    if kind == "CREATE" and re.match(r"CREATE\s+TABLE\b", words, re.IGNORECASE):
        return Statement(text, "CREATE_TABLE_AS_SELECT", "DDL")
    if kind == "EXECUTE" and re.match(r"EXECUTE\s+IMMEDIATE\b", words, re.IGNORECASE):
        raise QueryError(
            "NOT_SUPPORTED",
            "EXECUTE IMMEDIATE is not supported by the local endpoint. Use ExecutionParameters.",
        )
    return Statement(text, kind, family)


class Reader:
    """Reads a statement token by token. Errors are SYNTAX_ERROR with the place."""

    def __init__(self, sql: str, *, hive: bool = False) -> None:
        """`hive`: names stand in backticks, and what is in double quotes is a text."""
        self.sql = sql
        self.tokens: list[Token] = hive_tokens(sql) if hive else tokens(sql)
        self.at = 0

    @property
    def token(self) -> Token | None:
        """The next token."""
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def error(self, expected: str) -> QueryError:
        """What is wrong at the next token."""
        token = self.token
        if token is None:
            return QueryError(
                "SYNTAX_ERROR", f"mismatched input '<EOF>'. Expecting: {expected}", 1, len(self.sql) + 1
            )
        return QueryError(
            "SYNTAX_ERROR", f"mismatched input '{token.text}'. Expecting: {expected}", token.line, token.col
        )

    def is_word(self, *words: str) -> bool:
        """Whether these words come next (they may be one token)."""
        upcoming = " ".join(t.text.upper() for t in self.tokens[self.at : self.at + len(words)])
        return (upcoming + " ").startswith(" ".join(words) + " ")

    def accept(self, *words: str) -> bool:
        """Take these words if they come next."""
        if not self.is_word(*words):
            return False
        wanted, taken = " ".join(words), ""
        while len(taken.strip()) < len(wanted):
            taken += " " + self.tokens[self.at].text.upper()
            self.at += 1
        return True

    def expect(self, *words: str) -> None:
        """Take these words or fail."""
        if not self.accept(*words):
            raise self.error(f"'{' '.join(words)}'")

    def text(self) -> str:
        """Take a string literal."""
        token = self.token
        if token is None or token.token_type != TokenType.STRING:
            raise self.error("<string>")
        self.at += 1
        return token.text

    def name(self) -> str:
        """Take an identifier, quoted or not."""
        token = self.token
        if (
            token is None
            or token.token_type in (TokenType.STRING, TokenType.NUMBER)
            or not re.match(r"[\w$]", token.text)
        ):
            raise self.error("<identifier>")
        self.at += 1
        return token.text.lower()

    def names(self) -> list[str]:
        """Take a dotted name. Hive writes one in SHOW CREATE TABLE as `database.table`, and reads it so too."""
        found = [self.name()]
        while self.accept("."):
            found.append(self.name())
        return found if len(found) > 1 else found[0].split(".")

    def parenthesised(self) -> str:
        """Take what is between a parenthesis and its partner; returns the text inside."""
        self.expect("(")
        start, depth = self.tokens[self.at - 1].end + 1, 1
        while depth:
            token = self.token
            if token is None:
                raise self.error("')'")
            depth += (token.text == "(" and token.token_type != TokenType.STRING) - (
                token.text == ")" and token.token_type != TokenType.STRING
            )
            self.at += 1
        return self.sql[start : self.tokens[self.at - 1].start]

    def rest(self) -> str:
        """The text from the next token on."""
        return self.sql[self.token.start :].strip() if self.token is not None else ""

    def end(self) -> None:
        """Fail unless everything is read."""
        if self.token is not None:
            raise self.error("<EOF>")

    def properties(self) -> dict[str, Any]:
        """Take `(name = value, ...)`: strings, numbers, booleans, ARRAY['...']."""
        found: dict[str, Any] = {}
        self.expect("(")
        while True:
            token = self.token
            name = self.text() if token is not None and token.token_type == TokenType.STRING else self.name()
            self.expect("=")
            found[name] = self._value()
            if not self.accept(","):
                break
        self.expect(")")
        return found

    def _value(self) -> Any:
        if self.accept("ARRAY"):
            self.expect("[")
            items = [self.text()]
            while self.accept(","):
                items.append(self.text())
            self.expect("]")
            return items
        token = self.token
        if token is None:
            raise self.error("a value")
        if token.token_type == TokenType.STRING:
            return self.text()
        self.at += 1
        if token.text.lower() in ("true", "false"):
            return token.text.lower() == "true"
        if token.token_type == TokenType.NUMBER:
            return int(token.text)
        self.at -= 1
        raise self.error("a value")


@dataclass(frozen=True)
class Unload:
    """UNLOAD (query) TO 'location' WITH (...)."""

    query: str
    location: str
    properties: dict[str, Any]


def unload(sql: str) -> Unload:
    """Read an UNLOAD. Raises QueryError."""
    reader = Reader(sql)
    reader.expect("UNLOAD")
    query = reader.parenthesised()
    reader.expect("TO")
    location = reader.text()
    properties = reader.properties() if reader.accept("WITH") else {}
    reader.end()
    known = {"format", "compression", "compression_level", "field_delimiter", "partitioned_by"}
    for name in properties:
        if name not in known:
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                f"Unload property '{name}' does not exist. Use: {', '.join(sorted(known))}.",
            )
    if "format" not in properties:
        raise QueryError("INVALID_TABLE_PROPERTY", "UNLOAD needs WITH (format = 'PARQUET').")
    return Unload(query, location, properties)


def execute(sql: str) -> tuple[str, list[str]]:
    """`EXECUTE name USING a, b`: the name and the parameters' texts."""
    reader = Reader(sql)
    reader.expect("EXECUTE")
    name = reader.name()
    parameters: list[str] = []
    if reader.accept("USING"):
        parameters = split_arguments(reader.rest())
    else:
        reader.end()
    return name, parameters


def split_arguments(text: str) -> list[str]:
    """Parts between commas that are in no parenthesis and no quotes."""
    found: Sequence[Token] = tokens(text)
    parts, depth, start = [], 0, 0
    for token in found:
        if token.token_type == TokenType.STRING:
            continue
        depth += (token.text in "([") - (token.text in ")]")
        if token.text == "," and not depth:
            parts.append(text[start : token.start].strip())
            start = token.end + 1
    return [*parts, text[start:].strip()]


def prepare(sql: str) -> tuple[str, str]:
    """`PREPARE name FROM statement`."""
    reader = Reader(sql)
    reader.expect("PREPARE")
    name = reader.name()
    reader.expect("FROM")
    return name, reader.rest()
