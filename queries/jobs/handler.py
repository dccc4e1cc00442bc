"""The function of jobs: messages of their queue, steps of the machine, schedules, and the minute's tick."""

import os
import time
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from queries.jobs.asking import Asking
from queries.jobs.composing import Jobs
from queries.jobs.errors import JobRefusedError, RequestError
from queries.jobs.running import Running, read_message
from queries.jobs.scheduled import Firing, asked
from queries.jobs.settings import Settings
from queries.jobs.steps import Steps
from queries.refresh.catalog import ReportQuery, read_catalog
from transforms.contracts import lake_tables, load_streams

logger = Logger(service="penstock-jobs")
PROJECT = Path(__file__).resolve().parents[2] / "project"
"""The project's streams and reports lie in the function's zip, beside our packages."""


class UnknownEventError(ValueError):
    """The event is nothing that the function knows."""


@cache
def client(service: str) -> Any:
    """A boto3 client with the usual retries."""
    import boto3

    return boto3.client(service)  # type: ignore[call-overload]


@lru_cache(maxsize=1)
def reports() -> Mapping[str, ReportQuery]:
    """The project's reports."""
    return read_catalog(PROJECT / "reports", lake_tables(load_streams(PROJECT / "streams")))


@lru_cache(maxsize=1)
def jobs() -> Jobs:
    """The jobs of this function's deployment, built on first use."""
    return Jobs(Settings.from_environ(os.environ), reports(), client)


@lru_cache(maxsize=1)
def asking() -> Asking:
    """Takes the requests of schedules."""
    return jobs().asking()


@lru_cache(maxsize=1)
def steps() -> Steps:
    """The steps."""
    return jobs().steps()


@lru_cache(maxsize=1)
def running() -> Running:
    """The worker and the tick."""
    return jobs().running()


def take(record: SQSRecord) -> None:
    """Begin the execution of one message. What it raises brings the message back, and no other one."""
    message = read_message(record.body)
    began = running().take(message)
    logger.info("taken", extra={**message._asdict(), "began": began})


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: Mapping[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """A step when the event names one, a schedule that fires, a batch of messages, or the minute's tick."""
    if "step" in event:
        return step(event)
    if "schedule" in event:
        return scheduled(event)
    if "Records" in event:
        processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        failed: Mapping[str, Any] = process_partial_response(
            event=dict(event), record_handler=take, processor=processor, context=context
        )
        return failed
    if event.get("source") == "aws.events" or event.get("penstock") == "tick":
        repaired = running().repair()
        if any(repaired):
            logger.warning("repaired", extra=repaired._asdict())
        return repaired._asdict()
    raise UnknownEventError(
        f"The event has the members {sorted(event)}. Send a step, a schedule, messages or a tick."
    )


def scheduled(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """Ask for the job of a schedule. What is refused is logged, and asked for again when it fires again."""
    firing = msgspec.convert(event, Firing)
    told = {"schedule": firing.schedule, "at": firing.at}
    try:
        grains = {name: query.report.grain for name, query in reports().items()}
        started = asking().start(*asked(firing, grains))
    except (RequestError, JobRefusedError) as error:
        logger.warning("schedule refused", extra={**told, "why": str(error)})
        return {"outcome": "refused", "why": str(error)}
    logger.info("schedule fired", extra={**told, "job_id": started.job.job_id})
    return {"outcome": "started", "job_id": started.job.job_id}


def step(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """One step of a job, and one line of the log that says what became of it."""
    name, given = event["step"], {key: value for key, value in event.items() if key != "step"}
    logger.append_keys(job_id=event["job_id"], step=name)
    does: Mapping[str, Callable[..., Mapping[str, Any]]] = {
        "begin": steps().begin,
        "plan": steps().plan,
        "chunk": steps().chunk,
        "check": steps().check,
        "chunk_failed": steps().chunk_failed,
        "verify": steps().verify,
        "finish": steps().finish,
    }
    began = time.perf_counter()
    answer = does[name](**given)
    took = int((time.perf_counter() - began) * 1000)
    told = {key: value for key, value in answer.items() if key != "chunks"}
    logger.info(
        "step", extra={**told, "attempt": event["attempt"], "chunk": event.get("chunk"), "milliseconds": took}
    )
    return answer
