"""Which overload a call means, and its DuckDB text (or a refusal by name)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sqlglot import exp

from infra.local.athena.errors import QueryError, refused
from infra.local.athena.sql.casts import coerce
from infra.local.athena.sql.functions.registry import (
    Call,
    Overload,
    Pattern,
    Registry,
    Session,
    Udf,
    substitute,
    udf_name,
)
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import Lambda, build, join
from infra.local.athena.sql.types import VARCHAR, Type, as_decimal, coercible, common

LambdaCompiler = Callable[[exp.Lambda, Sequence[Type]], Typed]
Argument = Typed | exp.Lambda


@dataclass
class _Match:
    overload: Overload
    types: dict[str, Type]
    cost: int


def resolve_call(
    registry: Registry,
    name: str,
    arguments: Sequence[Argument],
    compile_lambda: LambdaCompiler,
    session: Session,
    *,
    kinds: tuple[str, ...] = ("scalar",),
    place: tuple[int, int] = (0, 0),
    distinct: bool = False,
) -> Typed:
    """The call's text and type.

    Raises:
        QueryError: FUNCTION_NOT_FOUND (Trino has none of this name, or none for these types), or NOT_SUPPORTED
            (Trino has it and this endpoint has not).
    """
    overloads = registry.overloads.get(name)
    if overloads is None:
        raise _unknown(registry, name, place)
    fitting = [o for o in overloads if o.kind in kinds]
    if not fitting:
        kind = overloads[0].kind
        raise QueryError(
            "FUNCTION_NOT_FOUND", f"'{name}' is {'an' if kind[0] == 'a' else 'a'} {kind} function", *place
        )
    matches = [m for o in fitting if (m := _match(o, arguments)) is not None]
    if not matches:
        raise _no_overload(name, arguments, fitting, place)
    best = min(matches, key=lambda m: m.cost)
    return _emit(best, name, arguments, compile_lambda, session, distinct)


def _unknown(registry: Registry, name: str, place: tuple[int, int]) -> QueryError:
    if name in registry.unsupported:
        return refused(f"Function '{name}'", registry.unsupported[name], *place)
    near = get_close_matches(name, registry.overloads, 1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered{hint}", *place)


def _no_overload(
    name: str, arguments: Sequence[Argument], overloads: Sequence[Overload], place: tuple[int, int]
) -> QueryError:
    given = ", ".join("<lambda>" if isinstance(a, exp.Lambda) else str(a.type) for a in arguments)
    wanted = ", ".join(o.signature for o in overloads)
    return QueryError(
        "FUNCTION_NOT_FOUND",
        f"Unexpected parameters ({given}) for function {name}. Expected: {wanted}",
        *place,
    )


def _patterns(overload: Overload, count: int) -> list[Pattern] | None:
    patterns = list(overload.arguments)
    if overload.variadic:
        if count < len(patterns):
            return None
        return patterns + [patterns[-1]] * (count - len(patterns))
    return patterns if len(patterns) == count else None


def _match(overload: Overload, arguments: Sequence[Argument]) -> _Match | None:
    patterns = _patterns(overload, len(arguments))
    if patterns is None:
        return None
    types: dict[str, Type] = {}
    for pattern, argument in zip(patterns, arguments, strict=True):
        if isinstance(argument, exp.Lambda) != (pattern.name == "function"):
            return None
        if isinstance(argument, exp.Lambda):
            if len(argument.expressions) != len(pattern.of) - 1:
                return None
        elif not _bind(pattern, argument.type, types):
            return None
    decimals = [
        a.type
        for p, a in zip(patterns, arguments, strict=True)
        if p.name == "decimal" and isinstance(a, Typed)
    ]
    if decimals and all(of.name != "decimal" for of in decimals):
        return None
    cost = 0
    for pattern, argument in zip(patterns, arguments, strict=True):
        if isinstance(argument, Typed) and _is_same_time(pattern, argument.type):
            continue
        if isinstance(argument, Typed) and not _is_open(pattern):
            wanted = substitute(pattern, types)
            if not coercible(argument.type, wanted):
                return None
            cost += _distance(argument.type, wanted)
        elif isinstance(argument, Typed) and pattern.name == "decimal" and argument.type.is_integer:
            cost += 1
    return _Match(overload, types, cost)


def _is_open(pattern: Pattern) -> bool:
    return pattern.name in ("any", "decimal", "row", "char")


def _is_same_time(pattern: Pattern, given: Type) -> bool:
    """Times keep the precision and zone that they have."""
    return pattern.exact is not None and pattern.exact.name == given.name and given.name.startswith("time")


_ORDER = ("tinyint", "smallint", "integer", "bigint", "decimal", "real", "double")


def _distance(given: Type, wanted: Type) -> int:
    if given == wanted or given.name == "unknown":
        return 0
    if given.name in _ORDER and wanted.name in _ORDER:
        return 1 + _ORDER.index(wanted.name) - _ORDER.index(given.name)
    return 1 if given.name != wanted.name else 0


def _bind(pattern: Pattern, given: Type, types: dict[str, Type]) -> bool:
    if pattern.is_variable:
        known = types.get(pattern.name)
        both = given if known is None else common(known, given)
        if both is None:
            return False
        types[pattern.name] = both
        return True
    if pattern.name in ("any", "function"):
        return True
    if pattern.name == "decimal":
        return given.name == "decimal" or given.is_integer
    if pattern.name in ("row", "char"):
        return given.name == pattern.name
    if pattern.of:
        if given.name == "unknown":
            return all(_bind(inner, given, types) for inner in pattern.of)
        return given.name == pattern.name and all(
            _bind(inner, part, types) for inner, part in zip(pattern.of, given.of, strict=True)
        )
    return True


def _emit(
    match: _Match,
    name: str,
    arguments: Sequence[Argument],
    compile_lambda: LambdaCompiler,
    session: Session,
    distinct: bool,
) -> Typed:
    overload, types = match.overload, match.types
    patterns = _patterns(overload, len(arguments)) or []
    ready: list[Typed] = []
    for pattern, argument in zip(patterns, arguments, strict=True):
        if isinstance(argument, exp.Lambda):
            body = compile_lambda(argument, [substitute(p, types) for p in pattern.of[:-1]])
            ready.append(_lambda_result(body, pattern.of[-1], types))
        elif pattern.name == "decimal":
            ready.append(coerce(argument, as_decimal(argument.type)))
        elif _is_open(pattern) or _is_same_time(pattern, argument.type):
            ready.append(argument)
        else:
            ready.append(coerce(argument, substitute(pattern, types)))
    refs = frozenset().union(*(arg.refs for arg in ready)) if ready else frozenset()
    call = Call(name, ready, types, session, distinct)
    if overload.python is not None:
        result = substitute(overload.result, types)
        unique = udf_name(name, overload.signature, *(str(a.type) for a in ready))
        udf = Udf(unique, overload.python, tuple(a.type for a in ready), result, overload.takes_null)
        return Typed(build("{}({})", session.use(udf), join(", ", call.sqls)), result, refs)
    if isinstance(overload.rule, str):
        result = substitute(overload.result, types)
        return Typed(build("({})", build(overload.rule, *call.sqls)), result, refs)
    made = overload.rule(call)
    if isinstance(made, Typed):
        return Typed(made.sql, made.type, made.refs | refs, made.literal, made.origin)
    return Typed(build("({})", made[0]), made[1], refs)


def _lambda_result(body: Typed, pattern: Pattern, types: dict[str, Type]) -> Typed:
    function = body.sql
    assert isinstance(function, Lambda)
    if pattern.is_variable and pattern.name not in types:
        types[pattern.name] = body.type
        return body
    wanted = substitute(pattern, types)
    if (
        pattern.is_variable and wanted.is_text and body.type.is_text
    ):  # reduce(array, '', (s, x) -> s || x, ...)
        wanted = types[pattern.name] = VARCHAR
    if not coercible(body.type, wanted):
        raise QueryError("TYPE_MISMATCH", f"Lambda must return {wanted}, and returns {body.type}")
    result = coerce(Typed(function.body, body.type, body.refs), wanted)
    return Typed(Lambda(function.names, result.sql), wanted, body.refs)
