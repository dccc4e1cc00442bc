"""What every record sink does: in memory, and for Kinesis and Firehose on the wire with our own body and with
boto3's, and for Kinesis without boto3.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks.stub_process import StubProcess
from producers.collector.kinesis import PROTOCOL, VERSION, SignedKinesisSink
from producers.collector.signed_calls import SignedCalls
from producers.errors import (
    RequestRefusedError,
    StreamRefusedError,
    StreamUnavailableError,
    TooLargeError,
)
from producers.producer import Producer
from producers.sinks.firehose import FirehoseSink
from producers.sinks.kinesis import KinesisSink
from producers.sinks.memory import MemorySink, even_shards
from producers.sinks.port import NotTaken, RecordSink, SinkRecord, Taken

SHARDS = 4
OVER_HTTP = ["kinesis", "kinesis, signed", "kinesis, boto3's body", "firehose", "firehose, boto3's body"]


class Plain:
    """A client without botocore's events: the sink then puts the real records through boto3."""

    def __init__(self, client: Any) -> None:
        self.put_records: Any = getattr(client, "put_records", None)
        self.put_record_batch: Any = getattr(client, "put_record_batch", None)
        self.list_shards: Any = getattr(client, "list_shards", None)
        self.describe_stream_summary: Any = getattr(client, "describe_stream_summary", None)


class Place:
    """Where a sink's records arrive."""

    def __init__(self, kind: str, stub: StubProcess, stack: ExitStack) -> None:
        self.stub = stub
        self.is_direct = kind.startswith("firehose")
        if kind == "kinesis, signed":
            environ = {
                "AWS_ENDPOINT_URL": stub.url, "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "stub", "AWS_SECRET_ACCESS_KEY": "stub",
            }  # fmt: skip
            calls = SignedCalls("kinesis", VERSION, PROTOCOL, environ=environ, clock=time.time)
            stack.callback(calls.close)
            self.sink: RecordSink = SignedKinesisSink("stub", calls)
            return
        client = stub.firehose_client() if self.is_direct else stub.client()
        stack.callback(client.close)
        given = Plain(client) if kind.endswith("boto3's body") else client
        self.sink = FirehoseSink("stub", given) if self.is_direct else KinesisSink("stub", given)

    def data(self) -> list[bytes]:
        return [arrival.data for arrival in self.stub.arrivals()]


@pytest.fixture(params=OVER_HTTP)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        stub = stack.enter_context(StubProcess(SHARDS, dump=tmp_path / "dump"))
        yield Place(request.param, stub, stack)


@pytest.fixture(params=["memory", *OVER_HTTP])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordSink]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemorySink(even_shards(SHARDS), lambda *_: None)
            return
        stub = stack.enter_context(StubProcess(SHARDS, dump=tmp_path / "dump"))
        yield Place(request.param, stub, stack).sink


def test_answers_come_in_order_and_name_the_shard_of_the_key(sink: RecordSink) -> None:
    shards = sink.describe().shards
    assert isinstance(sink, FirehoseSink | SignedKinesisSink) == (shards is None)
    known = even_shards(SHARDS) if isinstance(sink, SignedKinesisSink) else shards
    starts = [0] * SHARDS if known is None else [shard.start for shard in known.shards]
    names = [""] * SHARDS if known is None else [shard.shard_id for shard in known.shards]
    assert len(names) == SHARDS
    records = [SinkRecord(b"%d" % n, f'key "{n}" é', str(start)) for n, start in enumerate(starts)]
    answers = sink.put_records(records)
    taken = [answer for answer in answers if isinstance(answer, Taken)]
    assert [answer.shard_id for answer in taken] == names
    numbers = [answer.sequence_number for answer in taken]
    assert numbers == sorted(set(numbers))


def test_a_small_request_after_a_large_one_carries_nothing_of_it(place: Place) -> None:
    sent = [[b"a" * 300_000, b"b" * 200_000], [b"c"], [b"d" * 300_000, b"e" * 300_000, b"f"]]
    for batch in sent:
        place.sink.put_records([SinkRecord(blob, "k") for blob in batch])
    assert place.data() == [blob for batch in sent for blob in batch]


def test_bytes_of_any_kind_arrive_as_they_were(place: Place) -> None:
    data = [b"", bytes(range(256)), "ключ".encode(), b'"\\\n']
    key = 'k"é\\'
    place.sink.put_records([SinkRecord(blob, key) for blob in data])
    assert [(a.key, a.data) for a in place.stub.arrivals()] == [
        ("" if place.is_direct else key, blob) for blob in data
    ]


