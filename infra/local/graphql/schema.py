"""A schema as AppSync reads it: its scalars, its directives, which mutation notifies which subscription."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    ListValueNode,
    StringValueNode,
    build_schema,
    get_named_type,
)

from infra.local.graphql.errors import DefinitionError
from infra.local.graphql.rules import Rules, rules_of
from infra.local.graphql.scalars import PRELUDE, give_meaning


@dataclass(frozen=True)
class Schema:
    """A schema that can be served.

    Attributes:
        graphql: what graphql-core executes.
        rules: who may use which field.
        notifies: mutation to the subscriptions that its results are sent to.
    """

    graphql: GraphQLSchema
    rules: Rules
    notifies: Mapping[str, tuple[str, ...]]


def read_schema(text: str, default_mode: str) -> Schema:
    """The schema of a definition. Raises DefinitionError for what AppSync would not take."""
    try:
        graphql = build_schema(text + PRELUDE)
    except (GraphQLError, TypeError) as error:
        raise DefinitionError(f"The schema cannot be read: {error}") from None
    if graphql.query_type is None:
        raise DefinitionError("The schema has no type Query. AppSync asks for one.")
    give_meaning(graphql)
    return Schema(graphql, rules_of(graphql, default_mode), _notifies(graphql))


def _notifies(schema: GraphQLSchema) -> dict[str, tuple[str, ...]]:
    if schema.subscription_type is None:
        return {}
    mutations = schema.mutation_type.fields if schema.mutation_type else {}
    found: dict[str, tuple[str, ...]] = {}
    for name, field in schema.subscription_type.fields.items():
        for mutation in _mutations(name, field):
            if mutation not in mutations:
                raise DefinitionError(f"Subscription.{name} names the mutation {mutation}, which is none.")
            _check(name, field, mutation, mutations[mutation])
            found[mutation] = (*found.get(mutation, ()), name)
    return found


def _mutations(name: str, field: GraphQLField) -> list[str]:
    directives = field.ast_node.directives if field.ast_node else ()
    for directive in directives:
        if directive.name.value == "aws_subscribe":
            listed = directive.arguments[0].value
            values = listed.values if isinstance(listed, ListValueNode) else ()
            return [each.value for each in values if isinstance(each, StringValueNode)]
    raise DefinitionError(f"Subscription.{name} has no @aws_subscribe, so nothing would ever be sent there.")


def _check(name: str, field: GraphQLField, mutation: str, of: GraphQLField) -> None:
    """A subscription gives what its mutation gives, may give nothing, and is filtered by fields of that."""
    kind = get_named_type(field.type)
    if kind is not get_named_type(of.type) or isinstance(field.type, GraphQLNonNull):
        raise DefinitionError(
            f"Subscription.{name} is of type {field.type} and Mutation.{mutation} of type {of.type}. "
            "A subscription has the type of its mutation, and without an exclamation mark."
        )
    for argument in field.args:
        if not isinstance(kind, GraphQLObjectType) or argument not in kind.fields:
            raise DefinitionError(f"Subscription.{name} is filtered by {argument}, no field of {kind}.")
