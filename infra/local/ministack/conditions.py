"""MiniStack reads a DynamoDB expression and checks its grammar anew for every item that it is held against.

That is nine tenths of a query over a few thousand items. What only depends on the text is remembered by it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

MOST_EXPRESSIONS = 512
"""Texts that are remembered. They come from code, values stand beside them: there are few."""

Token = tuple[str, str]
Comparison = tuple[str, str, str]
_END = "EOF"
_NAMED = (["IDENT"], ["NAME_REF"])
_COMPARED = [[kind, "VALUE_REF"] for kind in ("EQ", "LT", "LE", "GT", "GE")]


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


def comparing(
    evaluate: Callable[..., bool], tokenize: Callable[[str], list[Token]], compare: Callable[..., bool]
) -> Callable[..., bool]:
    """MiniStack's evaluation of an expression, short for comparisons with values that are joined by AND.

    Every query for what is due is one, held against all that is. A text is evaluated as ever the first time:
    what is wrong with it is said then.
    """
    known: dict[tuple[str, str], Sequence[Comparison]] = {}

    def evaluated(
        text: str,
        item: Mapping[str, Any],
        values: Mapping[str, Any],
        names: Mapping[str, str],
        slot: str = "ConditionExpression",
    ) -> bool:
        found = known.get((text, slot))
        if not found:
            answer = evaluate(text, item, values, names, slot)
            if found is None and len(known) < MOST_EXPRESSIONS:
                known[text, slot] = comparisons(tokenize(text))
            return answer
        try:
            return all(
                compare(item.get(names[name] if name[0] == "#" else name), operator, values[value])
                for name, operator, value in found
            )
        except KeyError:
            return evaluate(text, item, values, names, slot)

    return evaluated


def comparisons(tokens: Sequence[Token]) -> Sequence[Comparison]:
    """(attribute, operator, value) of each, when the expression is nothing but comparisons joined by AND."""
    found: list[Comparison] = []
    read = [token for token in tokens if token[0] != _END]
    for start in range(0, len(read), 4):
        clause = read[start : start + 4]
        kinds = [kind for kind, _ in clause]
        if kinds[:1] not in _NAMED or kinds[1:3] not in _COMPARED:
            return ()
        if len(clause) == 4 and clause[3][1].upper() != "AND":
            return ()
        found.append((clause[0][1], clause[1][1], clause[2][1]))
    return found if len(read) % 4 == 3 else ()


def install() -> None:
    """Make MiniStack use them. `expire.install` has checked the version."""
    from ministack.services import dynamodb

    dynamodb._tokenize = reading_once(dynamodb._tokenize)
    dynamodb._check_redundant_parens = checking_once(dynamodb._check_redundant_parens)
    dynamodb._check_reserved_keyword_usage = checking_once(dynamodb._check_reserved_keyword_usage)
    dynamodb._evaluate_condition = comparing(
        dynamodb._evaluate_condition, dynamodb._tokenize, dynamodb._compare_ddb
    )
    dynamodb._condition_syntax_error = lru_cache(MOST_EXPRESSIONS)(dynamodb._condition_syntax_error)
