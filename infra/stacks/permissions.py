"""Who may do what: each runtime role's policy, as data.

The CDK's `grant_*` methods give more than is needed (deletes on whole buckets, every function version), so
roles carry their policies inline and are handed to constructs without the right to extend them
(`infra.stacks.roles`). A grant is made of names; nothing here looks at a construct.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.deployment import ACCOUNT, REGION, Deployment
from infra.project.project import Project
from queries.ledger.dynamodb import DUE_INDEX, RUNS
from queries.reference.declaration import PREFIX
from queries.refresh.freshness import FRESHNESS_TABLE
from queries.refresh.sealing import SEALED_FOLDER, sealing_queries
from queries.store.event_views import event_views
from transforms.contracts import FAILED_PREFIX, FAILED_TABLE, LakeTable

PARTITION = "${AWS::Partition}"
READ_AND_WRITE = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
REPORTS_PREFIX = "reports/"
"""Below it lie all reports, whatever their name and version (`Report.prefix`)."""
SEALED_PREFIX = f"{SEALED_FOLDER}/"
"""Below it lie the events of sealed hours."""
PIPELINE_RESULTS = "pipeline/"
ANALYST_RESULTS = "analysts/"
"""Where Athena puts the results of each work group, in the results bucket."""


@dataclass(frozen=True)
class Grant:
    """A statement that allows.

    Attributes:
        sid: says what it is for.
        resources: ARNs with CloudFormation's pseudo parameters in them.
        why_wildcard: why a resource with `*` in it is as narrow as it can be; needed where there is one.
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[str]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    why_wildcard: str = ""

    def __post_init__(self) -> None:
        if any("*" in resource for resource in self.resources) and not self.why_wildcard:
            raise ValueError(f"Grant {self.sid} has a resource with * in it and does not say why.")


OBJECTS = "Object names are not known beforehand; the prefix is the narrowest thing there is."
LOG_STREAMS = "Lambda and Firehose name their log streams themselves; the log group is theirs alone."
NO_RESOURCES = "X-Ray knows no resources: the action can be granted for everything or not at all."


def arn(service: str, resource: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    """An ARN of this account and region."""
    return f"arn:{PARTITION}:{service}:{region}:{account}:{resource}"


def bucket_arn(bucket: str, key: str = "") -> str:
    """The ARN of a bucket, or with `key` of objects in it."""
    return f"arn:{PARTITION}:s3:::{bucket}{'/' if key else ''}{key}"


def acting_for(source: str) -> dict[str, Any]:
    """Condition against the confused deputy: the service acts for `source`, and for this account."""
    return {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "ArnLike": {"aws:SourceArn": source}}


def own_log_group(name: str) -> Grant:
    """A function writes to its own log group, which the stack has made."""
    return Grant(
        "OwnLogGroup",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [arn("logs", f"log-group:{name}:*")],
        why_wildcard=LOG_STREAMS,
    )


def traces() -> Grant:
    """X-Ray takes segments from anyone of the account: it knows no resources to restrict this to."""
    return Grant(
        "Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"], why_wildcard=NO_RESOURCES
    )


def catalog(deployment: Deployment, tables: Iterable[str]) -> list[str]:
    """What Glue checks for tables: the catalog, the database and each table."""
    return [
        arn("glue", "catalog"),
        arn("glue", f"database/{deployment.database}"),
        *(arn("glue", f"table/{deployment.database}/{name}") for name in tables),
    ]


def source_grants(deployment: Deployment, stream: str) -> list[Grant]:
    """What the delivery stream may do with its source."""
    return [
        Grant(
            "ReadStream",
            [
                "kinesis:DescribeStream",
                "kinesis:GetShardIterator",
                "kinesis:GetRecords",
                "kinesis:ListShards",
            ],
            [arn("kinesis", f"stream/{deployment.stream(stream)}")],
        )
    ]


def delivery_grants(deployment: Deployment, table: LakeTable, log_group: str) -> list[Grant]:
    """What the delivery stream may do: call the transform, read the lake table, write below two prefixes."""
    function = arn("lambda", f"function:{deployment.transform_function(table.stream)}")
    latest = f"{function}:$LATEST"
    return [
        Grant(
            "CallTransform", ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"], [function, latest]
        ),
        Grant(
            "ReadLakeTable",
            ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
            catalog(deployment, [table.name]),
        ),
        Grant(
            "WriteObjects",
            READ_AND_WRITE,
            [bucket_arn(deployment.lake_bucket, f"{prefix}*") for prefix in (table.prefix, FAILED_PREFIX)],
            why_wildcard=OBJECTS,
        ),
        Grant(
            "FindBucket",
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            [bucket_arn(deployment.lake_bucket)],
        ),
        Grant(
            "LogErrors",
            ["logs:PutLogEvents"],
            [arn("logs", f"log-group:{log_group}:log-stream:*")],
            why_wildcard=LOG_STREAMS,
        ),
    ]


def transform_grants(log_group: str) -> list[Grant]:
    """What the transform may do: say what it did."""
    return [own_log_group(log_group), traces()]


