"""In front of a server of the local cloud: who holds no key of it is refused before anything is done."""

import asyncio
import enum
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from infra.local.access.keys import Keys
from infra.local.access.signatures import Claim, RefusedError, SecretOf, claim


class Needs(enum.Enum):
    """What a request must show."""

    NOTHING = enum.auto()
    TOKEN = enum.auto()
    """Of our own programs: no role of the cloud has it, whatever it may do."""
    SIGNATURE = enum.auto()


NeedsOf = Callable[[Mapping[str, Any]], Needs]
"""What a request (its ASGI scope) must show."""

Refuse = Callable[[Mapping[str, Any], RefusedError], tuple[int, Mapping[str, str], bytes]]
"""(scope, why) -> status, headers and body, in the form that the client of that service reads."""


class Gate:
    """ASGI middleware that answers what shows what it must. `may_block`: `secret_of` asks another process.

    `has_socket` says of which paths a WebSocket is handed on; what opens it must be checked there.
    """

    def __init__(
        self,
        app: Any,
        keys: Keys,
        *,
        secret_of: SecretOf,
        needs: NeedsOf,
        refuse: Refuse,
        may_block: bool = False,
        has_socket: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._app, self._secret_of, self._may_block = app, secret_of, may_block
        self._has_socket = has_socket
        self._needs, self._refuse = needs, refuse
        self._bearer = keys.bearer["Authorization"].encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or refuse."""
        if scope["type"] == "websocket" and not self._has_socket(scope["path"]):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        needs = self._needs(scope) if scope["type"] == "http" else Needs.NOTHING
        try:
            if needs is Needs.SIGNATURE:
                receive = await _verified(await self._claim(scope), receive)
            elif needs is Needs.TOKEN and not self._has_token(scope["headers"]):
                raise RefusedError("AccessDenied", "Only Penstock's own programs may ask for this.")
        except RefusedError as why:
            status, headers, body = self._refuse(scope, why)
            await _answer(send, status, headers, b"" if scope["method"] == "HEAD" else body)
        else:
            await self._app(scope, receive, send)

    async def _claim(self, scope: Any) -> Claim:
        if self._may_block:
            return await asyncio.to_thread(claim, scope, self._secret_of)
        return claim(scope, self._secret_of)

    def _has_token(self, headers: list[tuple[bytes, bytes]]) -> bool:
        return any(
            name == b"authorization" and hmac.compare_digest(value, self._bearer) for name, value in headers
        )


async def _verified(claimed: Claim, receive: Any) -> Callable[[], Awaitable[Any]]:
    """Where the application reads the body from, once the signature is found to be right."""
    if not claimed.needs_body:
        claimed.verify(b"")
        return receive  # type: ignore[no-any-return]
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    body = (
        messages[0].get("body", b"") if len(messages) == 1 else b"".join(m.get("body", b"") for m in messages)
    )
    if messages[-1]["type"] != "http.disconnect":
        claimed.verify(body)
        messages = [{"type": "http.request", "body": body, "more_body": False}]
    else:
        messages = messages[-1:]

    async def again() -> Any:
        return messages.pop() if messages else await receive()

    return again


def refuse_as_json(scope: Mapping[str, Any], why: RefusedError) -> tuple[int, Mapping[str, str], bytes]:  # noqa: ARG001
    """AWS's JSON protocols, which all that our own server answers speak."""
    body = json.dumps({"__type": why.code, "message": why.message}).encode()
    return 403, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": why.code}, body


async def _answer(send: Any, status: int, headers: Mapping[str, str], body: bytes) -> None:
    made = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    made.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": made})
    await send({"type": "http.response.body", "body": body})
