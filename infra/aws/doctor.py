"""Checks of a deployment: what the template promised, asked of the services. Each check says what held."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from infra.aws.deployed import REDEPLOY, Check, Client, Deployed, Finding
from infra.aws.outputs import Outputs
from infra.aws.stream_checks import STREAM_CHECKS
from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.alarms import alarm_rules
from queries.ledger.dynamodb import DynamoDbLedger
from queries.refresh.catalog import ReportQuery
from queries.refresh.housekeeping import run_folder
from queries.refresh.recovery import compare
from queries.service import queries_of
from queries.store.glue import GlueReportStore
from queries.store.glue_definitions import GlueDefinitions
from queries.store.tables import every_table


def findings(client: Client, outputs: Outputs, project: Project, deployment: Deployment) -> Iterator[Finding]:
    """Every check of the configuration, in the order of the data's way. Nothing is changed."""
    at = Deployed(client, outputs, project, deployment)
    streams = [replace(at, deployed_stream=each) for each in outputs.streams.values()]
    for check in _CHECKS:
        for one in streams if check.is_of_stream else [at]:
            finding = _guarded(check, one)
            named = check.is_of_stream and len(streams) > 1
            yield replace(finding, promise=f"{one.stream.name}: {finding.promise}") if named else finding


def _guarded(check: Check, at: Deployed) -> Finding:
    try:
        return check.ask(at)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if any(word in code for word in _GONE):
            return Finding(check.promise, False, f"{error.operation_name} found nothing: {code}", REDEPLOY)
        remedy = "Look at your own permissions." if "Denied" in code else "Run it again."
        return Finding(check.promise, False, f"{error.operation_name} was refused: {code}", remedy)


def _functions(at: Deployed) -> Finding:
    states = {}
    for name in at.outputs.functions:
        found = at.client("lambda").get_function_configuration(FunctionName=name)
        states[name] = (found.get("State", "Active"), found.get("LastUpdateStatus", "Successful"))
    holds = all(state == ("Active", "Successful") for state in states.values())
    seen = ", ".join(f"{name} {state[0]}/{state[1]}" for name, state in states.items())
    return Finding(_FUNCTIONS, holds, seen, REDEPLOY)


def _mapping(at: Deployed) -> Finding:
    found = at.client("lambda").list_event_source_mappings(FunctionName=at.outputs.query_function)[
        "EventSourceMappings"
    ]
    wrong = [
        *(
            ["it is switched off"]
            if not any(each["State"] in ("Enabled", "Enabling") for each in found)
            else []
        ),
        *(
            ["its answers are not partial"]
            if any(each.get("FunctionResponseTypes") != ["ReportBatchItemFailures"] for each in found)
            else []
        ),
        *(
            ["it has another cap"]
            if any(_cap(each) != at.deployment.query_concurrency for each in found)
            else []
        ),
    ]
    seen = ", ".join(wrong) if found else "no mapping"
    return Finding(_MAPPING, bool(found) and not wrong, seen or f"enabled, cap {_cap(found[0])}", REDEPLOY)


def _cap(mapping: Mapping[str, Any]) -> int | None:
    cap: int | None = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
    return cap


def _notification(at: Deployed) -> Finding:
    found = at.client("s3").get_bucket_notification_configuration(Bucket=at.outputs.lake_bucket)
    queues = [each["QueueArn"].rpartition(":")[2] for each in found.get("QueueConfigurations", [])]
    holds = queues == [at.deployment.queue] * len(at.project.tables)
    return Finding(_NOTIFICATION, holds, ", ".join(queues) or "nothing", REDEPLOY)


def _tick(at: Deployed) -> Finding:
    found = at.client("events").describe_rule(Name=f"{at.deployment.prefix}-tick")
    every, state = found["ScheduleExpression"], found["State"]
    enable = f"Run: aws events enable-rule --name {at.deployment.prefix}-tick"
    remedy = REDEPLOY if state == "ENABLED" else enable
    return Finding(_TICK, (every, state) == (_EVERY, "ENABLED"), f"{every}, {state}", remedy)


