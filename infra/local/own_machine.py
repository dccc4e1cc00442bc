"""Keeps the local server to programs of this machine and to its own page.

A web page of somebody else's can make a browser send requests to 127.0.0.1. Such a request names its page in
`Origin`, or has a host name that only points here; neither is answered. AWS clients send no `Origin`.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class OwnMachineOnly:
    """Middleware that refuses what another site's page asks for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with 403."""
        if scope["type"] == "http" and (why := refused(Headers(scope=scope))):
            await JSONResponse({"message": why}, status_code=403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def refused(headers: Headers) -> str | None:
    """Why a request with these headers is not answered; None when it is."""
    host = headers.get("host", "")
    if urlsplit(f"//{host}").hostname not in LOOPBACK_HOSTS:
        return f"The local server answers as 127.0.0.1 or localhost only, not as {host!r}."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        return f"The local server does not answer pages of {origin!r}."
    if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
        return "The local server does not answer pages of another site."
    return None
