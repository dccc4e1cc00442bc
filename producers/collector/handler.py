"""The collector's Lambda: HTTP requests from API Gateway, and messages of its own queue."""

import json
import logging
import os
import random
import secrets
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from producers.collector import dynamodb, kinesis
from producers.collector.collector import Collector, Outcome
from producers.collector.delivery import Delivery
from producers.collector.draining import drained
from producers.collector.keys import Keys
from producers.collector.messages import gateway_answer, read_request, refusal
from producers.collector.problems import ProblemError
from producers.collector.quota import Quotas
from producers.collector.sequence import Sequence
from producers.collector.settings import Settings
from producers.collector.signed_calls import ANSWER_SECONDS, CONNECT_SECONDS, SignedCalls
from producers.collector.sqs import SqsQueue, read_message
from producers.contracts import load_streams
from producers.errors import ProducerError
from producers.identity import EventIds
from producers.sinks.port import RecordSink

_log = logging.getLogger(__name__)

STREAMS = Path(__file__).resolve().parents[2] / "project" / "streams"
"""The project's streams lie in the function's zip, beside our packages."""


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Answer a request, or take messages of the queue to their streams."""
    if "Records" in event:
        return drained(event, sink_of, read_message)
    try:
        request = read_request(event)
    except ProblemError as problem:
        return gateway_answer(refusal(problem, ""))
    answer, outcome = collector().answer(request)
    if outcome.spilled or answer.status >= 500:
        _say(outcome, answer.status, request.request_id)
    return gateway_answer(answer)


def _say(outcome: Outcome, status: int, request_id: str) -> None:
    """One line for what somebody may have to look at. It holds nothing that a client sent."""
    fields = {
        "message": "request not put on the stream",
        "status": status,
        "request_id": request_id,
        "source": outcome.source,
        "code": outcome.code,
        "taken": outcome.taken,
        "spilled": outcome.spilled,
    }
    _log.warning(json.dumps(fields))


@lru_cache(maxsize=1)
def _settings() -> Settings:
    return Settings.from_environ(os.environ)


@lru_cache(maxsize=1)
def collector() -> Collector:
    """The collector of this process, made from the environment's settings."""
    settings = _settings()
    streams = {name: each for name, each in load_streams(STREAMS).items() if not each.is_direct}
    table = dynamodb.DynamoDbKeys(
        _calls("dynamodb", dynamodb.VERSION, dynamodb.PROTOCOL), settings.keys_table
    )
    chance = random.Random(secrets.randbits(128))  # noqa: S311 - ids and back-off
    return Collector(
        streams=streams,
        keys=Keys(table, time.monotonic),
        quotas=Quotas(table, time.time, time.monotonic),
        delivery=Delivery(
            sink_of, SqsQueue(_queue, settings.queue_url), time.sleep, time.monotonic, chance.random
        ),
        places=Sequence(f"collector-{secrets.token_hex(6)}", int(time.time() * 1000)),
        ids=EventIds(lambda: int(time.time() * 1000), chance),
        clock=time.time,
        monotonic=time.monotonic,
        hash_key=lambda: str(chance.getrandbits(128)),
        is_ready=lambda: _is_ready(sorted(streams)),
    )


@lru_cache(maxsize=64)
def sink_of(stream: str) -> RecordSink:
    """Where the records of a stream go."""
    return kinesis.SignedKinesisSink(f"{_settings().stream_prefix}-{stream}", _kinesis())


def _is_ready(streams: list[str]) -> bool:
    try:
        for stream in streams:
            sink_of(stream).describe()
    except ProducerError:
        return False
    return True


@lru_cache(maxsize=1)
def _kinesis() -> SignedCalls:
    return _calls("kinesis", kinesis.VERSION, kinesis.PROTOCOL)


def _calls(service: str, version: str, protocol: str) -> SignedCalls:
    return SignedCalls(service, version, protocol, environ=os.environ, clock=time.time)


@lru_cache(maxsize=1)
def _queue() -> Any:
    """A boto3 client, which is loaded when it is first needed: nearly never. One attempt, and soon."""
    import boto3
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
    )
    return boto3.client("sqs", config=config)