def _lake_table(at: Deployed) -> Finding:
    wrong = []
    for table in at.project.tables.values():
        found = at.client("glue").get_table(DatabaseName=at.outputs.database, Name=table.name)["Table"]
        types = {each["Name"]: each["Type"] for each in found["StorageDescriptor"]["Columns"]}
        wrong += [f"{table.name}.{each.name}" for each in table.columns if types.get(each.name) != each.type]
    return Finding(_LAKE_TABLE, not wrong, ", ".join(wrong) or "all are there", REDEPLOY)


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
    return Finding(_WORK_GROUPS, not lax, ", ".join(lax) or "both", REDEPLOY)


def _ledger(at: Deployed) -> Finding:
    found = at.client("dynamodb").describe_continuous_backups(TableName=at.outputs.ledger_table)
    state = found["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"][
        "PointInTimeRecoveryStatus"
    ]
    return Finding(_LEDGER, state == "ENABLED", f"point-in-time recovery {state}", REDEPLOY)


def _definitions(at: Deployed) -> Finding:
    names = GlueDefinitions(at.client("glue"), at.outputs.database).names()
    wanted = every_table(
        at.project.tables,
        at.project.catalog.values(),
        at.project.references.values(),
        database=at.outputs.database,
        lake_bucket=at.outputs.lake_bucket,
        reporting_bucket=at.outputs.reporting_bucket,
    )
    missing = sorted(set(wanted) - (names or set()))
    seen = f"missing: {_few(missing)}" if missing else f"all {len(wanted)}"
    return Finding(_DEFINITIONS, not missing, seen, _RECOVER)


def served(at: Deployed) -> Finding:
    """Whether the catalog and the files are what the ledger says that was published."""
    ledger, store = _ledger_of(at), _store_of(at)
    lost: list[str] = []
    for name, query in _queries(at).items():
        states = ledger.report(name)
        runs = [run.run_id for run in ledger.runs()]
        entries = store.registered(name, query.report.grain, "")
        stored = store.stored(query.report.prefix)
        lost += map(str, compare(query, states, entries, stored=stored, runs=runs, unknown=True))
    return Finding(_SERVED, not lost, _few(lost) if lost else "every one", _RECOVER)


def _statistics(at: Deployed) -> Finding:
    """Of each report, the files of the version that was published last."""
    ledger, store = _ledger_of(at), _store_of(at)
    seen, untold = 0, []
    for name, query in at.project.catalog.items():
        versions = [state.published for state in ledger.report(name) if state.published]
        if versions:
            newest = max(versions, key=lambda each: each.published_at)
            found = store.outputs(run_folder(newest.location), query.report.grain)
            seen += sum(output.files for output in found.values())
            untold += [name] if any(output.untold for output in found.values()) else []
    said = f"not those of {_few(untold)}" if untold else f"all {seen} files looked at"
    return Finding(_STATISTICS, not untold, said, _COUNTED)


def _ledger_of(at: Deployed) -> DynamoDbLedger:
    return DynamoDbLedger(at.client("dynamodb"), at.outputs.ledger_table)


def _store_of(at: Deployed) -> GlueReportStore:
    s3, glue = at.client("s3"), at.client("glue")
    return GlueReportStore(s3, glue, bucket=at.outputs.reporting_bucket, database=at.outputs.database)


def _inputs(at: Deployed) -> Finding:
    ledger = _ledger_of(at)
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
    return Finding(_PRIVATE, not open_buckets, ", ".join(open_buckets) or "all three", REDEPLOY)


