"""Documents of clients: read, checked against the schema, and remembered."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)

from infra.local.graphql.errors import RefusedError, bad_request

MOST_TOKENS = 5_000
_REMEMBERED, _REMEMBERED_CHARACTERS = 256, 10_000


class InvalidDocumentError(Exception):
    """The document does not fit the schema."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("; ".join(each.message for each in errors))
        self.errors = errors


@dataclass(frozen=True)
class Document:
    """A document that fits the schema."""

    text: str
    node: DocumentNode
    fragments: Mapping[str, FragmentDefinitionNode]

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of this name, or the only one. Raises RefusedError."""
        found = [each for each in self.node.definitions if isinstance(each, OperationDefinitionNode)]
        if name:
            found = [each for each in found if each.name is not None and each.name.value == name]
        if len(found) != 1:
            raise bad_request("Unknown operation named " + repr(name) if name else "Name one operation.")
        return found[0]


class Documents:
    """The documents of one API."""

    def __init__(self, schema: GraphQLSchema, *, introspection: bool, depth: int) -> None:
        self._schema, self._depth = schema, depth
        self._rules = [*specified_rules, *([] if introspection else [NoSchemaIntrospectionCustomRule])]
        self._remembered = lru_cache(_REMEMBERED)(self._read)

    def read(self, text: Any) -> Document:
        """The document of a request. Raises RefusedError, InvalidDocumentError."""
        if not isinstance(text, str) or not text.strip():
            raise bad_request("The request has no query.")
        return self._remembered(text) if len(text) <= _REMEMBERED_CHARACTERS else self._read(text)

    def _read(self, text: str) -> Document:
        try:
            node = parse(text, max_tokens=MOST_TOKENS)
            errors = validate(self._schema, node, self._rules)
        except (GraphQLError, RecursionError):
            raise RefusedError("MalformedHttpRequestException", "Unable to parse GraphQL query.") from None
        if errors:
            raise InvalidDocumentError(errors)
        defined = [each for each in node.definitions if isinstance(each, FragmentDefinitionNode)]
        document = Document(text, node, {each.name.value: each for each in defined})
        depths: dict[str, int] = {}
        for each in node.definitions:
            if isinstance(each, OperationDefinitionNode):
                found = _depth(each.selection_set, document.fragments, depths)
                if found > self._depth:
                    raise bad_request(f"The query has {found} levels; the limit is {self._depth}.")
        return document


def _depth(
    selected: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode], known: dict[str, int]
) -> int:
    """Levels of fields. Fragments have no cycles: validation has seen to that."""
    deepest = 0
    for each in selected.selections if selected else ():
        if isinstance(each, FieldNode):
            found = 1 + _depth(each.selection_set, fragments, known)
        elif isinstance(each, FragmentSpreadNode):
            name = each.name.value
            if name not in known:
                known[name] = _depth(fragments[name].selection_set, fragments, known)
            found = known[name]
        else:
            found = _depth(getattr(each, "selection_set", None), fragments, known)
        deepest = max(deepest, found)
    return deepest


def named(request: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """(name of the operation, variables) of a request. Raises RefusedError."""
    name, variables = request.get("operationName"), request.get("variables")
    variables = {} if variables is None else variables
    if not isinstance(variables, dict) or not (name is None or isinstance(name, str)):
        raise bad_request("variables is an object, operationName a text.")
    return name or None, variables


def is_subscription(operation: OperationDefinitionNode) -> bool:
    """Whether the operation belongs on a socket."""
    return operation.operation is OperationType.SUBSCRIPTION
