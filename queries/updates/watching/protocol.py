"""AppSync's real-time protocol, as texts of a web socket (pure).

https://docs.aws.amazon.com/appsync/latest/devguide/real-time-websocket-client.html
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

SUBPROTOCOL = "graphql-ws"
INIT = json.dumps({"type": "connection_init"})
CONNECT_BODY = b"{}"
"""What is signed for a connection."""
SIGNED_WITH = {
    "accept": "application/json, text/javascript",
    "content-encoding": "amz-1.0",
    "content-type": "application/json; charset=UTF-8",
}
"""Headers that AppSync wants under the signature."""
_FOR_GOOD = frozenset({
    "UnauthorizedException", "BadRequestException", "UnsupportedOperation",
})  # fmt: skip
"""Errors that the same request meets again."""


class SubscriptionLostError(Exception):
    """The connection has ended, or cannot be opened now. Another one may be opened; the text says why."""


class SubscriptionRefusedError(Exception):
    """AppSync does not let this caller subscribe; the text is its own."""


class Frame(NamedTuple):
    """A message of the server: its type, and what it carries."""

    type: str
    payload: Mapping[str, Any]


def signed_urls(graphql_url: str) -> tuple[str, str]:
    """The addresses that the signatures of a connection and of a subscription are made for."""
    parts = urlsplit(graphql_url)
    return f"{parts.scheme}://{parts.netloc}/graphql/connect", f"{parts.scheme}://{parts.netloc}/graphql"


def socket_url(realtime_url: str, header: Mapping[str, str]) -> str:
    """Where the socket is opened: whoever opens it says there who it is."""
    parts = urlsplit(realtime_url)
    said = b64encode(json.dumps(dict(header)).encode()).decode()
    query = urlencode({"header": said, "payload": b64encode(CONNECT_BODY).decode()})
    return urlunsplit(parts._replace(query=query))


def data_of(document: str, variables: Mapping[str, Any]) -> str:
    """The text of a subscription, which is signed as it is sent."""
    return json.dumps({"query": document, "variables": dict(variables)})


def start(identifier: str, data: str, header: Mapping[str, str]) -> str:
    """Subscribe; `header` is the signature of `data`."""
    payload = {"data": data, "extensions": {"authorization": dict(header)}}
    return json.dumps({"id": identifier, "type": "start", "payload": payload})


def read(text: str | bytes) -> Frame:
    """The server's message. Raises SubscriptionRefusedError and SubscriptionLostError for its errors."""
    try:
        told = json.loads(text)
        frame = Frame(str(told["type"]), told.get("payload") or {})
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise SubscriptionLostError("The server sent what is none of the protocol's messages.") from error
    if frame.type in ("connection_error", "error"):
        _fail(frame.payload)
    return frame


def _fail(payload: Mapping[str, Any]) -> None:
    errors = payload.get("errors") or [payload]
    words = "; ".join(f"{each.get('errorType') or 'error'}: {each.get('message') or ''}" for each in errors)
    if any(each.get("errorType") in _FOR_GOOD for each in errors):
        raise SubscriptionRefusedError(f"AppSync refused the subscription. {words}")
    raise SubscriptionLostError(f"AppSync ended the subscription. {words}")
