"""What the roles of jobs, and those who ask for jobs, must be allowed and denied."""

from tests.infra.stacks.decision_places import (
    DEAD,
    FAILED,
    HOOK_SECRET,
    LAKE,
    LEDGER,
    OTHER_BUCKET,
    OTHER_LEDGER,
    OTHER_TABLE,
    PIPELINE,
    PLACE,
    QUERIES,
    QUEUE,
    REPLAY,
    REPORT,
    REPORT_TABLE,
    REPORTING,
    ROW,
    SECRET,
    STREAM,
    TRANSFORM,
    _cases,
    below,
    log_stream,
)

JOBS = f"arn:aws:sqs:{PLACE}:penstock-jobs"
JOBS_DEAD = f"arn:aws:sqs:{PLACE}:penstock-jobs-dead"
TABLE = f"arn:aws:dynamodb:{PLACE}:table/penstock-jobs"
FUNCTION = f"arn:aws:lambda:{PLACE}:function:penstock-jobs"
MACHINE = f"arn:aws:states:{PLACE}:stateMachine:penstock-jobs"
OTHER_MACHINE = f"arn:aws:states:{PLACE}:stateMachine:payroll"
EXECUTION = f"arn:aws:states:{PLACE}:execution:penstock-jobs:a-1"
OTHER_EXECUTION = f"arn:aws:states:{PLACE}:execution:payroll:a-1"
INBOX = f"{LAKE}/inbox/flights/a.csv"
SCRATCH = f"{LAKE}/imports/a/file-0000/events/run-00000"
IMPORTER = f"arn:aws:lambda:{PLACE}:function:penstock-jobs-importer"
PLAN = f"{REPORTING}/jobs/a.json"
ROUTE = f"arn:aws:execute-api:{PLACE}:abc/$default/POST/iam/v1/jobs"
"""As the gateway names a call of one route."""
READ = f"arn:aws:execute-api:{PLACE}:abc/$default/GET/iam/v1/{{}}"

PAYROLL = "arn:aws:s3:::payroll"
SITE_DATA = "arn:aws:s3:::penstock-site-data-111122223333-eu-central-1"
SHEET, SITE_ROWS = (
    f"{SITE_DATA}/data/orders/overview/1.json.gz",
    f"{SITE_DATA}/rows/orders/orders_by_hour/1.parquet",
)
POINTER = f"{SITE_DATA}/data/latest.json"
BUS = f"arn:aws:events:{PLACE}:event-bus/default"

