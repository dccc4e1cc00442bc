"""The preview server: one page per dashboard, its numbers as JSON, and word of every change as it happens."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from dashboards.board import payload
from dashboards.board.access import OWNER
from dashboards.board.address import AddressError, state_of
from dashboards.board.board import Board
from dashboards.board.csv_text import csv_of
from dashboards.preview import static_page
from dashboards.preview.assets import FOLDER, assets, shell
from dashboards.preview.charts import vega
from dashboards.preview.files import png_of
from dashboards.preview.following import Following, Publishes
from dashboards.preview.own_machine import OwnMachineOnly
from dashboards.preview.port import Receipts
from dashboards.preview.receipts import ReceiptRoutes
from dashboards.publishes import moved
from dashboards.render.state import State
from dashboards.render.view import View

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
_KEPT = {"Cache-Control": "max-age=31536000, immutable"}
HEARTBEAT_SECONDS = 15.0
UNWATCHED_SECONDS = 2.0
"""Between polls while no page is open; one that opens is noticed at once."""

HOST = "127.0.0.1"


class PortTakenError(RuntimeError):
    """The preview cannot listen where it should."""


Versions = Callable[[], Mapping[str, Mapping[str, str]]]
"""Dataset -> partition -> what changes when the partition is published."""


@dataclass
class Watch:
    """What is looked at for changes, and how often (seconds).

    `versions` gives the published reports; `declarations` gives a token of the definition files. With
    `publishes` the reports are looked at when that announces something, while it does.
    """

    versions: Versions
    declarations: Callable[[], str] = field(default=lambda: "")
    every: float = 0.1
    publishes: Publishes | None = None


class Preview:
    """The web application over a board."""

    def __init__(self, board: Board, watch: Watch, receipts: Receipts | None = None) -> None:
        self._board, self._watch, self._receipts = board, watch, receipts
        self._following = Following(watch.publishes)
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()
        self._number = 0
        self._opened = asyncio.Event()

    def application(self) -> Starlette:
        """The application; its lifespan watches for changes."""
        routes = [
            Route("/", self._index),
            Route("/events", self._events),
            Route("/api/{name}/opening", self._opening),
            Route("/api/{name}/tiles", self._tiles),
            Route("/api/{name}/{visual}.csv", self._csv),
            Route("/api/{name}/{visual}.png", self._png),
            Route("/{name}.html", self._export),
            Route(FOLDER + "{path:path}", _asset),
            *(ReceiptRoutes(self._board, self._receipts).routes if self._receipts else ()),
            Route("/{name}", self._shell),
        ]
        app = Starlette(routes=routes, lifespan=self._lifespan)
        app.add_middleware(_Headers)
        app.add_middleware(OwnMachineOnly)
        return app

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        await run_in_threadpool(self._warm)
        watching = asyncio.create_task(self._watching())
        yield
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    def _warm(self) -> None:
        """Read everything and draw every sheet once: the chart compiler takes seconds to wake."""
        self._board.rebuild()
        self._board.load()
        for name, page in self._board.pages.items():
            for sheet in page.sheets:
                payload.tiles(self._board, name, sheet["SheetId"], state_of([]), charts=vega)

    async def _watching(self) -> None:
        seen = await self._look({}, "")
        while True:
            started = time.monotonic()
            seen = await self._look(*seen)
            # A machine that is slow to answer is asked less often: looking takes half the time at most.
            await self._rest(max(self._watch.every, time.monotonic() - started))

    async def _rest(self, seconds: float) -> None:
        if self._listeners:
            await asyncio.sleep(seconds)
            return
        self._opened.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._opened.wait(), max(seconds, UNWATCHED_SECONDS))

    async def _look(
        self, versions: Mapping[str, Mapping[str, str]], token: str
    ) -> tuple[Mapping[str, Mapping[str, str]], str]:
        """Compare with what was seen last, and tell the pages of what changed."""
        is_first = not versions and not token
        now_versions = versions
        if is_first or self._following.is_due():
            try:
                now_versions = await run_in_threadpool(self._watch.versions)
            except Exception:  # noqa: BLE001
                self._following.again()
        now_token = await run_in_threadpool(self._watch.declarations)
        changed = {
            name: partitions
            for name, version in now_versions.items()
            if (partitions := moved(versions.get(name, {}), version))
        }
        if is_first:
            return now_versions, now_token
        if now_token != token:
            await run_in_threadpool(self._board.rebuild)
            await run_in_threadpool(self._board.load)
            self._tell({"declarations": True})
        elif changed:
            await run_in_threadpool(self._board.load, changed)
            self._tell({"changed": sorted(changed)})
        return now_versions, now_token

    def _tell(self, message: dict[str, Any]) -> None:
        self._number += 1
        for queue in self._listeners:
            queue.put_nowait({"number": self._number, **message})

    async def _index(self, request: Request) -> Response:
        first = next(iter(self._board.pages), None)
        return RedirectResponse(f"/{first}") if first else await self._shell(request)

    async def _shell(self, request: Request) -> Response:
        """The page with its first answer in it. Its head goes out while the answer is being made."""
        before, after = shell()

        async def stream() -> AsyncIterator[bytes]:
            yield before.encode()
            body = (await self._opening(request)).body
            # No text of a report may end the element that holds it.
            yield bytes(body).replace(b"<", b"\\u003c") + after.encode()

        return StreamingResponse(stream(), media_type="text/html; charset=utf-8")

    async def _opening(self, request: Request) -> Response:
        """What there is, also for a page that there is not, and for choices that cannot be."""
        number = self._number

        def make() -> Response:
            found = payload.opening(self._board, request.path_params.get("name", ""))
            with contextlib.suppress(KeyError, ValueError):
                found["answer"] = payload.tiles(self._board, *self._asked(request), charts=vega)
            return _json({"number": number, **found})

        return await run_in_threadpool(make)

    async def _tiles(self, request: Request) -> Response:
        return await self._answer(
            lambda: _json(payload.tiles(self._board, *self._asked(request), charts=vega))
        )

    def _asked(self, request: Request) -> tuple[str, str, State, str, Collection[str]]:
        """Page, sheet, choices and viewer of a request, and what has receipts. Raises AddressError."""
        query = request.query_params
        return (
            request.path_params.get("name", ""),
            query.get("sheet", ""),
            state_of(query.multi_items()),
            query.get("as", OWNER),
            self._receipts.reports if self._receipts else (),
        )

    async def _csv(self, request: Request) -> Response:
        def make() -> Response:
            view, visual = self._visual(request)
            name = f"{request.path_params['name']}-{visual.id}.csv"
            return _download(csv_of(view, visual).encode(), "text/csv; charset=utf-8", name)

        return await self._answer(make)

    async def _png(self, request: Request) -> Response:
        def make() -> Response:
            view, visual = self._visual(request)
            name = f"{request.path_params['name']}-{visual.id}.png"
            return _download(png_of(view, visual, view.now), "image/png", name)

        return await self._answer(make)

    async def _export(self, request: Request) -> Response:
        def make() -> Response:
            name = request.path_params["name"]
            text = exported(self._board, name, request.query_params.multi_items())
            return _download(text.encode(), "text/html; charset=utf-8", f"{name}.html")

        return await self._answer(make)

    async def _answer(self, make: Callable[[], Response]) -> Response:
        try:
            return await run_in_threadpool(make)
        except KeyError as error:
            return PlainTextResponse(f"There is no {error.args[0]!r}.", 404)
        except (AddressError, ValueError) as error:
            return PlainTextResponse(str(error), 400)

    def _visual(self, request: Request) -> tuple[View, Any]:
        query = request.query_params
        view = self._board.view(
            request.path_params["name"], state_of(query.multi_items()), query.get("as", OWNER)
        )
        return view, view.page.visuals[request.path_params["visual"]]

    async def _events(self, _: Request) -> Response:
        async def stream() -> AsyncIterator[str]:
            queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            self._listeners.add(queue)
            self._opened.set()
            self._following.begin()
            try:
                yield f"data: {json.dumps({'number': self._number, 'hello': True})}\n\n"
                while True:
                    try:
                        message = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                        yield f"data: {json.dumps(message)}\n\n"
                    except TimeoutError:
                        yield ": still here\n\n"
            finally:
                self._listeners.discard(queue)

        return StreamingResponse(stream(), media_type="text/event-stream")


def serve(application: Starlette, port: int, *, listening: Callable[[], None]) -> None:
    """Serve on this machine until interrupted. `listening` is called once a browser would be answered.

    The first reading of the reports comes before that, and may take a minute. Raises PortTakenError at once.
    """
    import uvicorn

    class Told(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                listening()

    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((HOST, port))
        except OSError as error:
            raise PortTakenError(
                f"Port {port} of {HOST} cannot be had: {error.strerror}. Name another: --port {port + 10}"
            ) from error
        Told(uvicorn.Config(application, log_level="warning")).run(sockets=[place])


def exported(board: Board, name: str, pairs: list[tuple[str, str]]) -> str:
    """A page as one HTML file, with a viewer's choices in force. Raises KeyError and AddressError."""
    state, viewer = state_of(pairs), dict(pairs).get("as", OWNER)
    page = board.pages[name]
    sheets = {
        sheet["SheetId"]: payload.tiles(board, name, sheet["SheetId"], state, viewer, charts=vega)
        for sheet in page.sheets
    }
    drawn_at = board.view(name, state).now.isoformat(timespec="minutes")
    return static_page.html(payload.frame(board, name), sheets, drawn_at)


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


async def _asset(request: Request) -> Response:
    found = assets().get(request.url.path)
    if found is None:
        return PlainTextResponse("There is no such file.", 404)
    return Response(found.body, media_type=found.media_type, headers=_KEPT)


def _download(body: bytes, media_type: str, name: str) -> Response:
    return Response(
        body, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


class _Headers:
    """Puts the security headers on every answer, streams included."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                given = {key for key, _ in message["headers"]}
                message["headers"] += [pair for pair in _HEADERS if pair[0] not in given]
            await send(message)

        await self._app(scope, receive, with_headers)
