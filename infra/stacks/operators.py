"""What those on call may do: see what is said of a deployment, and do what the runbook asks for."""

from collections.abc import Sequence

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.people_grants import Policy, lake_prefixes, read_objects, see_delivery, see_names
from infra.stacks.permissions import (
    REPORTS_PREFIX,
    SEALED_PREFIX,
    Grant,
    arn,
    bucket_arn,
    catalog,
    list_below,
    reference_prefixes,
    reference_tables,
)
from queries.ledger.dynamodb import DUE_INDEX, RUNS
from queries.refresh.freshness import FRESHNESS_PREFIX
from queries.refresh.sealing import sealing_queries

NAMED_BY_AWS = "The rest of the name is chosen by the service or the stack; the prefix is the deployment's."
NO_RESOURCES = (
    "The service knows no resources for this action: it can be granted for everything or not at all."
)


def operator(deployment: Deployment, project: Project) -> Policy:
    """Whoever is on call."""
    ledger = arn("dynamodb", f"table/{deployment.ledger_table}")
    dead, alive = _queues(deployment, project)
    return Policy(
        "Redrives dead letters, marks reports stale, calls the query function; sees no event",
        (
            see_names(deployment),
            Grant(
                "TakeDeadLetters",
                [
                    "sqs:StartMessageMoveTask",
                    "sqs:ListMessageMoveTasks",
                    "sqs:ReceiveMessage",
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                ],
                dead,
            ),
            Grant("GiveThemBack", ["sqs:SendMessage", "sqs:GetQueueAttributes"], alive),
            Grant(
                "Ledger",
                ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:PutItem"],
                [ledger, f"{ledger}/index/{DUE_INDEX}"],
            ),
            Grant(
                "EndRuns",
                ["dynamodb:DeleteItem"],
                [ledger],
                {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [RUNS]}},
            ),
            Grant(
                "CallQueries",
                ["lambda:InvokeFunction"],
                [arn("lambda", f"function:{deployment.query_function}")],
            ),
            read_objects("ReadReports", deployment.reporting_bucket, [REPORTS_PREFIX]),
            list_below("ListReports", deployment.reporting_bucket, [REPORTS_PREFIX]),
            # What a backfill will cost follows from the objects' sizes.
            list_below("ListLake", deployment.lake_bucket, lake_prefixes(project)),
            see_delivery(),
            Grant(
                "SeeSealedHours",
                ["glue:BatchGetPartition"],
                catalog(deployment, sealing_queries(project.tables)),
            ),
            *_roll_back(deployment, project),
            *_publish_references(deployment, project),
            *_copies(deployment, project),
            *_runbook(deployment, project),
        ),
    )


def _queues(deployment: Deployment, project: Project) -> tuple[list[str], list[str]]:
    """Queues of dead letters, and those that the letters came from."""
    names = [(deployment.dead_letter_queue, deployment.queue)]
    if deployment.collector:
        names.append((deployment.collector_dead_letter_queue, deployment.collector_queue))
        if project.hooks:
            names.append((deployment.hooks_dead_letter_queue, deployment.hooks_queue))
    if deployment.jobs:
        names.append((deployment.jobs_dead_letter_queue, deployment.jobs_queue))
    return [arn("sqs", dead) for dead, _ in names], [arn("sqs", alive) for _, alive in names]


def _roll_back(deployment: Deployment, project: Project) -> Sequence[Grant]:
    """Serving the version before of a report, and saying so."""
    if not project.reports:
        return ()
    told = bucket_arn(deployment.reporting_bucket, f"{FRESHNESS_PREFIX}*")
    return (
        Grant(
            "RollBack",
            ["glue:BatchGetPartition", "glue:BatchUpdatePartition"],
            catalog(deployment, project.reports),
        ),
        Grant("TellFreshness", ["s3:PutObject"], [told], why_wildcard=NAMED_BY_AWS),
    )


def _publish_references(deployment: Deployment, project: Project) -> Sequence[Grant]:
    """Publishing reference tables: a new file, and the partition that leads to it."""
    if not project.references:
        return ()
    written = [
        bucket_arn(deployment.reporting_bucket, f"{prefix}*") for prefix in reference_prefixes(project)
    ]
    return (
        Grant("WriteReferences", ["s3:PutObject"], written, why_wildcard=NAMED_BY_AWS),
        Grant(
            "SwitchReferences",
            [
                "glue:GetTable",
                "glue:BatchGetPartition",
                "glue:CreatePartition",
                "glue:BatchUpdatePartition",
            ],
            catalog(deployment, reference_tables(project)),
        ),
    )


def _copies(deployment: Deployment, project: Project) -> Sequence[Grant]:
    """Having QuickSight read a report anew, where it has copies."""
    boards = project.dashboards.values()
    if not any(source.import_mode == "spice" for board in boards for source in board.sources.values()):
        return ()
    ingestions = arn("quicksight", f"dataset/{deployment.prefix}-*/ingestion/*")
    return (Grant("ReadAnew", ["quicksight:CreateIngestion"], [ingestions], why_wildcard=NAMED_BY_AWS),)


