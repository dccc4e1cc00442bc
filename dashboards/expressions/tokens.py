"""Characters to tokens of QuickSight's expression language."""

import re
from dataclasses import dataclass
from typing import Literal

from dashboards.expressions.tree import ExpressionError

TokenKind = Literal["number", "text", "field", "parameter", "word", "symbol", "end"]

# The console's editor accepts typographic quotes too, and people paste them.
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "”": "”", "’": "’"}
_SKIPPED = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYMBOL = re.compile(r"<>|!=|<=|>=|[-+*/%^=<>(),\[\]]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True)
class Token:
    """A token and where it starts, counted in characters from 0."""

    kind: TokenKind
    value: str
    position: int


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of `text`, closed by an `end` token. Raises ExpressionError."""
    found: list[Token] = []
    at = 0
    while True:
        if skipped := _SKIPPED.match(text, at):
            at = skipped.end()
        if at >= len(text):
            return (*found, Token("end", "", len(text)))
        token, at = _token(text, at)
        found.append(token)


def _token(text: str, at: int) -> tuple[Token, int]:
    character = text[at]
    if character in _QUOTES:
        return _quoted(text, at)
    if character == "{" or text.startswith("${", at):
        start = at + (2 if character == "$" else 1)
        end = text.find("}", start)
        if end < 0:
            raise ExpressionError("A brace is never closed. Add }.", at)
        return Token("parameter" if character == "$" else "field", text[start:end].strip(), at), end + 1
    for kind, pattern in (("number", _NUMBER), ("word", _WORD), ("symbol", _SYMBOL)):
        if match := pattern.match(text, at):
            return Token(kind, match[0], at), match.end()  # type: ignore[arg-type]
    raise ExpressionError(f"{character!r} means nothing here.", at)


def _quoted(text: str, at: int) -> tuple[Token, int]:
    closing = {_QUOTES[text[at]], text[at]}
    value: list[str] = []
    index = at + 1
    while index < len(text):
        character = text[index]
        if character == "\\" and index + 1 < len(text):
            value.append(_ESCAPES.get(text[index + 1], text[index + 1]))
            index += 2
            continue
        if character in closing:
            return Token("text", "".join(value), at), index + 1
        value.append(character)
        index += 1
    raise ExpressionError("A string is never closed. Add the closing quote.", at)
