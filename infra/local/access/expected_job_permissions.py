"""What the roles of jobs must be allowed, and what they must be denied (pure)."""

from infra.local.access.permission_names import Asked, Names


def rights(names: Names) -> dict[str, tuple[Asked, Asked]]:
    """Role -> (what it may, what it must not)."""
    of, place = names.outputs, names.place
    queue, dead = (
        f"arn:aws:sqs:{place}:{url.rpartition('/')[2]}"
        for url in (of.jobs_queue_url, of.jobs_dead_letter_queue_url)
    )
    table = f"arn:aws:dynamodb:{place}:table/{of.jobs_table}"
    function = f"arn:aws:lambda:{place}:function:{of.jobs_function}"
    machine = of.jobs_machine_arn
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:a-1"
    route, reads = (f"arn:aws:execute-api:{place}:abc/$default/{method}" for method in ("POST", "GET"))
    plan = f"{names.reporting}/jobs/a.json"
    inbox, scratch = f"{names.lake}/inbox/a.csv", f"{names.lake}/imports/a/file-0000/read.json"
    api = f"arn:aws:appsync:{place}:apis/{of.updates_api_id}/types"
    other_api = f"arn:aws:appsync:{place}:apis/another/types"
    importer = f"arn:aws:lambda:{place}:function:{of.importer_function}"
    secrets: Asked = [
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{place}:secret:{name}-a1B2c3")
        for name, _ in of.pseudonym_secrets.values()
    ]
    rows: Asked = [("s3:GetObject", names.row(each)) for each in names.project.streams.values()]
    written: Asked = [("s3:PutObject", names.row(each)) for each in names.project.streams.values()]
    return {
        "jobs": (
            [("sqs:ReceiveMessage", queue), ("sqs:DeleteMessage", queue), ("sqs:SendMessage", queue),
             ("states:StartExecution", machine), ("states:DescribeExecution", execution),
             ("dynamodb:GetItem", table), ("dynamodb:PutItem", table), ("s3:PutObject", plan),
             ("s3:GetObject", plan), ("dynamodb:BatchGetItem", names.ledger),
             ("dynamodb:PutItem", names.ledger), ("glue:BatchGetPartition", names.table(names.report_name)),
             ("lambda:InvokeFunction", names.queries), ("logs:PutLogEvents", names.log(of.jobs_function))],
            [*names.nobody, *rows, ("sqs:ReceiveMessage", dead), ("sqs:SendMessage", names.queue),
             ("dynamodb:DeleteItem", table), ("dynamodb:Scan", table), ("dynamodb:DeleteItem", names.ledger),
             ("s3:PutObject", names.report), ("s3:GetObject", names.report),
             ("glue:BatchUpdatePartition", names.table(names.report_name)),
             ("athena:StartQueryExecution", names.pipeline), ("states:StopExecution", execution)],
        ),
        "api": (
            [("sqs:SendMessage", queue), ("dynamodb:GetItem", table), ("dynamodb:PutItem", table),
             ("dynamodb:Query", f"{table}/index/newest"), ("dynamodb:BatchGetItem", names.ledger),
             ("states:GetExecutionHistory", execution), ("logs:PutLogEvents", names.log(of.api_function))],
            [*names.nobody, *rows, ("sqs:ReceiveMessage", queue), ("states:StartExecution", machine),
             ("dynamodb:PutItem", names.ledger), ("dynamodb:Scan", table), ("s3:GetObject", plan),
             ("lambda:InvokeFunction", names.queries), ("lambda:InvokeFunction", function)],
        ),
        "reader": (
            [("dynamodb:Query", names.ledger), ("s3:GetObject", names.report),
             ("s3:ListBucket", names.reporting, {"s3:prefix": "reports/"}),
             ("logs:PutLogEvents", names.log(of.reader_function))],
            [*names.nobody, *rows, ("dynamodb:Query", f"{table}/index/newest"), ("s3:GetObject", plan),
             ("dynamodb:PutItem", names.ledger), ("dynamodb:BatchGetItem", names.ledger),
             ("s3:PutObject", names.report), ("sqs:SendMessage", queue), ("lambda:InvokeFunction", function),
             ("athena:StartQueryExecution", names.pipeline)],
        ),
        **(_of_site(names) if of.site_function else {}),
        "updates": (
            [("dynamodb:GetRecords", f"{table}/stream/2026-11-24"), ("dynamodb:Query", names.ledger),
             ("glue:BatchGetPartition", names.table(names.report_name)),
             ("appsync:GraphQL", f"{api}/Mutation/fields/publishJob"),
             ("appsync:GraphQL", f"{api}/Mutation/fields/publishReport"),
             ("logs:PutLogEvents", names.log(of.updates_function))],
            [*names.nobody, *rows, ("appsync:GraphQL", f"{api}/Query/fields/jobs"),
             ("appsync:GraphQL", f"{other_api}/Mutation/fields/publishJob"),
             ("dynamodb:GetItem", table), ("dynamodb:PutItem", table), ("dynamodb:PutItem", names.ledger),
             ("s3:GetObject", names.report), ("lambda:InvokeFunction", function), ("sqs:SendMessage", queue)],
        ),
        "updates-jobs": (
            [("lambda:InvokeFunction", f"arn:aws:lambda:{place}:function:{of.api_function}")],
            [*names.nobody, ("lambda:InvokeFunction", function), ("dynamodb:GetItem", table)],
        ),
        "updates-reports": (
            [("lambda:InvokeFunction", f"arn:aws:lambda:{place}:function:{of.reader_function}")],
            [*names.nobody, ("lambda:InvokeFunction", function), ("dynamodb:Query", names.ledger)],
        ),
        "updates-log": (
            [("logs:PutLogEvents", f"arn:aws:logs:{place}:log-group:/aws/appsync/apis/a:log-stream:b")],
            [*names.nobody, ("logs:PutLogEvents", names.log(of.jobs_function))],
        ),
        **({"jobs-importer": (
            [*rows, ("s3:GetObject", inbox), ("s3:GetObject", scratch), ("s3:PutObject", scratch),
             *written, ("s3:PutObject", names.failed),
             ("s3:GetObject", plan), ("s3:PutObject", plan), ("sqs:SendMessage", names.queue), *secrets,
             ("logs:PutLogEvents", names.log(of.importer_function))],
            [("s3:PutObject", inbox), ("s3:DeleteObject", inbox), ("s3:GetObject", names.failed),
             ("s3:GetObject", names.report), ("s3:PutObject", names.report), ("dynamodb:GetItem", table),
             ("sqs:ReceiveMessage", names.queue), ("sqs:SendMessage", queue),
             ("lambda:InvokeFunction", function), ("states:StartExecution", machine)],
        )} if of.importer_function else {}),
        **({"jobs-schedule": (
            [("lambda:InvokeFunction", function)],
            [*names.nobody, ("lambda:InvokeFunction", names.queries), ("sqs:SendMessage", queue)],
        )} if names.project.schedules else {}),
        "jobs-steps": (
            [("lambda:InvokeFunction", function),
             *([("lambda:InvokeFunction", importer)] if of.importer_function else [])],
            [*names.nobody, ("lambda:InvokeFunction", names.queries), ("dynamodb:PutItem", table),
             ("sqs:SendMessage", queue), ("states:StartExecution", machine)],
        ),
        "job-keeper": (
            [("execute-api:Invoke", f"{route}/iam/v1/jobs"),
             ("execute-api:Invoke", f"{route}/iam/v1/jobs/a/cancel"),
             ("appsync:GraphQL", f"{api}/Subscription/fields/jobChanged"),
             ("appsync:GraphQL", f"{api}/Query/fields/job"),
             *([("s3:PutObject", inbox)] if of.importer_function else [])],
            [*names.nobody, *rows, ("execute-api:Invoke", f"{route}/api/v1/jobs"), ("sqs:SendMessage", queue),
             ("dynamodb:PutItem", table), ("states:StartExecution", machine),
             ("lambda:InvokeFunction", function), ("appsync:GraphQL", f"{api}/Mutation/fields/publishJob"),
             ("appsync:GraphQL", f"{api}/Subscription/fields/reportPublished")],
        ),
        "report-reader": (
            [("execute-api:Invoke", f"{reads}/iam/v1/reports/a/rows"),
             ("appsync:GraphQL", f"{api}/Subscription/fields/reportPublished"),
             ("execute-api:Invoke", f"{reads}/iam/v1/freshness")],
            [*names.nobody, *rows, ("execute-api:Invoke", f"{reads}/api/v1/reports"),
             ("execute-api:Invoke", f"{reads}/iam/v1/jobs"), ("execute-api:Invoke", f"{route}/iam/v1/jobs"),
             ("s3:GetObject", names.report), ("lambda:InvokeFunction", function),
             ("appsync:GraphQL", f"{api}/Subscription/fields/jobChanged"),
             ("appsync:GraphQL", f"{api}/Mutation/fields/publishReport")],
        ),
    }  # fmt: skip


