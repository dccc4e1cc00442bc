"""What each role must be allowed and denied, written by hand: the other opinion about the templates'
policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

PLACE = "eu-central-1:111122223333"
LAKE = "arn:aws:s3:::penstock-lake-111122223333-eu-central-1"
REPORTING = "arn:aws:s3:::penstock-reporting-111122223333-eu-central-1"
RESULTS = "arn:aws:s3:::penstock-results-111122223333-eu-central-1"
LOGS = "arn:aws:s3:::penstock-access-logs-111122223333-eu-central-1"
ROW = f"{LAKE}/web_events/event_hour=2026-11-24-10/a.parquet"
FAILED = f"{LAKE}/failed/processing-failed/dt=2026-11-24/a"
REPORT = f"{REPORTING}/reports/orders_by_hour/v1/run=7/event_hour=2026-11-24-10/0"
SEALED = f"{REPORTING}/sealed/web_events_hours/v1/run=7/event_hour=2026-11-24-10/0"
STREAM = f"arn:aws:kinesis:{PLACE}:stream/penstock-web"
OTHER_STREAM = f"arn:aws:kinesis:{PLACE}:stream/somebody-elses"
TRANSFORM = f"arn:aws:lambda:{PLACE}:function:penstock-transform"
QUERIES = f"arn:aws:lambda:{PLACE}:function:penstock-queries"
QUEUE = f"arn:aws:sqs:{PLACE}:penstock-objects"
DEAD = f"arn:aws:sqs:{PLACE}:penstock-objects-dead"
LEDGER = f"arn:aws:dynamodb:{PLACE}:table/penstock-ledger"
PIPELINE = f"arn:aws:athena:{PLACE}:workgroup/penstock-reports"
ANALYSTS = f"arn:aws:athena:{PLACE}:workgroup/penstock-analysts"
PRIMARY = f"arn:aws:athena:{PLACE}:workgroup/primary"
EVENTS_TABLE = f"arn:aws:glue:{PLACE}:table/penstock/web_events"
REPORT_TABLE = f"arn:aws:glue:{PLACE}:table/penstock/orders_by_hour"
HOURS_TABLE = f"arn:aws:glue:{PLACE}:table/penstock/web_events_hours"
VIEW = f"arn:aws:glue:{PLACE}:table/penstock/page_viewed"
FAILED_TABLE = f"arn:aws:glue:{PLACE}:table/penstock/failed_records"
DEFAULT_DATABASE = f"arn:aws:glue:{PLACE}:database/default"
OTHER_DATABASE = f"arn:aws:glue:{PLACE}:database/hr"
OTHER_TABLE = f"arn:aws:glue:{PLACE}:table/hr/salaries"
OTHER_BUCKET = "arn:aws:s3:::somebody-elses"
OTHER_LEDGER = f"arn:aws:dynamodb:{PLACE}:table/other"
COPY = f"arn:aws:quicksight:{PLACE}:dataset/penstock-funnel-by-day"
DIRECT = f"arn:aws:quicksight:{PLACE}:dataset/penstock-orders-by-hour"
COPIED_TABLE = f"arn:aws:glue:{PLACE}:table/penstock/funnel_by_day"
SECRET = f"arn:aws:secretsmanager:{PLACE}:secret:penstock/pseudonym-keys-AbCdEf"
KEY = f"arn:aws:kms:{PLACE}:key/EnvironmentKey"
OTHER_KEY = f"arn:aws:kms:{PLACE}:key/somebody-elses"


def through_lambda(function: str) -> dict[str, str]:
    """The condition keys of a call that Lambda makes to KMS about the environment of a function."""
    return {
        "kms:viaservice": "lambda.eu-central-1.amazonaws.com",
        "kms:encryptioncontext:aws:lambda:functionarn": function,
    }


def log_stream(group: str) -> str:
    """A log stream of a group."""
    return f"arn:aws:logs:{PLACE}:log-group:{group}:log-stream:2026/11/24/x"


@dataclass(frozen=True)
class Case:
    """One question to a role's policies, and the right answer."""

    role: str
    action: str
    resource: str
    allowed: bool
    context: Mapping[str, str] = field(default_factory=dict)


def _cases(
    role: str, allowed: bool, *questions: tuple[str, str] | tuple[str, str, dict[str, str]]
) -> list[Case]:
    return [Case(role, each[0], each[1], allowed, each[2] if len(each) == 3 else {}) for each in questions]


