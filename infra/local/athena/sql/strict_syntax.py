"""What sqlglot reads otherwise than Trino: numbers are read here, and what its grammar does not have is refused."""

import re
from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from infra.local.athena.errors import QueryError

_NUMBER = re.compile(
    r"0[xX](?P<hex>[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)|0[oO](?P<octal>[0-7]+(?:_[0-7]+)*)|0[bB](?P<binary>[01]+(?:_[01]+)*)"
    r"|(?P<plain>(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?)",
    re.ASCII,
)
_BASES = {"hex": 16, "octal": 8, "binary": 2}
_WORD = re.compile(r"\w")


def with_plain_numbers(sql: str, tokens: Sequence[Token]) -> str:
    """The text with every number in decimal digits alone: `1_000`, `0b101`, `0xFF`, and `1e0+2` with a space.

    Raises QueryError SYNTAX_ERROR for a word that begins with a digit.
    """
    parts: list[str] = []
    done = 0
    for token in tokens:
        if token.start < done or not _is_number(sql, token):
            continue
        match = _NUMBER.match(sql, token.start)
        if match is None:
            continue
        if _WORD.match(sql, match.end()):
            raise _error(token, f"identifiers must not start with a digit: '{token.text}'")
        if match.end() == token.end + 1 and match["plain"] == token.text:
            continue
        parts += (sql[done : token.start], _in_digits(match), " ")
        done = match.end()
    return sql if not parts else "".join((*parts, sql[done:]))


def _is_number(sql: str, token: Token) -> bool:
    if token.token_type == TokenType.NUMBER:
        return True
    return token.token_type == TokenType.HEX_STRING and sql[token.start] == "0"


def _in_digits(match: re.Match[str]) -> str:
    for name, base in _BASES.items():
        if match[name]:
            return str(int(match[name].replace("_", ""), base))
    return match[0].replace("_", "")


def check(tokens: Sequence[Token]) -> None:
    """Refuse what Trino's grammar does not have. Raises QueryError SYNTAX_ERROR."""
    limited = [False]
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        kind = token.token_type
        if kind == TokenType.L_PAREN:
            limited.append(False)
        elif kind == TokenType.R_PAREN:
            if len(limited) > 1:
                limited.pop()
        elif kind in (TokenType.LIMIT, TokenType.FETCH):
            limited[-1] = True
        elif kind == TokenType.OFFSET and limited[-1]:
            raise _error(token, "mismatched input 'OFFSET'. Write OFFSET in front of LIMIT")
        elif kind == TokenType.DCOLON:
            raise _error(token, "mismatched input ':'. Write CAST(x AS type)")
        elif kind == TokenType.EQ and token.text == "==":
            raise _error(token, "mismatched input '='. Equality is a single =")
        elif kind == TokenType.INTERVAL and after is not None and after.token_type == TokenType.NUMBER:
            raise _error(
                after, f"mismatched input '{after.text}'. An interval's number is a text: INTERVAL '1' DAY"
            )


def _error(token: Token, message: str) -> QueryError:
    return QueryError("SYNTAX_ERROR", message, token.line, token.col)
