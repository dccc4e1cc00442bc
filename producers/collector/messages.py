"""Requests and answers of API Gateway's HTTP API (payload format 2.0), as far as they matter (pure)."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from producers.collector.problems import MEDIA_TYPE, ProblemError

Headers = Mapping[str, str]


class Request(NamedTuple):
    """One HTTP request.

    Attributes:
        headers: by lower-case name.
        query: the last value of each parameter.
        address: of the client, as the gateway saw it; empty when it did not say.
    """

    method: str
    path: str
    headers: Headers
    query: Mapping[str, str]
    body: bytes
    address: str
    request_id: str


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Headers = {"content-type": "application/json"}  # noqa: RUF012 - nobody writes to it


def read_request(event: Mapping[str, Any]) -> Request:
    """The request in a gateway's event. Raises ProblemError for a body that is not base64 as it says."""
    context = event.get("requestContext") or {}
    http = context.get("http") or {}
    return Request(
        method=str(http.get("method", "")),
        path=str(event.get("rawPath", "")),
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        query=dict(parse_qsl(str(event.get("rawQueryString", "")), keep_blank_values=True)),
        body=_body(event),
        address=str(http.get("sourceIp", "")),
        request_id=str(context.get("requestId", "")),
    )


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemError("unreadable_body", "The gateway handed on a body that is not base64.") from error


def refusal(problem: ProblemError, request_id: str) -> Answer:
    """The answer that says what was refused."""
    headers = {"content-type": MEDIA_TYPE}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    return Answer(problem.status, problem.body(request_id), headers)


def gateway_answer(answer: Answer) -> dict[str, Any]:
    """The answer as the gateway takes it."""
    return {
        "statusCode": answer.status,
        "headers": {**answer.headers, "cache-control": "no-store"},
        "body": answer.body.decode(),
    }
