"""Refusals as RFC 9457 has them."""

import json
from typing import Any

from aws_lambda_powertools.event_handler import Response

from queries.api.callers import ForbiddenError, UnknownCallerError
from queries.jobs.errors import (
    KeyReusedError,
    OverlapError,
    RequestError,
    StateError,
    TooManyJobsError,
    UnknownJobError,
)
from queries.jobs.port import ChangedError

RETRY_AFTER_SECONDS = 5
STATUS: dict[type[Exception], tuple[int, str]] = {
    RequestError: (400, "bad_request"),
    UnknownCallerError: (401, "not_signed_in"),
    ForbiddenError: (403, "forbidden"),
    UnknownJobError: (404, "no_such_job"),
    OverlapError: (409, "overlaps"),
    StateError: (409, "wrong_state"),
    KeyReusedError: (422, "key_reused"),
    TooManyJobsError: (429, "too_many_jobs"),
    ChangedError: (503, "busy"),
}


def problem(error: Exception, request_id: str) -> Response[str]:
    """The body of a refusal: a code, a sentence, the request's id, and for an overlap the other job."""
    status, code = STATUS[type(error)]
    body: dict[str, Any] = {
        "type": f"urn:penstock:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "detail": str(error),
        "request_id": request_id,
    }
    if isinstance(error, OverlapError):
        body["job_id"] = error.other
    headers: dict[str, str | list[str]] = (
        {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in (429, 503) else {}
    )
    return Response(status, "application/problem+json", json.dumps(body), headers=headers)
