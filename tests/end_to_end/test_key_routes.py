"""`/v1/keys` on the collector's port: write keys as a resource, for programs that sign their requests."""

import http.client
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from openapi_schema_validator import OAS31Validator

from infra.aws.outputs import Outputs
from infra.collector.openapi import openapi
from infra.local.cloud import LocalCloud
from tests.shop import SHOP

pytestmark = pytest.mark.cloud

DOCUMENT = openapi(SHOP.streams, "1")
EVENT = {"type": "page_viewed", "payload": {"url": "/", "status": 200}}


@dataclass
class Asking:
    """Requests to the collector's port, signed with somebody's key or with none."""

    cloud: LocalCloud
    held: Credentials | None

    def __call__(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        service: str = "execute-api",
        sent: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """(status, document); `sent` is a body that is sent in place of the signed one."""
        url = urlsplit(self.cloud.collector_url)
        body = b"" if document is None else json.dumps(document).encode()
        request = AWSRequest(method, f"{self.cloud.collector_url}{path}", {"host": url.netloc}, body)
        if self.held is not None:
            SigV4Auth(self.held, service, self.cloud.context.region).add_auth(request)
        connection = self._connection()
        try:
            given = {**dict(request.headers.items()), **(headers or {})}
            connection.request(method, path, body if sent is None else sent, given)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        url = urlsplit(self.cloud.collector_url)
        if url.scheme == "http":
            return http.client.HTTPConnection(url.netloc, timeout=60)
        trust = ssl.create_default_context(cafile=self.cloud.environment()["AWS_CA_BUNDLE"])
        return http.client.HTTPSConnection(url.netloc, timeout=60, context=trust)


def is_as_described(name: str, document: Any) -> bool:
    """Whether the OpenAPI document has such an answer."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return bool(OAS31Validator(schema).is_valid(document))


def asking(cloud: LocalCloud) -> Asking:
    keys = cloud.context.keys
    return Asking(cloud, Credentials(keys.access_key_id, keys.secret_access_key))


def test_a_key_is_made_used_rotated_and_disabled_over_http(local_cloud: LocalCloud) -> None:
    ask, source = asking(local_cloud), f"made-{secrets.token_hex(4)}"
    status, made = ask("POST", "/v1/keys", {"source": source, "types": ["page_viewed"], "daily": 100})
    assert (status, sorted(made)) == (201, ["key", "key_id"])
    anybody = Asking(local_cloud, None)
    assert anybody("POST", "/v1/batch", {"events": [EVENT]}, headers={"x-write-key": made["key"]}) == (
        200, {"accepted": 1},
    )  # fmt: skip
    status, other = ask("POST", f"/v1/keys/{made['key_id']}/rotate")
    assert (status, other["key_id"] != made["key_id"]) == (201, True)
    assert ask("POST", f"/v1/keys/{made['key_id']}/disable") == (
        200, {"key_id": made["key_id"], "disabled": True},
    )  # fmt: skip
    status, listed = ask("GET", "/v1/keys")
    mine = {each["key_id"]: each for each in listed["keys"] if each["source"] == source}
    assert (status, set(mine)) == (200, {made["key_id"], other["key_id"]})
    assert mine[made["key_id"]]["disabled"] is True
    assert (mine[other["key_id"]]["daily"], mine[other["key_id"]]["types"]) == (100, ["page_viewed"])
    assert made["key"] not in json.dumps(listed)
    assert is_as_described("NewKey", made)
    assert is_as_described("Keys", listed)


@pytest.mark.parametrize(
    ("method", "path", "document", "status", "code"),
    [
        ("POST", "/v1/keys", None, 400, "empty_body"),
        ("POST", "/v1/keys", [1], 400, "unreadable_body"),
        ("POST", "/v1/keys", {"sources": "a"}, 400, "unreadable_body"),
        ("POST", "/v1/keys", {"source": 5}, 400, "unreadable_body"),
        ("POST", "/v1/keys", {"source": "a", "origins": ["https://a.b"] * 101}, 400, "unreadable_body"),
        ("POST", "/v1/keys", {"source": "a b"}, 422, "invalid_key"),
        ("POST", "/v1/keys", {"source": "a", "streams": ["other"]}, 422, "invalid_key"),
        ("POST", "/v1/keys/ffffffffffffffff/disable", None, 404, "no_such_key"),
        ("POST", "/v1/keys/ffffffffffffffff/rotate", None, 404, "no_such_key"),
    ],
)
def test_what_cannot_be_done_is_a_problem_that_says_why(
    local_cloud: LocalCloud, method: str, path: str, document: Any, status: int, code: str
) -> None:
    answered, problem = asking(local_cloud)(method, path, document)
    assert (answered, problem["status"], problem["code"]) == (status, status, code)
    assert problem["request_id"]
    assert is_as_described("Problem", problem)


@pytest.mark.parametrize("which", ["local_cloud", "guarded_cloud"])
def test_nobody_without_the_right_signature_is_let_in(which: str, request: pytest.FixtureRequest) -> None:
    cloud: LocalCloud = request.getfixturevalue(which)
    ours = cloud.context.keys
    signed = asking(cloud)
    for refused in (
        Asking(cloud, None)("GET", "/v1/keys"),
        Asking(cloud, None)("GET", "/v1/keys", headers={"authorization": "Bearer anything"}),
        Asking(cloud, Credentials("test", "test"))("GET", "/v1/keys"),
        Asking(cloud, Credentials(ours.access_key_id, "test"))("GET", "/v1/keys"),
        signed("GET", "/v1/keys", service="s3"),
        signed("POST", "/v1/keys", {"source": "mine"}, sent=b'{"source": "else"}'),
        signed("GET", "/v1/keys", headers={"x-amz-date": "20200101T000000Z"}),
    ):
        assert refused[0] == 403, refused
    assert signed("GET", "/v1/keys")[0] == 200


def test_with_enforced_iam_the_callers_policy_decides(guarded_cloud: LocalCloud) -> None:
    iam, outputs = guarded_cloud.context.client("iam"), Outputs.from_document(guarded_cloud.outputs)
    name = f"person-{secrets.token_hex(4)}"
    iam.create_user(UserName=name)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    person = Asking(guarded_cloud, Credentials(made["AccessKeyId"], made["SecretAccessKey"]))
    assert person("GET", "/v1/keys")[0] == 403
    policies = iam.get_paginator("list_policies").paginate(Scope="Local")
    [keeper] = [
        each["Arn"]
        for page in policies
        for each in page["Policies"]
        if each["PolicyName"] == f"penstock-key-keeper-{outputs.region}"
    ]
    iam.attach_user_policy(UserName=name, PolicyArn=keeper)
    assert person("GET", "/v1/keys")[0] == 200
    assert person("POST", "/v1/keys", {"source": name})[0] == 201
