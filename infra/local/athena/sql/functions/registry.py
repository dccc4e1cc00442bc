"""The table of functions: what each is called with, what it returns, and what DuckDB is given for it.

A signature is written as in Trino's documentation, `element_at(array(T), bigint) T`; single capitals stand for any
type, a trailing `*` for any number of the last argument, `function(T, U)` for a lambda.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import Lambda, Sql
from infra.local.athena.sql.type_names import parse_type
from infra.local.athena.sql.types import Type

Kind = Literal["scalar", "aggregate", "window"]
_AWKWARD = re.compile("[^a-z0-9]")  # capitals too: DuckDB does not tell them apart in names
_LONGEST_NAME = 120
MOST_ENTRIES = 10_000
"""Trino's own limit for an array that `sequence` or `repeat` makes."""


@dataclass(frozen=True)
class Pattern:
    """A type with variables. `name` is a type's, a variable's (one capital), `decimal`, `function` or `any`."""

    name: str
    of: tuple["Pattern", ...] = ()
    exact: Type | None = None

    @property
    def is_variable(self) -> bool:
        """A capital that stands for any type."""
        return len(self.name) == 1 and self.name.isupper()

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.of))})" if self.of else str(self.exact or self.name)


@dataclass(frozen=True)
class Udf:
    """A function that Python computes, for what DuckDB has no equal of. None in any argument gives NULL."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Type, ...]
    result: Type
    takes_null: bool = False


def udf_name(function: str, *of: str) -> str:
    """A name for DuckDB that says what is computed: for equal arguments equal in every process, else another.

    Args:
        function: Trino's name for it.
        of: what tells it from others of that name: types, a format. Long ones are named by their digest.
    """
    told = "__".join(_AWKWARD.sub(lambda found: f"_{ord(found[0]):x}_", part) for part in of)
    if len(told) > _LONGEST_NAME:
        told = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
    return f"t_{function}_{told}"


class Session(Protocol):
    """What a call's rule may ask of the compiler."""

    def use(self, udf: Udf) -> str:
        """Note that the query needs the function; returns the name to call it by."""
        ...


@dataclass
class Call:
    """One call: coerced arguments, the types that the variables stand for, and the compiler."""

    name: str
    args: list[Typed]
    types: dict[str, Type]
    session: Session
    distinct: bool = False

    @property
    def sqls(self) -> list[Sql]:
        """The arguments' expressions."""
        return [arg.sql for arg in self.args]

    def function(self, index: int) -> Lambda:
        """The argument that is a lambda."""
        found = self.args[index].sql
        assert isinstance(found, Lambda)
        return found


Rule = Callable[[Call], "Typed | tuple[Sql, Type]"]


@dataclass(frozen=True)
class Overload:
    """One signature of a function."""

    name: str
    arguments: tuple[Pattern, ...]
    result: Pattern
    rule: "str | Rule"
    kind: Kind = "scalar"
    variadic: bool = False
    python: Callable[..., Any] | None = None
    takes_null: bool = False

    @property
    def signature(self) -> str:
        """As it is shown in error messages and docs."""
        listed = ", ".join(map(str, self.arguments)) + (", ..." if self.variadic else "")
        return f"{self.name}({listed})"


@dataclass
class Registry:
    """Functions by name; names known to Trino but without a rule here."""

    overloads: dict[str, list[Overload]] = field(default_factory=dict)
    unsupported: dict[str, str] = field(default_factory=dict)

    def add(self, signature: str, rule: "str | Rule", kind: Kind = "scalar", **more: Any) -> None:
        """Define one overload from its signature."""
        head, arguments, variadic, result = _read(signature)
        self.overloads.setdefault(head, []).append(
            Overload(head, arguments, result, rule, kind, variadic=variadic, **more)
        )

    def many(self, rules: dict[str, "str | Rule"], kind: Kind = "scalar") -> None:
        """Define overloads, signature to rule."""
        for signature, rule in rules.items():
            self.add(signature, rule, kind)

    def python(self, signature: str, function: Callable[..., Any], *, takes_null: bool = False) -> None:
        """Define one overload that Python computes."""
        self.add(signature, "", python=function, takes_null=takes_null)

    def refuse(self, remedy: str, names: str) -> None:
        """Name functions, between blanks, that Trino has and that are refused, with what to do instead."""
        self.unsupported.update(dict.fromkeys(names.split(), remedy))


FUNCTIONS = Registry()


def _read(signature: str) -> tuple[str, tuple[Pattern, ...], bool, Pattern]:
    match = re.fullmatch(r"([\w\[\]]+)\((.*?)(\*?)\)\s+([^()]+(?:\(.*\))?(?: with time zone)?)", signature)
    assert match, signature
    name, arguments, star, result = match.groups()
    return name, tuple(read_pattern(part) for part in split(arguments)), bool(star), read_pattern(result)


def split(arguments: str) -> Iterator[str]:
    """The parts between commas that are not inside parentheses."""
    depth, part = 0, ""
    for character in arguments:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            yield part.strip()
            part = ""
        else:
            part += character
    if part.strip():
        yield part.strip()


def read_pattern(text: str) -> Pattern:
    """A type of a signature."""
    match = re.fullmatch(r"(array|map|function)\((.*)\)", text)
    if match:
        return Pattern(match[1], tuple(read_pattern(part) for part in split(match[2])))
    if (len(text) == 1 and text.isupper()) or text in ("any", "decimal", "row", "char"):
        return Pattern(text)
    return Pattern(text, exact=parse_type(text))


def substitute(pattern: Pattern, types: dict[str, Type]) -> Type:
    """The type that the pattern is, once its variables are known."""
    if pattern.is_variable:
        return types[pattern.name]
    if pattern.exact is not None:
        return pattern.exact
    return Type(pattern.name, of=tuple(substitute(inner, types) for inner in pattern.of))


def known_names(registry: Registry) -> Sequence[str]:
    """Every function that is answered, sorted."""
    return sorted(registry.overloads)
