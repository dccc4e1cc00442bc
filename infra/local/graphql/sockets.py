"""uvicorn's connections, with an end for those that have nobody, or nobody who listens, at the other end."""

import asyncio
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from infra.local.graphql.limits import Limits

ABORT = "penstock.abort"
"""Extension of a socket's scope: a function that ends the connection at once."""
SILENT = 1011
"""The code with which the application hears of a socket that answers no pings any more."""

SYSTEM_BYTES = 64 * 1024
"""Held for one socket by the system, and as much by the event loop; the rest is held, and bounded, by us."""


class LiveSocket(WebSocketsSansIOProtocol):
    """A WebSocket. What waits to be written to one that is ended is forgotten, not flushed first."""

    def connection_made(self, transport: Any) -> None:
        """A client has asked for a socket, for which the system holds little: the rest waits in here."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, SYSTEM_BYTES)
        transport.set_write_buffer_limits(SYSTEM_BYTES)

    def handle_connect(self, event: Any) -> None:
        """The application learns how to end the socket."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: Any = self.scope["extensions"]
            extensions[ABORT] = {"abort": self.transport.abort}

    def keepalive_timeout(self) -> None:
        """Nobody answers any more."""
        if not self.close_sent:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": SILENT})
        self.transport.abort()


class PatientHttp(HttpToolsProtocol):
    """HTTP, for clients that say within `request_seconds` what they want."""

    request_seconds = 0.0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        self._wait()

    def on_message_begin(self) -> None:
        """A request begins, the first or a later one."""
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It is known what is wanted."""
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._stop_waiting()
        self._waiting = self.loop.call_later(self.request_seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


def options(limits: Limits) -> dict[str, Any]:
    """Options of uvicorn for a server with these limits."""

    class Http(PatientHttp):
        request_seconds = limits.request_seconds

    return {
        "http": Http,
        "ws": LiveSocket,
        "ws_max_size": limits.frame_bytes,
        "ws_ping_interval": limits.ping_seconds,
        "ws_ping_timeout": limits.ping_seconds,
        "ws_per_message_deflate": False,
    }
