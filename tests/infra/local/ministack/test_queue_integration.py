"""A request as a message of a queue, by the integration's parameter mapping: what is there, missing, or hostile."""

import asyncio
import json
from typing import Any

import pytest

from infra.local.ministack.queue_integration import UnmappedError, answered, mapped
from infra.stacks.webhooks import attributes
from producers.hooks.message import read_message
from tests.producers.hooks.world import definitions

GITHUB = definitions()["github"].webhook
assert GITHUB is not None
PARAMETERS = {
    "QueueUrl": "http://queue",
    "MessageBody": "$request.body",
    "MessageAttributes": attributes("github", GITHUB),
}
HEADERS = {"x-hub-signature-256": "sha256=ab", "x-github-delivery": "d1", "x-github-event": "push"}


def ask(headers: dict[str, str], body: bytes = b"{}", status: int = 200) -> tuple[int, list[dict[str, Any]]]:
    """(status, messages sent) of a request."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any], role: str) -> tuple[int, str]:
        assert role == "the role"
        sent.append(message)
        return status, "<SendMessageResponse/>"

    integration = {"requestParameters": PARAMETERS, "credentialsArn": "the role"}
    return asyncio.run(answered(integration, headers, body, "r1", send))[0], sent


def received(message: dict[str, Any]) -> Any:
    """As the worker reads it."""
    named = {
        name: {"dataType": each["DataType"], "stringValue": each["StringValue"]}
        for name, each in message["MessageAttributes"].items()
    }
    record = {"messageId": "m", "body": message["MessageBody"], "messageAttributes": named}
    return read_message({**record, "attributes": {"SentTimestamp": "1"}})


def test_a_request_is_a_message_with_its_body_and_the_headers_that_are_mapped() -> None:
    status, [message] = ask({**HEADERS, "cookie": "secret"}, '{"a":"é"}'.encode())
    found = received(message)
    assert (status, found.body, found.source, found.signature) == (200, '{"a":"é"}', "github", "sha256=ab")
    assert (found.delivery, found.kind) == ("d1", "push")
    assert found.received_ms > 1_700_000_000_000
    assert "secret" not in json.dumps(message)


def test_a_missing_header_is_empty_and_the_message_is_sent_all_the_same() -> None:
    _, [message] = ask({})
    assert (received(message).signature, received(message).delivery) == ("", "")
    assert all(each["StringValue"] for each in message["MessageAttributes"].values())


@pytest.mark.parametrize(
    "value",
    [
        'x"},"source":{"DataType":"String","StringValue":"=another',
        'x"},"received_at":{"DataType":"String","StringValue":"=1',
        'x"}}',
        '"',
        "\\",
    ],
)
def test_a_header_that_breaks_out_of_its_place_changes_nothing_that_the_gateway_says(value: str) -> None:
    status, sent = ask({**HEADERS, "x-github-event": value})
    if status == 400:
        assert sent == []
    else:
        assert received(sent[0]).source == "github"
        assert received(sent[0]).received_ms > 1_700_000_000_000


def test_a_request_without_a_body_is_not_taken_and_a_refused_call_says_nothing_of_why() -> None:
    assert ask(HEADERS, b"") == (400, [])
    assert ask(HEADERS, status=403)[0] == 500
    with pytest.raises(UnmappedError):
        mapped({"MessageBody": "$stageVariables.x"}, {}, "", {})
