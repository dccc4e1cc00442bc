"""What an expression is once read: a small tree whose nodes know where they stood in the text."""

from dataclasses import dataclass, field


class ExpressionError(ValueError):
    """An expression that cannot be read, typed or translated. `position` counts characters from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message, self.position = message, position


@dataclass(frozen=True)
class Number:
    """A number, as written."""

    text: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Text:
    """A string literal, unescaped."""

    value: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Field:
    """A column or calculated field: `{name}`."""

    name: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Parameter:
    """A parameter: `${name}`."""

    name: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Call:
    """A function call; `name` in lower case."""

    name: str
    arguments: "tuple[Node, ...]"
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Unary:
    """`-x`, `+x` or `not x`."""

    operator: str
    operand: "Node"
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Binary:
    """An infix operator; `<>` is written `!=` here."""

    operator: str
    left: "Node"
    right: "Node"
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Term:
    """One entry of a list, with the order that a window function may give it."""

    value: "Node"
    order: str = ""


@dataclass(frozen=True)
class Listing:
    """`[a, b DESC]`: partitions and orders of windows."""

    terms: tuple[Term, ...]
    position: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Keyword:
    """PRE_FILTER, PRE_AGG, POST_AGG_FILTER, CASE_INSENSITIVE or NULL: a bare word with a meaning of its
    own.
    """

    name: str
    position: int = field(default=0, compare=False)


Node = Number | Text | Field | Parameter | Call | Unary | Binary | Listing | Keyword


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly inside `node`."""
    match node:
        case Call(arguments=arguments):
            return arguments
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Listing(terms=terms):
            return tuple(term.value for term in terms)
        case _:
            return ()


def walk(node: Node) -> tuple[Node, ...]:
    """`node` and everything inside it, outermost first."""
    found: list[Node] = [node]
    for child in children(node):
        found.extend(walk(child))
    return tuple(found)


def fields(node: Node) -> tuple[Field, ...]:
    """Every field that the expression names, in order of appearance."""
    return tuple(inner for inner in walk(node) if isinstance(inner, Field))


def parameters(node: Node) -> tuple[Parameter, ...]:
    """Every parameter that the expression names, in order of appearance."""
    return tuple(inner for inner in walk(node) if isinstance(inner, Parameter))
