"""What a template may say of an API here; the rest is refused by name."""

from typing import Any

import pytest

from infra.local.graphql.apis import Apis
from infra.local.graphql.definitions import access_of, resolver_of, source_of
from infra.local.graphql.errors import DefinitionError
from infra.local.graphql.resources import ApiResource, ResolverResource, SchemaResource, SourceResource
from infra.local.graphql.rules import IAM, POOL, Caller
from infra.local.graphql.schema import read_schema
from tests.infra.local.graphql.rig import API, PASSES_ON, SCHEMA

VIEWER, PROGRAM = Caller(POOL, "v", frozenset({"viewers"})), Caller(IAM, "p")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"AuthenticationType": "API_KEY"}, "API_KEY is not served"),
        ({"AdditionalAuthenticationProviders": [{"AuthenticationType": "AWS_LAMBDA"}]}, "AWS_LAMBDA"),
        ({"UserPoolConfig": {}}, "no UserPoolId"),
        ({"UserPoolConfig": {"UserPoolId": "p", "AppIdClientRegex": "("}}, "AppIdClientRegex"),
        ({"Visibility": "PRIVATE"}, "PRIVATE is not served"),
        ({"ApiType": "MERGED"}, "MERGED is not served"),
        ({"LambdaAuthorizerConfig": {}}, "LambdaAuthorizerConfig of AWS::AppSync::GraphQLApi"),
    ],
)
def test_an_api_that_is_not_served_here_is_refused_by_name(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        access_of(API | changed, "us-east-1")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Kind": "PIPELINE"}, "PIPELINE"),
        ({"Code": "export function request() {}", "Runtime": {}}, "Code, Runtime"),
        ({"TypeName": "Subscription"}, "Subscription.changeJob"),
        ({"RequestMappingTemplate": '{"version":"2018-05-29","payload":{}}'}, "mapping templates"),
        ({"ResponseMappingTemplate": "$util.error()"}, "mapping templates"),
        ({"ResponseMappingTemplate": None}, "mapping templates"),
    ],
)
def test_a_resolver_that_is_not_served_here_is_refused_by_name(changed: dict[str, Any], words: str) -> None:
    given = {"TypeName": "Mutation", "FieldName": "changeJob", "DataSourceName": "none", **PASSES_ON}
    with pytest.raises(DefinitionError, match=words):
        resolver_of({**given, **changed})


@pytest.mark.parametrize("argument", ["$context.arguments.input", "$ctx.args.input", "$ctx.arguments.input"])
def test_a_template_may_say_the_same_in_other_words(argument: str) -> None:
    request = f'{{ "version" : "2018-05-29",\n "payload" : $util.toJson({argument}) }}'
    given = {"TypeName": "Mutation", "FieldName": "f", "DataSourceName": "none"}
    templates = {"RequestMappingTemplate": request, "ResponseMappingTemplate": "$util.toJson($ctx.result)"}
    assert resolver_of({**given, **templates}).argument == "input"


def test_a_data_source_of_another_kind_is_refused_by_name() -> None:
    with pytest.raises(DefinitionError, match="AMAZON_DYNAMODB"):
        source_of({"Name": "s", "Type": "AMAZON_DYNAMODB"})
    with pytest.raises(DefinitionError, match="LambdaFunctionArn"):
        source_of({"Name": "s", "Type": "AWS_LAMBDA"})


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("query: Query  mutation", "mutation", "no query type"),
        ("at: AWSDateTime }", "at: AWSPhone }", "AWSPhone"),
        ("@aws_iam }", "@aws_api_key }", "aws_api_key"),
        ('mutations: ["changeJob"]', 'mutations: ["renameJob"]', "renameJob"),
        ("jobChanged(jobId: ID): JobChange", "jobChanged(jobId: ID): JobChange!", "exclamation mark"),
        ("jobChanged(jobId: ID): JobChange", "jobChanged(jobId: ID): String", "type String"),
        ("jobChanged(jobId: ID)", "jobChanged(owner: ID)", "filtered by owner"),
        ('@aws_subscribe(mutations: ["changeJob"])', "", "no @aws_subscribe"),
        ("type JobChange", "typ JobChange", "cannot be read"),
    ],
)
def test_a_schema_that_appsync_would_not_take_is_refused(before: str, after: str, words: str) -> None:
    assert before in SCHEMA
    with pytest.raises(DefinitionError, match=words):
        read_schema(SCHEMA.replace(before, after), POOL)


