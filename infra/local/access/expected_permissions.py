"""What each role of the deployment must be allowed, and what it must be denied (pure).

Written by hand from what the chain does, not from the templates: it is the other opinion about them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.aws.outputs import Outputs
from infra.local.access import (
    expected_job_permissions,
    expected_reference_permissions,
    expected_stream_permissions,
)
from infra.local.access.permission_names import Asked, Names
from infra.project.project import Project


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


def questions(of: Outputs, prefix: str, project: Project) -> list[Question]:
    """Every question. `prefix` begins the names of the deployment's resources."""
    names = Names(of, prefix, project)
    expected: dict[str, tuple[Asked, Asked]] = {}
    for stream in project.streams.values():
        expected |= expected_stream_permissions.rights(names, stream)
    expected |= _shared(names)
    for principal, (may, must_not) in expected_reference_permissions.rights(names).items():
        before = expected[principal]
        expected[principal] = ([*before[0], *may], [*before[1], *must_not])
    found: list[Question] = []
    for principal, (may, must_not) in expected.items():
        for allowed, asked in ((True, may), (False, must_not)):
            for action, resource, *context in asked:
                found.append(Question(f"{prefix}-{principal}", action, resource, allowed, *context))
    return found


def _below(prefix: str) -> dict[str, str]:
    return {"s3:prefix": prefix}


