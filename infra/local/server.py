"""The local server: one process that answers Athena, Firehose, QuickSight and AppSync, and has the live page.

`python -m infra.local.server <root folder> <project file>` with the settings in `PENSTOCK_LOCAL_*` variables.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dashboards.preview.own_machine import OwnMachineOnly
from infra.local import process_memory, processes
from infra.local.access import server_gate
from infra.local.edge.looking import Looking
from infra.local.edge.sign_in_style import SignInStyle
from infra.local.graphql import GraphQLService, sockets
from infra.local.ministack import emulator
from infra.local.parts import log_lines
from infra.local.parts.catalogue_events import CatalogueEvents
from infra.local.parts.cfn import ResourceEndpoint, ResourceStore
from infra.local.parts.context import LocalContext
from infra.local.parts.jobs_ticker import JobsTicker
from infra.local.parts.old_results import OldResults
from infra.local.parts.requests import RequestError, read_request
from infra.local.parts.service import Service
from infra.local.parts.ticker import Ticker
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from infra.local.status.alarm_listener import AlarmListener
from infra.project.loading import load
from infra.project.project import Project
from queries.updates.watching.documents import PUBLISHED

NAME = "server"


def services(
    context: LocalContext,
    settings: LocalSettings,
    store: ResourceStore,
    project: Project,
    graphql: GraphQLService,
) -> list[Service]:
    """Every part of the local server."""
    from infra.local.athena import AthenaService
    from infra.local.firehose.service import DELIVERY_STREAM, FirehoseService
    from infra.local.quicksight import QuickSightService
    from infra.local.status import StatusService

    firehose = FirehoseService(context, settings, partial(store.created_at, DELIVERY_STREAM))
    ticker = Ticker(context, firehose.objects_delivered, settings.tick_seconds)
    return [
        firehose,
        ticker,
        JobsTicker(context, settings.tick_seconds),
        AthenaService(context),
        OldResults(
            context, (context.paths.state / "athena-results", context.paths.root / "cache" / "athena")
        ),
        CatalogueEvents(
            context,
            project.reports,
            partial(graphql.is_listened_to, PUBLISHED),
            Looking(context.paths.run),
        ),
        AlarmListener(context),
        QuickSightService(context),
        graphql,
        SignInStyle(),
        StatusService(context, project),
    ]


def application(
    parts: Sequence[Service],
    store: ResourceStore,
    context: LocalContext,
    foreign: Callable[[Any], None] = lambda _: None,
) -> Starlette:
    """The web application of these services. `foreign` is called for requests of other sites."""
    targets = {prefix: target for part in parts for prefix, target in part.targets.items()}
    endpoint = ResourceEndpoint({kind: h for part in parts for kind, h in part.resources.items()}, store)

    async def call(request: Request) -> Response:
        prefix, _, operation = request.headers.get("x-amz-target", "").partition(".")
        if prefix not in targets:
            message = f"The local server does not answer {prefix or 'requests without X-Amz-Target'}."
            return JSONResponse({"__type": "UnknownOperationException", "message": message}, status_code=400)
        try:
            body = read_request(prefix, operation, await request.body())
        except RequestError as error:
            return JSONResponse({"__type": error.code, "message": str(error)}, status_code=400)
        return await targets[prefix](operation, body, request)

    async def health(request: Request) -> Response:  # noqa: ARG001 - starlette passes it
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001 - starlette passes it
        trimming = asyncio.create_task(process_memory.keep_small())
        await asyncio.to_thread(endpoint.restore)
        for part in parts:
            await part.start()
        yield
        for part in reversed(parts):
            await part.stop()
        trimming.cancel()
        store.close()

    own = [
        Route("/", call, methods=["POST"]),
        Route(f"{server_gate.CFN}{{token}}", endpoint.respond, methods=["POST"]),
        Route("/_cfn", endpoint.types, methods=["GET"]),
        Route("/_health", health),
    ]
    routes = [*own, *(route for part in parts for route in part.routes)]
    middleware = [
        Middleware(OwnMachineOnly, on_refusal=foreign),
        Middleware(server_gate.gated, context),
    ]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


def main() -> None:
    """Run the server until it is told to end."""
    paths, settings = LocalPaths(Path(sys.argv[1])), LocalSettings.from_environ(os.environ)
    emulator_port, port = settings.ports
    held = processes.hold(paths.run, NAME, {"port": port})
    log_lines.install()
    logging.getLogger("botocore").setLevel(logging.WARNING)
    context = LocalContext(
        paths,
        endpoint_url=emulator.url(emulator_port, enforce_iam=settings.enforce_iam),
        server_url=f"http://{processes.LOOPBACK}:{port}",
        region=settings.region,
        ca_bundle=emulator.certificate(paths) if settings.enforce_iam else None,
        enforce_iam=settings.enforce_iam,
    )
    process_memory.settle()
    store = ResourceStore(paths.database("resources"))
    graphql = GraphQLService(context)
    parts = services(context, settings, store, load(Path(sys.argv[2])), graphql)
    app = application(parts, store, context, graphql.foreign)
    uvicorn.run(
        app,
        host=processes.LOOPBACK,
        port=port,
        **sockets.options(graphql.limits),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
    )
    held.close()


if __name__ == "__main__":
    main()
