"""Runs documents: who may use each field is asked first, then its resolver."""

import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, Protocol

from graphql import (
    ExecutionResult,
    GraphQLResolveInfo,
    OperationType,
    execute,
    print_ast,
)

from infra.local.graphql.apis import Served
from infra.local.graphql.callers import Callers
from infra.local.graphql.definitions import Source
from infra.local.graphql.documents import Document
from infra.local.graphql.errors import ResolverError, forbidden_field
from infra.local.graphql.rules import Caller
from infra.local.graphql.selection import names, selected


class Functions(Protocol):
    """Calls a data source's function."""

    async def call(self, api: Served, source: Source, event: Mapping[str, Any]) -> Any:
        """What the function returns. Raises ResolverError."""
        ...


@dataclass(frozen=True)
class Published:
    """The result of a mutation, for those who listen to it: the fields that its document selected."""

    mutation: str
    value: Any


@dataclass
class Asked:
    """One document that is being run.

    Attributes:
        headers: of the request, for functions.
        denied: fields of the operation's own type that IAM does not let the caller use.
        published: results of mutations so far, in order.
    """

    api: Served
    caller: Caller
    callers: Callers
    functions: Functions
    headers: Mapping[str, str] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    published: list[Published] = field(default_factory=list)


def run(
    asked: Asked,
    document: Document,
    variables: Mapping[str, Any],
    operation: str | None,
    root: Any = None,
) -> ExecutionResult | Awaitable[ExecutionResult]:
    """Run an operation of the document; at once where no function is called."""
    return execute(
        asked.api.schema.graphql,
        document.node,
        root_value=root,
        context_value=asked,
        variable_values=dict(variables),
        operation_name=operation,
        field_resolver=_resolve,
    )


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    asked: Asked = info.context
    type_name, name = info.parent_type.name, info.field_name
    is_root = info.path.prev is None
    asked.callers.check(asked.api, asked.caller, type_name, name)
    if is_root and name in asked.denied:
        raise forbidden_field(type_name, name)
    found = asked.api.resolvers.get((type_name, name))
    if found is None:
        value = source.get(name) if isinstance(source, dict) else None
    elif found[1].function:
        value = asked.functions.call(asked.api, found[1], _event(source, info, arguments))
    else:
        value = arguments.get(found[0].argument) if found[0].argument else arguments
    if is_root and info.operation.operation is OperationType.MUTATION:
        return _published(value, info) if isawaitable(value) else _publish(value, info)
    return value


async def _published(value: Awaitable[Any], info: GraphQLResolveInfo) -> Any:
    return _publish(await value, info)


def _publish(value: Any, info: GraphQLResolveInfo) -> Any:
    if value is not None:
        info.context.published.append(Published(info.field_name, selected(value, info)))
    return value


def _event(source: Any, info: GraphQLResolveInfo, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a function without mapping templates is called with."""
    asked: Asked = info.context
    return {
        "arguments": arguments,
        "identity": dict(asked.caller.identity) or None,
        "source": source,
        "request": {"headers": dict(asked.headers), "domainName": None},
        "prev": None,
        "info": {
            "selectionSetList": list(dict.fromkeys(names(info.field_nodes, info))),
            "selectionSetGraphQL": _selection_text(info),
            "parentTypeName": info.parent_type.name,
            "fieldName": info.field_name,
            "variables": info.variable_values,
        },
        "stash": {},
    }


def _selection_text(info: GraphQLResolveInfo) -> str:
    chosen = info.field_nodes[0].selection_set
    return print_ast(chosen) if chosen else ""


def returned(payload: bytes, error: str | None) -> Any:
    """What a function returned. Raises ResolverError for what it raised (pure)."""
    try:
        found = json.loads(payload or b"null")
    except ValueError:
        raise ResolverError("Lambda:InvalidResponse", "The function returned no JSON.") from None
    if error:
        message = found.get("errorMessage") if isinstance(found, dict) else None
        raise ResolverError("Lambda:Unhandled", str(message or error))
    return found
