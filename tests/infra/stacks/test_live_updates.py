"""The stack's part of live updates: what lets somebody in, tells nobody or tells the wrong thing when it is wrong."""

import json
from dataclasses import replace
from typing import Any

from graphql import GraphQLObjectType

from infra.aws.synth import PACKAGED
from infra.cost.cost import Load, monthly
from infra.cost.prices import prices
from infra.stacks.alarms import alarm_rules
from infra.stacks.artefacts import artefacts_of
from infra.stacks.templates import Resource, of_type, read
from queries.jobs.state import State
from queries.updates.messages import MUTATIONS
from queries.updates.settings import Settings
from tests.queries.updates.sdl import SDL, schema
from tests.shop import SHOP, WEB

RESOURCES = [each for each in read(PACKAGED) if each.stack == "penstock-jobs"]
DEPLOYMENT = SHOP.default
API = "LiveUpdates.ApiId"


def appsync(kind: str) -> list[Resource]:
    return list(of_type(RESOURCES, f"AWS::AppSync::{kind}"))


def root(kind: str) -> set[str]:
    """Fields of `Query` or `Mutation`."""
    found = schema().type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    return set(found.fields)


def test_people_of_the_pool_come_by_its_client_and_programs_by_iam_and_nobody_by_a_key() -> None:
    (api,) = appsync("GraphQLApi")
    assert api.properties["AuthenticationType"] == "AMAZON_COGNITO_USER_POOLS"
    assert api.properties["AdditionalAuthenticationProviders"] == [{"AuthenticationType": "AWS_IAM"}]
    (pool,), (client,) = (
        list(of_type(RESOURCES, f"AWS::Cognito::{kind}")) for kind in ("UserPool", "UserPoolClient")
    )
    assert api.properties["UserPoolConfig"]["UserPoolId"] == pool.logical_id
    assert api.properties["UserPoolConfig"]["AppIdClientRegex"] == client.logical_id
    assert not appsync("ApiKey")
    assert {
        each.properties["ApiId"]
        for kind in ("GraphQLSchema", "DataSource", "Resolver")
        for each in appsync(kind)
    } == {API}


def test_the_schema_is_deployed_as_it_is_tested() -> None:
    (deployed,) = appsync("GraphQLSchema")
    assert deployed.properties["Definition"] == SDL


def test_each_query_is_answered_by_the_function_that_has_its_data_and_by_a_role_that_calls_no_other() -> None:
    sources = {each.properties["Name"]: each.properties for each in appsync("DataSource")}
    functions = {each.arn: each.name for each in of_type(RESOURCES, "AWS::Lambda::Function")}
    roles = {each.arn: each for each in of_type(RESOURCES, "AWS::IAM::Role")}
    answered = {}
    for resolver in appsync("Resolver"):
        if resolver.properties["TypeName"] != "Query":
            continue
        source = sources[resolver.properties["DataSourceName"].partition(".")[0].removeprefix("Live")[:-14]]
        called = source["LambdaConfig"]["LambdaFunctionArn"]
        answered[resolver.properties["FieldName"]] = functions[called]
        assert "RequestMappingTemplate" not in resolver.properties, "a function gets the whole context"
        role = roles[source["ServiceRoleArn"]]
        statements = [
            s for policy in role.properties["Policies"] for s in policy["PolicyDocument"]["Statement"]
        ]
        assert [(s["Action"], s["Resource"]) for s in statements] == [("lambda:InvokeFunction", called)]
        (trust,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "appsync.amazonaws.com"}
        assert "aws:SourceAccount" in trust["Condition"]["StringEquals"]
    assert answered == {
        "job": DEPLOYMENT.api_function, "jobs": DEPLOYMENT.api_function, "reports": DEPLOYMENT.reader_function,
    }  # fmt: skip
    assert set(answered) == root("Query")