def _shared(names: Names) -> dict[str, tuple[Asked, Asked]]:
    """Role that does not belong to one stream -> (what it may, what it must not)."""
    of, nobody, place = names.outputs, names.nobody, names.place
    lake, reporting, results = names.lake, names.reporting, names.results
    failed, report, queries, queue, dead = names.failed, names.report, names.queries, names.queue, names.dead
    ledger, pipeline, analysts = names.ledger, names.pipeline, names.analysts
    deployed, streams = list(of.streams.values()), list(names.project.streams.values())
    orders, other_table = names.table(names.report_name), f"arn:aws:glue:{place}:table/another/salaries"
    query_log = names.log(of.query_function)
    rows: Asked = [("s3:GetObject", names.row(each)) for each in streams]
    writes: Asked = [("s3:PutObject", names.row(each)) for each in streams]
    tables: Asked = [("glue:GetTable", names.table(each.table)) for each in streams]
    listed: Asked = [
        ("s3:ListBucket", lake, _below(f"{each.table}/event_hour=2026-11-24-10/")) for each in streams
    ]
    reads = [*expected_stream_permissions.reads(names, deployed)]
    puts = [*expected_stream_permissions.puts(names, deployed)]
    transforms: Asked = [("lambda:InvokeFunction", names.function(each)) for each in deployed]
    dropped: Asked = [
        ("logs:FilterLogEvents", f"arn:aws:logs:{place}:log-group:/aws/lambda/{each.transform_function}:*")
        for each in deployed
    ]
    sealed: Asked = [("glue:BatchGetPartition", names.table(f"{each.table}_hours")) for each in streams]
    results_of_analysts: Asked = [
        ("s3:PutObject", f"{results}/analysts/a.csv"), ("s3:GetObject", f"{results}/analysts/a.csv"),
        ("s3:ListBucket", results, _below("analysts/")), ("athena:StartQueryExecution", analysts),
        ("athena:GetQueryResults", analysts), ("s3:ListBucketMultipartUploads", results),
    ]  # fmt: skip
    others_results: Asked = [
        ("athena:StartQueryExecution", pipeline), ("s3:GetObject", f"{results}/pipeline/a.csv"),
        ("s3:ListBucket", results), *writes, ("s3:PutObject", report),
        *reads, ("lambda:InvokeFunction", queries),
    ]  # fmt: skip
    return {
        "queries": (
            [("sqs:ReceiveMessage", queue), ("sqs:DeleteMessage", queue),
             ("athena:StartQueryExecution", pipeline),
             ("athena:GetQueryExecution", pipeline), ("athena:StopQueryExecution", pipeline),
             *tables, ("glue:BatchCreatePartition", orders),
             ("glue:BatchUpdatePartition", orders), ("glue:CreateTable", orders),
             *(("glue:CreateTable", table) for _, table, *_ in tables),
             *rows, *listed,
             ("s3:PutObject", report), ("s3:PutObjectTagging", report),
             ("s3:PutObject", f"{results}/pipeline/a.csv"),
             ("dynamodb:PutItem", ledger), ("dynamodb:BatchGetItem", ledger),
             ("dynamodb:Query", f"{ledger}/index/due"), ("logs:PutLogEvents", query_log)],
            [*nobody, ("athena:StartQueryExecution", analysts), *writes,
             ("s3:GetObject", failed),
             ("s3:DeleteObject", report), ("s3:ListBucket", lake),
             ("s3:PutObject", f"{reporting}/elsewhere/a"),
             ("s3:PutObject", f"{results}/analysts/a.csv"),
             *(("glue:BatchUpdatePartition", table) for _, table, *_ in tables),
             ("glue:DeletePartition", orders), ("glue:UpdateTable", orders),
             ("glue:CreateTable", other_table), ("sqs:ReceiveMessage", dead), ("sqs:PurgeQueue", queue),
             ("dynamodb:Scan", ledger), *reads, *transforms,
             *(("logs:PutLogEvents", names.log(each.transform_function)) for each in deployed)],
        ),
        **({"refresh": _refresh(names)} if _copied(names) else {}),
        **(_collector(names) if of.collector_function else {}),
        **(_hooks(names) if of.hooks_function else {}),
        **(expected_job_permissions.rights(names) if of.jobs_function else {}),
        "analyst": (
            [*names.asks_names, *results_of_analysts, *rows, ("s3:GetObject", report), *listed,
             *(("glue:GetPartitions", table) for _, table, *_ in tables),
             ("dynamodb:BatchGetItem", ledger), ("athena:GetQueryExecution", pipeline)],
            [*nobody, *others_results, ("s3:GetObject", failed), ("s3:ListBucket", lake, _below("failed/")),
             *(("glue:UpdateTable", table) for _, table, *_ in tables), ("dynamodb:GetItem", ledger),
             ("dynamodb:Query", ledger), ("dynamodb:PutItem", ledger),
             ("athena:GetQueryResults", pipeline), ("sqs:ReceiveMessage", queue)],
        ),
        "quicksight": (
            [*results_of_analysts, ("s3:GetObject", report), ("glue:GetPartition", orders),
             ("s3:ListBucket", reporting, _below("reports/"))],
            [*nobody, *others_results, *rows, ("s3:GetObject", failed), *tables],
        ),
        "operator": (
            [*names.asks_names,
             ("sqs:StartMessageMoveTask", dead), ("sqs:ReceiveMessage", dead), ("sqs:SendMessage", queue),
             ("dynamodb:PutItem", ledger), ("lambda:InvokeFunction", queries), ("s3:GetObject", report),
             *listed, *sealed, ("cloudwatch:GetMetricData", "*"), ("glue:BatchUpdatePartition", orders)],
            [*nobody, ("sqs:ReceiveMessage", queue), ("sqs:PurgeQueue", dead), *rows,
             ("s3:ListBucket", lake, _below("failed/")),
             ("s3:PutObject", report), *transforms,
             ("athena:StartQueryExecution", pipeline),
             ("dynamodb:DeleteItem", ledger, {"dynamodb:LeadingKeys": names.report_name}), *puts],
        ),
        "inspector": (
            [*names.asks_names, ("dynamodb:Query", ledger), ("glue:GetTables", names.table("*")), *tables,
             *(("glue:GetPartitions", table) for _, table, *_ in tables), ("athena:GetWorkGroup", pipeline),
             ("lambda:GetFunctionConfiguration", queries), ("sqs:GetQueueAttributes", dead),
             ("s3:GetBucketNotification", lake), ("s3:ListBucket", reporting, _below("reports/")),
             ("s3:GetObject", report)],
            [*nobody, ("dynamodb:PutItem", ledger), ("dynamodb:GetItem", ledger),
             ("sqs:ReceiveMessage", dead), ("lambda:InvokeFunction", queries), *rows, *writes,
             ("s3:GetObject", failed),
             ("s3:PutBucketNotification", lake), ("glue:BatchUpdatePartition", orders), *reads, *puts,
             ("athena:StartQueryExecution", analysts), ("events:EnableRule", "*"), ("sns:Subscribe", "*")],
        ),
        "replayer": (
            [("secretsmanager:GetSecretValue", names.secret(each)) for each in deployed],
            [*(each for each in nobody if each[0] != "secretsmanager:GetSecretValue"),
             *(("secretsmanager:PutSecretValue", names.secret(each)) for each in deployed), *rows, *writes,
             ("s3:GetObject", failed), ("s3:GetObject", report), *reads, *puts],
        ),
        "reconciler": (
            [*names.asks_names, *results_of_analysts, *rows, ("s3:GetObject", failed), *tables,
             ("s3:ListBucket", lake, _below("failed/")), *dropped, ("cloudwatch:GetMetricData", "*")],
            [*nobody, *others_results, ("s3:GetObject", report), ("s3:PutObject", failed),
             ("dynamodb:PutItem", ledger), ("sqs:ReceiveMessage", dead)],
        ),
        "failed-reader": (
            [*names.asks_names,
             ("s3:GetObject", failed), ("s3:ListBucket", lake, _below("failed/processing-failed/")),
             *rows, *writes, *listed, ("s3:PutObject", f"{names.lake}/replays/a.json"),
             ("s3:GetObject", f"{names.lake}/replays/a.json"), ("s3:ListBucket", lake, _below("replays/"))],
            [*nobody, ("s3:PutObject", failed), ("s3:GetObject", report), *reads, *puts,
             ("athena:StartQueryExecution", analysts)],
        ),
        "importer": (
            [*names.asks_names, *rows, *writes, ("s3:PutObject", failed),
             ("sqs:SendMessage", queue), *listed,
             ("s3:ListBucket", lake, _below("failed/"))],
            [*nobody, ("s3:GetObject", failed), ("s3:PutObject", report), ("s3:GetObject", report),
             ("sqs:ReceiveMessage", queue), *puts,
             ("athena:StartQueryExecution", analysts), ("dynamodb:PutItem", ledger)],
        ),
    }  # fmt: skip


