"""AppSync's own scalars and directives: what a schema may use without saying what it is."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema

PRELUDE = """
scalar AWSDateTime
scalar AWSJSON
scalar AWSTimestamp
directive @aws_subscribe(mutations: [String!]!) on FIELD_DEFINITION
directive @aws_iam on OBJECT | FIELD_DEFINITION
directive @aws_cognito_user_pools(cognito_groups: [String!]) on OBJECT | FIELD_DEFINITION
"""
"""Those that are served here. A schema with another is refused, by the name of what is unknown in it."""


def _date_time(value: Any) -> str:
    """ISO 8601 with an offset: `2026-11-30T23:00:00Z`."""
    try:
        if isinstance(value, str) and "T" in value and datetime.fromisoformat(value).tzinfo is not None:
            return value
    except ValueError:
        pass
    raise GraphQLError(f"{_shown(value)} is not an AWSDateTime.")


def _timestamp(value: Any) -> int:
    """Whole seconds since 1970."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise GraphQLError(f"{_shown(value)} is not an AWSTimestamp.")


def _read_json(value: Any) -> Any:
    """Clients send JSON as a text; resolvers see what it says."""
    try:
        if isinstance(value, str):
            return json.loads(value)
    except (ValueError, RecursionError):
        pass
    raise GraphQLError(f"{_shown(value)} is not an AWSJSON.")


def _written_json(value: Any) -> str:
    """Clients are sent JSON as a text; a text of a resolver is one already."""
    if isinstance(value, str):
        _read_json(value)
        return value
    return json.dumps(value, separators=(",", ":"))


def _shown(value: Any) -> str:
    return repr(value)[:80]


_FORMS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "AWSDateTime": (_date_time, _date_time),
    "AWSTimestamp": (_timestamp, _timestamp),
    "AWSJSON": (_read_json, _written_json),
}


def give_meaning(schema: GraphQLSchema) -> None:
    """Make the schema's scalars of AppSync's read and write their values as AppSync's do."""
    for name, (read, written) in _FORMS.items():
        scalar = schema.type_map.get(name)
        if isinstance(scalar, GraphQLScalarType):
            scalar.parse_value, scalar.serialize = read, written  # type: ignore[method-assign]
            scalar.parse_literal = _literal(scalar)  # type: ignore[method-assign]


def _literal(scalar: GraphQLScalarType) -> Callable[..., Any]:
    from graphql import value_from_ast_untyped

    def parse(node: Any, variables: Any = None) -> Any:
        return scalar.parse_value(value_from_ast_untyped(node, variables))

    return parse
