"""The collector's port: what it hands on, and what it does not."""

import asyncio
from typing import Any

import pytest

from infra.local.access.route_signatures import RouteSignatures
from infra.local.ministack.collector_port import CollectorPort

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/v1/batch",
    "headers": [(b"host", b"127.0.0.1:4810"), (b"content-type", b"application/x-ndjson")],
}
OPEN = RouteSignatures(lambda _api, _method, _path: False, lambda _key, _token: None)
WHOLE = {"type": "http.request", "body": b"two\n", "more_body": False}
GONE = {"type": "http.disconnect"}


@pytest.mark.parametrize(("end", "handed_on"), [(WHOLE, [b"one\ntwo\n"]), (GONE, [])])
def test_a_body_is_handed_on_whole_or_not_at_all(end: dict[str, Any], handed_on: list[bytes]) -> None:
    messages, bodies, sent = [{"type": "http.request", "body": b"one\n", "more_body": True}, end], [], []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["path"] == "/_aws/execute-api/api/$default/v1/batch"
        bodies.append((await receive())["body"])

    asyncio.run(CollectorPort(app, lambda: "api", OPEN)(SCOPE, receive, send))
    assert (bodies, sent) == (handed_on, [])