def _collector(names: Names) -> dict[str, tuple[Asked, Asked]]:
    """The function that takes events over HTTP, and whoever looks after its keys."""
    of, place = names.outputs, names.place
    spill, dead = (
        f"arn:aws:sqs:{place}:{url.rpartition('/')[2]}"
        for url in (of.collector_queue_url, of.collector_dead_letter_queue_url)
    )
    table = f"arn:aws:dynamodb:{place}:table/{of.write_keys_table}"
    key, use = ({"dynamodb:LeadingKeys": name} for name in ("key#0123", "use#shop#2026-11-24"))
    streams = [names.entrance(each) for each in of.streams.values() if not each.is_direct]
    direct = [names.entrance(each) for each in of.streams.values() if each.is_direct]
    rows = [names.row(each) for each in names.project.streams.values()]
    return {
        "collector": (
            [*(("kinesis:PutRecords", each) for each in streams), ("sqs:SendMessage", spill),
             ("sqs:ReceiveMessage", spill), ("sqs:DeleteMessage", spill), ("dynamodb:GetItem", table, key),
             ("dynamodb:UpdateItem", table, use), ("logs:PutLogEvents", names.log(of.collector_function))],
            [*names.nobody, *(("kinesis:GetRecords", each) for each in streams),
             *(("firehose:PutRecordBatch", each) for each in direct), ("sqs:SendMessage", names.queue),
             ("sqs:ReceiveMessage", dead), ("dynamodb:UpdateItem", table, key),
             ("dynamodb:PutItem", table, key), ("dynamodb:Scan", table), ("dynamodb:GetItem", names.ledger),
             *(("s3:GetObject", each) for each in rows), ("lambda:InvokeFunction", names.queries)],
        ),
        "keys": (
            [("dynamodb:Scan", table), ("dynamodb:PutItem", table, key),
             ("logs:PutLogEvents", names.log(of.keys_function))],
            [*names.nobody, ("dynamodb:PutItem", table, use), ("dynamodb:DeleteItem", table, key),
             ("dynamodb:UpdateItem", table, key), ("dynamodb:PutItem", names.ledger),
             *(("kinesis:PutRecords", each) for each in streams), ("sqs:ReceiveMessage", spill)],
        ),
        "key-keeper": (
            [("dynamodb:Scan", table), ("dynamodb:PutItem", table, key),
             ("execute-api:Invoke", f"arn:aws:execute-api:{place}:abc/$default/POST/v1/keys/0123/rotate"),
             ("execute-api:Invoke", f"arn:aws:execute-api:{place}:abc/$default/GET/v1/keys")],
            [*names.nobody, ("execute-api:Invoke", f"arn:aws:execute-api:{place}:abc/$default/GET/v1/other"),
             ("dynamodb:PutItem", table, use), ("dynamodb:PutItem", names.ledger),
             ("dynamodb:Scan", names.ledger), *(("kinesis:PutRecords", each) for each in streams),
             *(("s3:GetObject", each) for each in rows), ("sqs:ReceiveMessage", spill)],
        ),
    }  # fmt: skip


