"""What we change in MiniStack's HTTP APIs means what API Gateway does, and the collector's port leads nowhere else."""

import asyncio
import json
from typing import Any

import pytest

from infra.local.access.route_signatures import RouteSignatures
from infra.local.ministack.collector_port import MAX_BODY_BYTES, CollectorPort, environment
from infra.local.ministack.http_api import api_names, proxy_answer
from tests.shop import SHOP


def test_cors_settings_of_a_template_are_found_under_the_apis_names() -> None:
    assert api_names({"AllowOrigins": ["*"], "MaxAge": 5}) == {"allowOrigins": ["*"], "maxAge": 5}
    assert api_names({"allowOrigins": ["*"]}) == {"allowOrigins": ["*"]}


def test_what_a_function_raises_is_told_to_nobody() -> None:
    answer = proxy_answer(lambda outcome: (outcome["body"], None))
    failed, _ = answer({"error": True, "body": {"errorMessage": "secret"}})
    assert (failed["statusCode"], failed["body"]) == (500, '{"message":"Internal Server Error"}')
    assert answer({"throttle": True, "body": {}})[0]["statusCode"] == 503
    assert answer({"body": {"statusCode": 429}})[0] == {"statusCode": 429}


NOBODY = RouteSignatures(lambda _api, _method, path: path == "/v1/keys", lambda _key, _token: None)
"""One route asks for a signature, and nobody has a key."""


def _asked(
    path: str, *bodies: bytes, host: bytes = b"127.0.0.1:4810", api: str | None = "abc", **headers: bytes
) -> tuple[int, list[Any]]:
    """(status, what was handed on) of a request to the port."""
    handed_on: list[Any] = []
    sent: list[Any] = []
    parts = [
        {"type": "http.request", "body": body, "more_body": number + 1 < len(bodies)}
        for number, body in enumerate(bodies or (b"",))
    ]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        handed_on.append((scope["path"], (await receive())["body"], dict(scope["headers"])))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    named = [(b"host", host), *((name.replace("_", "-").encode(), value) for name, value in headers.items())]
    scope = {"type": "http", "method": "POST", "path": path, "headers": named}
    asyncio.run(CollectorPort(app, lambda: api, NOBODY)(scope, receive, send))
    return sent[0]["status"], handed_on


def test_a_request_goes_to_the_api_with_its_whole_body() -> None:
    status, [(path, body, headers)] = _asked("/v1/batch", b"one", b"two", x_amz_target=b"Kinesis.PutRecords")
    assert (status, path, body) == (200, "/_aws/execute-api/abc/$default/v1/batch", b"onetwo")
    assert b"x-amz-target" not in headers


@pytest.mark.parametrize("path", ["/", "/v1", "/_ministack/health", "/bucket/key", "/v2/apis", "//v1/batch"])
def test_no_other_path_goes_further(path: str) -> None:
    assert _asked(path) == (404, [])


def test_a_route_that_asks_for_a_signature_is_not_reached_without_one() -> None:
    assert _asked("/v1/keys") == (403, [])
    assert _asked("/v1/keys", authorization=b"Bearer anything") == (403, [])


def test_another_host_a_missing_api_and_a_large_body_go_no_further() -> None:
    assert _asked("/v1/batch", host=b"attacker.example") == (404, [])
    assert _asked("/v1/batch", api=None) == (404, [])
    assert _asked("/v1/batch", b"x" * MAX_BODY_BYTES, b"x") == (413, [])


def test_a_deployment_without_a_collector_has_no_such_port() -> None:
    assert environment(4810, SHOP.deployments["dev"]) == {}
    assert json.dumps(environment(4810, SHOP.default)).count("4810") == 1
