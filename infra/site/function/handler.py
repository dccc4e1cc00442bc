"""The function behind the site's routes. The gateway has checked who calls; what they see is decided here."""

import base64
import gzip
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.typing import LambdaContext

from dashboards.board.access import Viewer
from dashboards.site.views import Number, Views, audiences_of, hidden_from, listed, viewer_of
from infra.site.function.asking import AskedError, read_number, read_view, state_asked, version_asked
from infra.site.function.clients import client
from infra.site.function.declarations import declarations
from infra.site.function.numbers import number_answer
from infra.site.function.problems import NO_ROUTE, STATUS
from infra.site.function.settings import Settings
from infra.site.function.store import S3Store
from queries.api.callers import Caller, caller_of
from queries.api.refusals import refusal
from queries.api.routes import PEOPLE

logger = Logger(service="penstock-site")
app = APIGatewayHttpResolver(strip_prefixes=[PEOPLE])
KEPT = "private, max-age=31536000, immutable"
SMALLEST_PACKED = 1_000
"""Bytes from which on an answer is compressed."""


@lru_cache(maxsize=1)
def views() -> Views:
    """The dashboards of this function's deployment, built on first use."""
    settings = Settings.from_environ(os.environ)
    return Views(S3Store(client("s3"), settings.data_bucket), declarations())


@app.exception_handler(list(STATUS))  # type: ignore[untyped-decorator]
def refused(error: Exception) -> Response[str]:
    """Say why."""
    status, code = STATUS[type(error)]
    return refusal(status, code, str(error), request_id())


@app.not_found
def no_route(_: NotFoundError) -> Response[str]:
    """The gateway has more routes than the function."""
    status, code = NO_ROUTE
    return refusal(status, code, "There is no such route. See the OpenAPI document.", request_id())


@app.get("/v1/dashboards")
def list_dashboards() -> Response[str]:
    """Every dashboard that is published."""
    caller = _viewer()
    found, declared = views().latest().dashboards, declarations()
    shown = [
        listed(name, found[name], hidden_from(declared, name, caller.groups))
        for name in sorted(found)
        if name in declared
    ]
    return _json(json.dumps({"dashboards": shown}).encode(), "no-store")


@app.get("/v1/dashboards/<name>/sheets/<sheet>")
def read_sheet(name: str, sheet: str) -> Response[str]:
    """A sheet as it was published."""
    version = version_asked(_query())
    body = views().sheet(name, sheet, version, _seen_by(_viewer(), name))
    return _packed(body, KEPT) if _takes_packed() else _json(gzip.decompress(body), KEPT)


@app.post("/v1/dashboards/<name>/view")
def view_sheet(name: str) -> Response[str]:
    """A sheet under somebody's choices."""
    caller = _viewer()
    asked, state = read_view(_body())
    found = views().view(name, asked.sheet, asked.version, state, _seen_by(caller, name))
    return _json(msgspec.json.encode(found), "no-store")


@app.post("/v1/dashboards/<name>/number")
def trace_number(name: str) -> Response[str]:
    """What a number is computed from."""
    caller = _viewer()
    asked, state = read_number(_body())
    number = Number(asked.visual, asked.column, asked.at)
    found = views().number(name, number, asked.version, state, _seen_by(caller, name))
    return _json(msgspec.json.encode(number_answer(found)), "no-store")


@app.get("/v1/dashboards/<name>/sheets/<sheet>/visuals/<file>")
def read_csv(name: str, sheet: str, file: str) -> Response[str]:
    """The numbers of a visual, as CSV."""
    caller = _viewer()
    version, state = version_asked(_query()), state_asked(_query(), beside=("v",))
    text = views().csv(name, sheet, file.removesuffix(".csv"), version, state, _seen_by(caller, name))
    headers: dict[str, str | list[str]] = {
        "Cache-Control": KEPT,
        "Vary": "Authorization",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'attachment; filename="{name}-{file.removesuffix(".csv")}.csv"',
    }
    return Response(200, "text/csv; charset=utf-8; header=present", text, headers=headers)


@app.get("/v1/failed")
def show_failed() -> Response[str]:
    """What failed lately, by reason."""
    _caller().must_operate("see what failed")
    from infra.site.function.failed import failed_lately  # nobody else waits for the gate

    return _json(json.dumps(failed_lately(_query())).encode(), "no-store")


def request_id() -> str:
    """The gateway's id of this request."""
    return str(app.current_event.raw_event["requestContext"].get("requestId", ""))


def _caller() -> Caller:
    return caller_of(app.current_event.raw_event["requestContext"])


def _viewer() -> Caller:
    caller = _caller()
    caller.must_view()
    return caller


def _seen_by(caller: Caller, name: str) -> Viewer:
    return viewer_of(caller.groups, audiences_of(declarations(), name))


def _json(body: bytes, kept: str) -> Response[str]:
    if len(body) >= SMALLEST_PACKED and _takes_packed():
        return _packed(gzip.compress(body, 6, mtime=0), kept)
    return Response(200, "application/json", body.decode(), headers=_headers(kept))


def _packed(body: bytes, kept: str) -> Response[str]:
    """The gateway takes bytes as base64; no cache behind it compresses what it may not keep."""
    headers = _headers(kept) | {"Content-Encoding": "gzip"}
    found = Response(200, "application/json", base64.b64encode(body).decode(), headers=headers)
    found.base64_encoded = True
    return found


def _headers(kept: str) -> dict[str, str | list[str]]:
    return {
        "Cache-Control": kept,
        "Vary": "Accept-Encoding, Authorization",
        "X-Content-Type-Options": "nosniff",
    }


def _takes_packed() -> bool:
    return "gzip" in (_header("accept-encoding") or "")


def _query() -> str:
    return str(app.current_event.raw_event.get("rawQueryString") or "")


def _header(name: str) -> str | None:
    headers: Mapping[str, str] = app.current_event.raw_event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _body() -> bytes:
    try:
        return (app.current_event.decoded_body or "").encode()
    except ValueError as error:
        raise AskedError("The body is not text in UTF-8.") from error


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    """Answer a request. What goes wrong below is logged, and the gateway answers 500 without its words."""
    answer: Mapping[str, Any] = app.resolve(event, context)
    extra = {"status": answer["statusCode"], "route": event.get("routeKey", ""), "request_id": request_id()}
    logger.info("answered", extra=extra)
    return answer
