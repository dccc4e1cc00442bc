"""From a number on the page to its receipt."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from dashboards.board.access import OWNER
from dashboards.board.address import state_of
from dashboards.board.board import Board
from dashboards.board.cells import Behind, NumberGoneError, behind
from dashboards.preview.port import Answer, Receipts

RECEIPT, NUMBER = "/_receipt", "/_number"
_AT = "at."


class ReceiptRoutes:
    """Serves receipts beside a board."""

    def __init__(self, board: Board, receipts: Receipts) -> None:
        self._board, self._receipts = board, receipts
        self.routes = [
            Route(RECEIPT, self._receipt),
            Route(f"{NUMBER}/{{name}}/{{visual}}", self._number),
        ]

    async def _receipt(self, request: Request) -> Response:
        pairs = request.query_params.multi_items()
        return _page(await run_in_threadpool(self._receipts.receipt, pairs))

    async def _number(self, request: Request) -> Response:
        """The receipt of a number that is one cell of a report; of any other, a page of its cells."""
        try:
            found = await run_in_threadpool(self._behind, request)
        except NumberGoneError as error:
            return _page(self._receipts.refused(404, str(error)))
        except ValueError as error:  # an address that cannot be, a visual that is not drawn
            return _page(self._receipts.refused(400, str(error)))
        if found.total == 1:
            return RedirectResponse(f"{RECEIPT}?{self._receipts.address(found.report, found.cells[0])}", 303)
        return _page(self._receipts.cells(found.title, found.text, found.report, found.cells, found.total))

    def _behind(self, request: Request) -> Behind:
        query = request.query_params
        state = state_of(query.multi_items())
        at = {name.removeprefix(_AT): text for name, text in query.items() if name.startswith(_AT)}
        try:
            view = self._board.view(request.path_params["name"], state, query.get("as", OWNER))
            visual = view.page.visuals[request.path_params["visual"]]
            return behind(view, visual, self._receipts.reports, query.get("column", ""), at)
        except KeyError as error:
            raise NumberGoneError(f"There is no {error.args[0]!r}.") from error


def _page(answer: Answer) -> Response:
    headers = {"Content-Security-Policy": answer.policy}
    return Response(answer.body, answer.status, headers, media_type="text/html; charset=utf-8")
