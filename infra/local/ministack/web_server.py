"""MiniStack behind uvicorn: its own web server, Hypercorn, reads requests in Python, uvicorn in C."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from infra.local.ministack.collector_port import SecondServer

if TYPE_CHECKING:
    import uvicorn

KEEP_ALIVE_SECONDS = 75
"""MiniStack's own choice for idle connections."""
GRACE_SECONDS = 3
"""Hypercorn's own choice for requests that run at the end, and for the goodbye of idle TLS connections."""


def install(guarded: Callable[[Any], Any], beside: Sequence[tuple[int, Callable[[Any], Any]]] = ()) -> None:
    """Before MiniStack's `main`, which looks its web server up when it is called.

    `guarded` gives the application that is served instead of MiniStack's; `beside` are other ports, and what
    gives the application of each.
    """
    import hypercorn.asyncio
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

    async def serve_guarded(app: Any, config: Any) -> None:
        others = [SecondServer(_config(other(app), config, port, lifespan="off")) for port, other in beside]
        running = [asyncio.create_task(each.serve()) for each in others]
        try:
            await serve(guarded(app), config)
        finally:
            for each in others:
                each.should_exit = True
            await asyncio.gather(*running)

    hypercorn.asyncio.serve = serve_guarded  # type: ignore[assignment]


def _config(app: Any, config: Any, port: int, *, lifespan: Literal["on", "off"]) -> "uvicorn.Config":
    import uvicorn

    from infra.local.ministack.joined_writes import JoiningProtocol

    return uvicorn.Config(
        app,
        host=config.bind[0].rsplit(":", 1)[0],
        port=port,
        http=JoiningProtocol,
        lifespan=lifespan,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        ssl_certfile=config.certfile,
        ssl_keyfile=config.keyfile,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


async def serve(app: Any, config: Any) -> None:
    """Serve until a signal. Raises RuntimeError when the state may not be whole: the end was cut short."""
    import uvicorn

    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn ends in order and then raises the signal again for the handler that it found here;
        # MiniStack's own would exit before `main` notes that the state is whole.
        signal.signal(number, signal.SIG_IGN)
    port = int(config.bind[0].rsplit(":", 1)[1])
    server = uvicorn.Server(_config(app, config, port, lifespan="on"))
    await server.serve()
    if server.force_exit or server.lifespan.error_occurred or server.lifespan.shutdown_failed:
        raise RuntimeError("MiniStack was made to end before it had written its state.")
