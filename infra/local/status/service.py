"""The live page and what feeds it: snapshots over server-sent events, an event's way, rows of reports."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from infra.aws.outputs import OutputsError
from infra.local.parts.context import LocalContext
from infra.local.parts.service import ResourceHandler, Target
from infra.local.status import guard
from infra.local.status.names import NotDeployedError, Resources
from infra.local.status.receipts import receipts_of
from infra.local.status.reports import rows
from infra.local.status.snapshot import Snapshots
from infra.local.status.trace import Tracer, UnknownEventError
from infra.project.project import Project
from infra.receipts.pages import PATH
from queries.engine.port import QueryFailedError

_SECONDS_BETWEEN = 1.0
_HAPPENINGS_AT_ONCE = 120
_THREADS = 8
_TROUBLE = (BotoCoreError, ClientError, NotDeployedError, OutputsError, QueryFailedError, OSError)

log = logging.getLogger(__name__)


class StatusService:
    """A `Service` that answers no AWS call: it only looks."""

    targets: Mapping[str, Target] = {}
    resources: Mapping[str, ResourceHandler] = {}

    def __init__(self, context: LocalContext, project: Project) -> None:
        self._context, self._project = context, project
        self._resources = Resources(context)
        self._snapshots = Snapshots(context, self._resources, project)
        self._tracer = Tracer(context, self._resources, project)
        self._receipts = receipts_of(context, self._resources, project)
        self._ended = asyncio.Event()
        # Of its own: this work waits for queries that the same server answers in the common threads, and
        # would wait for ever once it held all of those itself.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="status")
        self.routes: Sequence[BaseRoute] = [
            Route(path, guard.guarded(endpoint), methods=["GET"])
            for path, endpoint in (
                ("/", self._page),
                ("/_static/{name}", self._static),
                ("/_status", self._status),
                ("/_events", self._events),
                ("/_event", self._newest_event),
                ("/_event/{event_id}", self._event),
                ("/_report/{name}", self._report),
                (PATH, self._receipt),
            )
        ]

    async def start(self) -> None:
        """Nothing runs in the background: a page that is not open costs nothing."""
        self._ended.clear()

    async def stop(self) -> None:
        """End the open event streams."""
        self._ended.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _page(self, _: Request) -> Response:
        return guard.static_file("index.html")

    async def _static(self, request: Request) -> Response:
        return guard.static_file(request.path_params["name"])

    async def _status(self, _: Request) -> Response:
        return await self._answered(self._snapshots.current)

    async def _newest_event(self, _: Request) -> Response:
        return await self._answered(self._tracer.newest)

    async def _event(self, request: Request) -> Response:
        event_id: str = request.path_params["event_id"]
        return await self._answered(lambda: self._tracer.trace(event_id))

    async def _report(self, request: Request) -> Response:
        report = self._project.reports.get(request.path_params["name"])
        if report is None:
            return guard.refusal(404, f"There is no report {request.path_params['name']!r}.")
        return await self._answered(lambda: rows(self._resources.asking, report, self._resources.ledger))

    async def _receipt(self, request: Request) -> Response:
        pairs = request.query_params.multi_items()
        answer = await self._done(lambda: self._receipts.receipt(pairs))
        headers = {"Content-Security-Policy": answer.policy}
        return Response(answer.body, answer.status, headers, media_type="text/html")

    async def _events(self, _: Request) -> Response:
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[str]:
        newest = 0
        while not self._ended.is_set():
            try:
                snapshot = await self._done(self._snapshots.current)
            except _TROUBLE as error:
                log.info("no snapshot: %s", error)
                yield ": nothing to tell yet\n\n"
            else:
                yield _sent("snapshot", snapshot)
            happened = self._context.activity.since(newest)
            if happened:
                newest = happened[-1].number
                yield _sent("happenings", happened[-_HAPPENINGS_AT_ONCE:])
            try:
                await asyncio.wait_for(self._ended.wait(), _SECONDS_BETWEEN)
            except TimeoutError:
                continue

    async def _done(self, work: Callable[[], Any]) -> Any:
        """What `work` returns, done in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _answered(self, work: Callable[[], Any]) -> Response:
        """The answer of `work` as JSON; what went wrong as a sentence."""
        try:
            found = await self._done(work)
        except UnknownEventError as error:
            # Not found yet is an answer and no failure: the page asks again while the event is on its way.
            found = {"is_found": False, "message": str(error), "may_come": error.is_well_formed}
        except _TROUBLE as error:
            return guard.refusal(503, " ".join(str(error).split()))
        return Response(msgspec.json.encode(found), media_type="application/json")


def _sent(kind: str, value: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps(msgspec.to_builtins(value))}\n\n"