def test_a_field_is_open_to_whom_its_own_directives_name_or_its_types_or_the_default() -> None:
    rules = read_schema(SCHEMA, POOL).rules
    other = Caller(POOL, "o", frozenset({"others"}))
    open_to = {
        place: [who.name for who in (VIEWER, other, PROGRAM) if rules[place].lets_in(who)]
        for place in (
            ("Query", "mine"), ("Query", "forPrograms"), ("Mutation", "changeJob"),
            ("Subscription", "jobChanged"), ("JobChange", "state"),
        )
    }  # fmt: skip
    assert list(open_to.values()) == [["v", "o"], ["p"], ["p"], ["v"], ["v", "o", "p"]]


def test_an_api_is_whole_once_it_has_a_schema_and_gone_when_it_is_deleted() -> None:
    apis = Apis()
    resource = ApiResource(apis, "http://127.0.0.1:4711", "us-east-1", "000000000000", lambda: "abc")
    arn, found = resource.create("Api", API)
    assert arn == found["Arn"] == "arn:aws:appsync:us-east-1:000000000000:apis/abc"
    assert apis.served("abc") is None
    schema, given = SchemaResource(apis), {"ApiId": "abc", "Definition": SCHEMA}
    assert schema.create("Schema", given) == ("abcGraphQLSchema", {"Id": "abcGraphQLSchema"})
    assert apis.served("abc") is apis.served("") is not None
    resource.delete(arn)
    assert apis.served("abc") is None
    SourceResource(apis).delete(f"{arn}/datasources/none")
    ResolverResource(apis).delete(f"{arn}/types/Mutation/resolvers/changeJob")


def test_a_resolver_needs_its_data_source_and_what_that_can_do() -> None:
    apis = Apis()
    ApiResource(apis, "http://127.0.0.1:4711", "us-east-1", "0", lambda: "abc").create("Api", API)
    SchemaResource(apis).create("Schema", {"ApiId": "abc", "Definition": SCHEMA})
    given = {"ApiId": "abc", "TypeName": "Query", "FieldName": "job", "DataSourceName": "jobs"}
    with pytest.raises(DefinitionError, match="no data source jobs"):
        ResolverResource(apis).create("Job", given)
    SourceResource(apis).create("Jobs", {"ApiId": "abc", "Name": "jobs", "Type": "NONE"})
    with pytest.raises(DefinitionError, match="NONE with them"):
        ResolverResource(apis).create("Job", given)


def test_what_a_restart_hands_over_again_is_served_as_before() -> None:
    apis = Apis()
    arn = "arn:aws:appsync:us-east-1:0:apis/abc"
    ApiResource(apis, "http://127.0.0.1:4711", "us-east-1", "0").update(arn, API)
    of = {"ApiId": "abc"}
    SchemaResource(apis).update("abcGraphQLSchema", {**of, "Definition": SCHEMA})
    SourceResource(apis).update(f"{arn}/datasources/none", {**of, "Name": "none", "Type": "NONE"})
    resolver = {**of, "TypeName": "Mutation", "FieldName": "changeJob", "DataSourceName": "none"}
    ResolverResource(apis).update(f"{arn}/types/Mutation/resolvers/changeJob", {**resolver, **PASSES_ON})
    found = apis.served("abc")
    assert found is not None
    assert found.resolvers["Mutation", "changeJob"][0].argument == "input"
