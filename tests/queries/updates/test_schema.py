"""The GraphQL schema: valid, and open to nobody whom it does not name."""

from typing import Any

import msgspec
import pytest
from graphql import (
    DirectiveNode,
    FieldDefinitionNode,
    GraphQLInputObjectType,
    GraphQLObjectType,
    graphql_sync,
    parse,
    validate,
    validate_schema,
)

from queries.api.callers import OPERATORS, VIEWERS
from queries.updates.job_answer import job_answer
from queries.updates.messages import MUTATIONS, JobUpdate, ReportUpdate, job_update, mutation
from queries.updates.report_answer import report_answer
from queries.updates.watching.documents import JOB, JOB_CHANGED, JOBS
from tests.queries.updates.sdl import SDL, schema
from tests.queries.updates.things import IMPORTED, PLANNED, REPORT

SCHEMA = schema()
UPDATES = (
    job_update(PLANNED),
    ReportUpdate(name="orders_by_hour", version="a", as_of=None, published_at="2026-11-24T10:00:00.000Z"),
)


def fields(kind: str) -> dict[str, dict[str, Any]]:
    """Field of an object to its directives."""
    found = SCHEMA.type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    named = {}
    for name, field in found.fields.items():
        assert isinstance(field.ast_node, FieldDefinitionNode)
        named[name] = {each.name.value: each for each in field.ast_node.directives}
    return named


def argument(directive: DirectiveNode, name: str) -> list[str]:
    (found,) = [each.value for each in directive.arguments if each.name.value == name]
    values: Any = found
    return [each.value for each in values.values]


def test_the_schema_is_valid() -> None:
    assert validate_schema(SCHEMA) == []


@pytest.mark.parametrize("kind", ["Query", "Subscription"])
def test_people_of_the_two_groups_and_programs_may_ask_for_each_field_and_nobody_else(kind: str) -> None:
    for name, directives in fields(kind).items():
        assert "aws_iam" in directives, name
        assert set(argument(directives["aws_cognito_user_pools"], "cognito_groups")) == {OPERATORS, VIEWERS}


def test_people_may_publish_nothing() -> None:
    assert {name: set(directives) for name, directives in fields("Mutation").items()} == {
        name: {"aws_iam"} for name in MUTATIONS.values()
    }


def test_whoever_may_ask_for_a_field_may_read_what_it_gives() -> None:
    """AppSync lets only its default kind of caller read a type that names none."""
    given = {"JobUpdate", "ReportUpdate", "Job", "Report"}
    for kind in given:
        node = SCHEMA.type_map[kind].ast_node
        assert node is not None
        assert {each.name.value for each in node.directives} == {"aws_iam", "aws_cognito_user_pools"}
    objects = {name for name, each in SCHEMA.type_map.items() if isinstance(each, GraphQLObjectType)}
    assert {name for name in objects if not name.startswith("__")} == given | {
        "Query",
        "Mutation",
        "Subscription",
    }


def test_each_subscription_follows_a_mutation_that_gives_the_same_type_with_the_same_arguments() -> None:
    """AppSync compares a subscription's arguments with the members that the mutation gives."""
    mutations, subscriptions = SCHEMA.mutation_type, SCHEMA.subscription_type
    assert mutations
    assert subscriptions
    for name, directives in fields("Subscription").items():
        (followed,) = argument(directives["aws_subscribe"], "mutations")
        given = mutations.fields[followed].type
        assert isinstance(given, GraphQLObjectType)
        assert subscriptions.fields[name].type is given
        assert set(subscriptions.fields[name].args) <= set(given.fields)


@pytest.mark.parametrize("update", [JobUpdate, ReportUpdate])
def test_an_update_has_the_same_members_in_the_schema_and_in_the_code(update: type) -> None:
    wanted = [field.encode_name for field in msgspec.structs.fields(update)]
    given, taken = SCHEMA.type_map[update.__name__], SCHEMA.type_map[f"{update.__name__}Input"]
    assert isinstance(given, GraphQLObjectType)
    assert isinstance(taken, GraphQLInputObjectType)
    assert list(given.fields) == list(taken.fields) == wanted
    assert [str(each.type) for each in given.fields.values()] == [
        str(each.type) for each in taken.fields.values()
    ]


@pytest.mark.parametrize("update", UPDATES, ids=lambda update: type(update).__name__)
def test_a_publication_is_taken_and_gives_subscribers_every_member(update: JobUpdate | ReportUpdate) -> None:
    document, variables = mutation(update)
    root = {MUTATIONS[type(update)]: lambda _, input: input}  # noqa: A006 - as the schema has it
    answer = graphql_sync(SCHEMA, document, root, variable_values=variables)
    assert answer.errors is None
    assert answer.data == {MUTATIONS[type(update)]: msgspec.to_builtins(update)}


def test_answers_about_jobs_and_reports_are_what_the_schema_promises() -> None:
    def every(kind: str) -> str:
        found = SCHEMA.type_map[kind]
        assert isinstance(found, GraphQLObjectType)
        return " ".join(found.fields)

    root = {
        "jobs": lambda _, limit: [job_answer(PLANNED), job_answer(IMPORTED)],
        "reports": lambda _: [report_answer(REPORT)],
    }
    answer = graphql_sync(SCHEMA, f"{{ jobs {{ {every('Job')} }} reports {{ {every('Report')} }} }}", root)
    assert answer.errors is None
    assert answer.data is not None
    backfill, imported = answer.data["jobs"]
    assert (backfill["report"], backfill["from"], backfill["prefix"]) == (
        "orders_by_hour",
        "2026-11-01-00",
        None,
    )
    assert (imported["source"], imported["report"]) == ("flights", None)
    assert (backfill["revision"], backfill["done"], backfill["total"]) == (3, 1, 3)
    assert answer.data["reports"][0]["publishedAt"] == REPORT.published_at


@pytest.mark.parametrize("document", [JOB, JOBS, JOB_CHANGED], ids=["job", "jobs", "jobChanged"])
def test_what_the_command_asks_is_in_the_schema(document: str) -> None:
    assert validate(SCHEMA, parse(document)) == []


def test_the_schema_says_nothing_of_rows_or_files() -> None:
    assert "rows" not in SDL
    assert "url" not in SDL
