"""The collector's stack: what loses events, lets somebody in or costs money when it is wrong."""

from typing import Any

from infra.aws.synth import PACKAGED
from infra.cost.capacity import uses
from infra.cost.cost import Load, monthly
from infra.cost.prices import prices
from infra.stacks.collector import MAX_RECEIVES
from infra.stacks.templates import Resource, of_type, read
from producers.collector.key_items import EXPIRES_AT, HASH_KEY
from tests.shop import SHOP

RESOURCES = [each for each in read(PACKAGED) if each.stack == "penstock-collector"]
DEPLOYMENT = SHOP.default


def one(kind: str, name: str = "") -> Resource:
    (found,) = [each for each in of_type(RESOURCES, kind) if not name or each.name == name]
    return found


def test_spilled_records_wait_for_hours_and_dead_ones_outlive_the_queue() -> None:
    queue = one("AWS::SQS::Queue", DEPLOYMENT.collector_queue).properties
    dead = one("AWS::SQS::Queue", DEPLOYMENT.collector_dead_letter_queue).properties
    function = one("AWS::Lambda::Function", DEPLOYMENT.collector_function).properties
    [mapping] = [
        each.properties
        for each in of_type(RESOURCES, "AWS::Lambda::EventSourceMapping")
        if "Webhooks" not in each.logical_id
    ]
    assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]
    assert queue["RedrivePolicy"]["maxReceiveCount"] == MAX_RECEIVES
    assert MAX_RECEIVES * queue["VisibilityTimeout"] >= 10 * 3600
    assert dead["MessageRetentionPeriod"] == 14 * 86_400 > queue["MessageRetentionPeriod"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_keys_are_kept_restorable_and_counts_of_a_day_expire() -> None:
    table = one("AWS::DynamoDB::GlobalTable", DEPLOYMENT.write_keys_table)
    assert table.properties["KeySchema"] == [{"AttributeName": HASH_KEY, "KeyType": "HASH"}]
    assert table.properties["TimeToLiveSpecification"] == {"AttributeName": EXPIRES_AT, "Enabled": True}
    (replica,) = table.properties["Replicas"]
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert table.attributes["DeletionPolicy"] == "Retain"


def test_pages_of_any_origin_may_ask_without_credentials() -> None:
    cors: Any = one("AWS::ApiGatewayV2::Api").properties["CorsConfiguration"]
    assert cors["AllowOrigins"] == ["*"]
    assert "AllowCredentials" not in cors
    assert "x-write-key" in cors["AllowHeaders"]


def test_the_access_log_holds_no_address_key_or_agent() -> None:
    written = one("AWS::ApiGatewayV2::Stage").properties["AccessLogSettings"]["Format"]
    assert "requestId" in written
    for unwanted in ("ip", "Ip", "userAgent", "header", "path", "query"):
        assert unwanted not in written


def test_the_collector_costs_by_the_share_of_events_that_come_through_it() -> None:
    def lines(share: float) -> dict[str, float]:
        return {
            line.service: line.dollars
            for line in monthly(Load(1_000, collected=share), SHOP, DEPLOYMENT, prices())
        }

    assert "Collector" not in lines(0)
    assert 0 < lines(0.5)["Collector"] * 1.99 < lines(1)["Collector"] < lines(0.5)["Collector"] * 2.01
    limits = {use.limit: use.share for use in uses(Load(1_000, collected=1), SHOP, DEPLOYMENT)}
    assert limits["Collector, requests"] == 1_000 / 20 / 10_000
