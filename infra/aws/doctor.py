"""Checks of a deployment: what the template promised, asked of the services. Each check says what held."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from infra.aws.deployed import Client, Deployed, Finding
from infra.aws.outputs import Outputs
from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.alarms import alarm_rules
from producers.contracts import Stream
from queries.ledger.dynamodb import DynamoDbLedger
from queries.refresh.catalog import ReportQuery
from queries.refresh.recovery import compare
from queries.service import queries_of
from queries.store.glue import GlueReportStore
from queries.store.glue_definitions import GlueDefinitions
from queries.store.tables import every_table


def findings(client: Client, outputs: Outputs, project: Project, deployment: Deployment) -> Iterator[Finding]:
    """Every check of the configuration, in the order of the data's way. Nothing is changed."""
    at = Deployed(client, outputs, project, deployment)
    for check in _CHECKS:
        yield _guarded(check, at)


def _guarded(check: "Check", at: "Deployed") -> Finding:
    try:
        return check.ask(at)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return Finding(
            check.promise, False, f"{error.operation_name} was refused: {code}", "Look at your own rights."
        )


@dataclass(frozen=True)
class Check:
    """A promise and how to ask for it."""

    promise: str
    ask: Callable[["Deployed"], Finding]


def _stream(at: Deployed) -> Finding:
    found = at.client("kinesis").describe_stream_summary(StreamName=at.outputs.stream_name)[
        "StreamDescriptionSummary"
    ]
    hours, state = found["RetentionPeriodHours"], found["StreamStatus"]
    holds = (
        state == "ACTIVE"
        and hours >= at.deployment.stream_retention_hours
        and found.get("EncryptionType") == "KMS"
    )
    seen = f"{state}, {hours} h, encryption {found.get('EncryptionType', 'NONE')}"
    return Finding(_STREAM, holds, seen, "Run: penstock deploy")


def _delivery(at: Deployed) -> Finding:
    answer = at.client("firehose").describe_delivery_stream(DeliveryStreamName=at.outputs.delivery_stream)
    found = answer["DeliveryStreamDescription"]
    (destination,) = found["Destinations"]
    description = destination.get("ExtendedS3DestinationDescription", {})
    partitions = str(description.get("DynamicPartitioningConfiguration", {}).get("Enabled")).lower() == "true"
    state = found["DeliveryStreamStatus"]
    holds = state == "ACTIVE" and partitions
    return Finding(
        _DELIVERY, holds, f"{state}, dynamic partitioning {'on' if partitions else 'off'}", _REDEPLOY
    )


def _functions(at: Deployed) -> Finding:
    states = {}
    for name in (at.outputs.transform_function, at.outputs.query_function):
        found = at.client("lambda").get_function_configuration(FunctionName=name)
        states[name] = (found.get("State", "Active"), found.get("LastUpdateStatus", "Successful"))
    holds = all(state == ("Active", "Successful") for state in states.values())
    seen = ", ".join(f"{name} {state[0]}/{state[1]}" for name, state in states.items())
    return Finding(_FUNCTIONS, holds, seen, _REDEPLOY)


def _environment(at: Deployed) -> Finding:
    name = at.outputs.transform_function
    key = at.client("lambda").get_function_configuration(FunctionName=name).get("KMSKeyArn", "")
    if not key or key != at.outputs.transform_key:
        return Finding(_ENVIRONMENT, False, key or "Lambda's own key", _REDEPLOY)
    kms = at.client("kms")
    state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    rotates = kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    seen = f"{state}, rotation {'on' if rotates else 'off'}"
    remedy = 'See "The transform\'s KMS key" in docs/runbook.md'
    holds = state == "Enabled" and rotates
    return Finding(_ENVIRONMENT, holds, seen, "" if holds else remedy)


def _mapping(at: Deployed) -> Finding:
    found = at.client("lambda").list_event_source_mappings(FunctionName=at.outputs.query_function)[
        "EventSourceMappings"
    ]
    holds = any(
        each["State"] in ("Enabled", "Enabling")
        and each.get("FunctionResponseTypes") == ["ReportBatchItemFailures"]
        and each.get("ScalingConfig", {}).get("MaximumConcurrency") == at.deployment.query_concurrency
        for each in found
    )
    return Finding(_MAPPING, holds, ", ".join(each["State"] for each in found) or "no mapping", _REDEPLOY)


def _notification(at: Deployed) -> Finding:
    found = at.client("s3").get_bucket_notification_configuration(Bucket=at.outputs.lake_bucket)
    queues = [each["QueueArn"].rpartition(":")[2] for each in found.get("QueueConfigurations", [])]
    return Finding(_NOTIFICATION, queues == [at.deployment.queue], ", ".join(queues) or "nothing", _REDEPLOY)


def _tick(at: Deployed) -> Finding:
    found = at.client("events").describe_rule(Name=f"{at.deployment.prefix}-tick")
    seen = f"{found['ScheduleExpression']}, {found['State']}"
    remedy = f"Run: aws events enable-rule --name {at.deployment.prefix}-tick"
    return Finding(_TICK, seen == "rate(1 minute), ENABLED", seen, remedy)


