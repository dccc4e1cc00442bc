"""What people and programs outside the pipeline may do, each as one policy to attach to their roles."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.collector_permissions import KEY_ROUTES, write_keys
from infra.stacks.hook_permissions import hook_secrets
from infra.stacks.permissions import (
    ANALYST_RESULTS,
    OBJECTS,
    READ_AND_WRITE,
    REPORTS_PREFIX,
    SEALED_PREFIX,
    Grant,
    arn,
    bucket_arn,
    catalog,
    default_database,
    list_below,
    list_uploads,
)
from producers.contracts import Stream
from queries.jobs.import_plan import INBOX
from queries.ledger.dynamodb import DUE_INDEX
from queries.refresh.freshness import FRESHNESS_TABLE
from queries.refresh.sealing import sealing_queries
from queries.store.event_views import event_views
from transforms.contracts import FAILED_PREFIX, FAILED_TABLE
from transforms.failed.replay_ledger import REPLAYS_PREFIX

QUERY = [
    "athena:StartQueryExecution",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:StopQueryExecution",
    "athena:GetWorkGroup",
]
READ_CATALOG = [
    "glue:GetDatabase",
    "glue:GetTable",
    "glue:GetTables",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:BatchGetPartition",
]


@dataclass(frozen=True)
class Policy:
    """A policy: what it is for, and what it allows."""

    description: str
    grants: tuple[Grant, ...]


def policies(deployment: Deployment, project: Project) -> Mapping[str, Policy]:
    """Every policy by its short name."""
    plain = next((stream for stream in project.streams.values() if stream.plain_names), None)
    return {
        **({"producer": producer_policy(deployment, plain)} if plain is not None else {}),
        "analyst": _analyst(deployment, project),
        "quicksight": _quicksight(deployment, project),
        "operator": _operator(deployment, project),
        "reconciler": _reconciler(deployment, project),
        "failed-reader": _failed_reader(deployment, project),
        "importer": _importer(deployment, project),
        **({"job-keeper": _job_keeper(deployment, project)} if deployment.jobs else {}),
        **({"key-keeper": _key_keeper(deployment, project)} if deployment.collector else {}),
    }


def producer_policy(deployment: Deployment, stream: Stream) -> Policy:
    """For the programs whose events the stream carries, and for no other stream's."""
    name = deployment.stream(stream.name)
    if stream.is_direct:
        put = Grant(
            "PutEvents",
            ["firehose:PutRecord", "firehose:PutRecordBatch"],
            [arn("firehose", f"deliverystream/{name}")],
        )
    else:
        put = Grant(
            "PutEvents",
            [
                "kinesis:PutRecord",
                "kinesis:PutRecords",
                "kinesis:ListShards",
                "kinesis:DescribeStreamSummary",
            ],
            [arn("kinesis", f"stream/{name}")],
        )
    which = "the streams" if stream.plain_names else f"the stream {stream.name}"
    return Policy(f"Puts events on {which}, and reads nothing back", (put,))