def test_a_mutation_hands_on_what_it_was_given_and_reaches_nothing() -> None:
    (handing,) = [each.properties for each in appsync("DataSource") if each.properties["Type"] == "NONE"]
    assert {"ServiceRoleArn", "LambdaConfig"}.isdisjoint(handing)
    found = {}
    for resolver in appsync("Resolver"):
        if resolver.properties["TypeName"] == "Mutation":
            assert "HandedOn" in resolver.properties["DataSourceName"]
            found[resolver.properties["FieldName"]] = (
                resolver.properties["RequestMappingTemplate"], resolver.properties["ResponseMappingTemplate"],
            )  # fmt: skip
    assert set(found) == root("Mutation") == set(MUTATIONS.values())
    assert set(found.values()) == {
        (
            '{"version":"2018-05-29","payload":$util.toJson($context.arguments.input)}',
            "$util.toJson($context.result)",
        )
    }


def test_changes_of_jobs_come_in_order_and_what_goes_on_failing_is_named() -> None:
    (mapping,) = [
        each.properties
        for each in of_type(RESOURCES, "AWS::Lambda::EventSourceMapping")
        if each.properties["FunctionName"] == DEPLOYMENT.updates_function
    ]
    (table,) = of_type(RESOURCES, "AWS::DynamoDB::GlobalTable")
    assert mapping["EventSourceArn"] == table.arn  # the resolver gives every ...Arn of a table this value
    assert "ParallelizationFactor" not in mapping
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (5, 300)
    (dead,) = [
        each
        for each in of_type(RESOURCES, "AWS::SQS::Queue")
        if each.name == DEPLOYMENT.updates_dead_letter_queue
    ]
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == dead.arn
    (retries,) = of_type(RESOURCES, "AWS::Lambda::EventInvokeConfig")
    assert retries.properties["DestinationConfig"]["OnFailure"]["Destination"] == dead.arn
    assert dead.attributes["DeletionPolicy"] == "Retain"
    (pattern,) = [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]
    assert pattern == {"dynamodb": {"NewImage": {"state": {"S": [{"exists": True}]}}}}


def test_the_function_hears_of_every_publish_of_every_report() -> None:
    (rule,) = [
        each.properties
        for each in of_type(RESOURCES, "AWS::Events::Rule")
        if each.name == "penstock-report-updates"
    ]
    detail = rule["EventPattern"]["detail"]
    assert set(detail["tableName"]) == set(SHOP.reports)
    assert detail["typeOfChange"] == ["BatchCreatePartition", "BatchUpdatePartition"]
    (function,) = [
        each
        for each in of_type(RESOURCES, "AWS::Lambda::Function")
        if each.name == DEPLOYMENT.updates_function
    ]
    assert [target["Arn"] for target in rule["Targets"]] == [function.arn]
    settings = Settings.from_environ(function.properties["Environment"]["Variables"])
    assert (settings.ledger_table, settings.database) == (DEPLOYMENT.ledger_table, DEPLOYMENT.database)
    assert settings.graphql_url == "LiveUpdates.GraphQLUrl"


def test_states_of_a_job_are_those_of_the_schema() -> None:
    found: Any = schema().type_map["JobState"]
    assert tuple(found.values) == State.__args__  # type: ignore[attr-defined]


def test_a_deployment_without_jobs_has_no_live_updates_watches_and_pays_for_none() -> None:
    without = replace(DEPLOYMENT, jobs=False)
    assert "updates" in artefacts_of(SHOP)
    assert "updates" not in artefacts_of(replace(SHOP, deployments={"production": without}))
    assert not [rule for rule in alarm_rules(without, [WEB]) if rule.kind.startswith("updates-")]

    def lines(deployment: Any) -> dict[str, float]:
        return {line.service: line.dollars for line in monthly(Load(100), SHOP, deployment, prices())}

    assert "Live updates" not in lines(without)
    assert 0 < lines(DEPLOYMENT)["Live updates"] < 2
