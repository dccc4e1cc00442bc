"""MiniStack reads a DynamoDB expression and checks its grammar anew for every item that it is held against.

That is nine tenths of a query over a few thousand items. What only depends on the text is remembered by it.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

MOST_EXPRESSIONS = 512
"""Texts that are remembered. They come from code, values stand beside them: there are few."""

Token = tuple[str, str]


class Tokens(list[Token]):
    """The tokens of one text, with what MiniStack's checks said of them. Nobody may change them."""

    __slots__ = ("said",)

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.said: dict[tuple[Any, ...], str | None] = {}


def reading_once(tokenize: Callable[[str], list[Token]]) -> Callable[[str], Tokens]:
    """MiniStack's tokenizer, which remembers."""

    @lru_cache(MOST_EXPRESSIONS)
    def read(expression: str) -> Tokens:
        return Tokens(tokenize(expression))

    return read


def checking_once(check: Callable[..., str | None]) -> Callable[..., str | None]:
    """A check of tokens (the tokens, then plain arguments), which remembers what it said of `Tokens`."""

    def checked(tokens: list[Token], *arguments: Any, **named: Any) -> str | None:
        if type(tokens) is not Tokens:
            return check(tokens, *arguments, **named)
        key = (check, *arguments, *named.items())
        if key not in tokens.said:
            tokens.said[key] = check(tokens, *arguments, **named)
        return tokens.said[key]

    return checked


def install() -> None:
    """Make MiniStack use them. `expire.install` has checked the version."""
    from ministack.services import dynamodb

    dynamodb._tokenize = reading_once(dynamodb._tokenize)
    dynamodb._check_redundant_parens = checking_once(dynamodb._check_redundant_parens)
    dynamodb._check_reserved_keyword_usage = checking_once(dynamodb._check_reserved_keyword_usage)
    dynamodb._condition_syntax_error = lru_cache(MOST_EXPRESSIONS)(dynamodb._condition_syntax_error)
