"""The doctor is content with a healthy deployment, and names each of these faults with what brings it back."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from infra.aws import cli
from infra.aws.deployed import Finding
from infra.aws.doctor import findings
from infra.command.exits import Exit
from tests.infra.aws.recorded import KEY, MADE, OUTPUTS, Answers, Recorded, healthy, refuse
from tests.shop import PRODUCTION, SHOP, TABLE

REDEPLOY = "penstock deploy --revert-drift"
Fault = Callable[[Answers], None]


def changed(call: str, *path: str | int, to: Any) -> Fault:
    """A fault: what stands under this path of an answer is something else."""

    def change(answers: Answers) -> None:
        at: Any = answers[call]
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = to

    return change


def refused(call: str, code: str) -> Fault:
    return lambda answers: refuse(answers, call, code)


def stream(name: str, to: Any) -> Fault:
    return changed("kinesis.describe_stream_summary", "StreamDescriptionSummary", name, to=to)


def delivery(*path: str | int, to: Any) -> Fault:
    return changed("firehose.describe_delivery_stream", "DeliveryStreamDescription", *path, to=to)


def destination(*path: str | int, to: Any) -> Fault:
    return delivery("Destinations", 0, "ExtendedS3DestinationDescription", *path, to=to)


def mapping(name: str, to: Any) -> Fault:
    return changed("lambda.list_event_source_mappings", "EventSourceMappings", 0, name, to=to)


def function(name: str, to: Any) -> Fault:
    return changed("lambda.get_function_configuration", name, to=to)


def column(*path: str | int, to: Any) -> Fault:
    return changed("glue.get_table", "Table", "StorageDescriptor", "Columns", *path, to=to)


def work_group(name: str, to: Any) -> Fault:
    return changed("athena.get_work_group", "WorkGroup", "Configuration", name, to=to)


def alarm(name: str, to: Any) -> Fault:
    return changed("cloudwatch.describe_alarms", "MetricAlarms", 0, name, to=to)


RULE = "events.describe_rule"
BLOCK = "s3.get_public_access_block"
ANOTHER = "arn:aws:lambda:eu-central-1:111122223333:function:another"
FAULTS: dict[str, tuple[Fault, str, str]] = {
    "stream is being deleted": (stream("StreamStatus", "DELETING"), "DELETING", REDEPLOY),
    "retention was lowered": (stream("RetentionPeriodHours", 1), "1 h", REDEPLOY),
    "stream is not encrypted": (stream("EncryptionType", "NONE"), "encryption NONE", REDEPLOY),
    "stream is gone": (
        refused("kinesis.describe_stream_summary", "ResourceNotFoundException"), "found nothing", REDEPLOY,
    ),
    "delivery stream failed": (
        delivery("DeliveryStreamStatus", to="CREATING_FAILED"), "CREATING_FAILED", REDEPLOY,
    ),
    "no dynamic partitioning": (
        destination("DynamicPartitioningConfiguration", "Enabled", to=False), "partitioning off", REDEPLOY,
    ),
    "delivery stream was made anew": (
        delivery("CreateTimestamp", to=MADE + timedelta(days=1)), "older than its delivery stream",
        "penstock catch-up",
    ),
    "transform is skipped": (destination("ProcessingConfiguration", "Enabled", to=False), "off", REDEPLOY),
    "another transform is called": (
        destination("ProcessingConfiguration", "Processors", 0, "Parameters", 0, "ParameterValue", to=ANOTHER),
        "function:another", REDEPLOY,
    ),
    "environment under Lambda's key": (function("KMSKeyArn", ""), "Lambda's own key", REDEPLOY),
    "key is disabled": (
        changed("kms.describe_key", "KeyMetadata", "KeyState", to="Disabled"), "Disabled", "docs/runbook.md",
    ),
    "key does not rotate": (
        changed("kms.get_key_rotation_status", "KeyRotationEnabled", to=False), "rotation off",
        "docs/runbook.md",
    ),
    "a role may delete events": (
        changed("iam.simulate_principal_policy", "EvaluationResults", 0, "EvalDecision", to="allowed"),
        "s3:DeleteObject", REDEPLOY,
    ),
    "a role is gone": (refused("iam.get_role", "NoSuchEntity"), "GetRole found nothing", REDEPLOY),
    "a column has another type": (column(0, "Type", to="int"), f"web_events.{TABLE.columns[0].name}", REDEPLOY),
    "a column is missing": (column(1, "Name", to="x"), f"web_events.{TABLE.columns[1].name}", REDEPLOY),
    "a function does not start": (function("State", "Failed"), "Failed/Successful", REDEPLOY),
    "an update of a function failed": (function("LastUpdateStatus", "Failed"), "Active/Failed", REDEPLOY),
    "mapping is switched off": (mapping("State", "Disabled"), "switched off", REDEPLOY),
    "mapping fails whole batches": (mapping("FunctionResponseTypes", []), "not partial", REDEPLOY),
    "mapping has no cap": (mapping("ScalingConfig", {}), "another cap", REDEPLOY),
    "mapping is gone": (
        changed("lambda.list_event_source_mappings", "EventSourceMappings", to=[]), "no mapping", REDEPLOY,
    ),
    "nobody hears of objects": (
        changed("s3.get_bucket_notification_configuration", "QueueConfigurations", to=[]), "nothing", REDEPLOY,
    ),
    "another queue hears of objects": (
        changed("s3.get_bucket_notification_configuration", "QueueConfigurations", 0, "QueueArn", to="a:b"),
        "b", REDEPLOY,
    ),
    "dead letters": (
        changed("sqs.get_queue_attributes", "Attributes", "ApproximateNumberOfMessages", to="3"),
        "3 dead letters", "penstock dlq list",
    ),
    "rules are disabled": (changed(RULE, "State", to="DISABLED"), "DISABLED", "aws events enable-rule"),
    "tick comes too seldom": (changed(RULE, "ScheduleExpression", to="rate(1 hour)"), "rate(1 hour)", REDEPLOY),
    "rules are gone": (refused(RULE, "ResourceNotFoundException"), "DescribeRule found nothing", REDEPLOY),
    "work groups let clients choose": (
        work_group("EnforceWorkGroupConfiguration", to=False), "penstock-reports", REDEPLOY,
    ),
    "work groups have no cut-off": (
        work_group("BytesScannedCutoffPerQuery", to=None), "penstock-analysts", REDEPLOY,
    ),
    "ledger cannot be restored": (
        changed("dynamodb.describe_continuous_backups", "ContinuousBackupsDescription",
                "PointInTimeRecoveryDescription", "PointInTimeRecoveryStatus", to="DISABLED"),
        "DISABLED", REDEPLOY,
    ),
    "tables are missing": (
        changed("glue.get_tables", "TableList", to=[]), "missing:", "penstock reports refresh",
    ),
    "buckets may be opened": (
        changed(BLOCK, "PublicAccessBlockConfiguration", "BlockPublicPolicy", to=False), "lake", REDEPLOY,
    ),
    "nothing keeps buckets closed": (
        refused(BLOCK, "NoSuchPublicAccessBlockConfiguration"), "found nothing", REDEPLOY,
    ),
    "an alarm is missing": (alarm("AlarmName", "x"), "missing: penstock-", REDEPLOY),
    "an alarm has no action": (alarm("AlarmActions", []), "mute: penstock-", REDEPLOY),
    "an alarm is muted": (alarm("ActionsEnabled", to=False), "mute: penstock-", REDEPLOY),
    "nobody subscribed": (
        changed("sns.list_subscriptions_by_topic", "Subscriptions", to=[]), "0 confirmed", "aws sns subscribe",
    ),
    "nobody confirmed": (
        changed("sns.list_subscriptions_by_topic", "Subscriptions", 0, "SubscriptionArn",
                to="PendingConfirmation"),
        "0 confirmed", "aws sns subscribe",
    ),
    "the doctor may not ask": (
        refused("events.describe_rule", "AccessDeniedException"), "DescribeRule was refused",
        "your own permissions",
    ),
}  # fmt: skip


def asked(answers: Answers) -> list[Finding]:
    return list(findings(Recorded(answers), OUTPUTS, SHOP, PRODUCTION))


def test_of_a_healthy_deployment_every_promise_holds() -> None:
    found = asked(healthy())
    assert len(found) >= 20
    assert [each for each in found if each.holds is not True] == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_what_brings_it_back(name: str) -> None:
    fault, seen, remedy = FAULTS[name]
    answers = healthy()
    fault(answers)
    broken = [each for each in asked(answers) if each.holds is not True]
    assert [each for each in broken if seen in each.seen and remedy in each.remedy], broken


@pytest.mark.parametrize(("name", "code"), [("", Exit.OK), ("key is disabled", Exit.FAILED)])
def test_the_command_ends_with_0_when_all_holds_and_else_with_1(name: str, code: int) -> None:
    answers = healthy()
    if name:
        FAULTS[name][0](answers)
    target = SimpleNamespace(
        client=Recorded(answers), outputs=OUTPUTS, project=SHOP, deployment=PRODUCTION.name, json=False
    )
    app = typer.Typer()
    app.command()(cli.doctor)
    result = CliRunner().invoke(app, ["--no-canary"], obj=target)
    assert result.exit_code == code, result.output
    assert ("BROKEN" in result.output) is bool(name)
    assert KEY not in result.output