RUNS_KEY = {"dynamodb:leadingkeys": "~run"}
REPORT_KEY = {"dynamodb:leadingkeys": "orders_by_hour"}


def below(prefix: str) -> dict[str, str]:
    """The condition key of a listing."""
    return {"s3:prefix": prefix}


CASES = [
    *_cases(
        "transform", True,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-transform")),
        ("xray:PutTraceSegments", "*"), ("kms:Decrypt", KEY, through_lambda(TRANSFORM)),
    ),
    *_cases(
        "transform", False,
        ("kms:Decrypt", KEY), ("kms:Decrypt", KEY, through_lambda(QUERIES)),
        ("kms:Decrypt", KEY, {"kms:encryptioncontext:aws:lambda:functionarn": TRANSFORM}),
        ("kms:Decrypt", OTHER_KEY, through_lambda(TRANSFORM)),
        ("kms:Encrypt", KEY, through_lambda(TRANSFORM)), ("kms:CreateGrant", KEY, through_lambda(TRANSFORM)),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-queries")),
        ("s3:GetObject", ROW), ("s3:PutObject", ROW), ("s3:DeleteObject", ROW),
        ("kinesis:GetRecords", STREAM),
        ("kinesis:PutRecord", STREAM), ("secretsmanager:GetSecretValue", SECRET), ("kms:Decrypt", "*"),
    ),
    *_cases(
        "web-source", True,
        ("kinesis:GetRecords", STREAM), ("kinesis:GetShardIterator", STREAM), ("kinesis:ListShards", STREAM),
        ("kinesis:DescribeStream", STREAM),
    ),
    *_cases(
        "web-source", False,
        ("kinesis:GetRecords", OTHER_STREAM), ("kinesis:PutRecords", STREAM), ("kinesis:ListStreams", "*"),
        ("kinesis:SubscribeToShard", f"{STREAM}/consumer/x:1"), ("kinesis:DeleteStream", STREAM),
        ("kinesis:MergeShards", STREAM), ("s3:PutObject", ROW), ("lambda:InvokeFunction", TRANSFORM),
        ("kinesis:DecreaseStreamRetentionPeriod", STREAM), ("kinesis:UpdateShardCount", STREAM),
        ("glue:GetTable", EVENTS_TABLE), ("kinesis:StopStreamEncryption", STREAM),
    ),
    *_cases(
        "web-delivery", True,
        ("lambda:InvokeFunction", TRANSFORM), ("lambda:InvokeFunction", f"{TRANSFORM}:$LATEST"),
        ("lambda:GetFunctionConfiguration", TRANSFORM), ("glue:GetTableVersions", EVENTS_TABLE),
        ("s3:PutObject", ROW), ("s3:PutObject", FAILED), ("s3:ListBucket", LAKE),
        ("s3:GetBucketLocation", LAKE),
        ("logs:PutLogEvents", log_stream("/aws/kinesisfirehose/penstock-web")),
    ),
    *_cases(
        "web-delivery", False,
        ("s3:DeleteObject", ROW), ("s3:DeleteObject", FAILED), ("s3:DeleteObjectVersion", ROW),
        ("s3:PutObjectLegalHold", ROW), ("s3:PutObjectRetention", ROW), ("s3:PutObjectTagging", ROW),
        ("s3:PutObject", f"{LAKE}/elsewhere/a"), ("s3:PutObject", REPORT),
        ("s3:PutObject", f"{RESULTS}/pipeline/a"),
        ("s3:PutBucketPolicy", LAKE), ("s3:PutLifecycleConfiguration", LAKE), ("s3:DeleteBucket", LAKE),
        ("s3:GetObject", f"{LOGS}/lake/a"), ("lambda:InvokeFunction", QUERIES),
        ("lambda:InvokeFunction", f"{TRANSFORM}:7"), ("lambda:UpdateFunctionCode", TRANSFORM),
        ("glue:GetTable", REPORT_TABLE), ("glue:GetTable", OTHER_TABLE), ("glue:UpdateTable", EVENTS_TABLE),
        ("glue:DeleteTable", EVENTS_TABLE), ("kinesis:GetRecords", STREAM), ("kms:Decrypt", "*"),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-transform")), ("sqs:SendMessage", QUEUE),
        ("s3:GetBucketLocation", OTHER_BUCKET), ("s3:ListBucket", OTHER_BUCKET), ("s3:ListBucket", REPORTING),
    ),
    *_cases(
        "queries", True,
        ("s3:ListBucket", RESULTS, below("pipeline/")),
        ("glue:GetDatabase", DEFAULT_DATABASE),
        ("sqs:ReceiveMessage", QUEUE), ("sqs:DeleteMessage", QUEUE), ("athena:StartQueryExecution", PIPELINE),
        ("athena:GetQueryExecution", PIPELINE), ("athena:StopQueryExecution", PIPELINE),
        ("glue:GetTable", EVENTS_TABLE), ("glue:BatchGetPartition", REPORT_TABLE),
        ("glue:BatchCreatePartition", REPORT_TABLE), ("glue:BatchUpdatePartition", REPORT_TABLE),
        ("glue:GetTables", REPORT_TABLE), ("glue:GetTables", VIEW), ("glue:CreateTable", REPORT_TABLE),
        ("glue:CreateTable", EVENTS_TABLE), ("glue:CreateTable", VIEW),
        ("s3:GetObject", ROW), ("s3:ListBucket", LAKE, below("web_events/event_hour=2026-11-24-10/")),
        ("s3:PutObject", REPORT), ("s3:PutObjectTagging", REPORT), ("s3:GetObject", REPORT),
        ("s3:ListBucket", REPORTING, below("reports/orders_by_hour/")),
        ("s3:PutObject", SEALED), ("s3:PutObjectTagging", SEALED), ("s3:ListBucket", REPORTING, below("sealed/")),
        ("glue:BatchUpdatePartition", HOURS_TABLE), ("glue:BatchGetPartition", HOURS_TABLE),
        ("s3:PutObject", f"{RESULTS}/pipeline/a.csv"),
        ("dynamodb:PutItem", LEDGER), ("dynamodb:BatchGetItem", LEDGER),
        ("dynamodb:Query", f"{LEDGER}/index/due"),
        ("dynamodb:DeleteItem", LEDGER, RUNS_KEY),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-queries")),
        ("xray:PutTraceSegments", "*"), ("s3:GetBucketLocation", RESULTS),
    ),
    *_cases(
        "queries", False,
        ("s3:ListBucket", RESULTS, below("analysts/")),
        ("s3:ListBucket", RESULTS),
        ("s3:ListBucket", OTHER_BUCKET, below("pipeline/")),
        ("glue:GetDatabase", OTHER_DATABASE),
        ("glue:CreateTable", DEFAULT_DATABASE),
        ("s3:DeleteObject", ROW), ("s3:DeleteObjectVersion", ROW), ("s3:PutObject", ROW),
        ("s3:PutObjectTagging", ROW),
        ("s3:DeleteObject", REPORT), ("s3:DeleteObjectVersion", REPORT), ("s3:DeleteBucket", REPORTING),
        ("s3:DeleteObject", SEALED), ("s3:DeleteObjectVersion", SEALED), ("s3:PutObjectAcl", SEALED),
        ("glue:UpdateTable", HOURS_TABLE), ("glue:DeleteTable", HOURS_TABLE),
        ("glue:BatchDeletePartition", HOURS_TABLE), ("glue:DeletePartition", HOURS_TABLE),
        ("glue:UpdateTable", VIEW), ("glue:BatchUpdatePartition", VIEW),
        ("s3:PutObject", f"{REPORTING}/elsewhere/a"), ("s3:GetObject", FAILED), ("s3:PutObject", FAILED),
        ("s3:ListBucket", LAKE), ("s3:ListBucket", LAKE, below("failed/")),
        ("s3:ListBucket", LAKE, below("")),
        ("s3:ListBucket", REPORTING, below("elsewhere/")), ("s3:GetObject", f"{RESULTS}/analysts/a.csv"),
        ("s3:PutObject", f"{RESULTS}/analysts/a.csv"), ("s3:DeleteObject", f"{RESULTS}/pipeline/a.csv"),
        ("s3:GetObject", f"{LOGS}/lake/a"), ("s3:PutBucketPolicy", REPORTING),
        ("s3:PutBucketNotification", LAKE),
        ("athena:StartQueryExecution", ANALYSTS), ("athena:StartQueryExecution", PRIMARY),
        ("athena:UpdateWorkGroup", PIPELINE), ("athena:DeleteWorkGroup", PIPELINE),
        ("glue:DeleteTable", REPORT_TABLE), ("glue:DeletePartition", REPORT_TABLE),
        ("glue:BatchDeletePartition", REPORT_TABLE), ("glue:UpdateTable", REPORT_TABLE),
        ("glue:CreatePartition", EVENTS_TABLE), ("glue:BatchUpdatePartition", EVENTS_TABLE),
        ("glue:GetTable", OTHER_TABLE), ("glue:BatchUpdatePartition", OTHER_TABLE),
        ("glue:CreateTable", OTHER_TABLE), ("glue:GetTables", OTHER_TABLE), ("glue:UpdateTable", EVENTS_TABLE),
        ("glue:DeleteTable", EVENTS_TABLE), ("glue:DeleteTable", VIEW), ("glue:CreateDatabase", DEFAULT_DATABASE),
        ("glue:DeleteDatabase", DEFAULT_DATABASE),
        ("sqs:ReceiveMessage", DEAD), ("sqs:DeleteMessage", DEAD), ("sqs:SendMessage", QUEUE),
        ("sqs:PurgeQueue", QUEUE),
        ("sqs:DeleteQueue", QUEUE), ("sqs:SetQueueAttributes", QUEUE),
        ("dynamodb:DeleteItem", LEDGER, REPORT_KEY),
        ("dynamodb:DeleteTable", LEDGER), ("dynamodb:Scan", LEDGER), ("dynamodb:UpdateTable", LEDGER),
        ("dynamodb:UpdateContinuousBackups", LEDGER), ("kinesis:GetRecords", STREAM),
        ("kinesis:PutRecord", STREAM),
        ("lambda:InvokeFunction", TRANSFORM), ("lambda:UpdateFunctionCode", QUERIES),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-transform")),
        ("secretsmanager:GetSecretValue", SECRET), ("kms:Decrypt", "*"), ("iam:PassRole", "*"),
        ("sts:AssumeRole", "*"),
        ("dynamodb:PutItem", f"arn:aws:dynamodb:{PLACE}:table/other"), ("sns:Publish", "*"),
        ("s3:ListAllMyBuckets", "*"),
        ("athena:GetQueryResults", ANALYSTS), ("athena:CreateWorkGroup", PIPELINE),
        ("glue:CreateDatabase", "*"),
        ("logs:DeleteLogGroup", f"arn:aws:logs:{PLACE}:log-group:/aws/lambda/penstock-queries:*"),
        ("s3:PutEncryptionConfiguration", LAKE), ("s3:PutObjectAcl", REPORT), ("events:DisableRule", "*"),
        ("dynamodb:DeleteItem", OTHER_LEDGER, RUNS_KEY), ("s3:GetBucketLocation", OTHER_BUCKET),
        ("s3:ListBucket", OTHER_BUCKET, below("web_events/")),
        ("s3:ListBucket", OTHER_BUCKET, below("reports/")),
        ("s3:ListBucketVersions", LAKE), ("s3:GetObjectVersion", ROW), ("athena:ListWorkGroups", "*"),
        ("xray:GetTraceSummaries", "*"), ("logs:FilterLogEvents", log_stream("/aws/lambda/penstock-queries")),
    ),
    *_cases(
        "producer", True,
        ("kinesis:PutRecords", STREAM), ("kinesis:PutRecord", STREAM), ("kinesis:ListShards", STREAM),
    ),
    *_cases(
        "producer", False,
        ("kinesis:GetRecords", STREAM), ("kinesis:GetShardIterator", STREAM),
        ("kinesis:PutRecords", OTHER_STREAM),
        ("kinesis:UpdateShardCount", STREAM), ("s3:PutObject", ROW), ("s3:GetObject", ROW),
        ("firehose:PutRecord", f"arn:aws:firehose:{PLACE}:deliverystream/penstock-web"),
        ("secretsmanager:GetSecretValue", SECRET), ("lambda:InvokeFunction", TRANSFORM),
        ("sqs:SendMessage", QUEUE),
    ),
    *_cases(
        "refresh", True,
        ("quicksight:CreateIngestion", f"{COPY}/ingestion/penstock-funnel-by-day-0a-1"),
        ("quicksight:ListIngestions", COPY), ("glue:GetPartitions", COPIED_TABLE),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-refresh")), ("xray:PutTraceSegments", "*"),
    ),
    *_cases(
        "refresh", False,
        ("quicksight:CreateIngestion", f"{DIRECT}/ingestion/penstock-orders-by-hour-0a-1"),
        ("quicksight:ListIngestions", DIRECT), ("quicksight:CancelIngestion", f"{COPY}/ingestion/a"),
        ("quicksight:DeleteDataSet", COPY), ("quicksight:UpdateDataSet", COPY),
        ("quicksight:DescribeDataSet", COPY), ("quicksight:PassDataSet", COPY),
        ("quicksight:UpdateDataSetPermissions", COPY),
        ("glue:GetPartitions", REPORT_TABLE), ("glue:GetPartitions", EVENTS_TABLE),
        ("glue:GetTable", COPIED_TABLE), ("glue:BatchUpdatePartition", COPIED_TABLE),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-queries")), ("s3:GetObject", REPORT),
        ("s3:GetObject", ROW), ("lambda:InvokeFunction", QUERIES), ("dynamodb:GetItem", LEDGER),
        ("athena:StartQueryExecution", PIPELINE), ("secretsmanager:GetSecretValue", SECRET),
    ),
    *_cases(
        "analyst", True,
        ("s3:ListBucket", RESULTS, below("analysts/")),
        ("glue:GetDatabase", DEFAULT_DATABASE),
        ("athena:StartQueryExecution", ANALYSTS), ("s3:GetObject", ROW), ("s3:GetObject", REPORT),
        ("glue:GetPartitions", EVENTS_TABLE), ("s3:PutObject", f"{RESULTS}/analysts/a.csv"),
        ("glue:GetTable", VIEW), ("glue:GetPartitions", HOURS_TABLE), ("s3:GetObject", SEALED),
        ("s3:ListBucket", REPORTING, below("sealed/")),
        ("s3:ListBucket", LAKE, below("web_events/")), ("s3:ListBucket", REPORTING, below("reports/")),
        ("s3:GetBucketLocation", LAKE),
    ),
    *_cases(
        "analyst", False,
        ("s3:ListBucket", RESULTS, below("pipeline/")),
        ("s3:ListBucket", RESULTS),
        ("s3:ListBucket", OTHER_BUCKET, below("analysts/")),
        ("glue:GetDatabase", OTHER_DATABASE),
        ("glue:CreateTable", DEFAULT_DATABASE),
        ("athena:StartQueryExecution", PIPELINE), ("athena:StartQueryExecution", PRIMARY),
        ("s3:GetObject", FAILED),
        ("s3:PutObject", ROW), ("s3:PutObject", REPORT), ("s3:DeleteObject", REPORT),
        ("s3:DeleteObject", ROW),
        ("s3:ListBucket", LAKE, below("failed/")), ("s3:GetObject", f"{RESULTS}/pipeline/a.csv"),
        ("glue:UpdateTable", EVENTS_TABLE), ("glue:DeleteTable", REPORT_TABLE), ("glue:UpdateTable", VIEW),
        ("glue:DeleteTable", VIEW), ("glue:GetTable", FAILED_TABLE),
        ("s3:PutObject", SEALED), ("s3:DeleteObject", SEALED), ("s3:PutObjectTagging", SEALED),
        ("glue:BatchUpdatePartition", HOURS_TABLE), ("glue:BatchCreatePartition", HOURS_TABLE),
        ("glue:UpdateTable", HOURS_TABLE),
        ("glue:BatchUpdatePartition", REPORT_TABLE),
        ("athena:UpdateWorkGroup", ANALYSTS), ("dynamodb:PutItem", LEDGER),
        ("secretsmanager:GetSecretValue", SECRET),
        ("s3:GetBucketLocation", OTHER_BUCKET), ("s3:ListBucket", OTHER_BUCKET, below("web_events/")),
        ("glue:GetTable", OTHER_TABLE), ("s3:ListBucket", LAKE), ("kinesis:GetRecords", STREAM),
        ("lambda:InvokeFunction", QUERIES), ("sqs:ReceiveMessage", QUEUE), ("dynamodb:GetItem", LEDGER),
        ("s3:DeleteObject", f"{RESULTS}/analysts/a.csv"), ("s3:ListBucket", REPORTING),
        ("s3:ListBucket", OTHER_BUCKET, below("reports/")),
    ),
    *_cases(
        "quicksight", True,
        ("s3:ListBucket", RESULTS, below("analysts/")),
        ("glue:GetDatabase", DEFAULT_DATABASE),
        ("athena:StartQueryExecution", ANALYSTS), ("glue:GetPartition", REPORT_TABLE),
        ("s3:GetObject", REPORT),
        ("s3:PutObject", f"{RESULTS}/analysts/a.csv"), ("s3:ListBucket", REPORTING, below("reports/")),
        ("s3:GetBucketLocation", REPORTING),
    ),
    *_cases(
        "quicksight", False,
        ("s3:ListBucket", RESULTS, below("pipeline/")),
        ("s3:ListBucket", RESULTS),
        ("s3:ListBucket", OTHER_BUCKET, below("analysts/")),
        ("glue:GetDatabase", OTHER_DATABASE),
        ("glue:CreateTable", DEFAULT_DATABASE),
        ("s3:GetObject", ROW), ("s3:GetObject", FAILED), ("s3:ListBucket", LAKE, below("web_events/")),
        ("s3:GetObject", SEALED), ("s3:ListBucket", REPORTING, below("sealed/")),
        ("glue:GetTable", HOURS_TABLE), ("glue:GetPartitions", HOURS_TABLE), ("glue:GetTable", VIEW),
        ("glue:GetTable", EVENTS_TABLE), ("athena:StartQueryExecution", PIPELINE), ("s3:PutObject", REPORT),
        ("s3:DeleteObject", REPORT), ("glue:BatchUpdatePartition", REPORT_TABLE),
        ("glue:DeleteTable", REPORT_TABLE),
        ("dynamodb:GetItem", LEDGER), ("kinesis:GetRecords", STREAM), ("lambda:InvokeFunction", QUERIES),
        ("s3:GetBucketLocation", LAKE), ("s3:ListBucket", REPORTING), ("athena:StartQueryExecution", PRIMARY),
        ("glue:GetTable", OTHER_TABLE), ("s3:GetObject", f"{RESULTS}/pipeline/a.csv"),
        ("secretsmanager:GetSecretValue", SECRET), ("s3:ListBucket", OTHER_BUCKET, below("reports/")),
    ),
    *_cases(
        "operator", True,
        ("glue:BatchGetPartition", HOURS_TABLE), ("cloudwatch:GetMetricData", "*"),
        ("sqs:StartMessageMoveTask", DEAD), ("sqs:ReceiveMessage", DEAD), ("sqs:SendMessage", QUEUE),
        ("dynamodb:PutItem", LEDGER), ("lambda:InvokeFunction", QUERIES), ("s3:GetObject", REPORT),
        ("s3:ListBucket", REPORTING, below("reports/")), ("s3:ListBucket", LAKE, below("web_events/")),
    ),
    *_cases(
        "operator", False,
        ("glue:BatchGetPartition", OTHER_TABLE), ("glue:BatchUpdatePartition", HOURS_TABLE),
        ("s3:GetObject", SEALED), ("glue:GetPartitions", HOURS_TABLE), ("s3:PutObject", SEALED),
        ("sqs:ReceiveMessage", QUEUE), ("sqs:PurgeQueue", DEAD), ("sqs:DeleteQueue", DEAD),
        ("s3:GetObject", ROW),
        ("s3:GetObject", FAILED), ("s3:PutObject", ROW), ("s3:DeleteObject", REPORT),
        ("s3:PutObject", REPORT),
        ("lambda:InvokeFunction", TRANSFORM), ("lambda:UpdateFunctionCode", QUERIES),
        ("dynamodb:DeleteItem", LEDGER),
        ("dynamodb:DeleteTable", LEDGER), ("glue:BatchUpdatePartition", REPORT_TABLE),
        ("athena:StartQueryExecution", PIPELINE), ("kinesis:PutRecord", STREAM), ("dynamodb:Scan", LEDGER),
        ("secretsmanager:GetSecretValue", SECRET), ("sqs:SendMessage", DEAD),
        ("s3:ListBucket", LAKE, below("reports/")), ("s3:ListBucket", LAKE, below("failed/")),
        ("s3:ListBucket", LAKE), ("s3:ListBucket", OTHER_BUCKET, below("web_events/")),
        ("s3:ListBucket", REPORTING), ("sqs:SetQueueAttributes", DEAD), ("events:DisableRule", "*"),
        ("dynamodb:PutItem", OTHER_LEDGER), ("s3:ListBucket", OTHER_BUCKET, below("reports/")),
        ("cloudwatch:PutMetricData", "*"), ("cloudwatch:DeleteAlarms", "*"),
    ),
    *_cases(
        "reconciler", True,
        ("s3:ListBucket", RESULTS, below("analysts/")),
        ("glue:GetDatabase", DEFAULT_DATABASE),
        ("s3:GetObject", ROW), ("s3:GetObject", FAILED), ("s3:ListBucket", LAKE, below("failed/")),
        ("glue:GetTable", EVENTS_TABLE), ("s3:PutObject", f"{RESULTS}/analysts/a.csv"),
        ("s3:GetBucketLocation", LAKE),
        ("athena:StartQueryExecution", ANALYSTS),
        ("logs:FilterLogEvents", f"arn:aws:logs:{PLACE}:log-group:/aws/lambda/penstock-transform:*"),
        ("cloudwatch:GetMetricData", "*"),
    ),
    *_cases(
        "reconciler", False,
        ("cloudwatch:PutMetricData", "*"),
        ("s3:ListBucket", RESULTS, below("pipeline/")),
        ("s3:ListBucket", RESULTS),
        ("s3:ListBucket", OTHER_BUCKET, below("analysts/")),
        ("glue:GetDatabase", OTHER_DATABASE),
        ("glue:CreateTable", DEFAULT_DATABASE),
        ("s3:PutObject", ROW), ("s3:PutObject", FAILED), ("s3:DeleteObject", ROW),
        ("s3:DeleteObject", FAILED),
        ("s3:PutObject", REPORT), ("kinesis:PutRecord", STREAM), ("dynamodb:PutItem", LEDGER),
        ("sqs:SendMessage", QUEUE),
        ("glue:UpdateTable", EVENTS_TABLE), ("athena:StartQueryExecution", PIPELINE),
        ("logs:FilterLogEvents", f"arn:aws:logs:{PLACE}:log-group:/aws/lambda/somebody-elses:*"),
        ("logs:DeleteLogGroup", f"arn:aws:logs:{PLACE}:log-group:/aws/lambda/penstock-transform:*"),
        ("secretsmanager:GetSecretValue", SECRET), ("s3:ListBucket", LAKE, below("elsewhere/")),
        ("kms:Decrypt", "*"),
        ("glue:GetTable", REPORT_TABLE), ("s3:GetObject", REPORT),
        ("s3:ListBucket", REPORTING, below("reports/")),
        ("s3:GetBucketLocation", OTHER_BUCKET), ("sqs:ReceiveMessage", QUEUE),
        ("lambda:InvokeFunction", QUERIES),
        ("kinesis:GetRecords", STREAM), ("s3:PutObject", f"{RESULTS}/pipeline/a.csv"),
        ("sqs:ReceiveMessage", DEAD),
        ("athena:StartQueryExecution", PRIMARY), ("glue:GetTable", OTHER_TABLE),
        ("s3:ListBucket", OTHER_BUCKET, below("failed/")),
    ),
    *_cases(
        "failed-reader", True,
        ("s3:GetObject", FAILED), ("s3:ListBucket", LAKE, below("failed/processing-failed/")),
        ("kinesis:PutRecords", STREAM),
    ),
    *_cases(
        "failed-reader", False,
        ("s3:GetObject", ROW), ("s3:PutObject", FAILED), ("s3:DeleteObject", FAILED),
        ("s3:GetObject", REPORT),
        ("s3:ListBucket", LAKE, below("web_events/")), ("kinesis:GetRecords", STREAM),
        ("kinesis:PutRecords", OTHER_STREAM), ("athena:StartQueryExecution", ANALYSTS),
        ("secretsmanager:GetSecretValue", SECRET), ("s3:ListBucket", OTHER_BUCKET, below("failed/")),
    ),
    *(
        case
        for role in (
            "web-source", "web-delivery", "queries", "refresh", "producer", "analyst", "quicksight", "operator",
            "reconciler", "failed-reader",
        )
        for case in _cases(
            role, False, ("kms:Decrypt", KEY, through_lambda(TRANSFORM)), ("kms:Decrypt", KEY),
            ("kms:CreateGrant", KEY, through_lambda(TRANSFORM)),
        )
    ),
]  # fmt: skip
