"""Keeps a server on this machine to programs of this machine and to its own pages.

A web page of somebody else's can make a browser send requests to 127.0.0.1. The browser says so: in `Origin`,
in `Sec-Fetch-Site`, or in a `Host` that is a name of the page's own which only points here. None of these is
answered. Programs send neither `Origin` nor `Sec-Fetch-Site`.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

_LINK = (
    b"<!doctype html><meta charset=utf-8><title>A link led here</title>"
    b"<p>A page of another site led here, and nothing was done yet.</p>"
    b'<p><a href="">Open this page of your own machine</a></p>'
)
_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; form-action 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]


class OwnMachineOnly:
    """ASGI middleware that refuses with 403 what another site's page asks for, WebSockets included.

    With `has_pages=False` nothing that a page made is answered, since none of the server's own exist. What
    goes out carries no CORS header. `on_refusal` is called with the scope of each request that is refused.
    """

    def __init__(
        self, app: Any, *, has_pages: bool = True, on_refusal: Callable[[Any], None] = lambda _: None
    ) -> None:
        self._app, self._has_pages, self._on_refusal = app, has_pages, on_refusal

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or refuse."""
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if (why := refused(scope["headers"], has_pages=self._has_pages)) is None:
            await self._app(scope, receive, _without_cors(send))
            return
        self._on_refusal(scope)
        if kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": why[:120]})
        elif self._has_pages and is_link(scope["method"], scope["headers"]):
            await _answer(send, b"text/html; charset=utf-8", _LINK)
        else:
            await _answer(send, b"application/json", json.dumps({"message": why}).encode())


def refused(headers: Iterable[tuple[bytes, bytes]], *, has_pages: bool = True) -> str | None:
    """Why a request with these headers (names in lower case) is not answered; None when it is."""
    host, origin, site = b"", None, None
    for name, value in headers:
        if name == b"host":
            host = value if not host else b"?"  # two of them say nothing
        elif name == b"origin":
            origin = value
        elif name == b"sec-fetch-site":
            site = value
    named = host.decode("latin-1")
    if not is_loopback(named):
        return f"This server answers as 127.0.0.1 or localhost only, not as {named!r}."
    if origin is not None and not (has_pages and _is_own(origin.decode("latin-1"), named)):
        return f"This server does not answer pages of {origin.decode('latin-1')!r}."
    if site not in ((None, b"none", b"same-origin") if has_pages else (None, b"none")):
        return "This server does not answer pages of another site."
    return None


def is_loopback(host: str) -> bool:
    """Whether a Host header can name this machine only: 127.0.0.0/8, [::1], localhost, *.localhost."""
    if known := _KNOWN.get(host):
        return known
    try:
        name = (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return False
    if "@" in host or "/" in host:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        found = True
    else:
        try:
            found = ipaddress.ip_address(name).is_loopback
        except ValueError:
            found = False
    if found and len(_KNOWN) < 64:
        _KNOWN[host] = True
    return found


def is_link(method: str, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a refused request is that of a person who followed a link, who may be asked to go on."""
    found = dict(headers)
    return (
        method == "GET"
        and is_loopback(found.get(b"host", b"").decode("latin-1"))
        and found.get(b"sec-fetch-mode") == b"navigate"
        and found.get(b"sec-fetch-dest") == b"document"
    )


_KNOWN: dict[str, bool] = {}
"""Hosts that were found to be loopback: every call of a client carries the same one."""


def _is_own(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


def _without_cors(send: Any) -> Any:
    async def passed(message: Any) -> None:
        headers = message.get("headers")
        if headers and message["type"] == "http.response.start":
            kept = [pair for pair in headers if not pair[0].lower().startswith(b"access-control-")]
            message = {**message, "headers": kept}
        await send(message)

    return passed


async def _answer(send: Any, media_type: bytes, body: bytes) -> None:
    headers = [*_HEADERS, (b"content-type", media_type), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
