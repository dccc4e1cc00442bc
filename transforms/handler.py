"""The Firehose transformation Lambda: AWS's shapes in and out, one log line, and the pure gate between.

The one log line of an invocation is at the same time its metrics, in CloudWatch's embedded metric format.
"""

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from producers.contracts import Stream, load_streams
from transforms import telemetry
from transforms.contracts import LakeTable
from transforms.function.batch import Batch, run
from transforms.function.marshal import Form, as_dict, as_json, read_request
from transforms.function.powertools import counts, json_lines, tracer
from transforms.function.runtime import collect_seldom, install
from transforms.gate.gate import RULES_VERSION, Gate
from transforms.settings import Settings

STREAMS = Path(__file__).resolve().parents[1] / "project" / "streams"
"""The project's streams lie in the function's zip, beside our packages."""

logger = json_lines(telemetry.SERVICE)
marshaller = install()
collect_seldom()


def lambda_handler(event: bytes | Mapping[str, Any], context: Any) -> bytes | dict[str, Any]:
    """Answer every record of Firehose's batch. Bytes are answered with bytes, a dict with a dict."""
    return _handle()(event, context)


@lru_cache(maxsize=1)
def _handle() -> Callable[[bytes | Mapping[str, Any], Any], bytes | dict[str, Any]]:
    """The handler of this process, made on the first invocation from the environment's settings."""
    settings = Settings.from_environ(os.environ)
    if marshaller is not None:
        marshaller.passes = not settings.runtime_json
    judges = gate(settings, load_streams(STREAMS))
    json_form: Form[Any] = as_json()
    dict_form: Form[Any] = as_dict()

    def handle(event: bytes | Mapping[str, Any], context: Any) -> bytes | dict[str, Any]:
        request = read_request(event)
        batch, answer = run(request, judges, json_form if isinstance(event, bytes) else dict_form)
        _say(batch, request.invocationId, context, settings.service)
        written: bytes | dict[str, Any] = answer
        return written

    return _traced(handle) if settings.tracing else handle


def gate(settings: Settings, streams: Mapping[str, Stream]) -> Gate:
    """The gate that the settings describe, of one of the project's streams. Raises SettingsError."""
    table = LakeTable(settings.stream_among(streams))
    key_id, key = next(iter(settings.keys().items()))
    return Gate(table, key_id=key_id, key=key)


def _say(batch: Batch, invocation_id: str, context: Any, service: str) -> None:
    logger.info(
        "batch transformed",
        extra={
            "request_id": getattr(context, "aws_request_id", ""),
            "function": getattr(context, "function_name", ""),
            "invocation_id": invocation_id,
            "rules_version": RULES_VERSION,
            **batch.facts(),
            telemetry.FAILED_PERCENT: batch.failed_percent,
            **_metrics(batch, service),
        },
    )


def _metrics(batch: Batch, service: str) -> dict[str, Any]:
    values: dict[str, tuple[str, float]] = {
        telemetry.RECEIVED_RECORDS: ("Count", len(batch.answers)),
        telemetry.RECEIVED_BYTES: ("Bytes", batch.bytes_in),
        telemetry.ACCEPTED_EVENTS: ("Count", batch.accepted),
        telemetry.LATE_EVENTS: ("Count", batch.late),
        telemetry.DROPPED_EVENTS: ("Count", batch.dropped),
        telemetry.FAILED_RECORDS: ("Count", batch.failed.total()),
        telemetry.ARRIVAL_LAG: ("Milliseconds", batch.lag_ms),
    }
    failed: dict[str, tuple[str, float]] = {
        telemetry.failed_for(reason): ("Count", count) for reason, count in batch.failed.items()
    }
    return counts(telemetry.NAMESPACE, service, values | failed)


def _traced(
    handle: Callable[[Any, Any], bytes | dict[str, Any]],
) -> Callable[[Any, Any], bytes | dict[str, Any]]:
    # capture_response would walk the answer's 5 MB.
    return tracer(telemetry.SERVICE).capture_lambda_handler(handle, capture_response=False)
