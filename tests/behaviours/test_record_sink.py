"""What every record sink does: in memory, on the wire with our own body, on the wire with boto3's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks.stub_process import StubProcess
from producers.errors import RequestRefusedError, StreamUnavailableError
from producers.sinks.kinesis import KinesisSink
from producers.sinks.memory import MemorySink, even_shards
from producers.sinks.port import NotTaken, RecordSink, SinkRecord, Taken

SHARDS = 4


class Plain:
    """A client without botocore's events: the sink then calls put_records with the real records."""

    def __init__(self, client: Any) -> None:
        self.put_records: Callable[..., Any] = client.put_records
        self.list_shards: Callable[..., Any] = client.list_shards
        self.describe_stream_summary: Callable[..., Any] = client.describe_stream_summary


@pytest.fixture(params=["memory", "own body", "boto3's body"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordSink]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemorySink(even_shards(SHARDS), lambda *_: None)
            return
        stub = stack.enter_context(StubProcess(SHARDS, dump=tmp_path / "dump"))
        client = stub.client()
        stack.callback(client.close)
        yield KinesisSink("stub", client if request.param == "own body" else Plain(client))


def test_answers_come_in_order_and_name_the_shard_of_the_key(sink: RecordSink) -> None:
    shards = sink.describe().shards
    assert shards is not None
    assert len(shards) == SHARDS
    records = [SinkRecord(b"%d" % n, f'key "{n}" é', str(s.start)) for n, s in enumerate(shards.shards)]
    answers = sink.put_records(records)
    taken = [answer for answer in answers if isinstance(answer, Taken)]
    assert [answer.shard_id for answer in taken] == [shard.shard_id for shard in shards.shards]
    numbers = [answer.sequence_number for answer in taken]
    assert numbers == sorted(set(numbers))


def test_a_small_request_after_a_large_one_carries_nothing_of_it(tmp_path: Path) -> None:
    with StubProcess(1, dump=tmp_path / "dump") as stub:
        client = stub.client()
        sink = KinesisSink("stub", client)
        sent = [[b"a" * 300_000, b"b" * 200_000], [b"c"], [b"d" * 300_000, b"e" * 300_000, b"f"]]
        for batch in sent:
            sink.put_records([SinkRecord(blob, "k") for blob in batch])
        client.close()
        assert [arrival.data for arrival in stub.arrivals()] == [blob for batch in sent for blob in batch]


def test_bytes_of_any_kind_arrive_as_they_were(tmp_path: Path) -> None:
    data = [b"", bytes(range(256)), "ключ".encode(), b'"\\\n']
    for place, wrap in enumerate((lambda client: client, Plain)):
        with StubProcess(1, dump=tmp_path / f"dump-{place}") as stub:
            client = stub.client()
            KinesisSink("stub", wrap(client)).put_records([SinkRecord(blob, 'k"é\\') for blob in data])
            client.close()
            assert [(a.key, a.data) for a in stub.arrivals()] == [('k"é\\', blob) for blob in data]


def test_a_request_with_too_many_records_is_refused_for_its_content() -> None:
    with StubProcess(1) as stub:
        client = stub.client()
        with pytest.raises(RequestRefusedError):
            KinesisSink("stub", client).put_records([SinkRecord(b"x", "k")] * 501)
        client.close()


def test_throttled_records_are_told_apart() -> None:
    with StubProcess(1, throttle=1.0) as stub:
        client = stub.client()
        answers = KinesisSink("stub", client).put_records([SinkRecord(b"x", "k")])
        client.close()
    assert isinstance(answers[0], NotTaken)
    assert answers[0].code == "ProvisionedThroughputExceededException"


def test_an_endpoint_that_hangs_up_is_unavailable() -> None:
    with StubProcess(1) as stub:
        client = stub.client()
        stub.control(is_down=True)
        with pytest.raises(StreamUnavailableError):
            KinesisSink("stub", client).put_records([SinkRecord(b"x", "k")])
        client.close()


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
        client.meta.events.unregister("before-call.kinesis.PutRecords", sink._swap_body)
        with pytest.raises(RuntimeError, match="hook"):
            sink.put_records([SinkRecord(b"x", "k")])
        client.close()
