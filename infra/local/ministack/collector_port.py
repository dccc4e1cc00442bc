"""The collector's own port: pages of any origin and programs without a key of this cloud may ask there.

Everything else of MiniStack answers programs of this machine alone, which sign their calls. So this port
reaches one HTTP API and nothing behind it: a path that the API does not have goes no further. A route that
asks for a signature is reached with one.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from dashboards.preview.own_machine import is_loopback
from infra.deployment import Deployment
from infra.local.access.route_signatures import RouteSignatures
from infra.local.access.signatures import RefusedError

MAX_BODY_BYTES = 10 * 1024 * 1024
"""API Gateway's own limit."""
PATHS = "/v1/"
PORT, API_NAME = "PENSTOCK_LOCAL_COLLECTOR_PORT", "PENSTOCK_LOCAL_COLLECTOR_API"
"""Variables of MiniStack's process; without them there is no such port."""


def environment(port: int, deployment: Deployment) -> dict[str, str]:
    """Variables that make MiniStack answer on this port, where the deployment has a collector."""
    if not deployment.collector:
        return {}
    return {PORT: str(port), API_NAME: deployment.collector_function}


class CollectorPort:
    """ASGI application in front of MiniStack's. `api` says the id of the HTTP API, while it is deployed.

    Its paths begin with one of `paths`.
    """

    def __init__(
        self,
        app: Any,
        api: Callable[[], str | None],
        signatures: RouteSignatures,
        paths: tuple[str, ...] = (PATHS,),
    ) -> None:
        self._app, self._api, self._signatures, self._paths = app, api, signatures, paths

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hand a request on to the API, or answer as API Gateway does without one."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        api = self._api()
        if (
            len(hosts) != 1
            or not is_loopback(hosts[0])
            or api is None
            or not scope["path"].startswith(self._paths)
        ):
            await _answer(send, 404, "Not Found")
            return
        try:
            body = await _body(receive)
        except ConnectionAbortedError:
            return  # half a body must not be taken: the client sends it again
        if body is None:
            await _answer(send, 413, "Request Entity Too Large")
            return
        address = f"/_aws/execute-api/{api}/$default"
        raw_path = address + (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        try:
            headers = self._signatures.headers(scope, api, raw_path, body)
        except RefusedError:
            await _answer(send, 403, "Forbidden")  # API Gateway says no more either
            return
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Any:
            return messages.pop() if messages else await receive()

        forwarded = {
            **scope,
            "path": address + scope["path"],
            "raw_path": raw_path.encode("latin-1"),
            "headers": headers,
        }
        await self._app(forwarded, again, send)


async def _body(receive: Any) -> bytes | None:
    """The whole body; None when it is larger than is taken.

    Raises ConnectionAbortedError when the client goes before its end.
    """
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY_BYTES:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts) if size <= MAX_BODY_BYTES else None


async def _answer(send: Any, status: int, message: str) -> None:
    body = json.dumps({"message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def api_named(name: str) -> Callable[[], str | None]:
    """Finds the id of the HTTP API of this name in MiniStack's memory."""
    from ministack.services import apigateway

    def find() -> str | None:
        found = [value["apiId"] for _, value in apigateway._apis.all_items() if value.get("name") == name]
        return found[0] if found else None

    return find


class SecondServer(uvicorn.Server):
    """A web server beside another one in the same process, which takes the signals for both."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield
