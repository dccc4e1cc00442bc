"""Who may do what: each runtime role's policy, written out.

The CDK's `grant_*` methods give more than is needed (deletes on whole buckets, every function version), so roles
carry their policies inline and are handed to constructs without the right to extend them. A statement is made of
names; nothing here looks at another construct.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Fn, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.deployment import ACCOUNT, REGION, Deployment
from transforms.contracts import FAILED_PREFIX, LAKE_TABLES

PARTITION = "${AWS::Partition}"


def arn(service: str, resource: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    """An ARN of this account and region; `resource` may hold pseudo parameters."""
    return Fn.sub(f"arn:{PARTITION}:{service}:{region}:{account}:{resource}")


def bucket_arn(bucket: str, key: str = "") -> str:
    """The ARN of a bucket, or with `key` of objects in it."""
    return Fn.sub(f"arn:{PARTITION}:s3:::{bucket}{'/' if key else ''}{key}")


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Mapping[str, Any] | None = None
) -> iam.PolicyStatement:
    """A statement that allows."""
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=list(resources), conditions=dict(conditions or {}) or None
    )


def runtime_role(
    scope: Construct,
    identifier: str,
    *,
    name: str,
    service: str,
    statements: Sequence[iam.PolicyStatement],
    trust_conditions: Mapping[str, Any] | None = None,
) -> iam.Role:
    """A role whose whole policy is there from the moment it exists, trusted for one service."""
    principal = iam.ServicePrincipal(service, conditions=dict(trust_conditions or {}))
    return iam.Role(
        scope,
        identifier,
        role_name=Fn.sub(name),
        assumed_by=principal,
        inline_policies={"runtime": iam.PolicyDocument(statements=list(statements))},
    )


def acting_for(source: str) -> dict[str, Any]:
    """Condition against the confused deputy: the service acts for `source`, and for this account."""
    return {"StringEquals": {"aws:SourceAccount": Fn.sub(ACCOUNT)}, "ArnLike": {"aws:SourceArn": source}}


def own_log_group(name: str) -> iam.PolicyStatement:
    """A function writes to its own log group, which the stack has made."""
    return allow(
        "OwnLogGroup", ["logs:CreateLogStream", "logs:PutLogEvents"], [arn("logs", f"log-group:{name}:*")]
    )


def traces() -> iam.PolicyStatement:
    """X-Ray takes segments from anyone of the account: it knows no resources to restrict this to."""
    return allow("Traces", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"])


def catalog_resources(deployment: Deployment, tables: str = "*") -> list[str]:
    """What Glue checks for a table: the catalog, the database and the table."""
    return [
        arn("glue", "catalog"),
        arn("glue", f"database/{deployment.database}"),
        arn("glue", f"table/{deployment.database}/{tables}"),
    ]


def source_statements(deployment: Deployment, stream: str) -> list[iam.PolicyStatement]:
    """What the delivery stream may do with its source."""
    return [
        allow(
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


def delivery_statements(deployment: Deployment, stream: str, log_group: str) -> list[iam.PolicyStatement]:
    """What the delivery stream may do: call the transform, read the lake table, write below two prefixes."""
    table = next(table for table in LAKE_TABLES.values() if table.stream.name == stream)
    function = arn("lambda", f"function:{deployment.transform_function}")
    latest = arn("lambda", f"function:{deployment.transform_function}:$LATEST")
    return [
        allow(
            "CallTransform", ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"], [function, latest]
        ),
        allow(
            "ReadLakeTable",
            ["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
            catalog_resources(deployment, table.name),
        ),
        allow(
            "WriteObjects",
            ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            [bucket_arn(deployment.lake_bucket, f"{prefix}*") for prefix in (table.prefix, FAILED_PREFIX)],
        ),
        allow(
            "FindBucket",
            ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            [bucket_arn(deployment.lake_bucket)],
        ),
        allow("LogErrors", ["logs:PutLogEvents"], [arn("logs", f"log-group:{log_group}:log-stream:*")]),
    ]


def transform_statements(log_group: str) -> list[iam.PolicyStatement]:
    """What the transform may do: say what it did."""
    return [own_log_group(log_group), traces()]


def query_statements(deployment: Deployment, log_group: str) -> list[iam.PolicyStatement]:
    """What the query function may do: read the lake, write runs of reports, switch their partitions, keep a ledger."""
    lake_prefixes = [table.prefix for table in LAKE_TABLES.values()]
    return [
        own_log_group(log_group),
        traces(),
        allow(
            "TakeNotifications",
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
            ],
            [arn("sqs", deployment.queue)],
        ),
        allow(
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
        allow(
            "ReadCatalog",
            [
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetTables",
                "glue:GetPartition",
                "glue:GetPartitions",
            ],
            catalog_resources(deployment),
        ),
        allow(
            "SwitchReportPartitions",
            [
                "glue:CreatePartition",
                "glue:BatchCreatePartition",
                "glue:UpdatePartition",
                "glue:BatchUpdatePartition",
            ],
            [
                arn("glue", "catalog"),
                arn("glue", f"database/{deployment.database}"),
                *(arn("glue", f"table/{deployment.database}/{name}") for name in sorted(_reports())),
            ],
        ),
        allow(
            "ReadLake",
            ["s3:GetObject"],
            [bucket_arn(deployment.lake_bucket, f"{prefix}*") for prefix in lake_prefixes],
        ),
        allow(
            "ListLake",
            ["s3:ListBucket"],
            [bucket_arn(deployment.lake_bucket)],
            {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in lake_prefixes]}},
        ),
        allow(
            "WriteReports",
            ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            [bucket_arn(deployment.reporting_bucket, "reports/*")],
        ),
        allow(
            "ListReports",
            ["s3:ListBucket"],
            [bucket_arn(deployment.reporting_bucket)],
            {"StringLike": {"s3:prefix": ["reports/*"]}},
        ),
        allow(
            "QueryResults",
            ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            [bucket_arn(deployment.results_bucket, "pipeline/*")],
        ),
        allow(
            "FindBuckets",
            ["s3:GetBucketLocation"],
            [
                bucket_arn(bucket)
                for bucket in (deployment.lake_bucket, deployment.reporting_bucket, deployment.results_bucket)
            ],
        ),
        allow(
            "KeepLedger",
            ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"],
            [
                arn("dynamodb", f"table/{deployment.ledger_table}"),
                arn("dynamodb", f"table/{deployment.ledger_table}/index/*"),
            ],
        ),
    ]


def _reports() -> Sequence[str]:
    from queries.contracts import reports

    return tuple(reports())
