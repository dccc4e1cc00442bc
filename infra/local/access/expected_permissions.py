"""What each role of the deployment must be allowed, and what it must be denied (pure).

Written by hand from what the chain does, not from the templates: it is the other opinion about them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from infra.aws.outputs import Outputs


@dataclass(frozen=True)
class Question:
    """One action on one resource by one role, or by whoever has one of the policies for people.

    `context` has the condition keys of the call.
    """

    principal: str
    action: str
    resource: str
    allowed: bool
    context: Mapping[str, str] = field(default_factory=dict)


Asked = Sequence[tuple[str, str] | tuple[str, str, Mapping[str, str]]]


def questions(of: Outputs, prefix: str) -> list[Question]:
    """Every question. `prefix` begins the names of the deployment's resources."""
    found: list[Question] = []
    for principal, (may, must_not) in _rights(of, prefix).items():
        for allowed, asked in ((True, may), (False, must_not)):
            for action, resource, *context in asked:
                found.append(Question(f"{prefix}-{principal}", action, resource, allowed, *context))
    return found


def _below(prefix: str) -> dict[str, str]:
    return {"s3:prefix": prefix}


def _rights(of: Outputs, prefix: str) -> dict[str, tuple[Asked, Asked]]:
    """Role to (what it may, what it must not)."""
    place = f"{of.region}:{of.account_id}"
    lake, reporting, results = (
        f"arn:aws:s3:::{name}" for name in (of.lake_bucket, of.reporting_bucket, of.results_bucket)
    )
    row, failed = (
        f"{lake}/web_events/event_hour=2026-11-24-10/a.parquet",
        f"{lake}/failed/processing-failed/a",
    )
    report = f"{reporting}/reports/orders_by_hour/run=7/event_hour=2026-11-24-10/0"
    stream, other_stream = (f"arn:aws:kinesis:{place}:stream/{name}" for name in (of.stream_name, "another"))
    transform, queries = (
        f"arn:aws:lambda:{place}:function:{name}" for name in (of.transform_function, of.query_function)
    )
    queue, dead = (
        f"arn:aws:sqs:{place}:{url.rpartition('/')[2]}" for url in (of.queue_url, of.dead_letter_queue_url)
    )
    ledger = f"arn:aws:dynamodb:{place}:table/{of.ledger_table}"
    copied, direct = (
        f"arn:aws:quicksight:{place}:dataset/{prefix}-{name}" for name in ("funnel-by-day", "orders-by-hour")
    )
    copied_report = f"arn:aws:glue:{place}:table/{of.database}/funnel_by_day"
    pipeline, analysts = (
        f"arn:aws:athena:{place}:workgroup/{name}" for name in (of.work_group, of.analyst_work_group)
    )
    events, orders, other_table = (
        f"arn:aws:glue:{place}:table/{name}"
        for name in (f"{of.database}/web_events", f"{of.database}/orders_by_hour", "another/salaries")
    )
    own_log, other_log = (
        f"arn:aws:logs:{place}:log-group:/aws/lambda/{name}:log-stream:2026/11/24/x"
        for name in (of.transform_function, of.query_function)
    )
    dropped_log = f"arn:aws:logs:{place}:log-group:/aws/lambda/{of.transform_function}:*"
    secret = f"arn:aws:secretsmanager:{place}:secret:{of.pseudonym_secret}-AbCdEf"
    through_lambda = {
        "kms:ViaService": f"lambda.{of.region}.amazonaws.com",
        "kms:EncryptionContext:aws:lambda:FunctionArn": transform,
    }
    of_another = {**through_lambda, "kms:EncryptionContext:aws:lambda:FunctionArn": queries}
    reads_keys: Asked = [("kms:Decrypt", of.transform_key, through_lambda)]
    nobody_but_the_transform: Asked = [
        ("s3:DeleteObject", row), ("s3:DeleteObjectVersion", row), ("s3:DeleteBucket", lake),
        ("s3:PutBucketPolicy", lake), ("kinesis:DeleteStream", stream), ("dynamodb:DeleteTable", ledger),
        ("glue:DeleteTable", events), ("glue:GetTable", other_table), ("iam:PassRole", "*"),
        ("sts:AssumeRole", "*"), ("secretsmanager:GetSecretValue", secret), ("kms:Decrypt", "*"),
        ("lambda:UpdateFunctionCode", queries), ("kms:CreateGrant", of.transform_key, through_lambda),
        ("kms:PutKeyPolicy", of.transform_key), ("kms:ScheduleKeyDeletion", of.transform_key),
    ]  # fmt: skip
    nobody: Asked = [*nobody_but_the_transform, *reads_keys]
    results_of_analysts: Asked = [
        ("s3:PutObject", f"{results}/analysts/a.csv"), ("s3:GetObject", f"{results}/analysts/a.csv"),
        ("s3:ListBucket", results, _below("analysts/")), ("athena:StartQueryExecution", analysts),
        ("athena:GetQueryResults", analysts),
    ]  # fmt: skip
    others_results: Asked = [
        ("athena:StartQueryExecution", pipeline), ("s3:GetObject", f"{results}/pipeline/a.csv"),
        ("s3:ListBucket", results), ("s3:PutObject", row), ("s3:PutObject", report),
        ("kinesis:GetRecords", stream), ("lambda:InvokeFunction", queries),
    ]  # fmt: skip
    return {
        "web-source": (
            [("kinesis:GetRecords", stream), ("kinesis:GetShardIterator", stream),
             ("kinesis:ListShards", stream)],
            [*nobody, ("kinesis:GetRecords", other_stream), ("kinesis:PutRecords", stream),
             ("s3:PutObject", row),
             ("lambda:InvokeFunction", transform)],
        ),
        "web-delivery": (
            [("lambda:InvokeFunction", transform), ("glue:GetTableVersions", events), ("s3:PutObject", row),
             ("s3:PutObject", failed), ("s3:ListBucket", lake)],
            [*nobody, ("lambda:InvokeFunction", queries), ("glue:UpdateTable", events),
             ("s3:PutObject", f"{lake}/elsewhere/a"), ("s3:PutObject", report),
             ("kinesis:GetRecords", stream),
             ("sqs:SendMessage", queue)],
        ),
        "transform": (
            [("logs:PutLogEvents", own_log), *reads_keys],
            [*nobody_but_the_transform, ("kms:Decrypt", of.transform_key),
             ("kms:Decrypt", of.transform_key, of_another), ("kms:Encrypt", of.transform_key, through_lambda),
             ("logs:PutLogEvents", other_log), ("s3:GetObject", row), ("s3:PutObject", row),
             ("kinesis:GetRecords", stream), ("kinesis:PutRecord", stream)],
        ),
        "queries": (
            [("sqs:ReceiveMessage", queue), ("sqs:DeleteMessage", queue),
             ("athena:StartQueryExecution", pipeline),
             ("athena:GetQueryExecution", pipeline), ("athena:StopQueryExecution", pipeline),
             ("glue:GetTable", events), ("glue:BatchCreatePartition", orders),
             ("glue:BatchUpdatePartition", orders), ("glue:CreateTable", orders),
             ("glue:CreateTable", events),
             ("s3:GetObject", row), ("s3:ListBucket", lake, _below("web_events/event_hour=2026-11-24-10/")),
             ("s3:PutObject", report), ("s3:PutObjectTagging", report),
             ("s3:PutObject", f"{results}/pipeline/a.csv"),
             ("dynamodb:PutItem", ledger), ("dynamodb:BatchGetItem", ledger),
             ("dynamodb:Query", f"{ledger}/index/due"), ("logs:PutLogEvents", other_log)],
            [*nobody, ("athena:StartQueryExecution", analysts), ("s3:PutObject", row),
             ("s3:GetObject", failed),
             ("s3:DeleteObject", report), ("s3:ListBucket", lake),
             ("s3:PutObject", f"{reporting}/elsewhere/a"),
             ("s3:PutObject", f"{results}/analysts/a.csv"), ("glue:BatchUpdatePartition", events),
             ("glue:DeletePartition", orders), ("glue:UpdateTable", orders),
             ("glue:CreateTable", other_table), ("sqs:ReceiveMessage", dead), ("sqs:PurgeQueue", queue),
             ("dynamodb:Scan", ledger), ("kinesis:GetRecords", stream), ("lambda:InvokeFunction", transform),
             ("logs:PutLogEvents", own_log)],
        ),
        "refresh": (
            [("quicksight:CreateIngestion", f"{copied}/ingestion/a"), ("quicksight:ListIngestions", copied),
             ("glue:GetPartitions", copied_report)],
            [*nobody, ("quicksight:CreateIngestion", f"{direct}/ingestion/a"),
             ("quicksight:DeleteDataSet", copied), ("quicksight:UpdateDataSet", copied),
             ("glue:BatchUpdatePartition", copied_report), ("glue:GetPartitions", events),
             ("s3:GetObject", report), ("s3:GetObject", row), ("dynamodb:GetItem", ledger),
             ("lambda:InvokeFunction", queries), ("athena:StartQueryExecution", pipeline),
             ("logs:PutLogEvents", own_log)],
        ),
        "producer": (
            [("kinesis:PutRecords", stream), ("kinesis:ListShards", stream)],
            [*nobody, ("kinesis:PutRecords", other_stream), ("kinesis:GetRecords", stream),
             ("s3:GetObject", row),
             ("lambda:InvokeFunction", transform), ("sqs:SendMessage", queue)],
        ),
        "analyst": (
            [*results_of_analysts, ("s3:GetObject", row), ("s3:GetObject", report),
             ("s3:ListBucket", lake, _below("web_events/")), ("glue:GetPartitions", events)],
            [*nobody, *others_results, ("s3:GetObject", failed), ("s3:ListBucket", lake, _below("failed/")),
             ("glue:UpdateTable", events), ("dynamodb:GetItem", ledger), ("sqs:ReceiveMessage", queue)],
        ),
        "quicksight": (
            [*results_of_analysts, ("s3:GetObject", report), ("glue:GetPartition", orders),
             ("s3:ListBucket", reporting, _below("reports/"))],
            [*nobody, *others_results, ("s3:GetObject", row), ("s3:GetObject", failed),
             ("glue:GetTable", events)],
        ),
        "operator": (
            [("sqs:StartMessageMoveTask", dead), ("sqs:ReceiveMessage", dead), ("sqs:SendMessage", queue),
             ("dynamodb:PutItem", ledger), ("lambda:InvokeFunction", queries), ("s3:GetObject", report),
             ("s3:ListBucket", lake, _below("web_events/")), ("cloudwatch:GetMetricData", "*")],
            [*nobody, ("sqs:ReceiveMessage", queue), ("sqs:PurgeQueue", dead), ("s3:GetObject", row),
             ("s3:ListBucket", lake, _below("failed/")),
             ("s3:PutObject", report), ("lambda:InvokeFunction", transform),
             ("athena:StartQueryExecution", pipeline),
             ("dynamodb:DeleteItem", ledger), ("kinesis:PutRecord", stream)],
        ),
        "reconciler": (
            [*results_of_analysts, ("s3:GetObject", row), ("s3:GetObject", failed), ("glue:GetTable", events),
             ("s3:ListBucket", lake, _below("failed/")),
             ("logs:FilterLogEvents", dropped_log), ("cloudwatch:GetMetricData", "*")],
            [*nobody, *others_results, ("s3:GetObject", report), ("s3:PutObject", failed),
             ("dynamodb:PutItem", ledger), ("sqs:ReceiveMessage", dead)],
        ),
        "failed-reader": (
            [("s3:GetObject", failed), ("s3:ListBucket", lake, _below("failed/processing-failed/")),
             ("kinesis:PutRecords", stream)],
            [*nobody, ("s3:GetObject", row), ("s3:PutObject", failed), ("s3:GetObject", report),
             ("kinesis:GetRecords", stream), ("athena:StartQueryExecution", analysts)],
        ),
        "importer": (
            [("s3:GetObject", row), ("s3:PutObject", row), ("s3:PutObject", failed),
             ("sqs:SendMessage", queue), ("s3:ListBucket", lake, _below("web_events/")),
             ("s3:ListBucket", lake, _below("failed/"))],
            [*nobody, ("s3:GetObject", failed), ("s3:PutObject", report), ("s3:GetObject", report),
             ("s3:DeleteObject", row), ("sqs:ReceiveMessage", queue), ("kinesis:PutRecords", stream),
             ("athena:StartQueryExecution", analysts), ("dynamodb:PutItem", ledger)],
        ),
    }  # fmt: skip
