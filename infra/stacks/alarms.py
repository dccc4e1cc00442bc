"""The alarms: what is watched, when it fires, and why somebody should care. No CDK here: the runbook's test
reads it.

Every alarm watches one metric as AWS or our functions write it, so that the same template also deploys where
metric arithmetic is unknown.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dashboards import telemetry as datasets
from infra.deployment import Deployment
from infra.stacks.alarm_rule import DAY, HOUR, AlarmRule
from infra.stacks.job_alarms import job_alarms
from producers.contracts import Stream
from queries.contracts import telemetry as reports
from transforms.contracts import telemetry as records

FAILED_FILTER = "failed"
"""Id of the lake bucket's request metrics for the error prefix."""


def alarm_rules(
    deployment: Deployment, streams: Iterable[Stream], *, hooks: bool = False, imports: bool = False
) -> Sequence[AlarmRule]:
    """Every alarm of a deployment, in the order of the data's way.

    `hooks`: some source takes webhooks; `imports`: there is a source that jobs can import files by.
    """
    given = list(streams)
    plain = next((stream for stream in given if stream.plain_names), None)
    others = [rule for each in given if each is not plain for rule in stream_rules(deployment, each)]
    return [*deployment_rules(deployment, plain, hooks=hooks, imports=imports), *others]


def deployment_rules(
    deployment: Deployment, plain: Stream | None, *, hooks: bool = False, imports: bool = False
) -> Sequence[AlarmRule]:
    """The alarms that belong to no one stream, with those of the stream that has plain names."""
    return [
        *(stream_rules(deployment, plain) if plain is not None else [_failed_objects(deployment)]),
        *(_collector_alarms(deployment) if deployment.collector else []),
        *(_hook_alarms(deployment) if deployment.collector and hooks else []),
        *(job_alarms(deployment, imports=imports) if deployment.jobs else []),
        *_queue_alarms(deployment),
        *_report_alarms(deployment),
        *_cost_alarms(deployment),
    ]


def stream_rules(deployment: Deployment, stream: Stream) -> Sequence[AlarmRule]:
    """The alarms of one stream: records, delivery, transformation."""
    rules = [
        *(_put_alarms(deployment, stream) if stream.is_direct else _stream_alarms(deployment, stream)),
        *_delivery_alarms(deployment, stream),
        *_transform_alarms(deployment, stream),
    ]
    return rules if stream.plain_names else [replace(rule, stream=stream.name) for rule in rules]


def metrics_service(deployment: Deployment, stream: Stream) -> str:
    """Which service the stream's transformation counts its metrics under."""
    return records.SERVICE if stream.plain_names else deployment.transform_function(stream)


def own_namespace(deployment: Deployment, stream: Stream) -> str:
    """Namespace of the metrics that filters make of the stream's logs."""
    return deployment.prefix if stream.plain_names else deployment.stream(stream.name)


def _put_alarms(deployment: Deployment, stream: Stream) -> list[AlarmRule]:
    of_delivery = {"DeliveryStreamName": deployment.stream(stream.name)}
    return [
        AlarmRule(
            "puts-throttled",
            "The delivery stream refuses records: producers send them again, and spool them when it goes on.",
            "ticket", "AWS/Firehose", "ThrottledRecords", of_delivery, "Sum", 0,
        ),
    ]  # fmt: skip


def _stream_alarms(deployment: Deployment, stream: Stream) -> list[AlarmRule]:
    of_stream = {"StreamName": deployment.stream(stream.name)}
    retention_ms = deployment.stream_retention_hours * HOUR * 1000
    return [
        AlarmRule(
            "stream-retention",
            "A quarter of the retention has gone by unread: what is not read before its end is lost.",
            "page", "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", of_stream, "Maximum",
            retention_ms / 4,
        ),
        AlarmRule(
            "stream-behind",
            "The delivery reads the stream later than promised.",
            "ticket", "AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", of_stream, "Maximum",
            deployment.iterator_age_minutes * 60_000,
        ),
        AlarmRule(
            "stream-throttled",
            "The stream refuses records: producers send them again, and spool them when it goes on.",
            "ticket", "AWS/Kinesis", "WriteProvisionedThroughputExceeded", of_stream, "Sum", 0,
        ),
    ]  # fmt: skip


