"""The edge's port: what CloudFront does with a request, and Cognito's sign-in on the same address.

MiniStack serves a distribution's bucket by the name in `Host`, under the policies of the template. It has no
way from a distribution to an HTTP API, so a path of such a behaviour goes to the API at once. A browser of
this machine knows no name of Cognito's, so its pages are here too.
"""

import gzip
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from dashboards.preview.own_machine import OwnMachineOnly
from infra.deployment import Deployment
from infra.local.access.route_signatures import RouteSignatures
from infra.local.edge.behaviors import Distribution, distribution_of
from infra.local.ministack.collector_port import CollectorPort

PORT, API_NAME = "PENSTOCK_LOCAL_SITE_PORT", "PENSTOCK_LOCAL_SITE_API"
"""Variables of MiniStack's process; without them there is no such port."""
SIGN_IN = ("/login", "/logout", "/oauth2/")
SMALLEST_PACKED = 1_000
"""Bytes from which on CloudFront compresses."""
_TEXTS = (b"text/", b"application/json", b"application/javascript", b"image/svg")
_ADDED = frozenset({b"host", b"x-forwarded-proto", b"accept-encoding", b"if-none-match"})


def environment(port: int, deployment: Deployment) -> dict[str, str]:
    """Variables that make MiniStack answer on this port, where the deployment has a site."""
    return {PORT: str(port), API_NAME: deployment.api_function} if deployment.site else {}


class Edge:
    """ASGI application in front of MiniStack's. `api` says the id of the HTTP API, while it is deployed."""

    def __init__(
        self,
        app: Any,
        api: Callable[[], str | None],
        distribution: Callable[[str], Distribution | None],
        signatures: RouteSignatures,
        pin_tls: Callable[[], None],
        looked: Callable[[str], None],
    ) -> None:
        """`pin_tls` says of a request that it came over TLS; `looked` takes the path of each question."""
        self._looked = looked
        self._app, self._api, self._distribution, self._pin_tls = app, api, distribution, pin_tls
        self._gateway = CollectorPort(app, api, signatures, ("/",))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request, as the distribution says."""
        api = self._api()
        found = self._distribution(api) if api and scope["type"] == "http" else None
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif found is None:
            await _answer(send, 404, b"The site is not deployed.")
        elif scope["path"].startswith(SIGN_IN):
            await self._app(scope, receive, send)
        elif found.is_of_api(scope["path"]):
            self._looked(scope["path"])
            await self._gateway(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 403, b"Forbidden")
        else:
            await self._file(scope, receive, send, found.domain)

    async def _file(self, scope: Any, receive: Any, send: Any, domain: str) -> None:
        """A file of the page: compressed, and not sent again to whoever has it."""
        asked = dict(scope["headers"])
        headers = [pair for pair in scope["headers"] if pair[0] not in _ADDED]
        headers += [(b"host", domain.encode()), (b"x-forwarded-proto", b"https")]
        answer = _Kept()
        # As CloudFront asks a bucket, whose policy wants it so.
        self._pin_tls()
        await self._app({**scope, "headers": headers, "scheme": "https"}, receive, answer)
        given = {name.lower(): value for name, value in answer.headers}
        tag = given.get(b"etag")
        if tag is not None and asked.get(b"if-none-match", b"").removeprefix(b"W/") == tag:
            kept = [pair for pair in answer.headers if pair[0].lower() not in _OF_BODY]
            await _send(send, 304, kept, b"")
            return
        body, more = answer.body, []
        if _is_packed(asked, given, body):
            body = _packed(body)
            more = [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        headers = [pair for pair in answer.headers if pair[0].lower() != b"content-length"]
        await _send(send, answer.status, [*headers, *more], body if scope["method"] == "GET" else b"")


_OF_BODY = frozenset({b"content-length", b"content-type", b"content-encoding"})


def _is_packed(asked: dict[bytes, bytes], given: dict[bytes, bytes], body: bytes) -> bool:
    return (
        b"gzip" in asked.get(b"accept-encoding", b"")
        and len(body) >= SMALLEST_PACKED
        and given.get(b"content-type", b"").startswith(_TEXTS)
        and b"content-encoding" not in given
    )


@lru_cache(maxsize=64)
def _packed(body: bytes) -> bytes:
    """Compressed, once for all who ask: a distribution has it in its cache."""
    return gzip.compress(body, 9, mtime=0)


class _Kept:
    """Takes an answer instead of sending it."""

    def __init__(self) -> None:
        self.status, self.headers, self.body = 0, list[tuple[bytes, bytes]](), b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


async def _answer(send: Any, status: int, body: bytes) -> None:
    await _send(send, status, [(b"content-type", b"text/plain; charset=utf-8")], body)


async def _send(send: Any, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    length = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})


def before(api: str) -> Distribution | None:
    """The distribution before an HTTP API, in MiniStack's memory."""
    from ministack.services import cloudfront

    for each in cloudfront._distributions.values():
        parsed = cloudfront.parse_distribution_dataplane_config(each)
        if (found := distribution_of(each["DomainName"], parsed, api)) is not None:
            return found
    return None


def application(
    app: Any, api: Callable[[], str | None], signatures: RouteSignatures, looked: Callable[[str], None]
) -> Any:
    """The edge, for pages and programs of this machine."""
    from ministack.core.iam_evaluator import pin_request_origin

    def pin_tls() -> None:
        pin_request_origin("127.0.0.1", True)

    return OwnMachineOnly(Edge(app, api, before, signatures, pin_tls, looked))
