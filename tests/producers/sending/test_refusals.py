"""What a producer makes of a service that refuses to talk to it, and of its coming round; over a socket."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.stub_process import StubProcess
from producers import Producer, StreamRefusedError
from producers.errors import StreamUnavailableError
from producers.sinks.kinesis import KinesisSink

SIGNATURE_EXPIRED = "Signature expired: 20261124T100000Z is now earlier than 20261124T101000Z (5 min.)"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidSignatureException", SIGNATURE_EXPIRED),
        ("InvalidSignatureException", "Signature not yet current: 20261124T102000Z is still later"),
        ("SignatureDoesNotMatch", SIGNATURE_EXPIRED),
        ("RequestTimeTooSkewed", "The difference is too large."),
        ("RequestExpired", "Request has expired."),
    ],
)
def test_a_request_that_was_signed_too_long_ago_is_signed_anew(
    code: str, message: str, tmp_path: Path
) -> None:
    with StubProcess(1, dump=tmp_path / "dump") as stub:
        client = stub.client()
        producer = Producer("stub", client=client, linger=0.01)
        producer.put_json({"n": 1}, "key")
        assert producer.flush(30) == 0
        stub.control(refusal=[code, message])
        producer.put_json({"n": 2}, "key")
        # Nobody has to see to it: it does not count as a failure, and is not raised.
        assert producer.flush(0.3) == 1
        assert producer.failure is None
        stub.control(refusal=None)
        assert producer.flush(60) == 0
        producer.close(30)
        client.close()
        assert [arrival.data for arrival in stub.arrivals()] == [b'{"n":1}', b'{"n":2}']


@pytest.mark.parametrize(
    "code",
    [
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "KMSAccessDeniedException",
        "KMSDisabledException",
        "KMSInvalidStateException",
        "KMSNotFoundException",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
    ],
)
def test_events_outlive_a_refusal_that_somebody_fixes(
    code: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with StubProcess(1, dump=tmp_path / "dump") as stub:
        client = stub.client()
        producer = Producer("stub", client=client, linger=0.01)
        producer.put_json({"n": 1}, "key")
        assert producer.flush(30) == 0
        stub.control(refusal=[code, "No."])
        producer.put_json({"n": 2}, "key")
        with pytest.raises(StreamRefusedError, match="There is no stream" if "Resource" in code else code):
            producer.flush(30)
        assert isinstance(producer.failure, StreamRefusedError)
        assert len(caplog.records) == 1
        producer.put_json({"n": 3}, "key")
        stub.control(refusal=None)
        assert producer.flush(60) == 0
        assert str(producer.failure) == "None"
        producer.close(30)
        client.close()
        found = [arrival.data for arrival in stub.arrivals()]
        assert found == [b'{"n":%d}' % number for number in (1, 2, 3)]


def test_credentials_that_were_refused_are_read_anew_for_the_next_attempt(tmp_path: Path) -> None:
    with StubProcess(1, dump=tmp_path / "dump") as stub:
        made: list[Any] = []

        def renewed() -> Any:
            made.append(stub.client())
            return made[-1]

        first = stub.client()
        sink = KinesisSink("stub", first, renewed)
        stub.control(refusal=["UnrecognizedClientException", "The security token is invalid."])
        with pytest.raises(StreamRefusedError, match="UnrecognizedClient"):
            sink.describe()
        assert made == []
        stub.control(refusal=["InvalidSignatureException", SIGNATURE_EXPIRED])
        with pytest.raises(StreamUnavailableError, match="expired"):
            sink.describe()
        stub.control(refusal=None)
        assert sink.describe().shards is not None
        # The clock is not the credentials' fault: they were read once.
        assert len(made) == 1
        for client in (first, *made):
            client.close()


def test_a_name_that_no_stream_can_have_is_reported_and_not_retried_as_an_outage() -> None:
    with StubProcess(1) as stub:
        client = stub.client()
        with pytest.raises(StreamRefusedError, match="ParamValidationError"):
            KinesisSink("", client).describe()
        client.close()
