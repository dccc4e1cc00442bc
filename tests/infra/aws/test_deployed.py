"""The shipped template where every right is checked: an event comes through, and the doctor sees harm."""

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.aws.canary import LAKE_PROMISE, REPORT_PROMISE, SWAP_PROMISE, Pace, follow
from infra.aws.catch_up_cli import bring
from infra.aws.deployed import Finding
from infra.aws.doctor import findings
from infra.aws.outputs import Outputs
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.deploy import deployer
from infra.local.deploy.assembly import read
from infra.local.deploy.deployer import serve_locally
from infra.local.deploy.synthesized import assembly_of
from infra.local.firehose.service import DELIVERY_STREAM
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from producers import Producer
from producers.contracts.shop.web import PageViewed
from producers.sinks.kinesis import KinesisSink
from queries.commands.waiting import call
from queries.contracts import Report
from queries.ledger.dynamodb import DynamoDbLedger
from tests.shop import REPORTS, SHOP, WEB
from transforms.contracts import EVENT_HOUR, EVENT_HOUR_FORMAT

pytestmark = pytest.mark.cloud
VIEW = PageViewed(url="https://shop.example/a", client_address="192.0.2.7", status=200)
TICK = {"penstock": "tick"}
PENDING = ("QUEUED", "RUNNING")


@dataclass(frozen=True)
class Deployed:
    """A local cloud that checks permissions, and what was deployed to it."""

    cloud: LocalCloud
    outputs: Outputs

    def doctor(self) -> dict[str, Finding]:
        found = findings(self.cloud.context.client, self.outputs, SHOP, SHOP.default)
        return {finding.promise: finding for finding in found}


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    paths = LocalPaths.of(tmp_path_factory.mktemp("enforced"))
    emulator_port, server_port = processes.free_ports(2)
    settings = LocalSettings(port=emulator_port, server_port=server_port, enforce_iam=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    try:
        up = cloud.up(paths, settings, lambda _: None, environ=environ, project=SHOP)
        yield Deployed(up, Outputs.from_document(up.outputs))
    finally:
        cloud.down(paths, lambda _: None)


def test_every_stack_of_the_shipped_template_is_deployed(deployed: Deployed) -> None:
    assert {stack.removeprefix("penstock-") for stack in deployed.cloud.outputs["stacks"]} == {
        "lake", "stream", "reporting", "dashboards", "monitoring", "access", "collector", "jobs",
    }  # fmt: skip


def test_all_that_the_template_promises_holds_on_a_healthy_local_cloud(deployed: Deployed) -> None:
    found = deployed.doctor()
    assert {promise: each.seen for promise, each in found.items() if not each.holds} == {}
    assert len(found) >= 16


def test_an_event_comes_to_a_report_through_every_role_with_permissions_checked(deployed: Deployed) -> None:
    client, now = deployed.cloud.context.client, datetime.now(UTC)
    pace = Pace(time.monotonic, time.sleep, 0.3)
    steps = follow(client, deployed.outputs, SHOP, str(uuid.uuid4()), now, pace)
    found = {each.promise: each for each in steps}
    assert {promise: each.holds for promise, each in found.items()} == {
        LAKE_PROMISE: True, REPORT_PROMISE: True, SWAP_PROMISE: True,
    }  # fmt: skip
    batch = _log_line(client("logs"), deployed.outputs.transform_function, "batch transformed")
    assert batch["request_id"]
    assert batch["invocation_id"]
    assert batch["AcceptedEvents"] == [1.0]
    refreshed = _log_line(client("logs"), deployed.outputs.query_function, "reports refreshed")
    assert refreshed["xray_trace_id"]
    partition = client("glue").get_partition(
        DatabaseName=deployed.outputs.database,
        TableName="health_by_hour",
        PartitionValues=[now.strftime(EVENT_HOUR_FORMAT)],
    )["Partition"]
    assert partition["Parameters"]["query_execution_id"]


def test_the_doctor_sees_what_somebody_broke_and_says_how_to_fix_it(deployed: Deployed) -> None:
    client = deployed.cloud.context.client
    rule, ended = (f"{SHOP.default.prefix}-{name}" for name in ("tick", "query-ended"))
    bucket = deployed.outputs.lake_bucket
    notification = client("s3").get_bucket_notification_configuration(Bucket=bucket)
    notification.pop("ResponseMetadata")
    client("events").disable_rule(Name=rule)
    client("events").disable_rule(Name=ended)
    client("sqs").send_message(QueueUrl=deployed.outputs.dead_letter_queue_url, MessageBody="{")
    client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        broken = {promise: each for promise, each in deployed.doctor().items() if not each.holds}
        tick = broken["the tick comes every minute"]
        assert tick.seen == "rate(1 minute), DISABLED"
        assert rule in tick.remedy
        assert broken["the lake bucket tells the queue of new objects"].seen == "nothing"
        assert broken["the end of a query calls the query function"].seen == "DISABLED"
        assert broken["every notification could be read"].remedy == "Run: penstock dlq list"
    finally:
        client("events").enable_rule(Name=rule)
        client("events").enable_rule(Name=ended)
        client("sqs").purge_queue(QueueUrl=deployed.outputs.dead_letter_queue_url)
        client("s3").put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=notification
        )


