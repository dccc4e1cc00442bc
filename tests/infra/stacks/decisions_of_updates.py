"""What the roles of live updates, and those who follow them, must be allowed and denied."""

from tests.infra.stacks.decision_places import (
    LEDGER,
    OTHER_FUNCTION,
    OTHER_LEDGER,
    OTHER_QUEUE,
    OTHER_TABLE,
    PLACE,
    QUERIES,
    QUEUE,
    REPORT,
    REPORT_TABLE,
    ROW,
    SECRET,
    STREAM,
    _cases,
    log_stream,
)

TABLE = f"arn:aws:dynamodb:{PLACE}:table/penstock-jobs"
CHANGES, OTHER_CHANGES = f"{TABLE}/stream/2026-11-24T00:00:00.000", f"{LEDGER}/stream/2026-11-24T00:00:00.000"
DEAD = f"arn:aws:sqs:{PLACE}:penstock-updates-dead"
API, READER, JOBS = (f"arn:aws:lambda:{PLACE}:function:penstock-{name}" for name in ("api", "reader", "jobs"))
OWN, OTHER = (f"arn:aws:appsync:{PLACE}:apis/{name}" for name in ("LiveUpdates.ApiId", "payroll"))
"""APIs: ours by its attribute in the template, which is its id once it is deployed."""
LOG = f"arn:aws:logs:{PLACE}:log-group:/aws/appsync/apis/a:log-stream:b"


def field(name: str, api: str = OWN) -> str:
    """`Query.job` as IAM names it."""
    kind, _, member = name.partition(".")
    return f"{api}/types/{kind}/fields/{member}"


CASES = [
    *_cases(
        "updates", True,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-updates")), ("xray:PutTraceSegments", "*"),
        ("dynamodb:GetRecords", CHANGES), ("dynamodb:ListStreams", "*"), ("dynamodb:Query", LEDGER),
        ("glue:BatchGetPartition", REPORT_TABLE), ("appsync:GraphQL", field("Mutation.publishJob")),
        ("appsync:GraphQL", field("Mutation.publishReport")), ("sqs:SendMessage", DEAD),
    ),
    *_cases(
        "updates", False,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-jobs")), ("dynamodb:GetRecords", OTHER_CHANGES),
        ("dynamodb:GetItem", TABLE), ("dynamodb:PutItem", TABLE), ("dynamodb:Query", TABLE),
        ("dynamodb:Query", OTHER_LEDGER), ("dynamodb:PutItem", LEDGER), ("dynamodb:Query", f"{LEDGER}/index/due"),
        ("glue:BatchGetPartition", OTHER_TABLE), ("glue:BatchUpdatePartition", REPORT_TABLE),
        ("appsync:GraphQL", field("Mutation.publishJob", OTHER)), ("appsync:GraphQL", field("Query.jobs")),
        ("appsync:GraphQL", field("Subscription.jobChanged")), ("appsync:GraphQL", OWN),
        ("appsync:UpdateGraphqlApi", OWN), ("appsync:EventPublish", OWN), ("sqs:SendMessage", OTHER_QUEUE),
        ("sqs:SendMessage", QUEUE), ("sqs:ReceiveMessage", DEAD), ("s3:GetObject", REPORT), ("s3:GetObject", ROW),
        ("lambda:InvokeFunction", API), ("lambda:InvokeFunction", QUERIES), ("kinesis:GetRecords", STREAM),
        ("secretsmanager:GetSecretValue", SECRET), ("iam:PassRole", "*"), ("states:StartExecution", "*"),
    ),
    *_cases("updates-jobs", True, ("lambda:InvokeFunction", API)),
    *_cases(
        "updates-jobs", False,
        ("lambda:InvokeFunction", READER), ("lambda:InvokeFunction", JOBS), ("lambda:InvokeFunction", OTHER_FUNCTION),
        ("dynamodb:GetItem", TABLE), ("lambda:UpdateFunctionCode", API),
    ),
    *_cases("updates-reports", True, ("lambda:InvokeFunction", READER)),
    *_cases(
        "updates-reports", False,
        ("lambda:InvokeFunction", API), ("lambda:InvokeFunction", JOBS), ("lambda:InvokeFunction", OTHER_FUNCTION),
        ("dynamodb:Query", LEDGER), ("lambda:UpdateFunctionCode", READER),
    ),
    *_cases("updates-log", True, ("logs:CreateLogGroup", LOG), ("logs:PutLogEvents", LOG)),
    *_cases(
        "updates-log", False,
        ("logs:PutLogEvents", log_stream("/aws/lambda/penstock-updates")), ("logs:DeleteLogGroup", LOG),
        ("logs:GetLogEvents", LOG), ("logs:PutRetentionPolicy", LOG), ("lambda:InvokeFunction", API),
        ("appsync:GraphQL", field("Query.jobs")),
    ),
    *_cases(
        "job-keeper", True,
        ("appsync:GraphQL", field("Query.job")), ("appsync:GraphQL", field("Query.jobs")),
        ("appsync:GraphQL", field("Subscription.jobChanged")),
    ),
    *_cases(
        "job-keeper", False,
        ("appsync:GraphQL", field("Mutation.publishJob")), ("appsync:GraphQL", field("Query.reports")),
        ("appsync:GraphQL", field("Subscription.reportPublished")), ("appsync:GraphQL", OWN),
        ("dynamodb:GetRecords", CHANGES), ("lambda:InvokeFunction", API), ("appsync:CreateApiKey", OWN),
        ("appsync:GetDataSource", f"{OWN}/datasources/Jobs"), ("appsync:StartSchemaCreation", OWN),
    ),
    *_cases(
        "report-reader", True,
        ("appsync:GraphQL", field("Query.reports")), ("appsync:GraphQL", field("Subscription.reportPublished")),
    ),
    *_cases(
        "report-reader", False,
        ("appsync:GraphQL", field("Mutation.publishReport")), ("appsync:GraphQL", field("Query.jobs")),
        ("appsync:GraphQL", field("Subscription.jobChanged")), ("appsync:GraphQL", OWN),
        ("lambda:InvokeFunction", READER), ("appsync:CreateApiKey", OWN),
    ),
]  # fmt: skip
