"""The importer's Lambda: the state machine of jobs calls it for each chunk of an import."""

import json
import logging
import os
import time
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from infra.importing.function.importer import Importer
from infra.importing.function.places import Places, S3Files
from infra.importing.function.settings import Settings
from infra.importing.notices import send
from producers.contracts import load_streams
from producers.sources.definition import read_sources
from transforms.contracts import LakeTable, lake_tables
from transforms.failed.s3_bucket import S3Objects
from transforms.gate.gate import Gate
from transforms.importing.rows import RowMaker
from transforms.pseudonym_keys import keys_of

_log = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parents[3] / "project"
"""The project's streams and sources lie in the function's zip, beside our packages."""


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """Work on a chunk of a job; what it is called with has `job_id`, `attempt` and `chunk`."""
    began = time.perf_counter()
    outcome = importer().work(event["job_id"], event["chunk"])
    took = int((time.perf_counter() - began) * 1000)
    _say("chunk", {**event, **outcome.counts, "failed_files": len(outcome.failed), "milliseconds": took})
    return {"outcome": "wait"}


def _say(message: str, fields: Mapping[str, Any]) -> None:
    """One line of JSON."""
    _log.warning(json.dumps({"message": message, **fields}))


@lru_cache(maxsize=1)
def importer() -> Importer:
    """The importer of this process, made from the environment's settings."""
    settings = Settings.from_environ(os.environ)
    tables = lake_tables(load_streams(PROJECT / "streams"))
    s3, sqs = _client("s3"), _client("sqs")

    @cache
    def maker(table: LakeTable) -> RowMaker:
        name, ids = settings.secrets[table.stream.name]
        key_id, key = next(iter(keys_of(_client("secretsmanager"), name, ids).items()))
        return RowMaker(table, Gate(table, key_id=key_id, key=key))

    def notify(keys: Sequence[str]) -> None:
        url = sqs.get_queue_url(QueueName=settings.queue)["QueueUrl"]
        send(sqs, url, settings.lake_bucket, keys)

    places = Places(
        S3Files(s3, settings.lake_bucket),
        S3Objects(s3, settings.plan_bucket),
        read_sources(PROJECT / "sources"),
        tables,
        maker,
        notify,
        clock=lambda: time.time_ns() // 1_000_000,
    )
    return Importer(places, lambda count, rows: _say("corrections", {"corrections": count, "rows": rows}))


def _client(service: str) -> Any:
    """A boto3 client with more tries than usual: nobody waits."""
    import boto3
    from botocore.config import Config

    return boto3.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 5}))  # type: ignore[call-overload]