def test_the_doctor_sees_whether_the_key_of_the_environment_is_usable_and_the_deployments_own(
    deployed: Deployed,
) -> None:
    client, function = deployed.cloud.context.client, deployed.outputs.transform_function
    key = deployed.outputs.stream().transform_key
    promise = "the transform's environment is encrypted with the deployment's own key"
    assert (
        client("kms").describe_key(KeyId=SHOP.default.transform_key_alias(WEB))["KeyMetadata"]["Arn"] == key
    )
    assert deployed.doctor()[promise] == Finding(promise, True, "Enabled, rotation on")
    client("kms").disable_key(KeyId=key)
    try:
        found = deployed.doctor()[promise]
        assert (found.holds, found.seen) == (False, "Disabled, rotation on")
        assert "docs/runbook.md" in found.remedy
    finally:
        client("kms").enable_key(KeyId=key)
    client("lambda").update_function_configuration(FunctionName=function, KMSKeyArn="")
    try:
        found = deployed.doctor()[promise]
        assert (found.holds, found.seen) == (False, "Lambda's own key")
        assert "penstock deploy" in found.remedy
    finally:
        client("lambda").update_function_configuration(FunctionName=function, KMSKeyArn=key)


def test_nothing_is_lost_when_the_delivery_stream_is_made_anew_while_a_producer_runs(
    deployed: Deployed,
) -> None:
    client, outputs, context = deployed.cloud.context.client, deployed.outputs, deployed.cloud.context
    yesterday = datetime.now(UTC) - timedelta(hours=26)
    with Producer(sink=KinesisSink(outputs.stream_name, client("kinesis"))) as history:
        put = [history.put(VIEW, yesterday) for _ in range(20)]
    assert context.ask("/_firehose/flush?seconds=60", method="POST", timeout=90)["drained"]
    _work(deployed, lambda: _has_all(deployed, yesterday))
    before = _published(deployed, yesterday)
    made = _delivery_made(deployed)
    with _sending(outputs, client("kinesis")) as sent:
        with _without_delivery(deployed):
            undelivered = len(sent)
            _until(lambda: len(sent) >= undelivered + 20)
        assert _delivery_made(deployed) > made
        promise = "what came before the delivery stream was made is delivered"
        told: list[str] = []
        bring(client, outputs, SHOP, SHOP.default, told.append)
        bring(client, outputs, SHOP, SHOP.default, told.append)
        assert "records put again" in told[0]
        assert told[1] == "web: nothing lies before its delivery stream"
        for _ in range(3):
            _work(deployed)
        assert _published(deployed, yesterday) == before
    assert context.ask("/_firehose/flush?seconds=60", method="POST", timeout=90)["drained"]
    in_lake = set(_column(deployed, "SELECT DISTINCT event_id FROM web_events WHERE seq > 0"))
    assert [each for each in [*put, *sent] if each not in in_lake] == []
    assert deployed.doctor()[promise] == Finding(promise, True, "nothing is left", "Run: penstock catch-up")


