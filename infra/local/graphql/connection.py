"""One socket: AppSync's real-time protocol from `connection_init` to the end."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from infra.local.graphql import messages
from infra.local.graphql.apis import Served
from infra.local.graphql.callers import Callers
from infra.local.graphql.counts import Counts
from infra.local.graphql.documents import InvalidDocumentError
from infra.local.graphql.errors import RefusedError, ResolverError, bad_request, invalid, unauthorized
from infra.local.graphql.limits import Limits
from infra.local.graphql.messages import Begin, MalformedError, Start, Stop
from infra.local.graphql.outbox import Outbox
from infra.local.graphql.programs import Signed
from infra.local.graphql.sockets import SILENT
from infra.local.graphql.subscriptions import Hub, Subscription, wanted

CONNECT, SUBSCRIBE = "/graphql/connect", "/graphql"
"""Paths that the signatures of handshakes and of subscriptions are made for."""
_POLICY, _PROTOCOL_CODES = 1008, frozenset({1002, 1007, 1009})
_CLOSE_SECONDS = 5.0


@dataclass(frozen=True)
class Shared:
    """What all sockets have in common."""

    hub: Hub
    callers: Callers
    counts: Counts
    limits: Limits
    threads: Executor


class Connection:
    """A socket that has been accepted. `abort` drops it at once, whatever the peer does."""

    def __init__(self, socket: WebSocket, api: Served, shared: Shared, abort: Callable[[], None]) -> None:
        self._socket, self._api, self._shared, self._abort = socket, api, shared, abort
        self._subscriptions: dict[str, Subscription] = {}
        self._outbox = Outbox(shared.limits, self._overflowed)
        self._malformed = 0

    async def serve(self, query: str, subprotocols: list[str]) -> None:
        """Serve the socket to its end."""
        shared = self._shared
        shared.counts.connections += 1
        sending = asyncio.create_task(self._outbox.send(self._socket.send_text))
        alive = asyncio.create_task(self._keep_alive())
        try:
            await self._listen(query, subprotocols)
        except WebSocketDisconnect as error:
            shared.counts.malformed += error.code in _PROTOCOL_CODES
            shared.counts.silent += error.code == SILENT
        finally:
            shared.counts.connections -= 1
            for subscription in self._subscriptions.values():
                shared.hub.remove(subscription)
            for task in (sending, alive):
                task.cancel()
            await asyncio.gather(sending, alive, return_exceptions=True)

    async def _listen(self, query: str, subprotocols: list[str]) -> None:
        limits = self._shared.limits
        try:
            message = await asyncio.wait_for(self._next(), limits.begin_seconds)
        except TimeoutError:
            self._shared.counts.silent += 1
            await self._close(_POLICY, "No connection_init came.")
            return
        try:
            headers = messages.authorization(query, subprotocols)
            await self._known(Signed(CONNECT, headers, b"{}"))
        except RefusedError as error:
            self._shared.counts.refused += 1
            await self._end(messages.written("connection_error", payload=error.over_socket))
            return
        while message is not None:
            if isinstance(message, Begin):
                ack = {"connectionTimeoutMs": limits.timeout_ms}
                self._outbox.put(messages.written("connection_ack", payload=ack))
            elif isinstance(message, Stop):
                self._stop(message.number)
            else:
                await self._start(message)
            message = await self._next()
        await self._close(_POLICY, "Too many messages meant nothing.")

    async def _next(self) -> Begin | Start | Stop | None:
        """The client's next message that means something; None when it has sent too many that do not."""
        while self._malformed < self._shared.limits.malformed:
            frame = await self._socket.receive()
            if frame["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(frame.get("code") or 1005, frame.get("reason"))
            try:
                return messages.read(frame.get("text"))
            except MalformedError as error:
                self._malformed += 1
                self._shared.counts.malformed += 1
                self._refuse(None, bad_request(str(error)).over_socket)
        return None

    async def _start(self, start: Start) -> None:
        shared, number = self._shared, start.number
        try:
            if number in self._subscriptions:
                raise bad_request(f"There is a subscription {number} already.")
            if len(self._subscriptions) >= shared.limits.subscriptions:
                shared.counts.crowded += 1
                limit = f"Max number of {shared.limits.subscriptions} subscriptions reached"
                raise RefusedError("MaxSubscriptionsReachedException", limit, 400)
            self._subscriptions[number] = await self._subscription(start)
        except RefusedError as error:
            self._refuse(number, error.over_socket)
        except ResolverError as error:
            shared.counts.refused += 1
            self._refuse(number, unauthorized(str(error)).over_socket)
        except InvalidDocumentError as error:
            self._refuse(number, {"errors": invalid(error.errors)["errors"]})
        else:
            self._outbox.put(messages.written("start_ack", number))
            shared.hub.add(self._subscriptions[number])

    async def _subscription(self, start: Start) -> Subscription:
        try:
            caller = await self._known(Signed(SUBSCRIBE, start.headers, start.text.encode()))
        except RefusedError:
            self._shared.counts.refused += 1
            raise
        asked = wanted(self._api, start.request)
        callers = self._shared.callers
        await self._threaded(lambda: callers.check_root(self._api, caller, "Subscription", asked.field))
        number = start.number
        return Subscription(
            self._api, caller, asked, send=lambda payload: self._outbox.put(messages.data(number, payload))
        )

    async def _known(self, signed: Signed) -> Any:
        if "host" not in {name.lower() for name in signed.headers}:
            raise unauthorized("Required headers are missing.")
        return await self._threaded(lambda: self._shared.callers.of(self._api, signed))

    async def _threaded(self, work: Callable[[], Any]) -> Any:
        """What may ask another process is done in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._shared.threads, work)

    def _stop(self, number: str) -> None:
        found = self._subscriptions.pop(number, None)
        if found is None:
            self._refuse(number, bad_request(f"There is no subscription {number}.").over_socket)
            return
        self._shared.hub.remove(found)
        self._outbox.put(messages.written("complete", number))

    def _refuse(self, number: str | None, payload: Mapping[str, Any]) -> None:
        self._outbox.put(messages.written("error", number, payload))

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(self._shared.limits.keep_alive_seconds)
            self._outbox.put(messages.written("ka"))

    def _overflowed(self) -> None:
        self._shared.counts.slow += 1
        self._abort()

    async def _end(self, message: str) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.send_text(message)
        await self._close(_POLICY, "")

    async def _close(self, code: int, reason: str) -> None:
        # Who reads nothing does not read this either.
        asyncio.get_running_loop().call_later(_CLOSE_SECONDS, self._abort)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await self._socket.close(code, reason)
