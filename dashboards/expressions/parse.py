"""Text to tree, and back: a Pratt parser for QuickSight's expression language."""

from dashboards.expressions.tokens import Token, tokens
from dashboards.expressions.tree import (
    Binary,
    Call,
    ExpressionError,
    Field,
    Keyword,
    Listing,
    Node,
    Number,
    Parameter,
    Term,
    Text,
    Unary,
)

# How strongly an operator binds. `not` and the signs bind between these: see _prefix.
_INFIX = {
    "or": 10, "and": 20,
    "=": 40, "!=": 40, "<": 40, ">": 40, "<=": 40, ">=": 40, "in": 40, "not in": 40,
    "+": 50, "-": 50, "*": 60, "/": 60, "%": 60, "^": 80,
}  # fmt: skip
_NOT, _SIGN = 30, 70
_KEYWORDS = {"pre_filter", "pre_agg", "post_agg_filter", "null", "case_sensitive", "case_insensitive"}
MAX_DEPTH = 200


def parse(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError with the position of what is wrong."""
    reader = _Reader(tokens(text))
    node = reader.expression(0)
    rest = reader.peek()
    if rest.kind != "end":
        raise ExpressionError(
            f"{rest.value!r} is one word too many. Is an operator or a comma missing?", rest.position
        )
    return node


class _Reader:
    def __init__(self, found: tuple[Token, ...]) -> None:
        self._tokens, self._at, self._depth = found, 0, 0

    def peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def expression(self, floor: int) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError("Nested too deeply to read.", self.peek().position)
        node = self._prefix()
        while (found := self._infix()) is not None and _INFIX[found] > floor:
            node = self._rest(node, found)
        self._depth -= 1
        return node

    def _take(self) -> Token:
        token = self.peek()
        self._at += 1
        return token

    def _symbol(self, wanted: str) -> None:
        token = self._take()
        if token.kind != "symbol" or token.value != wanted:
            shown = repr(token.value) if token.kind != "end" else "the end"
            raise ExpressionError(f"Expected {wanted!r} and found {shown}.", token.position)

    def _is_symbol(self, value: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token.kind == "symbol" and token.value == value

    def _is_word(self, value: str, ahead: int = 0) -> bool:
        token = self.peek(ahead)
        return token.kind == "word" and token.value.lower() == value

    def _infix(self) -> str | None:
        token = self.peek()
        if token.kind == "symbol":
            value = "!=" if token.value == "<>" else token.value
            return value if value in _INFIX else None
        if self._is_word("not") and self._is_word("in", 1):
            return "not in"
        word = token.value.lower()
        return word if token.kind == "word" and word in ("or", "and", "in") else None

    def _rest(self, left: Node, operator: str) -> Node:
        position = self._take().position
        if operator == "not in":
            self._take()
        if operator in ("in", "not in"):
            return Call(
                "in" if operator == "in" else "notin", (left, self.expression(_INFIX["in"])), position
            )
        # The power operator alone groups to the right.
        return Binary(operator, left, self.expression(_INFIX[operator] - (operator == "^")), position)

    def _prefix(self) -> Node:
        token = self._take()
        match token.kind:
            case "number":
                return Number(token.value, token.position)
            case "text":
                return Text(token.value, token.position)
            case "field":
                return Field(token.value, token.position)
            case "parameter":
                return Parameter(token.value, token.position)
            case "word":
                return self._word(token)
            case "symbol":
                return self._opened(token)
            case "end":
                raise ExpressionError("The expression ends too early.", token.position)

    def _word(self, token: Token) -> Node:
        word = token.value.lower()
        if self._is_symbol("("):
            return self._call(token)
        if word == "not":
            return Unary("not", self.expression(_NOT), token.position)
        if word in _KEYWORDS:
            return Keyword(word.upper(), token.position)
        return Field(token.value, token.position)

    def _opened(self, token: Token) -> Node:
        if token.value == "(":
            node = self.expression(0)
            self._symbol(")")
            return node
        if token.value == "[":
            return self._listing(token)
        if token.value in "+-":
            return Unary(token.value, self.expression(_SIGN), token.position)
        raise ExpressionError(f"{token.value!r} cannot start a value.", token.position)

    def _call(self, token: Token) -> Node:
        self._symbol("(")
        arguments: list[Node] = []
        while not self._is_symbol(")"):
            arguments.append(self.expression(0))
            if not self._is_symbol(","):
                break
            self._take()
            if self._is_symbol(")"):
                raise ExpressionError("A value is missing after the comma.", self.peek().position)
        self._symbol(")")
        return Call(token.value.lower(), tuple(arguments), token.position)

    def _listing(self, token: Token) -> Node:
        terms: list[Term] = []
        while not self._is_symbol("]"):
            value = self.expression(0)
            order = ""
            if self._is_word("asc") or self._is_word("desc"):
                order = self._take().value.upper()
            terms.append(Term(value, order))
            if not self._is_symbol(","):
                break
            self._take()
        self._symbol("]")
        return Listing(tuple(terms), token.position)


def write(node: Node) -> str:
    """An expression that reads back to the same tree; every operation in brackets."""
    match node:
        case Number(text=text):
            return text
        case Text(value=value):
            return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
        case Field(name=name):
            return "{" + name + "}"
        case Parameter(name=name):
            return "${" + name + "}"
        case Keyword(name=name):
            return name
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(write(argument) for argument in arguments)})"
        case Unary(operator=operator, operand=operand):
            return f"({operator} {write(operand)})"
        case Binary(operator=operator, left=left, right=right):
            return f"({write(left)} {operator} {write(right)})"
        case Listing(terms=terms):
            return "[" + ", ".join(f"{write(term.value)} {term.order}".strip() for term in terms) + "]"
