"""AppSync's real-time protocol: what stands in a handshake and in the frames of clients (pure)."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from infra.local.graphql.errors import RefusedError, bad_request

SUBPROTOCOL = "graphql-ws"
_HEADER = "header-"
_LONGEST_ID = 128


class MalformedError(Exception):
    """A frame, or the header of a handshake, that means nothing."""


@dataclass(frozen=True)
class Start:
    """A request for a subscription.

    Attributes:
        number: the client's id for it.
        text: the request as it was sent and perhaps signed: JSON of query and variables.
        headers: the authorization of this one subscription.
    """

    number: str
    text: str
    headers: Mapping[str, str]

    @property
    def request(self) -> dict[str, Any]:
        """The request, read. Raises RefusedError."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise bad_request("The data of a subscription is the JSON of an object with a query.")
        return found


@dataclass(frozen=True)
class Stop:
    """The end of a subscription."""

    number: str


class Begin:
    """`connection_init`."""


Message = Start | Stop | Begin


def authorization(query: str, subprotocols: Iterable[str]) -> dict[str, str]:
    """The headers that a handshake carries, in its address or in a subprotocol. Raises RefusedError."""
    encoded = next((each.removeprefix(_HEADER) for each in subprotocols if each.startswith(_HEADER)), None)
    if encoded is None:
        # Not parse_qs: some clients leave the plus signs of base64 as they are.
        pairs = (pair.partition("=") for pair in query.split("&"))
        encoded = next((unquote(value) for name, _, value in pairs if name == "header"), None)
    if encoded is None:
        raise RefusedError("UnauthorizedException", "Required headers are missing.", 401)
    try:
        found = json.loads(_decoded(encoded))
    except (ValueError, RecursionError):
        found = None
    if (headers := _headers(found)) is None:
        raise bad_request("The header of the handshake is not the base64 of a JSON object.")
    return headers


def _decoded(text: str) -> bytes:
    """Base64 of either alphabet, with or without its padding. Raises ValueError."""
    try:
        plain = text.rstrip("=").replace("-", "+").replace("_", "/")
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None


def _headers(found: Any) -> dict[str, str] | None:
    """Texts by name. A header with control characters could not have come over HTTP."""
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        return None
    texts = [*found.keys(), *found.values()]
    return found if all(each.isascii() and each.isprintable() for each in texts) else None


def read(frame: str | None) -> Message:
    """A client's message. `None` is a binary frame. Raises MalformedError."""
    try:
        found = json.loads(frame) if frame is not None else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise MalformedError("A message is a JSON object.")
    kind = found.get("type")
    if kind == "connection_init":
        return Begin()
    if kind not in ("start", "stop"):
        raise MalformedError(f"{str(kind)[:40]!r} is not supported through the realtime channel.")
    number = found.get("id")
    if not isinstance(number, str) or not 0 < len(number) <= _LONGEST_ID:
        raise MalformedError(f"The id of a {kind} is a text of 1 to {_LONGEST_ID} characters.")
    return Stop(number) if kind == "stop" else _start(number, found.get("payload"))


def _start(number: str, payload: Any) -> Start:
    if not isinstance(payload, dict) or not isinstance(payload.get("data"), str):
        raise MalformedError("The payload of a start has data, a text.")
    extensions = payload.get("extensions")
    headers = _headers(extensions.get("authorization")) if isinstance(extensions, dict) else None
    if headers is None:
        raise MalformedError("The payload of a start has extensions.authorization, an object of texts.")
    return Start(number, payload["data"], headers)


def written(kind: str, number: str | None = None, payload: Any = None) -> str:
    """A message of the server."""
    found: dict[str, Any] = {"type": kind}
    if number is not None:
        found = {"id": number, **found}
    if payload is not None:
        found["payload"] = payload
    return json.dumps(found, separators=(",", ":"))


def data(number: str, payload: str) -> str:
    """A `data` message; the payload is JSON already, the same for many subscribers."""
    return f'{{"id":{json.dumps(number)},"type":"data","payload":{payload}}}'
