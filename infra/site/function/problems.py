"""What the site's API refuses, and with which status."""

from dashboards.site.pointer import PointerError
from dashboards.site.views import NothingToGiveError, UnknownPlaceError, VersionGoneError
from infra.site.function.asking import AskedError
from queries.api.callers import ForbiddenError, UnknownCallerError

NO_ROUTE = (404, "no_such_route")
STATUS: dict[type[Exception], tuple[int, str]] = {
    AskedError: (400, "bad_request"),
    UnknownCallerError: (401, "not_signed_in"),
    ForbiddenError: (403, "forbidden"),
    UnknownPlaceError: (404, "no_such_place"),
    NothingToGiveError: (409, "nothing_to_give"),
    VersionGoneError: (410, "version_gone"),
    PointerError: (503, "not_published"),
}
