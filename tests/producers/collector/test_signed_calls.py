"""Calls that are signed without boto3: as botocore signs them, over connections that come and go."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from producers.collector.signed_calls import CallError, Credentials, SignedCalls, Signer, endpoint_of

NOW = 1_764_500_000.0
ENVIRON = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalr/EXAMPLE+KEY",
    "AWS_REGION": "eu-west-1",
}
OK = b'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{"a":1}'


@given(
    body=st.binary(max_size=300),
    token=st.sampled_from(["", "session/token=="]),
    now=st.integers(946_684_800, 4_102_444_799),
    service=st.sampled_from(["kinesis", "dynamodb"]),
)
def test_a_signature_is_the_one_that_botocore_makes(body: bytes, token: str, now: int, service: str) -> None:
    environ = {**ENVIRON, **({"AWS_SESSION_TOKEN": token} if token else {})}
    host = f"{service}.eu-west-1.amazonaws.com"
    signer = Signer(Credentials.from_environ(environ), service, host)
    ours = signer.headers("Kinesis_20131202.PutRecords", "application/x-amz-json-1.1", body, now)
    theirs = AWSRequest(
        "POST",
        f"https://{host}/",
        {"content-type": "application/x-amz-json-1.1", "x-amz-target": "Kinesis_20131202.PutRecords"},
        body,
    )
    credentials = BotoCredentials(
        environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], token or None
    )
    auth = SigV4Auth(credentials, service, "eu-west-1")
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    theirs.context["timestamp"] = stamp
    if token:
        theirs.headers["X-Amz-Security-Token"] = token
    theirs.headers["X-Amz-Date"] = stamp
    canonical = auth.canonical_request(theirs)
    signature = auth.signature(auth.string_to_sign(theirs, canonical), theirs)
    assert ours["authorization"].endswith(f"Signature={signature}")
    assert auth.scope(theirs) in ours["authorization"]
    assert f"SignedHeaders={auth.signed_headers(auth.headers_to_sign(theirs))}," in ours["authorization"]


def test_secrets_are_not_in_what_is_printed_of_credentials() -> None:
    text = repr(Credentials.from_environ({**ENVIRON, "AWS_SESSION_TOKEN": "session-token"}))
    assert ENVIRON["AWS_SECRET_ACCESS_KEY"] not in text
    assert "session-token" not in text


def test_a_service_is_where_the_environment_says_or_at_its_endpoint_of_the_region() -> None:
    assert endpoint_of("kinesis", "eu-west-1", {}) == "https://kinesis.eu-west-1.amazonaws.com"
    assert endpoint_of("kinesis", "cn-north-1", {}) == "https://kinesis.cn-north-1.amazonaws.com.cn"
    both = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_KINESIS": "http://127.0.0.1:2"}
    assert endpoint_of("kinesis", "eu-west-1", both) == "http://127.0.0.1:2"
    assert endpoint_of("dynamodb", "eu-west-1", both) == "http://127.0.0.1:1"


@contextmanager
def serving(*scripts: Callable[[socket.socket], None]) -> Iterator[tuple[SignedCalls, list[int]]]:
    """Calls of a server that treats its connections, one after the other, as the scripts say."""
    listener, accepted = socket.create_server(("127.0.0.1", 0)), list[int]()

    def serve() -> None:
        for script in scripts:
            connection, _ = listener.accept()
            with connection:
                accepted.append(1)
                script(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    environ = {**ENVIRON, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{listener.getsockname()[1]}"}
    calls = SignedCalls("kinesis", "Kinesis_20131202", "1.1", environ=environ, clock=lambda: NOW)
    try:
        yield calls, accepted
    finally:
        calls.close()
        thread.join(10)
        listener.close()


def answering(*answers: bytes) -> Callable[[socket.socket], None]:
    def script(connection: socket.socket) -> None:
        for answer in answers:
            while not connection.recv(65536).endswith(b"{}"):
                pass
            connection.sendall(answer)

    return script


def test_calls_share_a_connection_and_one_that_was_closed_meanwhile_is_replaced() -> None:
    closed = threading.Event()

    def then_closed(connection: socket.socket) -> None:
        answering(OK, OK)(connection)
        connection.shutdown(socket.SHUT_RDWR)
        closed.set()

    with serving(then_closed, answering(OK)) as (calls, accepted):
        assert calls.call("PutRecords", b"{}") == {"a": 1}
        assert calls.call("PutRecords", b"{}") == {"a": 1}
        assert accepted == [1]
        assert closed.wait(10)
        assert calls.call("PutRecords", b"{}") == {"a": 1}
        assert accepted == [1, 1]


@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 49\r\n\r\n" + b'{"__type":"com.amazon#ThrottlingException","a":1}', "ThrottlingException", 400),
        (b"HTTP/1.1 503 No\r\ncontent-length: 9\r\n\r\n<html></>", "", 503),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nnull", "", 200),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"a\"", "", 0),
        (b"", "", 0),
    ],
)  # fmt: skip
def test_what_is_not_an_answer_is_an_error_that_says_whether_one_came(
    answer: bytes, code: str, status: int
) -> None:
    with serving(answering(answer), answering(OK)) as (calls, _):
        with pytest.raises(CallError) as raised:
            calls.call("PutRecords", b"{}")
        assert (raised.value.code, raised.value.status) == (code, status)
        calls.close()
        assert calls.call("PutRecords", b"{}") == {"a": 1}


def test_nothing_listens_there_is_an_error_without_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environ = {**ENVIRON, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    calls = SignedCalls("kinesis", "Kinesis_20131202", "1.1", environ=environ, clock=lambda: NOW)
    with pytest.raises(CallError) as raised:
        calls.call("PutRecords", b"{}")
    assert raised.value.status == 0