def _transforming(at: Deployed) -> Finding:
    answer = at.client("firehose").describe_delivery_stream(DeliveryStreamName=at.outputs.delivery_stream)
    (destination,) = answer["DeliveryStreamDescription"]["Destinations"]
    block = destination.get("ExtendedS3DestinationDescription", {}).get("ProcessingConfiguration", {})
    called = [
        str(each["ParameterValue"])
        for processor in block.get("Processors", ())
        for each in processor.get("Parameters", ())
        if each["ParameterName"] == "LambdaArn"
    ]
    is_on = str(block.get("Enabled")).lower() == "true"
    holds = is_on and any(f":function:{at.outputs.transform_function}" in each for each in called)
    seen = f"{'on' if is_on else 'off'}, {', '.join(called) or 'no function'}"
    return Finding(_TRANSFORMING, holds, seen, _REDEPLOY)


def _lake_table(at: Deployed) -> Finding:
    wrong = []
    for table in at.project.tables.values():
        found = at.client("glue").get_table(DatabaseName=at.outputs.database, Name=table.name)["Table"]
        types = {each["Name"]: each["Type"] for each in found["StorageDescriptor"]["Columns"]}
        wrong += [f"{table.name}.{each.name}" for each in table.columns if types.get(each.name) != each.type]
    return Finding(_LAKE_TABLE, not wrong, ", ".join(wrong) or "all are there", _REDEPLOY)


def _query_ended(at: Deployed) -> Finding:
    name = f"{at.deployment.prefix}-query-ended"
    state = at.client("events").describe_rule(Name=name)["State"]
    remedy = f"Run: aws events enable-rule --name {name}"
    return Finding(_QUERY_ENDED, state == "ENABLED", state, remedy)


def _dead_letters(at: Deployed) -> Finding:
    name = "ApproximateNumberOfMessages"
    answer = at.client("sqs").get_queue_attributes(
        QueueUrl=at.outputs.dead_letter_queue_url, AttributeNames=[name]
    )
    count = int(answer["Attributes"].get(name, 0))
    return Finding(_DEAD_LETTERS, not count, f"{count} dead letters", "Run: penstock dlq list")


def _work_groups(at: Deployed) -> Finding:
    lax = []
    for name in (at.outputs.work_group, at.outputs.analyst_work_group):
        found = at.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]["Configuration"]
        if not found.get("EnforceWorkGroupConfiguration") or not found.get("BytesScannedCutoffPerQuery"):
            lax.append(name)
    return Finding(_WORK_GROUPS, not lax, ", ".join(lax) or "both", _REDEPLOY)


def _ledger(at: Deployed) -> Finding:
    found = at.client("dynamodb").describe_continuous_backups(TableName=at.outputs.ledger_table)
    state = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"][
        "PointInTimeRecoveryStatus"
    ]
    return Finding(_LEDGER, state == "ENABLED", f"point-in-time recovery {state}", _REDEPLOY)


def _definitions(at: Deployed) -> Finding:
    names = GlueDefinitions(at.client("glue"), at.outputs.database).names()
    wanted = every_table(
        at.project.tables,
        at.project.catalog.values(),
        database=at.outputs.database,
        lake_bucket=at.outputs.lake_bucket,
        reporting_bucket=at.outputs.reporting_bucket,
    )
    missing = sorted(set(wanted) - (names or set()))
    seen = f"missing: {_few(missing)}" if missing else f"all {len(wanted)}"
    return Finding(_DEFINITIONS, not missing, seen, _RECOVER)


def served(at: Deployed) -> Finding:
    """Whether the catalog and the files are what the ledger says that was published."""
    ledger = DynamoDbLedger(at.client("dynamodb"), at.outputs.ledger_table)
    store = GlueReportStore(
        at.client("s3"),
        at.client("glue"),
        bucket=at.outputs.reporting_bucket,
        database=at.outputs.database,
    )
    lost: list[str] = []
    for name, query in _queries(at).items():
        states = ledger.report(name)
        runs = [run.run_id for run in ledger.runs()]
        entries = store.registered(name, query.report.grain, "")
        stored = store.stored(query.report.prefix)
        lost += map(str, compare(query, states, entries, stored=stored, runs=runs, unknown=True))
    return Finding(_SERVED, not lost, _few(lost) if lost else "every one", _RECOVER)


def _inputs(at: Deployed) -> Finding:
    ledger = DynamoDbLedger(at.client("dynamodb"), at.outputs.ledger_table)
    refused = [
        f"{state.key}: {state.last_error}"
        for name in _queries(at)
        for state in ledger.report(name)
        if state.quarantined and "docs/recovery.md" in state.last_error
    ]
    return Finding(_INPUTS, not refused, _few(refused) if refused else "whole", "See docs/recovery.md")


def _queries(at: Deployed) -> Mapping[str, ReportQuery]:
    return queries_of(at.project.catalog, at.project.tables)


def _few(found: Sequence[str]) -> str:
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more


