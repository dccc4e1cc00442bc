"""What the API of jobs refuses, and with which status."""

from aws_lambda_powertools.event_handler import Response

from queries.api.callers import ForbiddenError, UnknownCallerError
from queries.api.refusals import refusal
from queries.jobs.errors import (
    KeyReusedError,
    OverlapError,
    RequestError,
    StateError,
    TooManyJobsError,
    UnknownJobError,
)
from queries.jobs.port import ChangedError

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
    """The body of a refusal; for an overlap with the other job."""
    status, code = STATUS[type(error)]
    others = {"job_id": error.other} if isinstance(error, OverlapError) else {}
    return refusal(status, code, str(error), request_id, **others)
