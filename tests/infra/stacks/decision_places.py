"""The resources that permissions are asked about, and how a case is written down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PLACE = "eu-central-1:111122223333"


LAKE = "arn:aws:s3:::penstock-lake-111122223333-eu-central-1"


REPORTING = "arn:aws:s3:::penstock-reporting-111122223333-eu-central-1"


RESULTS = "arn:aws:s3:::penstock-results-111122223333-eu-central-1"


LOGS = "arn:aws:s3:::penstock-access-logs-111122223333-eu-central-1"


ROW = f"{LAKE}/web_events/event_hour=2026-11-24-10/a.parquet"


FAILED = f"{LAKE}/failed/processing-failed/dt=2026-11-24/a"


REPLAY = f"{LAKE}/replays/a.json"


REPORT = f"{REPORTING}/reports/orders_by_hour/v1/run=7/event_hour=2026-11-24-10/0"


SEALED = f"{REPORTING}/sealed/web_events_hours/v1/run=7/event_hour=2026-11-24-10/0"


STREAM = f"arn:aws:kinesis:{PLACE}:stream/penstock-web"


OTHER_STREAM = f"arn:aws:kinesis:{PLACE}:stream/somebody-elses"


TRANSFORM = f"arn:aws:lambda:{PLACE}:function:penstock-transform"


QUERIES = f"arn:aws:lambda:{PLACE}:function:penstock-queries"


OTHER_FUNCTION = f"arn:aws:lambda:{PLACE}:function:somebody-elses"


OTHER_QUEUE = f"arn:aws:sqs:{PLACE}:somebody-elses"


QUEUE = f"arn:aws:sqs:{PLACE}:penstock-objects"


DEAD = f"arn:aws:sqs:{PLACE}:penstock-objects-dead"


LEDGER = f"arn:aws:dynamodb:{PLACE}:table/penstock-ledger"


SPILL = f"arn:aws:sqs:{PLACE}:penstock-collector-spill"


SPILL_DEAD = f"arn:aws:sqs:{PLACE}:penstock-collector-spill-dead"


API = f"arn:aws:execute-api:{PLACE}:abcdef1234/$default"


DELIVERIES = f"arn:aws:sqs:{PLACE}:penstock-hooks"


REFUSED = f"arn:aws:sqs:{PLACE}:penstock-hooks-dead"


DELIVERIES_TABLE = f"arn:aws:dynamodb:{PLACE}:table/penstock-deliveries"


HOOK_SECRET = f"arn:aws:secretsmanager:{PLACE}:secret:penstock/hooks/stripe-AbCdEf"


OTHER_HOOK_SECRET = f"arn:aws:secretsmanager:{PLACE}:secret:penstock/hooks/another-AbCdEf"


WRITE_KEYS = f"arn:aws:dynamodb:{PLACE}:table/penstock-write-keys"


KEY_ITEM = {"dynamodb:leadingkeys": "key#0123"}


USE_ITEM = {"dynamodb:leadingkeys": "use#shop#2026-11-24"}


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


OTHER_COPY = f"arn:aws:quicksight:{PLACE}:dataset/somebody-elses/ingestion/a"


DIRECT = f"arn:aws:quicksight:{PLACE}:dataset/penstock-orders-by-hour"


COPIED_TABLE = f"arn:aws:glue:{PLACE}:table/penstock/funnel_by_day"


SECRET = f"arn:aws:secretsmanager:{PLACE}:secret:penstock/pseudonym-keys-AbCdEf"


KEY = f"arn:aws:kms:{PLACE}:key/EnvironmentKey"


OTHER_KEY = f"arn:aws:kms:{PLACE}:key/somebody-elses"


STACK = f"arn:aws:cloudformation:{PLACE}:stack/penstock-lake/0123"


OTHER_STACK = f"arn:aws:cloudformation:{PLACE}:stack/somebody-elses/0123"


CATALOG = f"arn:aws:athena:{PLACE}:datacatalog/AwsDataCatalog"


OTHER_CATALOG = f"arn:aws:athena:{PLACE}:datacatalog/somebody-elses"


DATABASE = f"arn:aws:glue:{PLACE}:database/penstock"


TABLES = f"arn:aws:glue:{PLACE}:table/penstock/*"


OTHER_TABLES = f"arn:aws:glue:{PLACE}:table/hr/*"


LOG_GROUP = f"arn:aws:logs:{PLACE}:log-group:/aws/lambda/penstock-queries:*"


OTHER_LOG_GROUP = f"arn:aws:logs:{PLACE}:log-group:/aws/lambda/somebody-elses:*"


TICK = f"arn:aws:events:{PLACE}:rule/penstock-tick"


OTHER_RULE = f"arn:aws:events:{PLACE}:rule/somebody-elses"


TOPIC = f"arn:aws:sns:{PLACE}:penstock-alarms"


OTHER_TOPIC = f"arn:aws:sns:{PLACE}:somebody-elses"


DELIVERY = f"arn:aws:firehose:{PLACE}:deliverystream/penstock-web"


OTHER_DELIVERY = f"arn:aws:firehose:{PLACE}:deliverystream/somebody-elses"


ROLE = "arn:aws:iam::111122223333:role/penstock-queries-eu-central-1"


OTHER_ROLE = "arn:aws:iam::111122223333:role/somebody-elses"


FRESHNESS = f"{REPORTING}/reports/report_freshness/v1/orders_by_hour-2026-11-24.json"


OUR_KEY = {"kms:resourcealiases": "alias/penstock-transform"}


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