def query_grants(deployment: Deployment, project: Project, log_group: str) -> list[Grant]:
    """What the query function may do: read the lake, write runs of reports, switch their partitions, keep a
    ledger.
    """
    lake = [table.prefix for table in project.tables.values()]
    sealed = sealing_queries(project.tables)
    written = [REPORTS_PREFIX, SEALED_PREFIX]
    ledger = arn("dynamodb", f"table/{deployment.ledger_table}")
    return [
        own_log_group(log_group),
        traces(),
        Grant(
            "TakeNotifications",
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
            ],
            [arn("sqs", deployment.queue)],
        ),
        Grant(
            "RunQueries",
            [
                "athena:StartQueryExecution",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:StopQueryExecution",
                "athena:GetWorkGroup",
            ],
            [arn("athena", f"workgroup/{deployment.work_group}")],
        ),
        Grant(
            "ReadCatalog",
            [
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetPartition",
                "glue:GetPartitions",
                "glue:BatchGetPartition",
            ],
            catalog(deployment, [*project.tables, *sealed, *project.reports, *reference_tables(project)]),
        ),
        Grant(
            "SwitchReportPartitions",
            [
                "glue:CreatePartition",
                "glue:BatchCreatePartition",
                "glue:UpdatePartition",
                "glue:BatchUpdatePartition",
            ],
            catalog(deployment, [*sealed, *project.reports]),
        ),
        Grant(
            "SeeDefinitions",
            ["glue:GetTables"],
            [*catalog(deployment, []), arn("glue", f"table/{deployment.database}/*")],
            why_wildcard="A listing is allowed for all tables of the database or not at all.",
        ),
        Grant(
            "RestoreDefinitions",
            ["glue:CreateDatabase", "glue:CreateTable"],
            catalog(deployment, _every_table(project)),
        ),
        Grant(
            "ReadLake",
            ["s3:GetObject"],
            [bucket_arn(deployment.lake_bucket, f"{prefix}*") for prefix in lake],
            why_wildcard=OBJECTS,
        ),
        list_below("ListLake", deployment.lake_bucket, lake),
        Grant(
            "WriteReports",
            [*READ_AND_WRITE, "s3:PutObjectTagging"],
            [bucket_arn(deployment.reporting_bucket, f"{prefix}*") for prefix in written],
            why_wildcard=OBJECTS,
        ),
        list_below("ListReports", deployment.reporting_bucket, [*written, *reference_prefixes(project)]),
        *read_references("ReadReferences", deployment, project),
        list_below("ListResults", deployment.results_bucket, [PIPELINE_RESULTS]),
        list_uploads(deployment.reporting_bucket, deployment.results_bucket),
        default_database(),
        Grant(
            "QueryResults",
            READ_AND_WRITE,
            [bucket_arn(deployment.results_bucket, f"{PIPELINE_RESULTS}*")],
            why_wildcard=OBJECTS,
        ),
        Grant(
            "FindBuckets",
            ["s3:GetBucketLocation"],
            [
                bucket_arn(bucket)
                for bucket in (deployment.lake_bucket, deployment.reporting_bucket, deployment.results_bucket)
            ],
        ),
        Grant(
            "KeepLedger",
            ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"],
            [ledger, arn("dynamodb", f"table/{deployment.ledger_table}/index/{DUE_INDEX}")],
        ),
        Grant(
            "EndRuns",
            ["dynamodb:DeleteItem"],
            [ledger],
            {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [RUNS]}},
        ),
    ]


def _every_table(project: Project) -> list[str]:
    """Names of the tables and views that the query function makes again when somebody deleted them."""
    return [
        *project.tables,
        FAILED_TABLE,
        *sealing_queries(project.tables),
        *project.reports,
        FRESHNESS_TABLE,
        *event_views(project.tables),
        *reference_tables(project),
    ]


def reference_tables(project: Project) -> list[str]:
    """Names of the reference tables."""
    return [table.table for table in project.references.values()]


def reference_prefixes(project: Project) -> list[str]:
    """Where versions of reference tables lie in the reporting bucket; nowhere, when there are none."""
    return [PREFIX] if project.references else []


def read_references(sid: str, deployment: Deployment, project: Project) -> list[Grant]:
    """Reading the versions of reference tables."""
    files = [bucket_arn(deployment.reporting_bucket, f"{prefix}*") for prefix in reference_prefixes(project)]
    return [Grant(sid, ["s3:GetObject"], files, why_wildcard=OBJECTS)] if files else []


def refresh_grants(deployment: Deployment, data_sets: Mapping[str, str], log_group: str) -> list[Grant]:
    """What the refresh function may do: see what is published, count ingestions of its datasets and start
    some. `data_sets` is report -> id of its dataset.
    """
    ids = sorted(data_sets.values())
    ingest = [
        Grant(
            "Ingest",
            ["quicksight:CreateIngestion"],
            [arn("quicksight", f"dataset/{asset_id}/ingestion/*") for asset_id in ids],
            why_wildcard="An ingestion is named after the version that it reads.",
        ),
        Grant(
            "CountIngestions",
            ["quicksight:ListIngestions"],
            ["*"],
            why_wildcard="QuickSight knows no resources for this action.",
        ),
    ]
    return [
        own_log_group(log_group),
        traces(),
        # Without copies there is nothing to look after.
        *(
            [Grant("SeePublishes", ["glue:GetPartitions"], catalog(deployment, data_sets)), *ingest]
            if ids
            else []
        ),
    ]


def default_database() -> Grant:
    """Athena looks for the database `default` before any other one, whatever the query names."""
    return Grant("FindDefaultDatabase", ["glue:GetDatabase"], [arn("glue", "database/default")])


def list_below(sid: str, bucket: str, prefixes: Sequence[str]) -> Grant:
    """Listing a bucket, but only below these prefixes."""
    below = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
    return Grant(sid, ["s3:ListBucket"], [bucket_arn(bucket)], below)


def list_uploads(*buckets: str) -> Grant:
    """Finding the uploads in several parts that Athena has begun in a bucket and not ended.

    The action has no condition for a prefix: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
    """
    return Grant("ListUploads", ["s3:ListBucketMultipartUploads"], [bucket_arn(each) for each in buckets])
