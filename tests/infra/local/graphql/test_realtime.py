"""AppSync's real-time protocol over a real socket."""

import base64
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.infra.local.graphql.rig import LISTEN, Rig, began, told


def _change(socket: Any) -> tuple[str, str, int]:
    """(subscription, job, revision) of the next message."""
    message = told(socket)
    assert message["type"] == "data"
    change = message["payload"]["data"]["jobChanged"]
    return message["id"], change["jobId"], change["revision"]


def _started(rig: Rig, socket: Any, number: str, query: str = LISTEN, **variables: Any) -> None:
    socket.send(rig.start(number, query, **variables))
    assert told(socket) == {"id": number, "type": "start_ack"}


def _refused(socket: Any) -> tuple[str, str]:
    """(kind, message) of the next message, which is an error."""
    message = told(socket)
    assert message["type"] == "error"
    (error,) = message["payload"]["errors"]
    return error.get("errorType", ""), error["message"]


def test_an_argument_lets_through_what_has_its_value_and_none_or_null_lets_all_through(rig: Rig) -> None:
    with began(rig.opened()) as socket:
        _started(rig, socket, "one", jobId="f1")
        _started(rig, socket, "null", jobId=None)
        _started(rig, socket, "all", "subscription { jobChanged { jobId revision } }")
        for job, revision in (("f1", 1), ("f2", 5), ("f1", 2)):
            rig.change(job, revision)
        heard = [_change(socket) for _ in range(8)]
    assert [each for each in heard if each[0] == "one"] == [("one", "f1", 1), ("one", "f1", 2)]
    for number in ("null", "all"):
        found = [each[1:] for each in heard if each[0] == number]
        assert found == [("f1", 1), ("f2", 5), ("f1", 2)]


def test_an_id_given_as_a_number_is_the_same_id(rig: Rig) -> None:
    with began(rig.opened()) as socket:
        _started(rig, socket, "n", "subscription { jobChanged(jobId: 17) { jobId revision } }")
        assert rig.service.is_listened_to("jobChanged")
        assert not rig.service.is_listened_to("reportPublished")
        rig.change("17", 4)
        assert _change(socket) == ("n", "17", 4)


def test_a_subscriber_receives_the_fields_that_the_mutation_selected(rig: Rig) -> None:
    with began(rig.opened()) as socket:
        _started(
            rig, socket, "s", "subscription { jobChanged { ...F done } } fragment F on JobChange { jobId }"
        )
        mutation = (
            "mutation ($i: JobChangeInput!) { changeJob(input: $i) { ...F } } fragment F on JobChange { %s }"
        )
        change = {"jobId": "sel", "revision": 1, "state": "RUNNING", "done": 3}
        rig.program(mutation % "jobId revision", i=change)
        assert told(socket)["payload"] == {"data": {"jobChanged": {"jobId": "sel", "done": None}}}
        rig.program(mutation % "revision done", i=change)
        payload = told(socket)["payload"]
    assert payload["data"] == {"jobChanged": None}
    assert "non-nullable" in payload["errors"][0]["message"]


def test_json_and_times_come_to_subscribers_as_they_were_published(rig: Rig) -> None:
    with began(rig.opened()) as socket:
        _started(rig, socket, "j", 'subscription { jobChanged(jobId: "js") { note at } }')
        rig.change("js", 1, note='{"a": "<b>\\u001b"}', at="2026-11-30T23:00:00+01:00")
        found = told(socket)["payload"]["data"]["jobChanged"]
    assert json.loads(found["note"]) == {"a": "<b>\x1b"}
    assert found["at"] == "2026-11-30T23:00:00+01:00"


def test_after_a_stop_nothing_more_is_sent(rig: Rig) -> None:
    with began(rig.opened()) as socket:
        _started(rig, socket, "gone")
        _started(rig, socket, "stays")
        socket.send('{"type":"stop","id":"gone"}')
        assert told(socket) == {"id": "gone", "type": "complete"}
        rig.change("st", 1)
        assert _change(socket) == ("stays", "st", 1)
        socket.send('{"type":"stop","id":"gone"}')
        assert _refused(socket)[0] == "BadRequestException"


