"""An AppSync endpoint for this machine: GraphQL over HTTP, subscriptions over sockets."""

from infra.local.graphql.service import GraphQLService

__all__ = ["GraphQLService"]
