"""The schema as AppSync reads it: with the directives and scalars that AppSync has already."""

from pathlib import Path

from graphql import GraphQLSchema, build_schema

import queries.updates

SDL = (Path(queries.updates.__file__).parent / "schema.graphql").read_text(encoding="utf-8")
_OF_APPSYNC = """
directive @aws_iam on OBJECT | FIELD_DEFINITION
directive @aws_cognito_user_pools(cognito_groups: [String]) on OBJECT | FIELD_DEFINITION
directive @aws_subscribe(mutations: [String]) on FIELD_DEFINITION
scalar AWSDateTime
"""


def schema() -> GraphQLSchema:
    """Built and validated by GraphQL's reference implementation."""
    return build_schema(f"{_OF_APPSYNC}{SDL}")