def _analyst(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes, tables = deployment.lake_bucket, _prefixes(project), project.tables
    return Policy(
        "Reads events and reports through Athena, in the analysts' work group",
        (
            Grant("Query", QUERY, [arn("athena", f"workgroup/{deployment.analyst_work_group}")]),
            Grant(
                "ReadCatalog",
                READ_CATALOG,
                catalog(
                    deployment,
                    [
                        *tables,
                        *sealing_queries(tables),
                        *event_views(tables),
                        *project.reports,
                        FRESHNESS_TABLE,
                    ],
                ),
            ),
            _read("ReadLake", lake, prefixes),
            list_below("ListLake", lake, prefixes),
            _read("ReadReports", deployment.reporting_bucket, [REPORTS_PREFIX, SEALED_PREFIX]),
            list_below("ListReports", deployment.reporting_bucket, [REPORTS_PREFIX, SEALED_PREFIX]),
            _results(deployment, ANALYST_RESULTS),
            list_below("ListResults", deployment.results_bucket, [ANALYST_RESULTS]),
            list_uploads(deployment.results_bucket),
            default_database(),
            _find(lake, deployment.reporting_bucket, deployment.results_bucket),
        ),
    )


def _quicksight(deployment: Deployment, project: Project) -> Policy:
    reporting = deployment.reporting_bucket
    return Policy(
        "For QuickSight's service role: reads reports through Athena, in the analysts' work group",
        (
            Grant("Query", QUERY, [arn("athena", f"workgroup/{deployment.analyst_work_group}")]),
            Grant("ReadCatalog", READ_CATALOG, catalog(deployment, [*project.reports, FRESHNESS_TABLE])),
            _read("ReadReports", reporting, [REPORTS_PREFIX]),
            list_below("ListReports", reporting, [REPORTS_PREFIX]),
            _results(deployment, ANALYST_RESULTS),
            list_below("ListResults", deployment.results_bucket, [ANALYST_RESULTS]),
            list_uploads(deployment.results_bucket),
            default_database(),
            _find(reporting, deployment.results_bucket),
        ),
    )


def _key_keeper(deployment: Deployment, project: Project) -> Policy:
    """Write keys by their table, as `penstock keys`, and over HTTP."""
    hooks = Grant(
        "KeepSecrets",
        ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
        hook_secrets(deployment, project),
    )
    routes = [
        arn("execute-api", f"*/$default/{method}{path.replace('{key_id}', '*')}")
        for path, method in KEY_ROUTES
    ]
    ask = Grant(
        "AskForKeys",
        ["execute-api:Invoke"],
        routes,
        why_wildcard="An API's id is not known before it exists, and ids of keys are made later.",
    )
    return Policy(
        "Makes, disables and rotates write keys of the collector, and secrets of webhooks",
        (
            *write_keys(deployment),
            ask,
            *([hooks] if project.hooks else []),
        ),
    )


def _job_keeper(deployment: Deployment, project: Project) -> Policy:
    place = arn("execute-api", "*/$default/*/iam/v1/jobs")
    return Policy(
        "Starts, shows, cancels and retries jobs, with penstock jobs",
        (
            Grant(
                "AskForJobs",
                ["execute-api:Invoke"],
                [place, f"{place}/*"],
                why_wildcard="AWS makes the API's id when it is deployed; the route's path is ours.",
            ),
            *(_inbox(deployment) if project.sources else ()),
        ),
    )


def _inbox(deployment: Deployment) -> tuple[Grant, ...]:
    """Copying files to where jobs import them from, and seeing which are there; not what is in them."""
    files = [bucket_arn(deployment.lake_bucket, f"{INBOX}*")]
    return (
        Grant("FillInbox", ["s3:PutObject", "s3:AbortMultipartUpload"], files, why_wildcard=OBJECTS),
        list_below("ListInbox", deployment.lake_bucket, [INBOX]),
    )


def _operator(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes = deployment.lake_bucket, _prefixes(project)
    ledger = arn("dynamodb", f"table/{deployment.ledger_table}")
    dead, alive = [arn("sqs", deployment.dead_letter_queue)], [arn("sqs", deployment.queue)]
    if deployment.collector:
        dead.append(arn("sqs", deployment.collector_dead_letter_queue))
        alive.append(arn("sqs", deployment.collector_queue))
        if project.hooks:
            dead.append(arn("sqs", deployment.hooks_dead_letter_queue))
            alive.append(arn("sqs", deployment.hooks_queue))
    if deployment.jobs:
        dead.append(arn("sqs", deployment.jobs_dead_letter_queue))
        alive.append(arn("sqs", deployment.jobs_queue))
    return Policy(
        "Redrives dead letters, marks reports stale, calls the query function; sees no event",
        (
            Grant(
                "TakeDeadLetters",
                [
                    "sqs:StartMessageMoveTask",
                    "sqs:ListMessageMoveTasks",
                    "sqs:ReceiveMessage",
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
                "CallQueries",
                ["lambda:InvokeFunction"],
                [arn("lambda", f"function:{deployment.query_function}")],
            ),
            _read("ReadReports", deployment.reporting_bucket, [REPORTS_PREFIX]),
            list_below("ListReports", deployment.reporting_bucket, [REPORTS_PREFIX]),
            # What a backfill will cost follows from the objects' sizes.
            list_below("ListLake", lake, prefixes),
            _see_delivery(),
            Grant(
                "SeeSealedHours",
                ["glue:BatchGetPartition"],
                catalog(deployment, sealing_queries(project.tables)),
            ),
        ),
    )


def _reconciler(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes = deployment.lake_bucket, _prefixes(project)
    functions = [deployment.transform_function(stream) for stream in project.streams.values()]
    return Policy(
        "Accounts for every event: reads lake, failed records and the transform's log, and writes no data",
        (
            Grant("Query", QUERY, [arn("athena", f"workgroup/{deployment.analyst_work_group}")]),
            Grant("ReadCatalog", READ_CATALOG, catalog(deployment, [*project.tables, FAILED_TABLE])),
            _read("ReadLake", lake, [*prefixes, FAILED_PREFIX]),
            list_below("ListLake", lake, [*prefixes, FAILED_PREFIX]),
            Grant(
                "ReadDropped",
                ["logs:FilterLogEvents", "logs:GetLogEvents"],
                [arn("logs", f"log-group:/aws/lambda/{function}:*") for function in functions],
                why_wildcard="The log group's own ARN ends so.",
            ),
            _results(deployment, ANALYST_RESULTS),
            list_below("ListResults", deployment.results_bucket, [ANALYST_RESULTS]),
            list_uploads(deployment.results_bucket),
            default_database(),
            _find(lake, deployment.results_bucket),
            _see_delivery(),
        ),
    )


def _see_delivery() -> Grant:
    return Grant(
        "SeeDelivery",
        ["cloudwatch:GetMetricData"],
        ["*"],
        why_wildcard="CloudWatch knows no resources: metrics can be read all or none.",
    )


def _failed_reader(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes = deployment.lake_bucket, _prefixes(project)
    written = [bucket_arn(lake, f"{prefix}*") for prefix in (*prefixes, REPLAYS_PREFIX)]
    return Policy(
        "Reads failed records, which hold events as they came with all personal data, and puts them back",
        (
            # An object that a replay writes is read first: rows of other events stay in it.
            _read("ReadFailed", lake, [FAILED_PREFIX, REPLAYS_PREFIX, *prefixes]),
            list_below("ListFailed", lake, [FAILED_PREFIX, REPLAYS_PREFIX, *prefixes]),
            Grant("PutThemBack", ["s3:PutObject"], written, why_wildcard=OBJECTS),
        ),
    )


def _importer(deployment: Deployment, project: Project) -> Policy:
    lake, prefixes = deployment.lake_bucket, [table.prefix for table in project.tables.values()]
    written = [bucket_arn(lake, f"{prefix}*") for prefix in (*prefixes, FAILED_PREFIX)]
    return Policy(
        "Imports files into the lake, past the stream, and has the reports follow",
        (
            # What an hour holds already is read, so that no event is there twice.
            _read("ReadLake", lake, prefixes),
            list_below("ListLake", lake, [*prefixes, FAILED_PREFIX]),
            Grant("WriteLake", ["s3:PutObject"], written, why_wildcard=OBJECTS),
            Grant("Notify", ["sqs:SendMessage"], [arn("sqs", deployment.queue)]),
        ),
    )


def _read(sid: str, bucket: str, prefixes: list[str]) -> Grant:
    return Grant(sid, ["s3:GetObject"], [bucket_arn(bucket, f"{p}*") for p in prefixes], why_wildcard=OBJECTS)


def _results(deployment: Deployment, prefix: str) -> Grant:
    resources = [bucket_arn(deployment.results_bucket, f"{prefix}*")]
    return Grant("QueryResults", READ_AND_WRITE, resources, why_wildcard=OBJECTS)


def _prefixes(project: Project) -> list[str]:
    return [table.prefix for table in project.tables.values()]


def _find(*buckets: str) -> Grant:
    return Grant("FindBuckets", ["s3:GetBucketLocation"], [bucket_arn(bucket) for bucket in buckets])