def _delivery_alarms(deployment: Deployment, stream: Stream) -> list[AlarmRule]:
    of_delivery = {"DeliveryStreamName": deployment.stream(stream.name)}
    return [
        AlarmRule(
            "delivery-stale",
            "The oldest record that is not in the lake yet has been waiting for more than 15 minutes.",
            "page", "AWS/Firehose", "DeliveryToS3.DataFreshness", of_delivery, "Maximum", 900,
        ),
        AlarmRule(
            "delivery-failing",
            "Writing to the lake bucket fails; Firehose tries again for two hours.",
            "page", "AWS/Firehose", "DeliveryToS3.Success", of_delivery, "Average", 1, below=True,
        ),
        _failed_objects(deployment) if stream.plain_names else _failed_records(deployment, stream),
        AlarmRule(
            "conversion-failures",
            "Accepted rows do not fit the lake table: contract and catalog have come apart.",
            "page", "AWS/Firehose", "FailedConversion.Records", of_delivery, "Sum", 0, 300, 1,
        ),
        AlarmRule(
            "partitions-many",
            "So many hours are being written at once that Firehose's limit of 500 comes near.",
            "ticket", "AWS/Firehose", "PartitionCount", of_delivery, "Maximum", 300,
        ),
        AlarmRule(
            "partitions-exceeded",
            "More than 500 hours at once: records go to the error prefix until there are fewer.",
            "page", "AWS/Firehose", "PartitionCountExceeded", of_delivery, "Maximum", 0, 60, 1,
        ),
    ]  # fmt: skip


def _failed_objects(deployment: Deployment) -> AlarmRule:
    """Of every stream: they share the error prefix."""
    return AlarmRule(
        "failed-records",
        "There are new objects under the error prefix: records that did not become rows.",
        "ticket", "AWS/S3", "PutRequests",
        {"BucketName": deployment.lake_bucket, "FilterId": FAILED_FILTER}, "Sum", 0, 300, 1,
    )  # fmt: skip


def _failed_records(deployment: Deployment, stream: Stream) -> AlarmRule:
    """Of one stream, as its transformation counts them."""
    of_service = {"service": metrics_service(deployment, stream)}
    return AlarmRule(
        "failed-records",
        "The transformation refuses records, which go to the error prefix.",
        "ticket", records.NAMESPACE, records.FAILED_RECORDS, of_service, "Sum", 0, 300, 1,
    )  # fmt: skip


def _transform_alarms(deployment: Deployment, stream: Stream) -> list[AlarmRule]:
    of_function = {"FunctionName": deployment.transform_function(stream)}
    return [
        AlarmRule(
            "transform-errors",
            "The transform raises or times out; after four attempts its batch goes to the error prefix.",
            "page", "AWS/Lambda", "Errors", of_function, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "transform-throttled",
            "The account has no concurrency left; each refusal is one of the batch's four attempts.",
            "page", "AWS/Lambda", "Throttles", of_function, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "records-mostly-failing",
            "Most records fail, and have for ten minutes: a producer or a contract is wrong.",
            "page", own_namespace(deployment, stream), records.PERCENT_FAILING, {}, "Average", 50, 300, 2,
        ),
        AlarmRule(
            "transform-slow",
            "The transform takes more than half of its time-out.",
            "ticket", "AWS/Lambda", "Duration", of_function, "Maximum",
            deployment.transform_timeout_seconds * 500,
        ),
    ]  # fmt: skip


def _collector_alarms(deployment: Deployment) -> list[AlarmRule]:
    of_function = {"FunctionName": deployment.collector_function}
    return [
        AlarmRule(
            "collector-errors",
            "The collector raises or times out: clients get 500 and send their events again.",
            "page", "AWS/Lambda", "Errors", of_function, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "collector-throttled",
            "The account has no concurrency left for the collector: clients get 503.",
            "page", "AWS/Lambda", "Throttles", of_function, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "collector-spilling",
            "Records that the stream did not take wait in the collector's queue for more than ten minutes.",
            "page", "AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": deployment.collector_queue},
            "Maximum", 600,
        ),
        AlarmRule(
            "collector-dead-letters",
            "Records of the collector could not be put on their stream for ten hours.",
            "page", "AWS/SQS", "ApproximateNumberOfMessagesVisible",
            {"QueueName": deployment.collector_dead_letter_queue}, "Maximum", 0, 60, 1,
        ),
        AlarmRule(
            "keys-errors",
            "The function behind /v1/keys raises or times out: keys cannot be changed over HTTP.",
            "ticket", "AWS/Lambda", "Errors", {"FunctionName": deployment.keys_function}, "Sum", 0, 300, 1,
        ),
    ]  # fmt: skip


