"""The function of the read API. The gateway has checked who calls; what they see is decided here.

Each route is there twice: below `/api` for people of the user pool, below `/iam` for principals of IAM.
AppSync asks the same function for the field `reports` of live updates.
"""

import os
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, AppSyncResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from queries.api.callers import Caller, caller_of, caller_of_identity
from queries.api.reading.asking import Parameters, media, parameters
from queries.api.reading.duckdb_rows import DuckDbRows
from queries.api.reading.dynamodb import DynamoDbStandings
from queries.api.reading.problems import NO_ROUTE, STATUS
from queries.api.reading.reading import Given, Reading
from queries.api.reading.row_rules import read_rules
from queries.api.reading.s3 import PARALLEL_READS, S3Objects
from queries.api.reading.settings import Settings
from queries.api.refusals import refusal
from queries.api.routes import PEOPLE, PROGRAMS
from queries.contracts import read_reports
from queries.updates.report_answer import report_answer

logger = Logger(service="penstock-reader")
app = APIGatewayHttpResolver(strip_prefixes=[PEOPLE, PROGRAMS])
graphql = AppSyncResolver()  # type: ignore[no-untyped-call]
PROJECT = Path(__file__).resolve().parents[3] / "project"
"""The project's reports and dashboards lie in the function's zip, beside our packages."""


@lru_cache(maxsize=1)
def reading() -> Reading:
    """The reports of this function's deployment, built on first use."""
    settings = Settings.from_environ(os.environ)
    objects = S3Objects(_client("s3"), settings.reporting_bucket)
    return Reading(
        read_reports(PROJECT / "reports"),
        read_rules(PROJECT / "dashboards"),
        DynamoDbStandings(_client("dynamodb"), settings.ledger_table),
        objects,
        DuckDbRows(objects),
        clock=lambda: time.time_ns() // 1_000_000,
    )


@app.exception_handler(list(STATUS))  # type: ignore[untyped-decorator]
def refused(error: Exception) -> Response[str]:
    """Say why."""
    status, code = STATUS[type(error)]
    if status >= 500:
        # Without the words of the cause, which may have values of events in them.
        cause = type(error.__cause__).__name__
        logger.error(code, extra={"detail": str(error), "cause": cause, "request_id": request_id()})
    return refusal(status, code, str(error), request_id())


@app.not_found
def no_route(_: NotFoundError) -> Response[str]:
    """The gateway has more routes than the function."""
    status, code = NO_ROUTE
    return refusal(status, code, "There is no such route. See the OpenAPI document.", request_id())


@app.get("/v1/reports")
def list_reports() -> Response[str]:
    """Every report."""
    return _answer(reading().all_reports(_viewer(), _parameters()))


@app.get("/v1/reports/<name>")
def show_report(name: str) -> Response[str]:
    """One report."""
    return _answer(reading().report(_viewer(), name, _parameters()))


@app.get("/v1/reports/<name>/rows")
def read_rows(name: str) -> Response[str]:
    """A page of its rows."""
    found = reading().rows(_viewer(), name, _parameters(), media(_header("accept")), is_known)
    return _answer(found)


@app.get("/v1/reports/<name>/files")
def read_files(name: str) -> Response[str]:
    """Addresses of its files."""
    return _answer(reading().files(_viewer(), name, _parameters()))


@app.get("/v1/freshness")
def read_freshness() -> Response[str]:
    """How fresh partitions are."""
    _viewer()
    return _answer(reading().freshness(_parameters()))


@graphql.resolver(type_name="Query", field_name="reports")
def resolve_reports() -> list[Mapping[str, Any]]:
    """The field `reports`."""
    asked = graphql.current_event
    assert asked is not None  # while a resolver runs
    caller = caller_of_identity(asked.raw_event.get("identity"))
    caller.must_view()
    return [report_answer(report) for report in reading().described(caller)]


def is_known(etag: str) -> bool:
    """Whether the caller has what the tag names, as If-None-Match says."""
    told = [tag.strip().removeprefix("W/") for tag in (_header("if-none-match") or "").split(",")]
    return "*" in told or f'"{etag}"' in told


def request_id() -> str:
    """The gateway's id of this request."""
    return str(app.current_event.raw_event["requestContext"].get("requestId", ""))


def _answer(found: Given) -> Response[str]:
    headers: dict[str, str | list[str]] = {
        # Whoever keeps an answer asks again before showing it, and shows it to the same caller only.
        "Cache-Control": "private, no-cache" if found.etag else "no-store",
        "Vary": "Accept, Authorization",
        "X-Content-Type-Options": "nosniff",
    }
    if found.etag:
        headers["ETag"] = f'"{found.etag}"'
    if found.body is None or (found.etag and is_known(found.etag)):
        return Response(304, body="", headers=headers)
    if found.following:
        headers["Penstock-Next"] = found.following
    kind = (
        found.media if found.media == "application/json" else f"{found.media}; charset=utf-8; header=present"
    )
    return Response(200, kind, found.body.decode(), headers=headers)


def _viewer() -> Caller:
    caller = caller_of(app.current_event.raw_event["requestContext"])
    caller.must_view()
    return caller


def _parameters() -> Parameters:
    return parameters(str(app.current_event.raw_event.get("rawQueryString") or ""))


def _header(name: str) -> str | None:
    headers: Mapping[str, str] = app.current_event.raw_event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _client(service: str) -> Any:
    """A client that gives up while the gateway still waits; boto3 would add 90 ms to the first request."""
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        retries={"total_max_attempts": 3, "mode": "standard"},
        connect_timeout=2,
        read_timeout=10,
        max_pool_connections=PARALLEL_READS,
        signature_version="v4" if service != "s3" else "s3v4",
    )
    return get_session().create_client(service, config=config)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Answer a request. What goes wrong below is logged, and the gateway answers 500 without its words."""
    if "info" in event:
        resolved: Mapping[str, Any] = graphql.resolve(event, context)
        return resolved
    answer: dict[str, Any] = app.resolve(event, context)
    extra = {"status": answer["statusCode"], "route": event.get("routeKey", ""), "request_id": request_id()}
    logger.info("answered", extra=extra)
    return answer
