"""The stack of jobs: what loses a job, lets somebody in or costs money when it is wrong."""

import json
from dataclasses import replace
from typing import Any

import msgspec

from infra.aws.synth import PACKAGED
from infra.cost.cost import Load, monthly
from infra.cost.prices import prices
from infra.stacks.alarms import alarm_rules
from infra.stacks.artefacts import artefacts_of
from infra.stacks.jobs import MAX_RECEIVES
from infra.stacks.templates import Resource, of_type, read
from queries.api.reading.settings import Settings as ReaderSettings
from queries.api.routes import ROUTES, SITE_ROUTES
from queries.jobs.composing import CHECK_SECONDS
from queries.jobs.dynamodb import CREATED_AT, EXPIRES_AT, HASH_KEY, LISTED, NEWEST_INDEX
from queries.jobs.import_plan import INBOX, MOST_FILE_BYTES, SCRATCH
from queries.jobs.machine import definition
from queries.jobs.rules import DAYS_KEPT
from queries.jobs.scheduled import FIRED_AT, Firing
from queries.jobs.settings import Settings
from tests.queries.jobs.states_language import faults, tasks
from tests.shop import SHOP, WEB

RESOURCES = [each for each in read(PACKAGED) if each.stack == "penstock-jobs"]
DEPLOYMENT = SHOP.default


def one(kind: str, name: str = "") -> Resource:
    (found,) = [each for each in of_type(RESOURCES, kind) if not name or each.name == name]
    return found


def machine() -> Any:
    return json.loads(one("AWS::StepFunctions::StateMachine").properties["DefinitionString"])


def test_the_deployed_machine_keeps_the_rules_of_the_states_language() -> None:
    deployed = machine()
    assert faults(deployed) == []
    function, importer = sorted({task["Parameters"]["FunctionName"] for task in tasks(deployed)}, key=len)
    assert deployed == definition(function, importer, importer_seconds=DEPLOYMENT.imports_timeout_seconds)


def test_the_machines_role_may_call_the_function_of_its_tasks_and_no_other() -> None:
    [role] = [each for each in of_type(RESOURCES, "AWS::IAM::Role") if "StepsRole" in each.logical_id]
    trusted = role.properties["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert trusted == {"Service": "states.amazonaws.com"}
    [policy] = role.properties["Policies"]
    allowed = {
        resource
        for statement in policy["PolicyDocument"]["Statement"]
        if "lambda:InvokeFunction" in statement["Action"]
        for resource in (
            [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
        )
    }
    assert allowed == {task["Parameters"]["FunctionName"] for task in tasks(machine())}
    assert one("AWS::StepFunctions::StateMachine").properties["RoleArn"] == role.arn


def test_a_step_is_not_cut_off_while_it_looks_and_a_message_not_taken_twice_meanwhile() -> None:
    function = one("AWS::Lambda::Function", DEPLOYMENT.jobs_function).properties
    assert function["Timeout"] >= CHECK_SECONDS + 10
    timeouts = {
        each.properties["FunctionName"]: each.properties["Timeout"]
        for each in of_type(RESOURCES, "AWS::Lambda::Function")
    }
    for task in tasks(machine()):
        called = task["Parameters"]["FunctionName"].rpartition(":")[2]
        assert task["TimeoutSeconds"] > timeouts[called]
    queue = one("AWS::SQS::Queue", DEPLOYMENT.jobs_queue).properties
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == MAX_RECEIVES
    [mapping] = [
        each.properties
        for each in of_type(RESOURCES, "AWS::Lambda::EventSourceMapping")
        if each.properties["FunctionName"] == DEPLOYMENT.jobs_function
    ]
    assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])
    assert one("AWS::Lambda::Function", DEPLOYMENT.api_function).properties["Timeout"] < 30


