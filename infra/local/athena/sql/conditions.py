"""What a WHERE clause says about single columns, so that partitions can be left out before anything is listed."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlglot import exp

from infra.local.athena.errors import QueryError
from infra.local.athena.sql.scope import Domain, Ref, Typed
from infra.local.athena.sql.types import Type

Conditions = Mapping[Ref, Domain]
Compile = Callable[[exp.Expr], Typed]
Constant = Callable[[Typed], Any]
_LAST = "\U0010ffff"
"""Sorts behind every text that begins alike."""
_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
    exp.EQ: exp.EQ,
}


def conditions(node: exp.Expr, compile_: Compile, constant: Constant) -> dict[Ref, Domain]:
    """For columns that the condition bounds, the values that can make it true. Others are not mentioned."""
    node = node.unnest() if isinstance(node, exp.Paren) else node
    if isinstance(node, exp.And):
        found: dict[Ref, Domain] = {}
        for part in node.flatten():
            for ref, domain in conditions(part, compile_, constant).items():
                found[ref] = found[ref].meet(domain) if ref in found else domain
        return found
    if isinstance(node, exp.Or):
        parts = [conditions(part, compile_, constant) for part in node.flatten()]
        shared = frozenset.intersection(*(frozenset(part) for part in parts))
        return {ref: _joined([part[ref] for part in parts]) for ref in shared}
    try:
        return _single(node, compile_, constant)
    except QueryError:  # whoever compiles the whole condition says what is wrong
        return {}


def _joined(domains: list[Domain]) -> Domain:
    whole = domains[0]
    for domain in domains[1:]:
        whole = whole.join(domain)
    return whole


def _single(node: exp.Expr, compile_: Compile, constant: Constant) -> dict[Ref, Domain]:
    if type(node) in _MIRRORED:
        for kind, side, other in (
            (type(node), node.this, node.expression),
            (_MIRRORED[type(node)], node.expression, node.this),
        ):
            value = compile_(side)
            if value.origin is not None and (bound := _known(value, compile_(other), constant)) is not None:
                return _bound(value, _comparison(kind, bound))
    elif isinstance(node, exp.Between):
        value = compile_(node.this)
        low, high = (_known(value, compile_(node.args[side]), constant) for side in ("low", "high"))
        if value.origin is not None and low is not None and high is not None:
            return _bound(value, Domain(None, low, high))
    elif isinstance(node, exp.In) and node.args.get("query") is None:
        value = compile_(node.this)
        listed = [_known(value, compile_(item), constant) for item in node.expressions]
        if value.origin is not None and None not in listed:
            return _bound(value, Domain(frozenset(listed)))
    elif isinstance(node, exp.Like) and isinstance(node.expression, exp.Literal):
        value = compile_(node.this)
        stem = node.expression.name.split("%")[0].split("_")[0]
        if value.origin is not None and stem:
            return _bound(value, Domain(None, stem, stem + _LAST))
    return {}


def _comparison(kind: type[exp.Expr], bound: Any) -> Domain:
    if kind is exp.EQ:
        return Domain(frozenset({bound}))
    return Domain(None, None, bound) if kind in (exp.LT, exp.LTE) else Domain(None, bound, None)


def _bound(value: Typed, domain: Domain) -> dict[Ref, Domain]:
    found = down_to(value, domain)
    return {found[0]: found[1]} if found is not None else {}


def down_to(value: Typed, domain: Domain) -> tuple[Ref, Domain] | None:
    """The column below the value, and what the value's domain says about it."""
    if value.origin is None:
        return None
    if not value.origin.prefix:
        return value.origin.ref, domain
    low = min(domain.values) if domain.values else domain.low
    high = max(domain.values) if domain.values else domain.high
    return value.origin.ref, Domain(None, low, None if high is None else high + _LAST)


def _known(column: Typed, other: Typed, constant: Constant) -> Any:
    """The constant's value when it compares with the column's without conversion."""
    if column.origin is None or other.refs or not _alike(column.type, other.type):
        return None
    value = other.literal if other.literal is not None else constant(other)
    wanted = (
        str
        if column.type.is_text
        else int
        if column.type.is_integer
        else date
        if column.type.name == "date"
        else None
    )
    return value if wanted is not None and isinstance(value, wanted) else None


def _alike(a: Type, b: Type) -> bool:
    return (a.is_text and b.is_text) or (a.is_integer and b.is_integer) or (a.name == b.name == "date")
