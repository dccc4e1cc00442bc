"""The Firehose transformation Lambda: AWS's shapes in and out, one log line, and the pure gate between.

The one log line of an invocation is at the same time its metrics, in CloudWatch's embedded metric format.
"""

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from transforms.contracts import LAKE_TABLES
from transforms.marshal import answer_bytes, answer_dict, judge_records, read_request
from transforms.outcome import Outcome
from transforms.rules import RULES_VERSION, Gate
from transforms.runtime import install
from transforms.settings import Settings
from transforms.summary import Summary, summarize

NAMESPACE = "Penstock"
SERVICE = "transforms"

logger = Logger(service=SERVICE)
marshaller = install()


def lambda_handler(event: bytes | Mapping[str, Any], context: Any) -> bytes | dict[str, Any]:
    """Answer every record of Firehose's batch. Bytes are answered with bytes, a dict with a dict."""
    return _handle()(event, context)


@lru_cache(maxsize=1)
def _handle() -> Callable[[bytes | Mapping[str, Any], Any], bytes | dict[str, Any]]:
    """The handler of this process, made on the first invocation from the environment's settings."""
    settings = Settings.from_environ(os.environ)
    if marshaller is not None:
        marshaller.passes = not settings.runtime_json
    judge = gate(settings).judge

    def handle(event: bytes | Mapping[str, Any], context: Any) -> bytes | dict[str, Any]:
        request = read_request(event)
        records = request.records
        outcomes: list[Outcome] = judge_records(request, judge)
        answer = (
            answer_bytes(records, outcomes) if isinstance(event, bytes) else answer_dict(records, outcomes)
        )
        _say(summarize(request, outcomes), request.invocationId, context)
        return answer

    return _traced(handle) if settings.tracing else handle


def gate(settings: Settings) -> Gate:
    """The gate that the settings describe."""
    table = next(table for table in LAKE_TABLES.values() if table.stream.name == settings.stream)
    key_id, key = next(iter(settings.keys().items()))
    return Gate(table, key_id=key_id, key=key)


def _say(summary: Summary, invocation_id: str, context: Any) -> None:
    logger.info(
        "batch transformed",
        request_id=getattr(context, "aws_request_id", ""),
        function=getattr(context, "function_name", ""),
        invocation_id=invocation_id,
        rules_version=RULES_VERSION,
        **summary.facts(),
        **_metrics(summary),
    )


def _metrics(summary: Summary) -> dict[str, Any]:
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=SERVICE)
    metrics.add_metric("ReceivedRecords", MetricUnit.Count, summary.records)
    metrics.add_metric("ReceivedBytes", MetricUnit.Bytes, summary.bytes_in)
    metrics.add_metric("AcceptedEvents", MetricUnit.Count, summary.accepted)
    metrics.add_metric("LateEvents", MetricUnit.Count, summary.late)
    metrics.add_metric("DroppedEvents", MetricUnit.Count, summary.dropped)
    metrics.add_metric("FailedRecords", MetricUnit.Count, sum(summary.failed.values()))
    metrics.add_metric("ArrivalLag", MetricUnit.Milliseconds, summary.lag_ms)
    for reason, count in summary.failed.items():
        metrics.add_metric(f"Failed_{reason}", MetricUnit.Count, count)
    return dict(metrics.serialize_metric_set())


def _traced(
    handle: Callable[[Any, Any], bytes | dict[str, Any]],
) -> Callable[[Any, Any], bytes | dict[str, Any]]:
    # capture_response would walk the answer's 5 MB, auto_patch would import botocore.
    from aws_lambda_powertools import Tracer

    return Tracer(service=SERVICE, auto_patch=False).capture_lambda_handler(handle, capture_response=False)
