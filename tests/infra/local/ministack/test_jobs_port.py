"""The port of the jobs API leads to that API, and is there where one is deployed."""

import asyncio
from typing import Any

import pytest

from infra.local.access.route_signatures import RouteSignatures
from infra.local.ministack.collector_port import CollectorPort
from infra.local.ministack.jobs_port import API_NAME, PATHS, PORT, environment
from tests.shop import SHOP


def _asked(path: str, *, is_signed: bool = False) -> tuple[int, list[str]]:
    """(status, paths that were handed on) of a request without a signature."""
    handed_on: list[str] = []
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        handed_on.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    signatures = RouteSignatures(lambda _api, _method, _path: is_signed, lambda _key, _token: None)
    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"127.0.0.1:4910")]}
    asyncio.run(CollectorPort(app, lambda: "abc", signatures, PATHS)(scope, receive, send))
    return sent[0]["status"], handed_on


def test_both_sets_of_routes_are_reached_and_nothing_else_is() -> None:
    assert _asked("/api/v1/jobs") == (200, ["/_aws/execute-api/abc/$default/api/v1/jobs"])
    assert _asked("/iam/v1/jobs") == (200, ["/_aws/execute-api/abc/$default/iam/v1/jobs"])


@pytest.mark.parametrize(
    "path", ["/", "/v1/batch", "/_ministack/health", "/bucket/key", "/v2/apis", "//api/v1"]
)
def test_no_other_path_goes_further(path: str) -> None:
    assert _asked(path) == (404, [])


def test_a_route_that_asks_for_a_signature_is_not_reached_without_one() -> None:
    assert _asked("/iam/v1/jobs", is_signed=True) == (403, [])


def test_a_deployment_without_jobs_has_no_such_port() -> None:
    assert environment(4910, SHOP.deployments["dev"]) == {}
    assert environment(4910, SHOP.default) == {PORT: "4910", API_NAME: "penstock-api"}