def _hook_alarms(deployment: Deployment) -> list[AlarmRule]:
    return [
        AlarmRule(
            "hooks-waiting",
            "Deliveries of webhooks wait in their queue for more than ten minutes.",
            "page", "AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": deployment.hooks_queue},
            "Maximum", 600,
        ),
        AlarmRule(
            "hooks-refused",
            "Deliveries of webhooks were refused, or could not be put on their stream for ten hours.",
            "ticket", "AWS/SQS", "ApproximateNumberOfMessagesVisible",
            {"QueueName": deployment.hooks_dead_letter_queue}, "Maximum", 0, 300, 1,
        ),
    ]  # fmt: skip


def _queue_alarms(deployment: Deployment) -> list[AlarmRule]:
    def of(queue: str) -> dict[str, str]:
        return {"QueueName": queue}

    return [
        AlarmRule(
            "notifications-old",
            "Notifications of new objects wait for more than 30 minutes: reports are not being marked stale.",
            "page", "AWS/SQS", "ApproximateAgeOfOldestMessage", of(deployment.queue), "Maximum", 1_800,
        ),
        AlarmRule(
            "dead-letters",
            "A notification could not be read five times.",
            "page", "AWS/SQS", "ApproximateNumberOfMessagesVisible",
            of(deployment.dead_letter_queue), "Maximum", 0, 60, 1,
        ),
    ]  # fmt: skip


def _report_alarms(deployment: Deployment) -> list[AlarmRule]:
    of_function = {"FunctionName": deployment.query_function}
    return [
        AlarmRule(
            "queries-errors",
            "The query function raises or times out; the next tick takes up what it left.",
            "ticket", "AWS/Lambda", "Errors", of_function, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "queries-throttled",
            "The account has no concurrency left for the query function; messages use up their attempts.",
            "ticket", "AWS/Lambda", "Throttles", of_function, "Sum", 0, 60, 3,
        ),
        AlarmRule(
            "queries-silent",
            "The query function has not run for ten minutes, though it is called every minute.",
            "page", "AWS/Lambda", "Invocations", of_function, "Sum", 1, 300, 2,
            below=True, missing="breaching",
        ),
        AlarmRule(
            "reports-failing",
            "Reports fail their query or their checks, and what was published before is still being served.",
            "ticket", deployment.prefix, reports.REPORTS_FAILING, {}, "Sum", 0, 300, 3,
        ),
        AlarmRule(
            "reports-set-aside",
            "Partitions were given up: their query or a check failed, and readers see the version before.",
            "ticket", deployment.prefix, reports.PARTITIONS_QUARANTINED, {}, "Maximum", 0, HOUR, 1,
        ),
        AlarmRule(
            "reports-stale",
            "Nothing has been published for twice as long as promised.",
            "page", deployment.prefix, reports.REPORTS_PUBLISHED, {}, "Sum", 1,
            deployment.freshness_minutes * 60, 2,
            below=True, missing="breaching",
        ),
        AlarmRule(
            "refresh-errors",
            "The refresh function raises or times out: dashboards with copies of reports stay as they are.",
            "ticket", "AWS/Lambda", "Errors", {"FunctionName": deployment.refresh_function}, "Sum", 0, 300, 3,
        ),
        AlarmRule(
            "datasets-behind",
            "QuickSight fails to read a report twice, or counts more ingestions than the refresh function.",
            "ticket", deployment.prefix, datasets.DATASETS_BEHIND, {}, "Sum", 0, 3_600, 1,
        ),
    ]  # fmt: skip


def _cost_alarms(deployment: Deployment) -> list[AlarmRule]:
    daily = 2 * deployment.monthly_scan_gigabytes * 1_000_000_000 / 30
    return [
        AlarmRule(
            f"cost-{name}",
            f"{who} scan more than twice the planned volume of a day.",
            "ticket", "AWS/Athena", "ProcessedBytes", {"WorkGroup": group}, "Sum", daily, DAY, 1,
        )
        for name, who, group in (
            ("reports", "Report queries", deployment.work_group),
            ("analysts", "Analysts' queries", deployment.analyst_work_group),
        )
    ]  # fmt: skip