def _private(at: Deployed) -> Finding:
    open_buckets = []
    for bucket in (at.outputs.lake_bucket, at.outputs.reporting_bucket, at.outputs.results_bucket):
        answer = at.client("s3").get_public_access_block(Bucket=bucket)
        if not all(answer["PublicAccessBlockConfiguration"].values()):
            open_buckets.append(bucket)
    return Finding(_PRIVATE, not open_buckets, ", ".join(open_buckets) or "all three", _REDEPLOY)


def _stream_of(at: Deployed) -> Stream:
    return next(iter(at.project.streams.values()))


def _permissions(at: Deployed) -> Finding:
    allowed = []
    stream = _stream_of(at)
    for role in ("queries", "transform", f"{stream.name}-delivery", f"{stream.name}-source"):
        name = f"{at.deployment.prefix}-{role}-{at.outputs.region}"
        source = at.client("iam").get_role(RoleName=name)["Role"]["Arn"]
        answer = at.client("iam").simulate_principal_policy(
            PolicySourceArn=source,
            ActionNames=["s3:DeleteObject", "s3:DeleteObjectVersion"],
            ResourceArns=[f"arn:aws:s3:::{at.outputs.lake_bucket}/{stream.table}/canary.parquet"],
        )
        allowed += [
            f"{role} {each['EvalActionName']}"
            for each in answer["EvaluationResults"]
            if each["EvalDecision"] == "allowed"
        ]
    return Finding(_PERMISSIONS, not allowed, ", ".join(allowed) or "every deletion is denied", _REDEPLOY)


def _alarms(at: Deployed) -> Finding:
    wanted = {f"{at.deployment.prefix}-{rule.name}" for rule in alarm_rules(at.deployment, _stream_of(at))}
    pages = (
        at.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{at.deployment.prefix}-")
    )
    found = {each["AlarmName"]: each for page in pages for each in page["MetricAlarms"]}
    mute = sorted(name for name in wanted if not found.get(name, {}).get("AlarmActions"))
    ringing = sorted(name for name, each in found.items() if each["StateValue"] == "ALARM")
    seen = (
        f"mute or missing: {', '.join(mute)}"
        if mute
        else f"{len(wanted)} wired; ringing: {', '.join(ringing) or 'none'}"
    )
    return Finding(_ALARMS, not mute, seen, _REDEPLOY)


def _subscribers(at: Deployed) -> Finding:
    answer = at.client("sns").list_subscriptions_by_topic(TopicArn=at.outputs.alarm_topic_arn)
    confirmed = [each for each in answer["Subscriptions"] if each["SubscriptionArn"].startswith("arn:")]
    subscribe = "aws sns subscribe --protocol email --notification-endpoint YOU"
    remedy = f"Run: {subscribe} --topic-arn {at.outputs.alarm_topic_arn}"
    return Finding(_SUBSCRIBERS, bool(confirmed), f"{len(confirmed)} confirmed", remedy)


_REDEPLOY = "Somebody changed it by hand, or the deploy did not end. Run: penstock deploy"
_STREAM = "the stream is active, encrypted and keeps records as long as promised"
_DELIVERY = "the delivery stream is active and partitions by event hour"
_FUNCTIONS = "both functions are active"
_ENVIRONMENT = "the transform's environment is encrypted with the deployment's own key"
_MAPPING = "the queue calls the query function, with partial answers and a cap"
_NOTIFICATION = "the lake bucket tells the queue of new objects"
_TICK = "the tick comes every minute"
_TRANSFORMING = "every record goes through the transform"
_LAKE_TABLE = "the lake table has the contract's columns and types"
_QUERY_ENDED = "the end of a query calls the query function"
_DEAD_LETTERS = "every notification could be read"
_WORK_GROUPS = "both work groups enforce their settings and cut off"
_LEDGER = "the ledger can be restored to any second"
_DEFINITIONS = "every table and view is in the catalog"
_SERVED = "readers see every report partition as it was published"
_INPUTS = "the lake has what reports were computed from"
_RECOVER = "The next ticks bring it back. At once: penstock reports refresh. See docs/recovery.md"
_PRIVATE = "no bucket can be made public"
_PERMISSIONS = "no role of the pipeline may delete events"
_ALARMS = "every alarm exists and rings somewhere"
_SUBSCRIBERS = "somebody hears the alarms"

_CHECKS: Sequence[Check] = (
    Check(_STREAM, _stream),
    Check(_DELIVERY, _delivery),
    Check(_TRANSFORMING, _transforming),
    Check(_LAKE_TABLE, _lake_table),
    Check(_FUNCTIONS, _functions),
    Check(_ENVIRONMENT, _environment),
    Check(_MAPPING, _mapping),
    Check(_NOTIFICATION, _notification),
    Check(_DEAD_LETTERS, _dead_letters),
    Check(_TICK, _tick),
    Check(_QUERY_ENDED, _query_ended),
    Check(_WORK_GROUPS, _work_groups),
    Check(_LEDGER, _ledger),
    Check(_DEFINITIONS, _definitions),
    Check(_SERVED, served),
    Check(_INPUTS, _inputs),
    Check(_PRIVATE, _private),
    Check(_PERMISSIONS, _permissions),
    Check(_ALARMS, _alarms),
    Check(_SUBSCRIBERS, _subscribers),
)