def _of_site(names: Names) -> dict[str, tuple[Asked, Asked]]:
    """The same of the functions of the report site."""
    of = names.outputs
    data = f"arn:aws:s3:::{of.site_data_bucket}"
    sheet, rows, pointer = (
        f"{data}/data/a/b/1.json.gz",
        f"{data}/rows/a/b/1.parquet",
        f"{data}/data/latest.json",
    )
    page = f"arn:aws:s3:::{of.site_bucket}/index.html"
    bus = f"arn:aws:events:{names.place}:event-bus/default"
    lake: Asked = [("s3:GetObject", names.row(each)) for each in names.project.streams.values()]
    denied: Asked = [
        *names.nobody, *lake, ("s3:PutObject", page), ("s3:PutObject", names.report),
        ("athena:StartQueryExecution", names.pipeline), ("s3:DeleteObject", sheet),
        ("logs:PutLogEvents", names.log(of.jobs_function)),
        ("s3:ListBucket", names.reporting, {"s3:prefix": "other/"}),
        ("s3:ListBucket", data, {"s3:prefix": "other/"}), ("s3:ListBucket", page.rpartition("/")[0]),
        ("dynamodb:GetItem", f"arn:aws:dynamodb:{names.place}:table/{of.jobs_table}"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{names.place}:function:{of.api_function}"),
    ]  # fmt: skip
    return {
        "site-extract": (
            [("glue:GetPartitions", names.table(names.report_name)), ("s3:GetObject", names.report),
             ("s3:PutObject", sheet), ("s3:PutObject", rows), ("s3:PutObject", pointer),
             ("s3:GetObject", pointer), ("events:PutEvents", bus),
             ("s3:ListBucket", data, {"s3:prefix": "data/latest.json"}),
             ("logs:PutLogEvents", names.log(of.extract_function))],
            [*denied, ("s3:GetObject", sheet), ("s3:GetObject", names.failed),
             ("dynamodb:PutItem", names.ledger)],
        ),
        "site": (
            [("s3:GetObject", sheet), ("s3:GetObject", rows), ("s3:GetObject", pointer),
             ("s3:GetObject", names.failed), ("s3:GetObject", f"{names.lake}/replays/a"),
             ("s3:ListBucket", names.lake, {"s3:prefix": "failed/"}),
             ("logs:PutLogEvents", names.log(of.site_function))],
            [*denied, ("s3:PutObject", names.failed), ("s3:ListBucket", names.lake, {"s3:prefix": "events/"}),
             ("s3:PutObject", sheet), ("s3:PutObject", pointer), ("s3:GetObject", names.report),
             ("events:PutEvents", bus), ("dynamodb:Query", names.ledger)],
        ),
    }  # fmt: skip
