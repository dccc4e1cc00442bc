"""Queries and mutations over HTTP: who is answered, who is refused, and in which words."""

import json
import time
from typing import Any

import pytest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.infra.local.graphql.rig import CHANGE, LISTEN, Rig

INPUT = {"jobId": "r", "revision": 1, "state": "RUNNING"}


def test_a_person_is_answered_where_the_schema_lets_people_in(rig: Rig) -> None:
    status, body = rig.person("{ mine forPrograms }", rig.token())
    assert status == 200
    assert body["data"] == {"mine": None, "forPrograms": None}
    (error,) = body["errors"]
    assert (error["errorType"], error["path"]) == ("Unauthorized", ["forPrograms"])
    assert error["message"] == "Not Authorized to access forPrograms on type Query"


def test_a_program_that_signs_publishes_and_a_person_does_not(rig: Rig) -> None:
    told = rig.change("r", 3, note='{"a": [1]}', at="2026-11-30T23:00:00Z")
    assert told["data"]["changeJob"] == {
        "jobId": "r", "revision": 3, "state": "RUNNING", "done": None, "note": '{"a":[1]}',
        "at": "2026-11-30T23:00:00Z",
    }  # fmt: skip
    _, body = rig.person(CHANGE, rig.token("viewers"), input=INPUT)
    assert body["data"] == {"changeJob": None}
    assert body["errors"][0]["errorType"] == "Unauthorized"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"exp": int(time.time()) - 10}, "Token has expired."),
        ({"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_others"}, "Unable to parse"),
        ({"client_id": "another-client"}, "not authorized"),
        ({"token_use": "refresh"}, "not authorized"),
        ({"exp": None}, "Unable to parse"),
    ],
)
def test_a_token_that_is_not_good_here_is_refused(rig: Rig, changed: dict[str, Any], words: str) -> None:
    status, body = rig.person("{ mine }", rig.token("viewers", **changed))
    assert status == 401
    assert body["errors"][0]["errorType"] == "UnauthorizedException"
    assert words in body["errors"][0]["message"]


def test_a_token_of_another_key_is_refused(rig: Rig) -> None:
    forged = rig.token("viewers", key=rsa.generate_private_key(65537, 2048))
    for token in (forged, "", "Bearer", rig.token("viewers")[:-6], "eyJhbGciOiJub25lIn0.e30."):
        status, body = rig.person("{ mine }", token)
        assert (status, body["errors"][0]["errorType"]) == (401, "UnauthorizedException")


def test_a_signature_of_another_key_or_service_is_refused(rig: Rig) -> None:
    assert rig.program("{ mine }", service="execute-api")[0] == 401
    good, rig.credentials = rig.credentials, Credentials("AKIAIOSFODNN7EXAMPLE", "x")
    try:
        status, body = rig.program(CHANGE, input=INPUT)
    finally:
        rig.credentials = good
    assert status in (403, 500)  # MiniStack is asked for the secret of a key that is not ours
    assert "data" not in body
    rig.credentials = Credentials(good.access_key, "of somebody else")
    try:
        status, body = rig.program(CHANGE, input=INPUT)
    finally:
        rig.credentials = good
    assert (status, body["errors"][0]["errorType"]) == (400, "BadRequestException")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "MalformedHttpRequestException"),
        (b"{", "MalformedHttpRequestException"),
        (b"[1]", "MalformedHttpRequestException"),
        (b"\xff\xfe", "MalformedHttpRequestException"),
        (b"[" * 100_000, "MalformedHttpRequestException"),
        (b"{}", "BadRequestException"),
        (b'{"query": 5}', "BadRequestException"),
        (b'{"query": "{ mine }", "variables": []}', "BadRequestException"),
        (b'{"query": "{ mine }", "operationName": 5}', "BadRequestException"),
        (b'{"query": "{ mine }", "operationName": "other"}', "BadRequestException"),
        (b'{"query": "{ mine "}', "MalformedHttpRequestException"),
        (json.dumps({"query": "{" * 4_000}).encode(), "MalformedHttpRequestException"),
        (json.dumps({"query": "{ mine " + "mine " * 6_000 + "}"}).encode(), "MalformedHttpRequestException"),
        (json.dumps({"query": LISTEN}).encode(), "BadRequestException"),
    ],
)
def test_a_request_without_meaning_is_refused_by_its_kind(rig: Rig, body: bytes, kind: str) -> None:
    status, found = rig.ask(body, Authorization=rig.token())
    assert (status, found["errors"][0]["errorType"]) == (400, kind)


def test_a_document_that_does_not_fit_the_schema_is_answered_with_where(rig: Rig) -> None:
    status, body = rig.person("{ yours }", rig.token())
    assert (status, body["data"]) == (200, None)
    assert "yours" in body["errors"][0]["message"]
    assert body["errors"][0]["locations"] == [{"line": 1, "column": 3, "sourceName": None}]


@pytest.mark.parametrize(
    "wrong", [{"at": "2026-11-30"}, {"at": "2026-11-30T23:00:00"}, {"note": "{"}, {"revision": "x"}]
)
def test_a_value_that_its_scalar_does_not_have_is_refused(rig: Rig, wrong: dict[str, Any]) -> None:
    _, body = rig.program(CHANGE, input=INPUT | wrong)
    assert body.get("data") is None
    assert next(iter(wrong)) in body["errors"][0]["message"]


def test_an_unknown_api_is_not_found(rig: Rig) -> None:
    assert rig.ask(b"{}", "/graphql/nosuch")[0] == 404
    assert rig.ask(b"{}", f"/graphql/{rig.attributes['ApiId']}")[0] == 401


def test_a_page_of_another_origin_is_refused_and_counted(rig: Rig) -> None:
    before = rig.service.counts.foreign
    body = json.dumps({"query": "{ mine }"}).encode()
    headers = {"Authorization": rig.token(), "Origin": "http://evil.example"}
    assert rig.ask(body, **headers)[0] == 403
    assert rig.service.counts.foreign == before + 1


def test_too_large_a_request_is_refused(rig: Rig) -> None:
    assert rig.ask(b" " * (1024 * 1024 + 1), Authorization=rig.token())[0] == 413
