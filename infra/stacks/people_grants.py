"""Grants that several policies for people have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.permissions import OBJECTS, READ_AND_WRITE, Grant, arn, bucket_arn, catalog
from producers.contracts import Stream

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


def see_names(deployment: Deployment) -> Grant:
    """Every verb that talks to AWS asks the stacks what the resources are called."""
    return Grant(
        "SeeNames",
        ["cloudformation:DescribeStacks"],
        [arn("cloudformation", f"stack/{deployment.prefix}-*/*")],
        why_wildcard="A stack's ARN ends with an id that CloudFormation makes.",
    )


def see_delivery() -> Grant:
    """How far the delivery is, by its metrics."""
    return Grant(
        "SeeDelivery",
        ["cloudwatch:GetMetricData"],
        ["*"],
        why_wildcard="CloudWatch knows no resources: metrics can be read all or none.",
    )


def put_events(deployment: Deployment, stream: Stream) -> Grant:
    """Putting events on the stream, and nothing else with it."""
    name = deployment.stream(stream.name)
    if stream.is_direct:
        actions = ["firehose:PutRecord", "firehose:PutRecordBatch"]
        return Grant("PutEvents", actions, [arn("firehose", f"deliverystream/{name}")])
    return Grant(
        "PutEvents",
        ["kinesis:PutRecord", "kinesis:PutRecords", "kinesis:ListShards", "kinesis:DescribeStreamSummary"],
        [arn("kinesis", f"stream/{name}")],
    )


def console(deployment: Deployment, work_group: str) -> list[Grant]:
    """What Athena's console and its drivers ask besides, to show work groups, tables, saved queries and what
    ran before.
    """
    return [
        Grant(
            "FindWorkGroups",
            ["athena:ListWorkGroups", "athena:ListDataCatalogs", "athena:ListEngineVersions"],
            ["*"],
            why_wildcard="Athena knows no resources for its listings.",
        ),
        Grant(
            "SeeQueries",
            [
                "athena:ListNamedQueries",
                "athena:GetNamedQuery",
                "athena:BatchGetNamedQuery",
                "athena:ListQueryExecutions",
                "athena:BatchGetQueryExecution",
                "athena:GetQueryResultsStream",
            ],
            [arn("athena", f"workgroup/{work_group}")],
        ),
        Grant(
            "BrowseTables",
            [
                "athena:GetDataCatalog",
                "athena:ListDatabases",
                "athena:GetDatabase",
                "athena:ListTableMetadata",
                "athena:GetTableMetadata",
            ],
            [arn("athena", "datacatalog/AwsDataCatalog")],
        ),
        Grant(
            "ListDatabases",
            ["glue:GetDatabases"],
            [arn("glue", "catalog"), arn("glue", "database/*")],
            why_wildcard="A listing is allowed for all databases or not at all; it shows their names.",
        ),
        Grant(
            "ListTables",
            ["glue:GetTables"],
            [*catalog(deployment, []), arn("glue", f"table/{deployment.database}/*")],
            why_wildcard="A listing is allowed for all tables of the database or not at all.",
        ),
    ]


def read_objects(sid: str, bucket: str, prefixes: Sequence[str]) -> Grant:
    """Reading what lies below these prefixes."""
    return Grant(sid, ["s3:GetObject"], [bucket_arn(bucket, f"{p}*") for p in prefixes], why_wildcard=OBJECTS)


def results(deployment: Deployment, prefix: str) -> Grant:
    """Athena writes results with the permissions of who asks, who then reads them."""
    resources = [bucket_arn(deployment.results_bucket, f"{prefix}*")]
    return Grant("QueryResults", READ_AND_WRITE, resources, why_wildcard=OBJECTS)


def lake_prefixes(project: Project) -> list[str]:
    """Where the lake tables lie."""
    return [table.prefix for table in project.tables.values()]


def find_buckets(*buckets: str) -> Grant:
    """Athena looks for the region of each bucket that a query reads or writes."""
    return Grant("FindBuckets", ["s3:GetBucketLocation"], [bucket_arn(bucket) for bucket in buckets])
