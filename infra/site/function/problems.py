"""What the site's API refuses, and with which status."""

from dashboards.board.cells import NumberGoneError
from dashboards.site.pointer import PointerError
from dashboards.site.views import NothingToGiveError, UnknownPlaceError, VersionGoneError
from infra.site.function.asking import AskedError
from queries.api.callers import ForbiddenError, UnknownCallerError
from queries.api.site_answers import CODES

NO_ROUTE = (404, "no_such_route")
_REFUSALS: dict[type[Exception], int] = {
    AskedError: 400,
    UnknownCallerError: 401,
    ForbiddenError: 403,
    UnknownPlaceError: 404,
    NumberGoneError: 404,
    NothingToGiveError: 409,
    VersionGoneError: 410,
    PointerError: 503,
}
STATUS = {error: (status, CODES[status]) for error, status in _REFUSALS.items()}
"""Error -> status and code."""