def _runbook(deployment: Deployment, project: Project) -> Sequence[Grant]:
    """The commands of other programs that docs/runbook.md gives those on call."""
    prefix = deployment.prefix
    streams = [stream for stream in project.streams.values() if not stream.is_direct]
    keep = Grant(
        "KeepRecordsLonger",
        ["kinesis:IncreaseStreamRetentionPeriod"],
        [arn("kinesis", f"stream/{deployment.stream(stream.name)}") for stream in streams],
    )
    return (
        *([keep] if streams else []),
        Grant(
            "FollowLogs",
            ["logs:FilterLogEvents"],
            [
                arn("logs", f"log-group:{group}/{prefix}-*")
                for group in ("/aws/lambda", "/aws/kinesisfirehose")
            ],
            why_wildcard=NAMED_BY_AWS,
        ),
        Grant(
            "SwitchOn",
            ["events:EnableRule"],
            [arn("events", f"rule/{prefix}-{rule}") for rule in ("tick", "query-ended")],
        ),
        Grant("HearAlarms", ["sns:Subscribe"], _topics(deployment, project)),
    )


def _topics(deployment: Deployment, project: Project) -> list[str]:
    own = [stream for stream in project.streams.values() if not stream.plain_names]
    names = [deployment.alarm_topic, *(deployment.stream_topic(stream) for stream in own)]
    return [arn("sns", name) for name in names]


def inspector(deployment: Deployment, project: Project) -> Policy:
    """Whoever runs the doctor: it reads settings, names and counts."""
    streams, functions = list(project.streams.values()), f"function:{deployment.prefix}-*"
    kinesis = [arn("kinesis", f"stream/{deployment.stream(s.name)}") for s in streams if not s.is_direct]
    deliveries = [arn("firehose", f"deliverystream/{deployment.stream(s.name)}") for s in streams]
    buckets = [deployment.lake_bucket, deployment.reporting_bucket, deployment.results_bucket]
    keys = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": _aliases(deployment, project)}}
    work_groups = (deployment.work_group, deployment.analyst_work_group)
    return Policy(
        "Asks what a deployment is, as penstock doctor does, and changes nothing",
        (
            see_names(deployment),
            *(
                [Grant("SeeStreams", ["kinesis:DescribeStreamSummary", "kinesis:ListTagsForStream"], kinesis)]
                if kinesis
                else []
            ),
            Grant("SeeDeliveries", ["firehose:DescribeDeliveryStream"], deliveries),
            Grant(
                "SeeFunctions",
                ["lambda:GetFunctionConfiguration"],
                [arn("lambda", functions)],
                why_wildcard=NAMED_BY_AWS,
            ),
            Grant(
                "SeeSettings",
                ["lambda:ListEventSourceMappings", "cloudwatch:DescribeAlarms"],
                ["*"],
                why_wildcard=NO_RESOURCES,
            ),
            Grant(
                "SeeKey",
                ["kms:DescribeKey", "kms:GetKeyRotationStatus"],
                [arn("kms", "key/*")],
                keys,
                why_wildcard="KMS makes the key's id; the condition names its alias.",
            ),
            Grant(
                "AskPermissions",
                ["iam:GetRole", "iam:SimulatePrincipalPolicy"],
                [arn("iam", f"role/{deployment.prefix}-*", region="")],
                why_wildcard=NAMED_BY_AWS,
            ),
            Grant(
                "SeeBuckets",
                ["s3:GetBucketNotification", "s3:GetBucketPublicAccessBlock"],
                [bucket_arn(bucket) for bucket in buckets],
            ),
            list_below("ListReports", deployment.reporting_bucket, [REPORTS_PREFIX, SEALED_PREFIX]),
            read_objects("ReadFooters", deployment.reporting_bucket, [REPORTS_PREFIX]),
            Grant(
                "SeeCatalog",
                ["glue:GetTable", "glue:GetTables", "glue:GetPartitions"],
                [*catalog(deployment, []), arn("glue", f"table/{deployment.database}/*")],
                why_wildcard="A listing is allowed for all tables of the database or not at all.",
            ),
            Grant(
                "SeeQueues",
                ["sqs:GetQueueAttributes"],
                [arn("sqs", name) for name in (deployment.dead_letter_queue, deployment.queue)],
            ),
            Grant(
                "SeeRules",
                ["events:DescribeRule"],
                [arn("events", f"rule/{deployment.prefix}-{rule}") for rule in ("tick", "query-ended")],
            ),
            Grant(
                "SeeWorkGroups",
                ["athena:GetWorkGroup"],
                [arn("athena", f"workgroup/{group}") for group in work_groups],
            ),
            Grant(
                "SeeLedger",
                ["dynamodb:Query", "dynamodb:DescribeContinuousBackups"],
                [arn("dynamodb", f"table/{deployment.ledger_table}")],
            ),
            Grant("SeeSubscribers", ["sns:ListSubscriptionsByTopic"], _topics(deployment, project)),
        ),
    )


def _aliases(deployment: Deployment, project: Project) -> list[str]:
    return [deployment.transform_key_alias(stream) for stream in project.streams.values()]