def test_jobs_expire_are_followed_and_can_be_restored() -> None:
    table = one("AWS::DynamoDB::GlobalTable")
    assert table.properties["KeySchema"] == [{"AttributeName": HASH_KEY, "KeyType": "HASH"}]
    assert table.properties["TimeToLiveSpecification"] == {"AttributeName": EXPIRES_AT, "Enabled": True}
    assert table.properties["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    [index] = table.properties["GlobalSecondaryIndexes"]
    assert index["IndexName"] == NEWEST_INDEX
    assert [key["AttributeName"] for key in index["KeySchema"]] == [LISTED, CREATED_AT]
    (replica,) = table.properties["Replicas"]
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table.attributes["DeletionPolicy"] == "Retain"


def test_a_jobs_plan_outlives_the_job() -> None:
    [bucket] = [
        each for each in of_type(read(PACKAGED), "AWS::S3::Bucket") if each.logical_id.startswith("Reporting")
    ]
    rules = {rule["Id"]: rule for rule in bucket.properties["LifecycleConfiguration"]["Rules"]}
    assert rules["plans"]["ExpirationInDays"] > DAYS_KEPT


def test_files_of_the_inbox_expire_and_so_does_what_was_read_of_them() -> None:
    [bucket] = [
        each for each in of_type(read(PACKAGED), "AWS::S3::Bucket") if each.logical_id.startswith("Lake")
    ]
    rules = {rule["Id"]: rule for rule in bucket.properties["LifecycleConfiguration"]["Rules"]}
    for name, prefix in (("inbox", INBOX), ("imports", SCRATCH)):
        assert rules[name]["Prefix"] == prefix
        assert rules[name]["ExpirationInDays"] == DEPLOYMENT.failed_days
    importer = one("AWS::Lambda::Function", DEPLOYMENT.importer_function).properties
    assert importer["EphemeralStorage"]["Size"] * (1 << 20) > 10 * MOST_FILE_BYTES


def test_a_schedule_calls_the_function_of_jobs_with_the_time_and_what_it_wants() -> None:
    schedule = one("AWS::Scheduler::Schedule").properties
    declared = SHOP.schedules["orders"]
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (
        declared.expression,
        "UTC",
    )
    firing = msgspec.json.decode(schedule["Target"]["Input"], type=Firing)
    assert firing == Firing("orders", FIRED_AT, declared.request)
    [role] = [each for each in of_type(RESOURCES, "AWS::IAM::Role") if "ScheduleRole" in each.logical_id]
    assert schedule["Target"]["RoleArn"] == role.arn
    trusted = role.properties["AssumeRolePolicyDocument"]["Statement"][0]
    assert trusted["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert "aws:SourceAccount" in trusted["Condition"]["StringEquals"]


def test_a_project_without_sources_has_no_importer() -> None:
    without = replace(SHOP, folders=replace(SHOP.folders, sources=SHOP.folders.streams / "nothing"))
    assert {"jobs", "api"} <= set(artefacts_of(without))
    assert "importer" in artefacts_of(SHOP)
    assert "importer" not in artefacts_of(without)
    names = [rule.name for rule in alarm_rules(DEPLOYMENT, [WEB])]
    assert "imports-errors" not in names
    assert "imports-errors" in [rule.name for rule in alarm_rules(DEPLOYMENT, [WEB], imports=True)]


def test_no_route_is_open_and_each_is_there_for_people_and_for_programs() -> None:
    routes = {
        each.properties["RouteKey"]: each.properties
        for each in of_type(RESOURCES, "AWS::ApiGatewayV2::Route")
    }
    wanted = {f"{method} {prefix}{path}" for path, method, _ in ROUTES for prefix in ("/api", "/iam")}
    wanted |= {f"{method} /api{path}" for path, method, _ in SITE_ROUTES}
    assert set(routes) == wanted
    for key, route in routes.items():
        assert route["AuthorizationType"] == ("JWT" if " /api/" in key else "AWS_IAM")
        assert ("AuthorizerId" in route) == (" /api/" in key)
    assert (
        one("AWS::Cognito::UserPool").properties["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    )


def test_the_functions_find_their_settings_in_what_the_template_sets() -> None:
    for name in (DEPLOYMENT.jobs_function, DEPLOYMENT.api_function):
        environment = one("AWS::Lambda::Function", name).properties["Environment"]["Variables"]
        assert Settings.from_environ(environment).table == DEPLOYMENT.jobs_table
    reader = one("AWS::Lambda::Function", DEPLOYMENT.reader_function).properties
    settings = ReaderSettings.from_environ(reader["Environment"]["Variables"])
    assert settings.ledger_table == DEPLOYMENT.ledger_table
    assert reader["Timeout"] < 30


def test_each_route_calls_the_function_that_answers_it() -> None:
    names = {
        "jobs": DEPLOYMENT.api_function,
        "reader": DEPLOYMENT.reader_function,
        "site": DEPLOYMENT.site_function,
    }
    functions = {name: one("AWS::Lambda::Function", name).arn for name in names.values()}
    integrations = {
        each.logical_id: each.properties["IntegrationUri"]
        for each in of_type(RESOURCES, "AWS::ApiGatewayV2::Integration")
    }
    called = {
        each.properties["RouteKey"]: next(
            uri for name, uri in integrations.items() if name in each.properties["Target"]
        )
        for each in of_type(RESOURCES, "AWS::ApiGatewayV2::Route")
    }
    assert called == {
        f"{method} {prefix}{path}": functions[names[function]]
        for path, method, function in (*ROUTES, *SITE_ROUTES)
        for prefix in ("/api", "/iam")[: 1 if function == "site" else 2]
    }


def test_a_project_without_jobs_carries_watches_and_pays_nothing_for_them() -> None:
    without = replace(DEPLOYMENT, jobs=False)
    project = replace(SHOP, deployments={"production": without})
    assert {"jobs", "api", "reader"} <= set(artefacts_of(SHOP))
    assert {"jobs", "api", "reader", "importer"}.isdisjoint(artefacts_of(project))
    assert not [
        rule for rule in alarm_rules(without, [WEB]) if rule.kind.startswith(("jobs-", "api-", "reader-"))
    ]

    def lines(deployment: Any) -> dict[str, float]:
        return {line.service: line.dollars for line in monthly(Load(100), SHOP, deployment, prices())}

    assert {"Jobs", "Read API"}.isdisjoint(lines(without))
    assert 0 < lines(DEPLOYMENT)["Jobs"] < 1
    assert 0 < lines(DEPLOYMENT)["Read API"] < 1