CASES = [
    *_cases(
        "site-extract", True,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-site-extract")), ("xray:PutTraceSegments", "*"),
        ("glue:GetPartitions", REPORT_TABLE), ("s3:GetObject", REPORT), ("s3:ListBucket", REPORTING, below("reports/")),
        ("s3:ListBucket", SITE_DATA, below("data/latest.json")), ("s3:GetObject", POINTER), ("s3:PutObject", POINTER), ("s3:PutObject", SHEET), ("s3:PutObject", SITE_ROWS),
        ("events:PutEvents", BUS),
    ),
    *_cases(
        "site-extract", False,
        ("s3:GetObject", FAILED), ("s3:ListBucket", LAKE, below("failed/")),
        ("s3:GetObject", SHEET), ("s3:DeleteObject", SHEET), ("s3:PutObject", REPORT), ("s3:GetObject", ROW),
        ("s3:GetObject", PLAN), ("s3:ListBucket", REPORTING), ("s3:ListBucket", SITE_DATA),
        ("glue:BatchUpdatePartition", REPORT_TABLE), ("glue:GetPartitions", OTHER_TABLE),
        ("dynamodb:Query", LEDGER), ("athena:StartQueryExecution", PIPELINE), ("kinesis:PutRecords", STREAM),
        ("events:PutEvents", f"arn:aws:events:{PLACE}:event-bus/payroll"), ("lambda:InvokeFunction", FUNCTION),
        ("iam:PassRole", "*"), ("secretsmanager:GetSecretValue", SECRET),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-site")), ("s3:ListBucket", SITE_DATA, below("rows/")),
        ("s3:ListBucket", REPORTING, below("other/")), ("s3:ListBucket", PAYROLL, below("reports/")),
        ("s3:ListBucket", PAYROLL, below("data/latest.json")), ("sqs:SendMessage", JOBS),
        ("sqs:ReceiveMessage", JOBS), ("states:StartExecution", MACHINE), ("dynamodb:GetItem", TABLE),
    ),
    *_cases(
        "site", True,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-site")), ("xray:PutTraceSegments", "*"),
        ("s3:GetObject", SHEET), ("s3:GetObject", SITE_ROWS), ("s3:GetObject", POINTER),
        ("s3:ListBucket", SITE_DATA, below("data/")),
        ("s3:GetObject", FAILED), ("s3:GetObject", REPLAY), ("s3:ListBucket", LAKE, below("failed/processing-failed/")),
        ("s3:ListBucket", LAKE, below("replays/")),
    ),
    *_cases(
        "site", False,
        ("s3:ListBucket", LAKE), ("s3:ListBucket", LAKE, below("web_events/")), ("s3:PutObject", FAILED),
        ("s3:DeleteObject", FAILED), ("s3:PutObject", REPLAY), ("s3:GetObject", INBOX), ("s3:GetObject", SCRATCH),
        ("s3:ListBucket", PAYROLL, below("failed/")), ("s3:ListBucket", REPORTING, below("failed/")),
        ("s3:DeleteObject", REPLAY), ("s3:PutObject", ROW), ("s3:PutObject", REPORT),
        ("s3:PutObject", SHEET), ("s3:PutObject", POINTER), ("s3:DeleteObject", SHEET), ("s3:ListBucket", SITE_DATA),
        ("s3:GetObject", REPORT), ("s3:GetObject", ROW), ("glue:GetPartitions", REPORT_TABLE),
        ("dynamodb:Query", LEDGER), ("dynamodb:GetItem", TABLE), ("sqs:SendMessage", JOBS),
        ("athena:StartQueryExecution", PIPELINE), ("lambda:InvokeFunction", FUNCTION), ("events:PutEvents", BUS),
        ("iam:PassRole", "*"), ("secretsmanager:GetSecretValue", SECRET),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-jobs")), ("s3:ListBucket", SITE_DATA, below("other/")),
        ("s3:ListBucket", REPORTING, below("data/")), ("s3:ListBucket", PAYROLL, below("data/")),
        ("states:StartExecution", OTHER_MACHINE), ("kinesis:PutRecords", STREAM),
    ),
    *_cases(
        "jobs", True,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-jobs")), ("xray:PutTraceSegments", "*"),
        ("sqs:ReceiveMessage", JOBS), ("sqs:DeleteMessage", JOBS), ("sqs:SendMessage", JOBS),
        ("states:StartExecution", MACHINE), ("states:DescribeExecution", EXECUTION),
        ("dynamodb:GetItem", TABLE), ("dynamodb:PutItem", TABLE), ("s3:GetObject", PLAN), ("s3:PutObject", PLAN),
        ("dynamodb:BatchGetItem", LEDGER), ("dynamodb:PutItem", LEDGER), ("lambda:InvokeFunction", QUERIES),
        ("glue:BatchGetPartition", REPORT_TABLE), ("s3:ListBucket", LAKE, below("web_events/")),
    ),
    *_cases(
        "jobs", False,
        ("sqs:ReceiveMessage", JOBS_DEAD), ("sqs:PurgeQueue", JOBS), ("sqs:SendMessage", QUEUE),
        ("states:StopExecution", EXECUTION), ("states:DescribeExecution", OTHER_EXECUTION),
        ("states:StartExecution", OTHER_MACHINE), ("states:StartSyncExecution", MACHINE),
        ("states:UpdateStateMachine", MACHINE), ("states:SendTaskSuccess", MACHINE),
        ("sqs:ReceiveMessage", QUEUE), ("sqs:SendMessage", JOBS_DEAD), ("dynamodb:GetItem", OTHER_LEDGER),
        ("dynamodb:BatchGetItem", OTHER_LEDGER), ("dynamodb:UpdateItem", TABLE), ("dynamodb:Query", TABLE),
        ("glue:BatchGetPartition", OTHER_TABLE), ("s3:ListBucket", OTHER_BUCKET, below("web_events/")),
        ("s3:PutObject", ROW), ("lambda:InvokeFunction", FUNCTION), ("kinesis:PutRecords", STREAM),
        ("dynamodb:DeleteItem", TABLE), ("dynamodb:Scan", TABLE), ("dynamodb:DeleteItem", LEDGER),
        ("dynamodb:PutItem", OTHER_LEDGER), ("s3:GetObject", ROW), ("s3:GetObject", REPORT), ("s3:PutObject", REPORT),
        ("s3:DeleteObject", PLAN), ("glue:BatchUpdatePartition", REPORT_TABLE), ("athena:StartQueryExecution", PIPELINE),
        ("lambda:InvokeFunction", TRANSFORM), ("s3:ListBucket", LAKE), ("secretsmanager:GetSecretValue", SECRET),
        ("iam:PassRole", "*"), ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-queries")),
    ),
    *_cases(
        "api", True,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-api")), ("xray:PutTraceSegments", "*"),
        ("sqs:SendMessage", JOBS), ("dynamodb:GetItem", TABLE), ("dynamodb:PutItem", TABLE),
        ("dynamodb:Query", f"{TABLE}/index/newest"), ("dynamodb:BatchGetItem", LEDGER),
        ("s3:ListBucket", LAKE, below("web_events/")), ("s3:ListBucket", LAKE, below("inbox/")),
        ("states:GetExecutionHistory", EXECUTION),
        ("logs:FilterLogEvents", log_stream("/aws/lambda/penstock-jobs")),
    ),
    *_cases(
        "api", False,
        ("sqs:ReceiveMessage", JOBS), ("sqs:SendMessage", QUEUE), ("states:StartExecution", MACHINE),
        ("sqs:SendMessage", JOBS_DEAD), ("sqs:DeleteMessage", JOBS), ("states:DescribeExecution", EXECUTION),
        ("states:StopExecution", EXECUTION), ("dynamodb:GetItem", OTHER_LEDGER), ("dynamodb:PutItem", OTHER_LEDGER),
        ("dynamodb:BatchGetItem", OTHER_LEDGER), ("dynamodb:Query", f"{LEDGER}/index/due"),
        ("s3:ListBucket", OTHER_BUCKET, below("web_events/")), ("s3:ListBucket", REPORTING, below("reports/")),
        ("s3:PutObject", PLAN), ("glue:BatchGetPartition", REPORT_TABLE), ("kinesis:PutRecords", STREAM),
        ("athena:StartQueryExecution", PIPELINE), ("states:GetExecutionHistory", OTHER_EXECUTION), ("dynamodb:PutItem", LEDGER), ("dynamodb:Scan", TABLE),
        ("dynamodb:DeleteItem", TABLE), ("s3:GetObject", PLAN), ("s3:GetObject", ROW), ("s3:GetObject", REPORT),
        ("lambda:InvokeFunction", QUERIES), ("lambda:InvokeFunction", FUNCTION), ("s3:ListBucket", LAKE),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-queries")),
        ("logs:FilterLogEvents", log_stream("/aws/lambda/penstock-queries")), ("cognito-idp:AdminCreateUser", "*"),
        ("secretsmanager:GetSecretValue", SECRET), ("iam:PassRole", "*"),
    ),
    *_cases(
        "jobs-importer", True,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-jobs-importer")), ("xray:PutTraceSegments", "*"),
        ("s3:GetObject", INBOX), ("s3:GetObject", SCRATCH), ("s3:PutObject", SCRATCH), ("s3:GetObject", ROW),
        ("s3:PutObject", ROW), ("s3:PutObject", FAILED), ("s3:GetObject", PLAN), ("s3:PutObject", PLAN),
        ("s3:ListBucket", LAKE, below("imports/a/")), ("s3:ListBucket", LAKE, below("web_events/")),
        ("s3:ListBucket", LAKE, below("failed/")), ("sqs:SendMessage", QUEUE), ("sqs:GetQueueUrl", QUEUE),
        ("secretsmanager:GetSecretValue", SECRET),
    ),
    *_cases(
        "jobs-importer", False,
        ("s3:PutObject", INBOX), ("s3:DeleteObject", INBOX), ("s3:DeleteObject", SCRATCH), ("s3:DeleteObject", ROW),
        ("s3:GetObject", FAILED), ("s3:GetObject", REPORT), ("s3:PutObject", REPORT), ("s3:ListBucket", LAKE),
        ("s3:ListBucket", LAKE, below("inbox/")), ("s3:ListBucket", OTHER_BUCKET, below("imports/")),
        ("sqs:ReceiveMessage", QUEUE), ("sqs:SendMessage", JOBS), ("sqs:SendMessage", DEAD), ("dynamodb:GetItem", TABLE),
        ("dynamodb:PutItem", LEDGER), ("lambda:InvokeFunction", FUNCTION), ("lambda:InvokeFunction", QUERIES),
        ("states:StartExecution", MACHINE), ("kinesis:PutRecords", STREAM), ("athena:StartQueryExecution", PIPELINE),
        ("glue:BatchUpdatePartition", REPORT_TABLE), ("secretsmanager:PutSecretValue", SECRET), ("secretsmanager:GetSecretValue", HOOK_SECRET), ("iam:PassRole", "*"),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-jobs")),
    ),
    *_cases("jobs-schedule", True, ("lambda:InvokeFunction", FUNCTION)),
    *_cases(
        "jobs-schedule", False,
        ("lambda:InvokeFunction", IMPORTER), ("lambda:InvokeFunction", QUERIES), ("sqs:SendMessage", JOBS),
        ("states:StartExecution", MACHINE), ("dynamodb:PutItem", TABLE), ("s3:GetObject", PLAN),
        ("lambda:UpdateFunctionCode", FUNCTION),
    ),
    *_cases(
        "jobs-steps", True,
        ("lambda:InvokeFunction", FUNCTION), ("lambda:InvokeFunction", IMPORTER), ("logs:CreateLogDelivery", "*"),
        ("xray:PutTraceSegments", "*"),
    ),
    *_cases(
        "jobs-steps", False,
        ("lambda:InvokeFunction", QUERIES), ("lambda:InvokeFunction", TRANSFORM), ("dynamodb:PutItem", TABLE),
        ("sqs:SendMessage", JOBS), ("states:StartExecution", MACHINE), ("s3:GetObject", PLAN),
        ("lambda:UpdateFunctionCode", FUNCTION), ("s3:GetObject", ROW), ("dynamodb:GetItem", LEDGER),
        ("logs:FilterLogEvents", log_stream("/aws/lambda/penstock-jobs")),
    ),
    *_cases(
        "reader", True,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-reader")), ("xray:PutTraceSegments", "*"),
        ("dynamodb:Query", LEDGER), ("s3:GetObject", REPORT), ("s3:ListBucket", REPORTING, below("reports/")),
    ),
    *_cases(
        "reader", False,
        ("dynamodb:PutItem", LEDGER), ("dynamodb:BatchGetItem", LEDGER), ("dynamodb:Scan", LEDGER),
        ("dynamodb:Query", OTHER_LEDGER), ("dynamodb:Query", f"{LEDGER}/index/due"), ("dynamodb:Query", TABLE),
        ("dynamodb:GetItem", TABLE), ("s3:GetObject", PLAN), ("s3:GetObject", ROW), ("s3:PutObject", REPORT),
        ("s3:DeleteObject", REPORT), ("s3:ListBucket", REPORTING), ("s3:ListBucket", REPORTING, below("jobs/")),
        ("s3:ListBucket", LAKE, below("web_events/")), ("s3:ListBucket", OTHER_BUCKET, below("reports/")),
        ("sqs:SendMessage", JOBS), ("sqs:SendMessage", QUEUE), ("lambda:InvokeFunction", QUERIES),
        ("lambda:InvokeFunction", FUNCTION), ("athena:StartQueryExecution", PIPELINE),
        ("glue:BatchGetPartition", REPORT_TABLE), ("secretsmanager:GetSecretValue", SECRET), ("iam:PassRole", "*"),
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-api")), ("kinesis:PutRecords", STREAM),
    ),
    *_cases(
        "report-reader", True,
        ("execute-api:Invoke", READ.format("reports")), ("execute-api:Invoke", READ.format("reports/a/rows")),
        ("execute-api:Invoke", READ.format("freshness")),
    ),
    *_cases(
        "report-reader", False,
        ("execute-api:Invoke", ROUTE), ("execute-api:Invoke", READ.format("jobs")),
        ("execute-api:Invoke", READ.format("reports").replace("/iam/", "/api/")),
        ("execute-api:Invoke", READ.format("reports").replace("/GET/", "/POST/")),
        ("s3:GetObject", REPORT), ("dynamodb:Query", LEDGER), ("lambda:InvokeFunction", FUNCTION),
    ),
    *_cases(
        "job-keeper", True,
        ("execute-api:Invoke", ROUTE), ("execute-api:Invoke", f"{ROUTE}/a/cancel"), ("s3:PutObject", INBOX),
        ("s3:ListBucket", LAKE, below("inbox/")),
    ),
    *_cases(
        "job-keeper", False,
        ("execute-api:Invoke", ROUTE.replace("/iam/", "/api/")), ("execute-api:ManageConnections", ROUTE),
        ("sqs:SendMessage", JOBS), ("dynamodb:PutItem", TABLE), ("states:StartExecution", MACHINE),
        ("lambda:InvokeFunction", FUNCTION), ("s3:GetObject", ROW), ("sqs:ReceiveMessage", DEAD),
        ("s3:GetObject", INBOX), ("s3:DeleteObject", INBOX), ("s3:PutObject", ROW), ("s3:ListBucket", LAKE),
        ("s3:ListBucket", OTHER_BUCKET, below("inbox/")),
    ),
]  # fmt: skip
