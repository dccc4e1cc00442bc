"""A subscription over a web socket of the library `websockets`, signed with the caller's credentials."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from queries.updates.appsync import AppSync
from queries.updates.watching import protocol
from queries.updates.watching.protocol import SubscriptionLostError

_ID = "1"
_OPEN_SECONDS = 10.0
_MOST_BYTES = 1 << 18  # AppSync's messages have at most 240 KB


class SocketSubscription:
    """`Subscription`: one subscription on a connection of its own."""

    def __init__(self, socket: ClientConnection, silent_seconds: float) -> None:
        self._socket, self._silent = socket, silent_seconds
        self._heard = time.monotonic()

    def next(self, seconds: float) -> Mapping[str, Any] | None:
        """The next update, or None when none came for so long. Raises SubscriptionLostError."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            if now - self._heard > self._silent:
                raise SubscriptionLostError("The server has been silent for too long.")
            frame = _received(self._socket, min(until, self._heard + self._silent) - now + 0.001)
            if frame is None:
                continue
            self._heard = time.monotonic()
            if frame.type == "complete":
                raise SubscriptionLostError("The server ended the subscription.")
            if frame.type == "data":
                (update,) = frame.payload["data"].values()
                return dict(update)
        return None


@contextmanager
def subscribed(
    asking: AppSync, graphql_url: str, realtime_url: str, document: str, variables: Mapping[str, Any]
) -> Iterator[SocketSubscription]:
    """A connection that the server has acknowledged the subscription on.

    Raises SubscriptionLostError and SubscriptionRefusedError.
    """
    connecting, subscribing = protocol.signed_urls(graphql_url)
    said = asking.signed(connecting, protocol.CONNECT_BODY, protocol.SIGNED_WITH)
    with _opened(protocol.socket_url(realtime_url, _with_host(said, graphql_url))) as socket:
        socket.send(protocol.INIT)
        silent = _until(socket, "connection_ack").payload.get("connectionTimeoutMs", 300_000)
        data = protocol.data_of(document, variables)
        signature = asking.signed(subscribing, data.encode(), protocol.SIGNED_WITH)
        socket.send(protocol.start(_ID, data, _with_host(signature, graphql_url)))
        _until(socket, "start_ack")
        yield SocketSubscription(socket, silent / 1000)


@contextmanager
def _opened(url: str) -> Iterator[ClientConnection]:
    try:
        with connect(
            url,
            subprotocols=[Subprotocol(protocol.SUBPROTOCOL)],
            open_timeout=_OPEN_SECONDS,
            close_timeout=1,
            max_size=_MOST_BYTES,
            proxy=None,
        ) as socket:
            assert isinstance(socket, ClientConnection)
            yield socket
    except InvalidURI:
        raise
    except (WebSocketException, InvalidHandshake, OSError) as error:
        raise SubscriptionLostError(f"The connection ended: {type(error).__name__}.") from error


def _until(socket: ClientConnection, kind: str) -> protocol.Frame:
    until = time.monotonic() + _OPEN_SECONDS
    while (left := until - time.monotonic()) > 0:
        frame = _received(socket, left)
        if frame is not None and frame.type == kind:
            return frame
    raise SubscriptionLostError(f"The server did not answer with {kind}.")


def _received(socket: ClientConnection, seconds: float) -> protocol.Frame | None:
    try:
        return protocol.read(socket.recv(timeout=max(seconds, 0)))
    except TimeoutError:
        return None


def _with_host(header: Mapping[str, str], graphql_url: str) -> dict[str, str]:
    return {**header, "host": urlsplit(graphql_url).netloc}
