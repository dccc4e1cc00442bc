"""The webhooks' Lambda: messages of the queue of deliveries."""

import json
import logging
import os
import random
import secrets
import time
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from producers.collector.sequence import Sequence
from producers.contracts import load_streams
from producers.hooks.aws import SecretsManagerStore, SqsRefusals
from producers.hooks.dynamodb import DynamoDbClaims
from producers.hooks.mapping import SourceMapping
from producers.hooks.putting import StreamPutting
from producers.hooks.secrets import Secrets
from producers.hooks.settings import Settings
from producers.hooks.worker import Hook, Outcome, Worker
from producers.identity import EventIds
from producers.sinks.kinesis import KinesisSink
from producers.sinks.port import RecordSink
from producers.sources.definition import read_sources

_log = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parents[2] / "project"
"""The project's streams and sources lie in the function's zip, beside our packages."""


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Take a batch; the answer names the messages that must be delivered again."""
    outcome = worker().handle(event["Records"])
    if outcome.retry or outcome.counts.keys() - {"put", "left_out"}:
        _say(outcome)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in outcome.retry]}


def _say(outcome: Outcome) -> None:
    """One line of counts. It holds nothing that a provider sent."""
    counts = {name: count for name, count in outcome.counts.items() if count}
    fields: dict[str, Any] = {"message": "deliveries", **counts}
    if outcome.faults:
        fields["faults"] = outcome.faults
    _log.warning(json.dumps(fields))


@lru_cache(maxsize=1)
def worker() -> Worker:
    """The worker of this process, made from the environment's settings."""
    settings = Settings.from_environ(os.environ)
    streams = load_streams(PROJECT / "streams")
    chance = random.Random(secrets.randbits(128))  # noqa: S311 - ids and hash keys
    kinesis, sqs = _client("kinesis"), _client("sqs")

    @cache
    def sink(stream: str) -> RecordSink:
        return KinesisSink(f"{settings.stream_prefix}-{stream}", kinesis)

    @cache
    def places(stream: str) -> Sequence:  # noqa: ARG001 - a sequence for each
        return Sequence(f"hooks-{secrets.token_hex(6)}", int(time.time() * 1000))

    hooks = {
        name: Hook(
            source.webhook, cache(lambda source=source: SourceMapping(source, source.contract(streams)))
        )
        for name, source in read_sources(PROJECT / "sources").items()
        if source.webhook
    }
    return Worker(
        hooks,
        Secrets(SecretsManagerStore(_client("secretsmanager"), settings.secret_prefix), time.monotonic),
        DynamoDbClaims(_client("dynamodb"), settings.deliveries_table, time.time),
        SqsRefusals(sqs, settings.dead_letter_queue_url),
        StreamPutting(
            sink,
            places,
            clock=time.time,
            monotonic=time.monotonic,
            hash_key=lambda: str(chance.getrandbits(128)),
            new_id=EventIds(lambda: int(time.time() * 1000), chance).next,
        ),
    )


def _client(service: str) -> Any:
    """A boto3 client with the usual retries: nobody waits for the worker."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=2, read_timeout=5)
    return boto3.client(service, config=config)  # type: ignore[call-overload]
