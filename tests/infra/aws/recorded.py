"""A healthy deployment as its services answer about it, for the doctor; faults are changes of one answer."""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from infra.aws.outputs import Outputs, StreamOutputs
from infra.stacks.alarms import alarm_rules
from queries.store.tables import every_table
from tests.shop import CATALOG, PRODUCTION, SHOP, TABLE, TABLES, WEB

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1"
MADE = datetime(2026, 11, 24, 10, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-central-1:111122223333:penstock-alarms"
OUTPUTS = Outputs(
    region="eu-central-1",
    account_id="111122223333",
    streams={
        WEB.name: StreamOutputs(
            WEB.name,
            delivery_stream="penstock-web",
            transform_function="penstock-transform",
            pseudonym_secret="penstock/pseudonym-keys",
            stream_name="penstock-web",
            transform_key=KEY,
        )
    },
    lake_bucket="lake",
    database="penstock",
    queue_url="https://sqs/penstock-objects",
    dead_letter_queue_url="https://sqs/penstock-objects-dead",
    reporting_bucket="reporting",
    results_bucket="results",
    ledger_table="penstock-ledger",
    query_function="penstock-queries",
    work_group="penstock-reports",
    analyst_work_group="penstock-analysts",
    alarm_topic_arn=TOPIC,
)

Answers = dict[str, dict[str, Any]]
"""`service.operation` -> what it answers to any call."""


def healthy() -> Answers:
    """All that the doctor asks, as it is after a deploy."""
    names = every_table(
        TABLES, CATALOG.values(), database="penstock", lake_bucket="lake", reporting_bucket="reporting"
    )
    rules = alarm_rules(PRODUCTION, [WEB], hooks=bool(SHOP.hooks), imports=bool(SHOP.sources))
    return {
        "kinesis.describe_stream_summary": {
            "StreamDescriptionSummary": {
                "StreamStatus": "ACTIVE",
                "RetentionPeriodHours": PRODUCTION.stream_retention_hours,
                "EncryptionType": "KMS",
                "StreamCreationTimestamp": MADE,
            }
        },
        "kinesis.list_tags_for_stream": {"Tags": [], "HasMoreTags": False},
        "firehose.describe_delivery_stream": {"DeliveryStreamDescription": _delivery()},
        "lambda.get_function_configuration": {
            "State": "Active", "LastUpdateStatus": "Successful", "KMSKeyArn": KEY,
        },
        "lambda.list_event_source_mappings": {
            "EventSourceMappings": [
                {
                    "State": "Enabled",
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    "ScalingConfig": {"MaximumConcurrency": PRODUCTION.query_concurrency},
                }
            ]
        },
        "kms.describe_key": {"KeyMetadata": {"KeyState": "Enabled"}},
        "kms.get_key_rotation_status": {"KeyRotationEnabled": True},
        "iam.get_role": {"Role": {"Arn": "arn:aws:iam::111122223333:role/any"}},
        "iam.simulate_principal_policy": {
            "EvaluationResults": [
                {"EvalActionName": "s3:DeleteObject", "EvalDecision": "implicitDeny"},
                {"EvalActionName": "s3:DeleteObjectVersion", "EvalDecision": "implicitDeny"},
            ]
        },
        "glue.get_table": {
            "Table": {
                "StorageDescriptor": {
                    "Columns": [{"Name": each.name, "Type": each.type} for each in TABLE.columns]
                }
            }
        },
        "glue.get_tables": {"TableList": [{"Name": name} for name in names]},
        "glue.get_database": {"Database": {"Name": "penstock"}},
        "glue.get_partitions": {"Partitions": []},
        "s3.get_bucket_notification_configuration": {
            "QueueConfigurations": [{"QueueArn": f"arn:aws:sqs:eu-central-1:111122223333:{PRODUCTION.queue}"}]
        },
        "s3.get_public_access_block": {
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True}
        },
        "s3.list_objects_v2": {"Contents": []},
        "sqs.get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
        "events.describe_rule": {"ScheduleExpression": "rate(1 minute)", "State": "ENABLED"},
        "athena.get_work_group": {
            "WorkGroup": {
                "Configuration": {"EnforceWorkGroupConfiguration": True, "BytesScannedCutoffPerQuery": 10**10}
            }
        },
        "dynamodb.describe_continuous_backups": {
            "ContinuousBackupsDescription": {
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
            }
        },
        "dynamodb.query": {"Items": []},
        "cloudwatch.describe_alarms": {
            "MetricAlarms": [
                {
                    "AlarmName": f"{PRODUCTION.prefix}-{rule.name}",
                    "AlarmActions": [TOPIC],
                    "ActionsEnabled": True,
                    "StateValue": "OK",
                }
                for rule in rules
            ]
        },
        "sns.list_subscriptions_by_topic": {"Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1"}]},
    }  # fmt: skip


def _delivery() -> dict[str, Any]:
    function = "arn:aws:lambda:eu-central-1:111122223333:function:penstock-transform"
    processor = {"Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": function}]}
    return {
        "DeliveryStreamStatus": "ACTIVE",
        "CreateTimestamp": MADE,
        "Destinations": [
            {
                "ExtendedS3DestinationDescription": {
                    "DynamicPartitioningConfiguration": {"Enabled": True},
                    "ProcessingConfiguration": {"Enabled": True, "Processors": [processor]},
                }
            }
        ],
    }


def refuse(answers: Answers, call: str, code: str) -> None:
    """Have a call answered by an error."""
    answers[call] = {"refused": code}


class Recorded:
    """Clients that answer as recorded: `Recorded(answers)("s3").list_objects_v2(...)`."""

    def __init__(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self._answers = answers

    def __call__(self, service: str) -> "_Service":
        return _Service(service, self._answers)


class _Service:
    def __init__(self, name: str, answers: Mapping[str, Mapping[str, Any]]) -> None:
        self._name, self._answers = name, answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**_: Any) -> Any:
            answer = self._answers[f"{self._name}.{operation}"]
            if "refused" in answer:
                raise ClientError({"Error": {"Code": answer["refused"], "Message": ""}}, _camel(operation))
            return deepcopy(answer)

        return call

    def get_paginator(self, operation: str) -> "_Pages":
        return _Pages(getattr(self, operation))


def _camel(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))


class _Pages:
    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def paginate(self, **arguments: Any) -> Iterator[Any]:
        yield self._call(**arguments)