def _alarms(at: Deployed) -> Finding:
    wanted = {
        f"{at.deployment.prefix}-{rule.name}"
        for rule in alarm_rules(
            at.deployment,
            at.project.streams.values(),
            hooks=bool(at.project.hooks),
            imports=bool(at.project.sources),
        )
    }
    pages = (
        at.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{at.deployment.prefix}-")
    )
    found = {each["AlarmName"]: each for page in pages for each in page["MetricAlarms"]}
    missing = sorted(wanted - found.keys())
    mute = sorted(name for name in wanted & found.keys() if not _is_heard(found[name]))
    ringing = sorted(name for name, each in found.items() if each["StateValue"] == "ALARM")
    wrong = [f"{what}: {', '.join(names)}" for what, names in (("missing", missing), ("mute", mute)) if names]
    seen = "; ".join(wrong) or f"{len(wanted)} wired; ringing: {', '.join(ringing) or 'none'}"
    return Finding(_ALARMS, not wrong, seen, REDEPLOY)


def _is_heard(alarm: Mapping[str, Any]) -> bool:
    return bool(alarm.get("AlarmActions")) and alarm.get("ActionsEnabled", True) is True


def _subscribers(at: Deployed) -> Finding:
    shared = at.outputs.alarm_topic_arn
    own = [each for each in at.project.streams.values() if not each.plain_names]
    topics = [shared, *(f"{shared.rpartition(':')[0]}:{at.deployment.stream_topic(each)}" for each in own)]
    seen, deaf = [], []
    for topic in topics:
        answer = at.client("sns").list_subscriptions_by_topic(TopicArn=topic)
        confirmed = sum(each["SubscriptionArn"].startswith("arn:") for each in answer["Subscriptions"])
        name = topic.rpartition(":")[2]
        seen.append(f"{confirmed} confirmed" if len(topics) == 1 else f"{name}: {confirmed} confirmed")
        deaf += [] if confirmed else [topic]
    subscribe = "aws sns subscribe --protocol email --notification-endpoint YOU"
    remedy = f"Run: {subscribe} --topic-arn {' and '.join(deaf)}" if deaf else ""
    return Finding(_SUBSCRIBERS, not deaf, ", ".join(seen), remedy)


_EVERY = "rate(1 minute)"
_GONE = ("NotFound", "NoSuch", "NonExistent")
_FUNCTIONS = "every function is active"
_MAPPING = "the queue calls the query function, with partial answers and a cap"
_NOTIFICATION = "the lake bucket tells the queue of new objects"
_TICK = "the tick comes every minute"
_LAKE_TABLE = "the lake table has the contract's columns and types"
_QUERY_ENDED = "the end of a query calls the query function"
_DEAD_LETTERS = "every notification could be read"
_WORK_GROUPS = "both work groups enforce their settings and cut off"
_LEDGER = "the ledger can be restored to any second"
_DEFINITIONS = "every table and view is in the catalog"
_SERVED = "readers see every report partition as it was published"
_STATISTICS = "files of reports say in their footers which rows fail a check"
_COUNTED = (
    "Reports are right all the same: such rows are counted by another query, which costs as much again."
)
_INPUTS = "the lake has what reports were computed from"
_RECOVER = "The next ticks bring it back. At once: penstock reports refresh. See docs/recovery.md"
_PRIVATE = "no bucket can be made public"
_ALARMS = "every alarm exists and fires somewhere"
_SUBSCRIBERS = "somebody hears the alarms"

_CHECKS: Sequence[Check] = (
    *STREAM_CHECKS,
    Check(_LAKE_TABLE, _lake_table),
    Check(_FUNCTIONS, _functions),
    Check(_MAPPING, _mapping),
    Check(_NOTIFICATION, _notification),
    Check(_DEAD_LETTERS, _dead_letters),
    Check(_TICK, _tick),
    Check(_QUERY_ENDED, _query_ended),
    Check(_WORK_GROUPS, _work_groups),
    Check(_LEDGER, _ledger),
    Check(_DEFINITIONS, _definitions),
    Check(_SERVED, served),
    Check(_STATISTICS, _statistics),
    Check(_INPUTS, _inputs),
    Check(_PRIVATE, _private),
    Check(_ALARMS, _alarms),
    Check(_SUBSCRIBERS, _subscribers),
)