def test_each_subscription_has_an_authorization_of_its_own(rig: Rig) -> None:
    with began(rig.opened()) as socket:
        for token, words in (
            (rig.token("others"), "Not Authorized to access jobChanged on type Subscription"),
            (rig.token("viewers", exp=1), "Token has expired."),
            ("nonsense", "Unable to parse JWT token."),
        ):
            socket.send(rig.start("x", token=token))
            assert _refused(socket) == ("UnauthorizedException", words)
        _started(rig, socket, "x")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ mine }", "over HTTP"),
        ("subscription { jobChanged { nosuch } }", "nosuch"),
        ("subscription { jobChanged", "Unable to parse"),
        ("subscription { a: jobChanged { jobId } b: jobChanged { jobId } }", "one"),
        ("subscription { ...F } fragment F on Subscription { jobChanged { jobId } }", "fragment"),
        ("subscription ($jobId: ID!) { jobChanged(jobId: $jobId) { jobId } }", "jobId"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused(rig: Rig, query: str, words: str) -> None:
    with began(rig.opened()) as socket:
        socket.send(rig.start("x", query))
        assert words in _refused(socket)[1]


def test_one_socket_has_a_hundred_subscriptions_and_none_twice(rig: Rig) -> None:
    with began(rig.opened()) as socket:
        token = rig.token("viewers")
        for number in range(100):
            socket.send(rig.start(str(number), token=token, jobId="many"))
        for number in range(100):
            assert told(socket) == {"id": str(number), "type": "start_ack"}
        socket.send(rig.start("100", token=token))
        kind, words = _refused(socket)
        assert (kind, words) == (
            "MaxSubscriptionsReachedException",
            "Max number of 100 subscriptions reached",
        )
        socket.send(rig.start("7", token=token))
        assert _refused(socket)[0] == "BadRequestException"
        rig.change("many", 1)
        assert sorted(_change(socket)[0] for _ in range(100)) == sorted(map(str, range(100)))
    rig.counts(subscriptions=0)


@pytest.mark.parametrize(
    "header", ["", "header=%%%", "header=W10=", "header=e30=", "header=eyJob3N0Ijo1fQ=="]
)
def test_a_handshake_without_a_good_header_is_refused(rig: Rig, header: str) -> None:
    url = f"ws://{rig.host}/graphql/realtime?{header}"
    with connect(url, subprotocols=["graphql-ws"], proxy=None) as socket:  # type: ignore[list-item]
        socket.send('{"type":"connection_init"}')
        message = told(socket)
        assert message["type"] == "connection_error"
        assert message["payload"]["errors"][0]["errorCode"] in (400, 401)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=30)


def test_the_header_may_come_as_a_subprotocol(rig: Rig) -> None:
    header = json.dumps({"host": rig.host, "Authorization": rig.token("viewers")}).encode()
    encoded = base64.urlsafe_b64encode(header).decode().rstrip("=")
    offered: Any = ["graphql-ws", f"header-{encoded}"]
    with connect(f"ws://{rig.host}/graphql", subprotocols=offered, proxy=None) as socket:
        began(socket)
        assert socket.subprotocol == "graphql-ws"


def test_a_foreign_page_opens_no_socket(rig: Rig) -> None:
    before = rig.service.counts.foreign
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(InvalidStatus, match="403"):
            rig.opened(origin=origin)
    assert rig.service.counts.foreign == before + 3
    with began(rig.opened(origin=f"http://{rig.host}")):
        pass


@pytest.mark.parametrize("path", ["/graphql/nosuch/realtime", "/graphql/realtime/more", "/_events", "/"])
def test_no_other_path_is_a_socket(rig: Rig, path: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://{rig.host}{path}", subprotocols=["graphql-ws"], proxy=None)  # type: ignore[list-item]


def test_another_protocol_is_not_spoken(rig: Rig) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://{rig.host}/graphql", subprotocols=["mqtt"], proxy=None)  # type: ignore[list-item]