def test_a_request_with_too_many_records_is_refused_for_its_content(place: Place) -> None:
    with pytest.raises(RequestRefusedError):
        place.sink.put_records([SinkRecord(b"x", "k")] * 501)


def test_throttled_records_are_told_apart(place: Place) -> None:
    place.stub.control(throttle=0.5)
    answers = place.sink.put_records([SinkRecord(b"%d" % n, "k") for n in range(200)])
    taken = [b"%d" % n for n, answer in enumerate(answers) if isinstance(answer, Taken)]
    assert place.data() == taken
    assert 0 < len(taken) < 200
    codes = {answer.code for answer in answers if isinstance(answer, NotTaken)}
    expected = "ServiceUnavailable" if place.is_direct else "ProvisionedThroughputExceeded"
    assert codes == {f"{expected}Exception"}


def test_an_endpoint_that_hangs_up_is_unavailable(place: Place) -> None:
    place.stub.control(is_down=True)
    with pytest.raises(StreamUnavailableError):
        place.sink.put_records([SinkRecord(b"x", "k")])


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        ("ServiceUnavailableException", "Slow down.", StreamUnavailableError),
        ("LimitExceededException", "Rate exceeded.", StreamUnavailableError),
        ("InvalidSignatureException", "Signature expired: 1 is now earlier than 2", StreamUnavailableError),
        ("InvalidArgumentException", "not permitted", RequestRefusedError),
        ("ResourceNotFoundException", "not found", StreamRefusedError),
        ("AccessDeniedException", "not authorized", StreamRefusedError),
        ("UnrecognizedClientException", "The security token is invalid.", StreamRefusedError),
    ],
)
def test_an_error_says_who_has_to_act(
    place: Place, code: str, message: str, meaning: type[Exception]
) -> None:
    place.stub.control(refusal=[code, message])
    with pytest.raises(meaning):
        place.sink.put_records([SinkRecord(b"x", "k")])


def test_another_call_through_the_same_client_keeps_its_own_body(tmp_path: Path) -> None:
    with StubProcess(1, dump=tmp_path / "dump") as stub:
        client = stub.client()
        KinesisSink("stub", client).put_records([SinkRecord(b"ours", "k")])
        client.put_records(StreamName="stub", Records=[{"Data": b"theirs", "PartitionKey": "k"}])
        client.close()
        assert [arrival.data for arrival in stub.arrivals()] == [b"ours", b"theirs"]


def test_a_hook_that_does_not_run_is_an_error_and_not_an_empty_record() -> None:
    with StubProcess(1) as stub:
        client = stub.client()
        sink = KinesisSink("stub", client)
        client.meta.events.unregister("before-call.kinesis.PutRecords", sink._calls.swap_body)
        with pytest.raises(RuntimeError, match="hook"):
            sink.put_records([SinkRecord(b"x", "k")])
        client.close()


def test_a_producer_puts_one_event_per_record_on_a_delivery_stream_and_sends_refused_ones_again(
    tmp_path: Path,
) -> None:
    with StubProcess(1, throttle=0.2, dump=tmp_path / "dump") as stub:
        client = stub.firehose_client()
        producer = Producer(sink=FirehoseSink("stub", client), producer_id="direct", linger=0.01)
        for number in range(3000):
            producer.put_raw(b'{"number":%d}' % number, f"key-{number % 7}", counted=False)
        stats = producer.close()
        client.close()
        numbers = [json.loads(arrival.data)["number"] for arrival in stub.arrivals()]
        assert sorted(numbers) == list(range(3000))
        assert stats.delivered == 3000
        assert stats.throttled > 300


def test_an_event_larger_than_firehose_takes_is_refused_with_its_size(tmp_path: Path) -> None:
    with StubProcess(1, dump=tmp_path / "dump") as stub:
        client = stub.firehose_client()
        producer = Producer(sink=FirehoseSink("stub", client), producer_id="direct")
        producer.put_raw(b"x" * 1_023_000, "k", counted=False)
        producer.flush(30)
        with pytest.raises(TooLargeError, match="1,024,000"):
            producer.put_raw(b"x" * 1_024_001, "k", counted=False)
        assert producer.close().delivered == 1
        client.close()
