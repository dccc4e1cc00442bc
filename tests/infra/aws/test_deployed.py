"""The shipped template where every right is checked: an event comes through, and the doctor sees harm."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.aws.canary import LAKE_PROMISE, REPORT_PROMISE, SWAP_PROMISE, Pace, follow
from infra.aws.deployed import Finding
from infra.aws.doctor import findings
from infra.aws.outputs import Outputs
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from tests.shop import SHOP, WEB
from transforms.contracts import EVENT_HOUR_FORMAT

pytestmark = pytest.mark.cloud


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
