"""The function of the API. The gateway has checked who calls; what they may do is decided here.

Each route is there twice: below `/api` for people of the user pool, below `/iam` for principals of IAM.
AppSync asks the same function for the fields `job` and `jobs` of live updates.
"""

import json
import os
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, AppSyncResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from queries.api.bodies import read_key, read_request
from queries.api.callers import Caller, caller_of, caller_of_identity
from queries.api.history import Executions, steps_of, with_steps_of
from queries.api.presenting import accepted, shown, summary
from queries.api.problems import STATUS, problem
from queries.api.refusals import RETRY_AFTER_SECONDS
from queries.api.routes import PEOPLE, PROGRAMS
from queries.jobs.asking import Asking
from queries.jobs.aws import execution_arn
from queries.jobs.changing import found
from queries.jobs.composing import Jobs
from queries.jobs.errors import RequestError
from queries.jobs.settings import Settings
from queries.refresh.catalog import read_catalog
from queries.updates.job_answer import job_answer
from transforms.contracts import lake_tables, load_streams

logger = Logger(service="penstock-api")
app = APIGatewayHttpResolver(strip_prefixes=[PEOPLE, PROGRAMS])
graphql = AppSyncResolver()  # type: ignore[no-untyped-call]
PROJECT = Path(__file__).resolve().parents[2] / "project"
"""The project's streams and reports lie in the function's zip, beside our packages."""
MOST_LISTED, USUALLY_LISTED = 100, 20
_JSON = "application/json"


@cache
def client(service: str) -> Any:
    """A boto3 client that gives up while the gateway still waits."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=2, read_timeout=10)
    return boto3.client(service, config=config)  # type: ignore[call-overload]


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of the environment."""
    return Settings.from_environ(os.environ)


@lru_cache(maxsize=1)
def jobs() -> Jobs:
    """The jobs of this function's deployment, built on first use."""
    tables = lake_tables(load_streams(PROJECT / "streams"))
    return Jobs(settings(), read_catalog(PROJECT / "reports", tables), client)


@lru_cache(maxsize=1)
def asking() -> Asking:
    """Takes requests."""
    return jobs().asking()


def caller() -> Caller:
    """Who calls. Raises UnknownCallerError."""
    return caller_of(app.current_event.raw_event["requestContext"])


@app.exception_handler(list(STATUS))  # type: ignore[untyped-decorator]
def refused(error: Exception) -> Response[str]:
    """Say why."""
    return problem(error, request_id())


def request_id() -> str:
    """The gateway's id of this request."""
    return str(app.current_event.raw_event["requestContext"].get("requestId", ""))


@app.post("/v1/jobs")
def start_job() -> Response[str]:
    """Have a job done."""
    who = caller()
    who.must_operate()
    key, request = read_key(_header("idempotency-key")), read_request(_body())
    started = asking().start(who.subject, key, request)
    headers: dict[str, str | list[str]] = {
        "Location": f"{app.current_event.raw_path.rstrip('/')}/{started.job.job_id}",
        "Retry-After": str(RETRY_AFTER_SECONDS),
        "Idempotent-Replayed": "true" if started.is_replay else "false",
    }
    return Response(202, _JSON, json.dumps(accepted(started.job)), headers=headers)


@app.get("/v1/jobs")
def list_jobs() -> Response[str]:
    """The newest jobs."""
    caller().must_view()
    return _answer({"jobs": [summary(job) for job in jobs().table.newest(_limit())]})


@app.get("/v1/jobs/<job_id>")
def show_job(job_id: str) -> Response[str]:
    """One job."""
    caller().must_view()
    return _answer(shown(found(jobs().table, job_id)))


@app.get("/v1/jobs/<job_id>/steps")
def show_steps(job_id: str) -> Response[str]:
    """What each step of its last execution did, and the lines of the log about the job."""
    caller().must_view()
    job = found(jobs().table, job_id)
    executions = Executions(client("stepfunctions"), client("logs"), settings().log_group)
    steps = steps_of(executions.events(execution_arn(settings().machine_arn, job.execution)))
    lines = executions.lines(job.job_id, job.created_at)
    return _answer({"steps": with_steps_of(steps, lines, job.attempt), "lines": lines})


@app.post("/v1/jobs/<job_id>/cancel")
def cancel_job(job_id: str) -> Response[str]:
    """Begin nothing more of it."""
    caller().must_operate()
    return _answer(shown(asking().cancel(job_id)))


@app.post("/v1/jobs/<job_id>/retry")
def retry_job(job_id: str) -> Response[str]:
    """Do what it left undone."""
    caller().must_operate()
    return _answer(shown(asking().retry(job_id)), status=202)


@graphql.resolver(type_name="Query", field_name="job")
def resolve_job(**given: str) -> Mapping[str, Any] | None:
    """The field `job`: None where there is none."""
    job = jobs().table.job(given["jobId"])
    return None if job is None else job_answer(job)


@graphql.resolver(type_name="Query", field_name="jobs")
def resolve_jobs(limit: int | None = None) -> list[Mapping[str, Any]]:
    """The field `jobs`. Raises RequestError."""
    return [
        job_answer(job) for job in jobs().table.newest(_checked(USUALLY_LISTED if limit is None else limit))
    ]


def _answer(body: Mapping[str, Any], status: int = 200) -> Response[str]:
    return Response(status, _JSON, json.dumps(body), headers={"Cache-Control": "no-store"})


def _limit() -> int:
    text = (app.current_event.query_string_parameters or {}).get("limit", str(USUALLY_LISTED))
    return _checked(int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0)


def _checked(limit: int) -> int:
    if not 1 <= limit <= MOST_LISTED:
        raise RequestError(f"The limit is a number from 1 to {MOST_LISTED}.")
    return limit


def _header(name: str) -> str | None:
    headers: Mapping[str, str] = app.current_event.raw_event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _body() -> bytes:
    try:
        return (app.current_event.decoded_body or "").encode()
    except ValueError as error:
        raise RequestError("The body is not text in UTF-8.") from error


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Answer a request. What goes wrong below is logged, and the gateway answers 500 without its words."""
    if "info" in event:
        caller_of_identity(event.get("identity")).must_view()
        resolved: Mapping[str, Any] = graphql.resolve(event, context)
        return resolved
    answer: dict[str, Any] = app.resolve(event, context)
    log: Callable[..., None] = logger.info if answer["statusCode"] < 500 else logger.error
    route = event.get("routeKey", "")
    log("answered", extra={"status": answer["statusCode"], "route": route, "request_id": request_id()})
    return answer