@contextmanager
def _without_delivery(deployed: Deployed) -> Iterator[None]:
    """The stream's stack without its delivery stream, and at the end with a new one.

    MiniStack takes no Kinesis stream over into a stack that is made anew, so the stack itself stays.
    """
    context = deployed.cloud.context
    folder = assembly_of(SHOP, context.paths, lambda _: None)
    stacks = read(folder, account_id=context.account_id, region=context.region)
    (stack,) = (each for each in stacks if each.name == "penstock-stream")
    provider, served = deployer._provider(context), frozenset(context.ask("/_cfn"))
    whole, rest = stack.document(), stack.document()
    (name,) = (each for each, made in whole["Resources"].items() if made["Type"] == DELIVERY_STREAM)
    del rest["Resources"][name]
    rest["Outputs"] = {key: each for key, each in rest["Outputs"].items() if name not in json.dumps(each)}

    def apply(document: dict[str, Any]) -> None:
        local = serve_locally(document, provider, served, context.server_url)
        deployer._apply(context, stack, json.dumps(local))

    apply(rest)
    yield
    apply(whole)


def _delivery_made(deployed: Deployed) -> datetime:
    answer = deployed.cloud.context.client("firehose").describe_delivery_stream(
        DeliveryStreamName=deployed.outputs.delivery_stream
    )
    made: datetime = answer["DeliveryStreamDescription"]["CreateTimestamp"]
    return made


@contextmanager
def _sending(outputs: Outputs, kinesis: Any) -> Iterator[list[str]]:
    """Ids of the events of a producer that goes on all the while."""
    sent: list[str] = []
    end = threading.Event()

    def send() -> None:
        with Producer(sink=KinesisSink(outputs.stream_name, kinesis)) as producer:
            while not end.wait(0.05):
                sent.append(producer.put(VIEW))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        end.set()
        thread.join()


def _work(deployed: Deployed, condition: Callable[[], bool] = lambda: True) -> None:
    """Ask the query function for its work, as each tick does, until the condition holds."""
    functions = deployed.cloud.context.client("lambda")
    _until(lambda: bool(call(functions, deployed.outputs.query_function, TICK)) and condition())


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.1)


def _has_all(deployed: Deployed, moment: datetime) -> bool:
    """Whether every report has been published for the hour or day."""
    ledger = DynamoDbLedger(deployed.cloud.context.client("dynamodb"), deployed.outputs.ledger_table)
    return all(
        any(state.published and state.partition == _part(report, moment) for state in ledger.report(name))
        for name, report in REPORTS.items()
    )


def _part(report: Report, moment: datetime) -> str:
    return moment.strftime(EVENT_HOUR_FORMAT if report.grain == EVENT_HOUR else "%Y-%m-%d")


def _published(deployed: Deployed, moment: datetime) -> dict[str, list[str]]:
    """Of each report, what readers see of the hour or day; duplicates, which catching up makes, aside."""
    seen = {}
    for name, report in REPORTS.items():
        columns = [each.name for each in report.columns if each.name != "duplicates"]
        row = " || '|' || ".join(f"coalesce(CAST({each} AS varchar), '-')" for each in columns)
        where = f"{report.grain} = '{_part(report, moment)}'"
        seen[name] = sorted(_column(deployed, f"SELECT {row} FROM {name} WHERE {where}"))
    return seen


def _column(deployed: Deployed, sql: str) -> list[str]:
    """Values of the one column that the query gives."""
    athena, outputs = deployed.cloud.context.client("athena"), deployed.outputs
    started = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=outputs.analyst_work_group,
        QueryExecutionContext={"Database": outputs.database},
    )
    key = {"QueryExecutionId": started["QueryExecutionId"]}
    _until(lambda: athena.get_query_execution(**key)["QueryExecution"]["Status"]["State"] not in PENDING)
    pages = athena.get_paginator("get_query_results").paginate(**key)
    rows = [row["Data"][0].get("VarCharValue", "") for page in pages for row in page["ResultSet"]["Rows"]]
    return rows[1:]


def _log_line(logs: Any, function: str, message: str) -> dict[str, Any]:
    """The first log line of the function with this message."""
    deadline = time.monotonic() + 10
    while True:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        lines = [json.loads(each["message"]) for each in events if each["message"].startswith("{")]
        found = [line for line in lines if line.get("message") == message]
        if found or time.monotonic() > deadline:
            assert found, f"{function} has logged no {message!r}"
            return dict(found[0])
        time.sleep(0.2)
