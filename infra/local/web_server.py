"""MiniStack behind uvicorn: its own web server, Hypercorn, reads requests in Python, uvicorn in C."""

import asyncio
import signal
from typing import Any

import hypercorn.asyncio
import uvicorn
import uvloop

KEEP_ALIVE_SECONDS = 75
"""MiniStack's own choice; botocore keeps idle connections for as long as the server does."""
GOODBYE_SECONDS = 1
"""A client with an idle TLS connection never says goodbye, and MiniStack writes its state afterwards."""


def install() -> None:
    """Before MiniStack's `main`, which looks its web server up when it is called."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    hypercorn.asyncio.serve = _serve  # type: ignore[assignment]


async def _serve(app: Any, config: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn ends in order and then raises the signal again for the handler that it found here;
        # MiniStack's own would exit before `main` notes that the state is whole.
        signal.signal(number, signal.SIG_IGN)
    host, port = config.bind[0].rsplit(":", 1)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=int(port),
            http="httptools",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            ssl_certfile=config.certfile,
            ssl_keyfile=config.keyfile,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GOODBYE_SECONDS,
        )
    )
    await server.serve()
