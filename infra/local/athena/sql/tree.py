"""DuckDB's SQL as a tree: constant text of this package, values, names, and other trees. Text only at the end.

A template is parsed once. Its slots stand outside of quotes and its brackets are in pairs; a value is a literal and
a name is in quotes. So nothing that a query, a parameter, a table or a file says can end the place it stands in.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache

from infra.local.athena.errors import exhausted

MOST_CHARACTERS = 8_000_000
"""A query's text in DuckDB. Calls in calls may stand several times each."""
_WORD = re.compile(r"[A-Za-z_]\w*|[A-Z]+(?: [A-Z]+)*|=|<>|[<>]=?|[+*/%-]|//|\|\||", re.ASCII)
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\{(\d*)\}|«(\w+)\(|\)»|[()\[\]]|--|/\*|[;'\"{}«»]")
_PAIRS = {")": "(", "]": "[", ")»": "«"}


class Sql:
    """A tree. Its text is `str(tree)`; in an f-string it is an error, so that no text is put together by hand."""

    __slots__ = ("parts", "size")
    size: int

    def __init__(self, parts: "tuple[str | Sql, ...]") -> None:
        self.parts = parts
        self.size = sum(len(part) if isinstance(part, str) else part.size for part in parts)
        if self.size > MOST_CHARACTERS:
            raise exhausted()

    def __str__(self) -> str:
        out: list[str] = []
        rest: list[str | Sql] = [self]
        while rest:
            part = rest.pop()
            if isinstance(part, str):
                out.append(part)
            else:
                rest.extend(reversed(part.parts))
        return "".join(out)

    def __format__(self, _: str) -> str:
        raise TypeError("SQL is put together by build(), not as text.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sql) and (self is other or str(self) == str(other))

    def __hash__(self) -> int:
        return hash(str(self))

    def __add__(self, other: "Sql") -> "Sql":
        return Sql((self, other))

    def __bool__(self) -> bool:
        return self.size > 0

    def changed(self, change: "Callable[[Sql], Sql | None]") -> "Sql":
        """The tree with other trees in place of those for which `change` gives one."""
        if (other := change(self)) is not None:
            return other
        parts = tuple(part if isinstance(part, str) else part.changed(change) for part in self.parts)
        return self if parts == self.parts else self._of(parts)

    def _of(self, parts: "tuple[str | Sql, ...]") -> "Sql":
        return Sql(parts)


EMPTY = Sql(())


class Name(Sql):
    """A name that the compiler made, of a lambda's parameter; it can stand for something else later."""

    __slots__ = ()

    def __init__(self, name: str) -> None:
        super().__init__((_word(name),))

    def _of(self, parts: "tuple[str | Sql, ...]") -> Sql:  # noqa: ARG002 - it has no parts that change
        return self


class Lambda(Sql):
    """`lambda p1, p2: body`."""

    __slots__ = ("body", "names")

    def __init__(self, names: tuple[str, ...], body: Sql) -> None:
        self.names, self.body = names, body
        super().__init__(("lambda ", ", ".join(map(_word, names)), ": ", body))

    def applied(self, *arguments: Sql) -> Sql:
        """The body with these in place of the parameters."""
        given: Mapping[str, Sql] = dict(zip(self.names, arguments, strict=True))
        return self.body.changed(lambda part: given.get(str(part)) if isinstance(part, Name) else None)

    def _of(self, parts: "tuple[str | Sql, ...]") -> Sql:
        body = parts[-1]
        assert isinstance(body, Sql)
        return Lambda(self.names, body)


class Aggregate(Sql):
    """An aggregate's call, on which DISTINCT, ORDER BY, FILTER and OVER still have to land."""

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: Sql) -> None:
        self.name, self.arguments = name, arguments
        super().__init__((_word(name), "(", arguments, ")"))

    def _of(self, parts: "tuple[str | Sql, ...]") -> Sql:
        arguments = parts[2]
        assert isinstance(arguments, Sql)
        return Aggregate(self.name, arguments)


def build(template: str, *parts: "Sql | str | int") -> Sql:
    """The template with trees in its slots `{}`, or `{0}`, `{1}` where one is used twice, `{*}` for all of them.

    A str is a word (a keyword, an operator, a name that the compiler made), never a value.
    """
    ready = tuple(part if isinstance(part, Sql) else Sql((_word(part),)) for part in parts)
    return _filled(_pieces(template), ready)


def join(separator: str, parts: "Iterable[Sql | str | int]") -> Sql:
    """Trees side by side."""
    ready = [part if isinstance(part, Sql) else Sql((_word(part),)) for part in parts]
    between = _pieces(separator)
    assert all(isinstance(piece, str) for piece in between)
    return Sql(tuple(item for part in ready for item in (separator, part))[1:])


def number(value: Decimal | float) -> Sql:
    """The value, which is not negative, as a number with a point."""
    return Sql((format(value, "f"),))


def text(value: str) -> Sql:
    """The value as a string literal."""
    return Sql(("'" + value.replace("'", "''") + "'",))


def quoted(name: str) -> Sql:
    """The name as an identifier."""
    return Sql(('"' + name.replace('"', '""') + '"',))


def _word(part: str | int) -> str:
    if isinstance(part, int):
        return str(part)
    if _WORD.fullmatch(part) is None:
        raise TypeError(f"A value cannot become SQL: {part!r}. Make a literal or an identifier of it.")
    return part


_Piece = "str | int | tuple[str, tuple[_Piece, ...]]"


@lru_cache(maxsize=4096)
def _pieces(template: str) -> tuple[object, ...]:
    """Text, slots (numbers, -1 for all) and aggregates (name, pieces) of a template of this package."""
    template = template.replace("{*}", "{999}")
    stack: list[tuple[str, list[object]]] = [("", [])]
    at, count = 0, 0
    for match in _TOKEN.finditer(template):
        sign = match[0]
        if sign[0] in "'\"" and len(sign) > 1:
            assert "{" not in sign and "«" not in sign, template
            continue
        if sign in ("(", "["):
            stack.append((sign, stack[-1][1]))
        elif sign in (")", "]", ")»"):
            stack[-1][1].append(template[at : match.start()])
            at = match.end() if sign == ")»" else match.start()
            opened, inner = stack.pop()
            assert stack and opened.startswith(_PAIRS[sign]), template
            if sign == ")»":
                stack[-1][1].append((opened[1:], tuple(inner)))
        elif match[1] is not None:
            number = int(match[1] or count)
            count += not match[1]
            stack[-1][1].extend((template[at : match.start()], -1 if number == 999 else number))
            at = match.end()
        elif match[2] is not None:
            stack[-1][1].append(template[at : match.start()])
            at = match.end()
            stack.append((f"«{match[2]}", []))
        else:
            raise AssertionError(template)
    stack[-1][1].append(template[at:])
    assert len(stack) == 1, template
    return tuple(stack[0][1])


def _filled(pieces: tuple[object, ...], parts: tuple[Sql, ...]) -> Sql:
    made: list[str | Sql] = []
    for piece in pieces:
        if isinstance(piece, int):
            made.append(join(", ", parts) if piece < 0 else parts[piece])
        elif isinstance(piece, tuple):
            made.append(Aggregate(piece[0], _filled(piece[1], parts)))
        elif piece:
            made.append(str(piece))
    return Sql(tuple(made))