def _hooks(names: Names) -> dict[str, tuple[Asked, Asked]]:
    """The gateway that takes deliveries of webhooks, and the worker behind it."""
    of, place = names.outputs, names.place
    queue, refused = (
        f"arn:aws:sqs:{place}:{url.rpartition('/')[2]}"
        for url in (of.hooks_queue_url, of.hooks_dead_letter_queue_url)
    )
    table = f"arn:aws:dynamodb:{place}:table/{of.deliveries_table}"
    hooks = names.project.hooks
    secrets: Asked = [
        (
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:{place}:secret:{of.hook_secret_prefix}{each}-AbCdEf",
        )
        for each in hooks
    ]
    streams = [names.entrance(of.streams[each]) for each in sorted({one.stream for one in hooks.values()})]
    return {
        "hooks-gateway": (
            [("sqs:SendMessage", queue)],
            [*names.nobody, ("sqs:SendMessage", refused), ("sqs:SendMessage", names.queue),
             ("sqs:ReceiveMessage", queue), *secrets, *(("kinesis:PutRecords", each) for each in streams)],
        ),
        "hooks": (
            [("sqs:ReceiveMessage", queue), ("sqs:DeleteMessage", queue), ("sqs:SendMessage", refused),
             *secrets, ("dynamodb:PutItem", table), ("dynamodb:BatchWriteItem", table),
             *(("kinesis:PutRecords", each) for each in streams),
             ("logs:PutLogEvents", names.log(of.hooks_function))],
            [*names.nobody, ("sqs:SendMessage", queue), ("sqs:ReceiveMessage", refused),
             ("sqs:ReceiveMessage", names.queue), ("dynamodb:DeleteItem", table), ("dynamodb:Scan", table),
             ("dynamodb:PutItem", names.ledger), *(("kinesis:GetRecords", each) for each in streams),
             ("lambda:InvokeFunction", names.queries)],
        ),
    }  # fmt: skip


def _copied(names: Names) -> list[str]:
    """Reports of which QuickSight has a copy; without one there is no function that keeps copies fresh."""
    return sorted(
        {
            name
            for dashboard in names.project.dashboards.values()
            for name, source in dashboard.sources.items()
            if source.import_mode == "spice"
        }
    )


def _refresh(names: Names) -> tuple[Asked, Asked]:
    """The function that keeps QuickSight's copies fresh: of the reports that have one, and no others."""
    of, place = names.outputs, names.place
    copied = _copied(names)
    others = [name for name in names.project.reports if name not in copied] or ["another"]

    def data_set(report: str) -> str:
        return f"arn:aws:quicksight:{place}:dataset/{names.prefix}-{report.replace('_', '-')}"

    may: list[tuple[str, str]] = [("logs:PutLogEvents", names.log(f"{names.prefix}-refresh"))]
    for name in copied:
        may += [
            ("quicksight:CreateIngestion", f"{data_set(name)}/ingestion/a"),
            ("quicksight:ListIngestions", "*"), ("glue:GetPartitions", names.table(name)),
        ]  # fmt: skip
    changed = data_set(copied[0] if copied else "another")
    return may, [
        *names.nobody, ("quicksight:CreateIngestion", f"{data_set(others[0])}/ingestion/a"),
        ("quicksight:DeleteDataSet", changed), ("quicksight:UpdateDataSet", changed),
        ("glue:BatchUpdatePartition", names.table(names.report_name)),
        *(("glue:GetPartitions", names.table(each.table)) for each in names.project.streams.values()),
        ("s3:GetObject", names.report),
        *(("s3:GetObject", names.row(each)) for each in names.project.streams.values()),
        ("dynamodb:GetItem", names.ledger),
        ("lambda:InvokeFunction", names.queries), ("athena:StartQueryExecution", names.pipeline),
        ("logs:PutLogEvents", names.log(of.query_function)),
    ]  # fmt: skip
