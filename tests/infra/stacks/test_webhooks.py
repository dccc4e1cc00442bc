"""The webhooks' part of the collector's stack: what loses deliveries or lets somebody in when it is wrong."""

import json
from dataclasses import replace
from pathlib import Path

from infra.cost.capacity import uses
from infra.cost.cost import Load, monthly
from infra.cost.prices import prices
from infra.stacks.alarms import alarm_rules
from infra.stacks.artefacts import artefacts_of
from infra.stacks.templates import of_type
from infra.stacks.webhooks import MAX_RECEIVES
from producers.hooks.item_names import DAYS_REMEMBERED, EXPIRES_AT
from tests.infra.stacks.test_collector import DEPLOYMENT, RESOURCES, one
from tests.shop import SHOP, WEB


def test_a_delivery_goes_into_the_queue_as_it_came_without_a_function() -> None:
    [integration] = [
        each.properties
        for each in of_type(RESOURCES, "AWS::ApiGatewayV2::Integration")
        if "IntegrationSubtype" in each.properties
    ]
    assert (integration["IntegrationSubtype"], "IntegrationUri" in integration) == ("SQS-SendMessage", False)
    parameters = integration["RequestParameters"]
    assert parameters["MessageBody"] == "$request.body"
    named = json.loads(parameters["MessageAttributes"])
    assert list(named)[-3:] == ["request", "received_at", "source"], "what the gateway knows comes last"
    assert len(named) + 1 <= 10, "the queue takes ten attributes, and the reason is one more"
    assert all(each["StringValue"].startswith("=") for each in named.values())
    routes = [each.properties["RouteKey"] for each in of_type(RESOURCES, "AWS::ApiGatewayV2::Route")]
    assert "POST /v1/hooks/stripe" in routes
    assert not [each for each in routes if each.startswith("POST /v1/hooks") and "{" in each]


def test_deliveries_wait_for_hours_and_refused_ones_outlive_the_queue() -> None:
    queue = one("AWS::SQS::Queue", DEPLOYMENT.hooks_queue).properties
    dead = one("AWS::SQS::Queue", DEPLOYMENT.hooks_dead_letter_queue).properties
    assert queue["VisibilityTimeout"] >= 6 * DEPLOYMENT.hooks_timeout_seconds
    assert queue["RedrivePolicy"]["maxReceiveCount"] == MAX_RECEIVES
    assert MAX_RECEIVES * queue["VisibilityTimeout"] >= 10 * 3600
    assert dead["MessageRetentionPeriod"] == 14 * 86_400 > queue["MessageRetentionPeriod"]
    assert dead["MessageRetentionPeriod"] + queue["MessageRetentionPeriod"] < DAYS_REMEMBERED * 86_400
    [mapping] = [
        each.properties
        for each in of_type(RESOURCES, "AWS::Lambda::EventSourceMapping")
        if "Webhooks" in each.logical_id
    ]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_deliveries_expire_and_the_secret_is_kept() -> None:
    table = one("AWS::DynamoDB::GlobalTable", DEPLOYMENT.deliveries_table)
    assert table.properties["TimeToLiveSpecification"] == {"AttributeName": EXPIRES_AT, "Enabled": True}
    secret = one("AWS::SecretsManager::Secret")
    assert secret.properties["Name"] == "penstock/hooks/stripe"
    assert secret.attributes["DeletionPolicy"] == "Retain"


def test_a_project_whose_sources_take_none_has_no_worker_and_no_alarms(tmp_path: Path) -> None:
    without = replace(SHOP, folders=replace(SHOP.folders, sources=tmp_path))
    assert "hooks" in artefacts_of(SHOP)
    assert "hooks" not in artefacts_of(without)
    assert [rule.name for rule in alarm_rules(DEPLOYMENT, [WEB]) if "hooks" in rule.name] == []


def test_webhooks_cost_and_fill_limits_by_their_share_of_the_events() -> None:
    def dollars(share: float) -> float:
        lines = monthly(Load(100, webhooks=share), SHOP, DEPLOYMENT, prices())
        return sum(line.dollars for line in lines if line.service == "Webhooks")

    assert dollars(0) == 0
    millions = 100 * 86_400 * 30 / 1e6
    assert 3.5 * millions < dollars(1) < 5 * millions
    limits = {use.limit: use.share for use in uses(Load(100, webhooks=1), SHOP, DEPLOYMENT)}
    assert limits["Webhooks, requests"] == 100 / 10_000
    assert limits["Webhooks, workers"] == 100 * 0.03 / DEPLOYMENT.hooks_concurrency
