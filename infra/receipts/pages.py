"""Receipts as pages, for whatever shows numbers to people: the preview and the live page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError

from infra.aws.outputs import OutputsError
from infra.receipts.explainer import explainer_of, surroundings_of
from infra.receipts.place import Place
from queries.contracts import Report
from queries.engine.port import QueryFailedError
from queries.hours import HourNameError
from queries.receipts import html, page
from queries.receipts.address import address_of, asked_in
from queries.receipts.cell import Asked
from queries.receipts.cells import CellOf, cells_page, forecast_page, refusal_page
from queries.receipts.comparing import compare
from queries.receipts.errors import UnknownCellError, UnknownVersionError
from queries.receipts.explaining import Explainer
from queries.refresh.catalog import ReportQuery, UnknownReportError

if TYPE_CHECKING:
    from infra.receipts.surroundings import TargetSurroundings

PATH = "/_receipt"
"""Where receipts are served."""
_AGREED = ("agreed", "yes")
_UNKNOWN = (UnknownCellError, UnknownVersionError, UnknownReportError, HourNameError)
_TROUBLE = (BotoCoreError, ClientError, OutputsError, QueryFailedError, OSError)

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """A page, its HTTP status, and the Content-Security-Policy that it needs."""

    status: int
    body: str
    policy: str = f"{html.POLICY}; frame-ancestors 'none'"


class ReceiptPages:
    """Makes the pages. Called from worker threads.

    Args:
        place: the resources; asked anew for each page.
        catalog: the project's reports.
        is_paid: whether Athena's price is said first, and somebody has to go on.
    """

    def __init__(
        self, place: Callable[[], Place], catalog: Mapping[str, ReportQuery], *, is_paid: bool = False
    ) -> None:
        self._place, self._catalog, self._is_paid = place, catalog, is_paid
        self._made: tuple[Place, Explainer, TargetSurroundings] | None = None

    @property
    def reports(self) -> Mapping[str, Report]:
        """The reports whose numbers have receipts."""
        return {name: query.report for name, query in self._catalog.items()}

    def receipt(self, pairs: Iterable[tuple[str, str]]) -> Answer:
        """The receipt that an address asks for, or what made the difference to its version `diff`."""
        try:
            return self._receipt(list(pairs))
        except _UNKNOWN as error:
            return self.refused(404, str(error))
        except _TROUBLE as error:
            return self.refused(503, " ".join(str(error).split()))

    def address(self, report: str, cell: Mapping[str, Any]) -> str:
        """The address that names a cell; what is behind a `?`."""
        return address_of(report, cell["partition"], cell["keys"], cell["column"])

    def cells(
        self, title: str, value: str, report: str, cells: Sequence[Mapping[str, Any]], total: int
    ) -> Answer:
        """The numbers of a report that another is computed from; see `cells_page`."""
        found = [CellOf(**cell) for cell in cells]
        return Answer(200, cells_page(title, value, report, found, total=total, path=PATH))

    def refused(self, status: int, message: str) -> Answer:
        """A page that says why there is no receipt."""
        return Answer(status, refusal_page(message))

    def _receipt(self, pairs: Pairs) -> Answer:
        query, asked = asked_in(pairs, self._catalog)
        explainer, around = self._explainer()
        given = dict(pairs)
        if self._is_paid and _AGREED not in pairs:
            return self._forecast(explainer, query, asked, pairs)
        if "diff" in given:
            found = compare(explainer, around, query, asked, _number(given["diff"]))
            return Answer(200, page.comparison_page(found))
        kept = urlencode([pair for pair in pairs if pair != _AGREED])
        return Answer(200, page.receipt_page(explainer.explain(query, asked), address=kept))

    def _explainer(self) -> "tuple[Explainer, TargetSurroundings]":
        """Made once for what is deployed: its connections take time to open."""
        place, made = self._place(), self._made
        if made is None or made[0] is not place:
            around = surroundings_of(place)
            self._made = made = (place, explainer_of(place, around), around)
        return made[1], made[2]

    def _forecast(self, explainer: Explainer, query: ReportQuery, asked: Asked, pairs: Pairs) -> Answer:
        said = explainer.forecast(query.report, asked.partition)
        return Answer(200, forecast_page(f"This receipt takes {said}.", urlencode([*pairs, _AGREED])))


def _number(text: str) -> int:
    """The number of a version. Raises UnknownVersionError."""
    if not text.isdecimal():
        raise UnknownVersionError(f"{text!r} is not the number of a version. Write one like 3.")
    return int(text)
