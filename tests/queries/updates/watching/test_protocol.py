"""The texts of AppSync's real-time protocol."""

import json
from base64 import b64decode
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queries.updates.watching import protocol
from queries.updates.watching.protocol import SubscriptionLostError, SubscriptionRefusedError


def test_the_address_says_who_opens_the_socket() -> None:
    url = protocol.socket_url(
        "wss://a.appsync-realtime-api.eu-central-1.amazonaws.com/graphql", {"host": "a", "x": "+/é"}
    )
    parts = urlsplit(url)
    said = parse_qs(parts.query, strict_parsing=True)
    assert (parts.scheme, parts.path) == ("wss", "/graphql")
    assert json.loads(b64decode(said["header"][0])) == {"host": "a", "x": "+/é"}
    assert json.loads(b64decode(said["payload"][0])) == {}


def test_a_start_carries_the_signed_text_as_it_was_signed() -> None:
    data = protocol.data_of("subscription { a }", {"jobId": None})
    told = json.loads(protocol.start("1", data, {"Authorization": "b"}))
    assert (told["id"], told["type"], told["payload"]["data"]) == ("1", "start", data)
    assert told["payload"]["extensions"]["authorization"] == {"Authorization": "b"}


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ('{"type":"connection_error","payload":{"errors":[{"errorType":"UnauthorizedException","errorCode":401}]}}', SubscriptionRefusedError),
        ('{"type":"error","id":"1","payload":{"errors":[{"errorType":"BadRequestException","message":"a"}]}}', SubscriptionRefusedError),
        ('{"type":"error","id":"1","payload":{"errorType":"UnauthorizedException"}}', SubscriptionRefusedError),
        ('{"type":"error","payload":{"errors":[{"errorType":"MaxSubscriptionsReachedException"}]}}', SubscriptionLostError),
        ('{"type":"error"}', SubscriptionLostError),
        ("[]", SubscriptionLostError),
        ("{", SubscriptionLostError),
        ('{"payload":{}}', SubscriptionLostError),
    ],
)  # fmt: skip
def test_an_error_says_whether_another_attempt_can_do_better(text: str, raised: type[Exception]) -> None:
    with pytest.raises(raised):
        protocol.read(text)


@given(
    st.text()
    | st.recursive(
        st.none() | st.text(),
        lambda inner: (
            st.dictionaries(st.sampled_from(["type", "payload", "errors", "x"]), inner) | st.lists(inner)
        ),
    ).map(json.dumps)
)
def test_whatever_a_server_sends_is_a_frame_or_ends_the_subscription(text: str) -> None:
    try:
        protocol.read(text)
    except (SubscriptionLostError, SubscriptionRefusedError) as error:
        assert str(error)
