"""Who listens to what: results of mutations, matched with subscriptions and written once for all alike."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from graphql import GraphQLError, GraphQLObjectType, get_named_type, is_leaf_type
from graphql.execution.values import get_argument_values, get_variable_values

from infra.local.graphql.apis import Served
from infra.local.graphql.callers import Callers
from infra.local.graphql.counts import Counts
from infra.local.graphql.documents import Document, InvalidDocumentError, is_subscription, named
from infra.local.graphql.errors import as_answer, bad_request
from infra.local.graphql.execution import Asked, Functions, Published, run
from infra.local.graphql.rules import Caller


@dataclass(frozen=True)
class Wanted:
    """What a client subscribes to.

    Attributes:
        field: of the type Subscription.
        filters: argument to the value that the field of the result must have. An argument that was not
            given, or is null, is none.
        operation: the name of the document's operation, where it was given.
    """

    document: Document
    field: str
    filters: Mapping[str, Any]
    variables: Mapping[str, Any]
    operation: str | None

    def matches(self, value: Any) -> bool:
        """Whether a result (as `serialized`) is for this client."""
        return all(value.get(name) == wanted for name, wanted in self.filters.items())


@dataclass(eq=False)
class Subscription:
    """A client's subscription; `send` takes the payload's JSON, the same for all of one `shape`."""

    api: Served
    caller: Caller
    wanted: Wanted
    send: Callable[[str], None]
    shape: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        wanted = self.wanted
        variables = json.dumps(wanted.variables, sort_keys=True, default=str)
        seen_as = (self.caller.mode, self.caller.groups)
        self.shape = (wanted.document.text, wanted.operation, variables, seen_as)


def wanted(api: Served, request: Mapping[str, Any]) -> Wanted:
    """What a request for a subscription asks for. Raises RefusedError, InvalidDocumentError."""
    name, variables = named(request)
    document = api.documents.read(request.get("query"))
    operation = document.operation(name)
    schema = api.schema.graphql
    if not is_subscription(operation) or schema.subscription_type is None:
        raise bad_request("Only subscriptions go over a socket. Send queries and mutations over HTTP.")
    values = get_variable_values(schema, operation.variable_definitions, variables)
    if isinstance(values, list):
        raise InvalidDocumentError(values)
    (node, *others) = operation.selection_set.selections
    if others or not hasattr(node, "name") or node.kind != "field":
        raise bad_request("A subscription has one field, and not in a fragment.")
    field = node.name.value
    try:
        given = get_argument_values(schema.subscription_type.fields[field], node, values)  # type: ignore[arg-type]
    except GraphQLError as error:
        raise InvalidDocumentError([error]) from None
    filters = {argument: value for argument, value in given.items() if value is not None}
    return Wanted(document, field, filters, variables, name)


class Hub:
    """Every subscription of the process. Used in the server's event loop alone."""

    def __init__(self, callers: Callers, functions: Functions, counts: Counts) -> None:
        self._callers, self._functions, self._counts = callers, functions, counts
        self._by_field: dict[tuple[str, str], dict[Subscription, None]] = {}

    def add(self, subscription: Subscription) -> None:
        """From now on it receives results."""
        place = (subscription.api.api_id, subscription.wanted.field)
        self._by_field.setdefault(place, {})[subscription] = None
        self._counts.subscriptions += 1

    def remove(self, subscription: Subscription) -> None:
        """From now on it does not."""
        place = (subscription.api.api_id, subscription.wanted.field)
        listening = self._by_field.get(place, {})
        if subscription in listening:
            del listening[subscription]
            self._counts.subscriptions -= 1
        if not listening:
            self._by_field.pop(place, None)

    def has(self, field: str) -> bool:
        """Whether anybody listens to this field of any API."""
        return any(name == field for _, name in list(self._by_field))

    def publish(self, api: Served, published: Published) -> None:
        """Send this result to everybody who listens."""
        self._counts.published += 1
        for field in api.schema.notifies.get(published.mutation, ()):
            listening = self._by_field.get((api.api_id, field))
            if listening:
                self._send(listening, field, published.value)

    def _send(self, listening: Mapping[Subscription, None], field: str, value: Any) -> None:
        payloads: dict[tuple[Any, ...], str] = {}
        compared: dict[str, Any] | None = None
        for each in list(listening):
            if each.wanted.filters:
                if compared is None:
                    compared = serialized(each.api, field, value)
                if not each.wanted.matches(compared):
                    continue
            payload = payloads.get(each.shape)
            if payload is None:
                payload = payloads[each.shape] = self._payload(each, field, value)
            self._counts.sent += 1
            each.send(payload)

    def _payload(self, subscription: Subscription, field: str, value: Any) -> str:
        asked = Asked(subscription.api, subscription.caller, self._callers, self._functions)
        wanted = subscription.wanted
        result = run(asked, wanted.document, wanted.variables, wanted.operation, {field: value})
        # Only Query and Mutation have resolvers: all of this reads what is there.
        assert not isawaitable(result)
        return json.dumps(as_answer(result.data, result.errors), separators=(",", ":"))


def serialized(api: Served, field: str, value: Any) -> dict[str, Any]:
    """The fields of a result as arguments of their type are written: an ID is a text."""
    subscriptions = api.schema.graphql.subscription_type
    assert subscriptions is not None
    kind = get_named_type(subscriptions.fields[field].type)
    if not isinstance(kind, GraphQLObjectType) or not isinstance(value, dict):
        return {}
    found = {}
    for name, given in value.items():
        of = kind.fields[name].type if name in kind.fields else None
        leaf: Any = getattr(of, "of_type", of)
        if given is None or not is_leaf_type(leaf):
            continue
        try:
            found[name] = leaf.serialize(given)
        except GraphQLError:
            continue  # subscribers receive it as an error of the field
    return found
