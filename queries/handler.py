"""The query function: notifications, ticks and requests in; fresh reports out."""

import os
import time
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from queries import telemetry
from queries.lake.notifications import MalformedNotificationError, created_objects
from queries.partitions import LakeHour, lake_hour
from queries.reference.declaration import read_references
from queries.refresh.catalog import read_catalog
from queries.refresh.summary import Summary
from queries.requests import read_request
from queries.service import ReportService, build_service, queries_of
from queries.settings import Settings
from transforms.contracts import lake_tables, load_streams

logger = Logger(service=telemetry.SERVICE)
metrics = Metrics(namespace=telemetry.NAMESPACE, service=telemetry.SERVICE)
tracer = Tracer(service=telemetry.SERVICE, patch_modules=["botocore"])  # a subsegment for each AWS call
PROJECT = Path(__file__).resolve().parents[1] / "project"
"""The project's streams and reports lie in the function's zip, beside our packages."""

STOP_EARLY_MS = 45_000
"""With less than this left of the invocation, running queries are handed over to the next one."""


@lru_cache(maxsize=1)
def service() -> ReportService:
    """The service on AWS's clients, built on first use."""
    from queries.engine.aws_session import aws_session

    tables = lake_tables(load_streams(PROJECT / "streams"))
    references = read_references(PROJECT / "reference")
    return build_service(
        Settings.from_environ(os.environ),
        aws_session(checks_parameters=False),
        tables=tables,
        queries=queries_of(read_catalog(PROJECT / "reports", tables), tables),
        references=references,
    )


@dataclass(frozen=True)
class Notified:
    """What a batch of messages said: lake hours with new objects, and the messages that could not be read."""

    hours: frozenset[LakeHour]
    objects: int
    malformed: Mapping[str, str]


def read_batch(records: Iterable[SQSRecord], lake_bucket: str, tables: Container[str]) -> Notified:
    """The batch, read. A message that cannot be read does not keep the others from being read.

    Not Powertools' BatchProcessor: what the messages name is marked in one commit of the ledger, so that a
    thousand notifications of one hour are one write.
    """
    hours: set[LakeHour] = set()
    malformed: dict[str, str] = {}
    objects = 0
    for record in records:
        try:
            found = created_objects(record.body)
        except MalformedNotificationError as error:
            malformed[record.message_id] = str(error)
            continue
        for created in found:
            named = lake_hour(created.key, tables)
            if named is not None and created.bucket == lake_bucket and created.size != 0:
                hours.add(named)
                objects += 1
    return Notified(frozenset(hours), objects, malformed)


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Mark what messages report, then run what is due.

    Takes a batch of SQS messages, EventBridge's tick, Athena's change of state, or a request like
    `{"penstock": "refresh"}` (see `queries.requests`). Answers SQS with the messages that could not be read.
    """
    remaining = int(context.get_remaining_time_in_millis())
    now = time.time_ns() // 1_000_000
    stop_at = now + max(remaining - STOP_EARLY_MS, remaining // 2)
    reports = service()
    if "Records" in event:
        notified = read_batch(SQSEvent(event).records, reports.lake_bucket, reports.tables)
        marked = reports.notice(notified.hours)
        # Messages must not queue up behind a query that runs: the next tick, or Athena's own event, stops it.
        summary = reports.work(stop_at=stop_at, hard_end=now + remaining, wait=False)
        facts = {"objects": notified.objects, "marked": marked, "malformed": notified.malformed}
        _log("notifications", summary, **facts, **set_aside(reports, summary))
        return {"batchItemFailures": [{"itemIdentifier": message} for message in notified.malformed]}
    request = read_request(event, now)
    marked = reports.prepare(request, stop_at=now + remaining // 2)
    if request.seconds is not None:
        stop_at = min(stop_at, now + int(request.seconds * 1000))
    summary = reports.work(stop_at=stop_at, hard_end=now + remaining)
    answer: dict[str, Any] = {}
    if request.wants_answer:
        answer = reports.standing_briefly() if request.briefly else reports.standing()
    if request.wants_waiting:
        answer = {"stale": reports.waiting()}
    aside = set_aside(reports, summary, keeps_house=request.housekeeping)
    _log(request.name, summary, marked=marked, **aside)
    return answer | _figures(summary)


def set_aside(reports: ReportService, summary: Summary, *, keeps_house: bool = False) -> dict[str, int]:
    """How many partitions wait for somebody: said when one has just failed, and once an hour.

    An alarm watches it. A partition fails once and is then left alone, so that failures alone fall silent.
    """
    return {telemetry.QUARANTINED: reports.set_aside()} if keeps_house or summary.failed else {}


def _figures(summary: Summary) -> dict[str, Any]:
    return {
        telemetry.PUBLISHED: len(summary.published),
        "unchanged": len(summary.unchanged),
        "recovered": len(summary.recovered),
        "failed": {str(key): text for key, text in summary.failed.items()},
        "statements": summary.statements,
        "bytes_scanned": summary.bytes_scanned,
        "adopted": summary.adopted,
        "handed_over": summary.handed_over,
    }


def _log(cause: str, summary: Summary, **facts: Any) -> None:
    metrics.add_metric(telemetry.STATEMENTS, MetricUnit.Count, summary.statements)
    metrics.add_metric(telemetry.BYTES_SCANNED, MetricUnit.Bytes, summary.bytes_scanned)
    # One line per invocation, always: it is how an operator sees that the function lives.
    level = logger.warning if summary.failed or facts.get("malformed") else logger.info
    level(telemetry.REFRESHED, cause=cause, **_figures(summary), **facts)
