"""What the read API refuses, and with which status."""

from queries.api.callers import ForbiddenError, UnknownCallerError
from queries.api.reading.errors import (
    AskedError,
    CursorGoneError,
    MediaError,
    RestrictedError,
    RowsMissingError,
    TooLargeError,
)
from queries.refresh.catalog import UnknownReportError

NO_ROUTE = (404, "no_such_route")
STATUS: dict[type[Exception], tuple[int, str]] = {
    AskedError: (400, "bad_request"),
    UnknownCallerError: (401, "not_signed_in"),
    ForbiddenError: (403, "forbidden"),
    RestrictedError: (403, "restricted"),
    UnknownReportError: (404, "no_such_report"),
    MediaError: (406, "not_acceptable"),
    CursorGoneError: (410, "cursor_gone"),
    TooLargeError: (413, "partition_too_large"),
    RowsMissingError: (503, "rows_missing"),
}
