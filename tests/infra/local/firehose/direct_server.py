"""A Firehose that takes records and delivers none, as a process of its own: `... direct_server FOLDER`.

Its first line of output is its port. It ends when it is killed, which is what it is for.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.firehose.service import FirehoseService
from infra.local.parts.requests import read_request
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from tests.infra.local.firehose.harness import COLUMNS, MemoryCatalog, MemoryContext, direct_properties


class Context(MemoryContext):
    """With a folder."""

    def __init__(self, paths: LocalPaths) -> None:
        super().__init__(dict.fromkeys(("kinesis", "lambda", "s3")) | {"glue": MemoryCatalog(COLUMNS)})
        self.paths = paths


def firehose(folder: Path) -> FirehoseService:
    """With one delivery stream, whose worker is not started."""
    paths = LocalPaths.of(folder)
    paths.make()
    context: Any = Context(paths)
    service = FirehoseService(context, LocalSettings())
    service.update("events", direct_properties())
    return service


def app(service: FirehoseService) -> Starlette:
    """What answers over HTTP."""

    async def call(request: Request) -> Response:
        prefix, _, operation = request.headers["x-amz-target"].partition(".")
        body = read_request(prefix, operation, await request.body())
        return await service.targets[prefix](operation, body, request)

    return Starlette(routes=[Route("/", call, methods=["POST"])])


async def main() -> None:
    """Serve until killed."""
    config = uvicorn.Config(app(firehose(Path(sys.argv[1]))), port=0, log_level="error")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    sys.stdout.write(f"{server.servers[0].sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await serving


if __name__ == "__main__":
    asyncio.run(main())
