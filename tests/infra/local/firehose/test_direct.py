"""Records that are put on a delivery stream itself: kept before they are acknowledged, delivered once."""

import base64
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.firehose.api import FirehoseApi
from infra.local.firehose.configuration import InvalidArgumentError, read_configuration
from infra.local.firehose.direct_log import DirectLog
from infra.local.paths import LocalPaths
from producers.packing.aggregation import aggregate
from producers.sinks.firehose import FirehoseSink, firehose_client
from producers.sinks.port import NotTaken, SinkRecord, Taken
from tests.infra.local.firehose.direct_server import firehose
from tests.infra.local.firehose.harness import (
    ARRIVAL_MS,
    Delivery,
    accept,
    direct_properties,
    event,
    properties,
)


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """The server's process, and a client of it."""
    command = [sys.executable, "-m", "tests.infra.local.firehose.direct_server", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        client = firehose_client(
            endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        yield process, client
        client.close()
    finally:
        process.kill()
        process.communicate()


def log_of(folder: Path) -> DirectLog:
    return DirectLog(LocalPaths.of(folder).database("direct-events"))


def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def put(client: Any, writer: int) -> None:
        sink = FirehoseSink("events", client)
        for batch in range(10_000):
            names = [f"{writer}-{batch}-{n}" for n in range(20)]
            try:
                answers = sink.put_records([SinkRecord(event(name), "k") for name in names])
            except Exception:  # noqa: BLE001 - the server is gone
                return
            acknowledged.extend(
                name for name, answer in zip(names, answers, strict=True) if isinstance(answer, Taken)
            )
            if len(acknowledged) > 2_000:
                enough.set()

    with served(tmp_path) as (process, client):
        writers = [threading.Thread(target=put, args=(client, n)) for n in range(3)]
        for writer in writers:
            writer.start()
        assert enough.wait(60)
        process.kill()
        for writer in writers:
            writer.join()
    delivery = Delivery(tmp_path, direct=log_of(tmp_path))
    delivery.worker.start()
    assert delivery.worker.drain(30)
    delivery.worker.stop()
    counts = Counter(delivery.names())
    assert set(acknowledged) <= set(counts)
    assert set(counts.values()) == {1}


def test_a_worker_that_stops_dead_delivers_again_what_its_checkpoint_does_not_cover(tmp_path: Path) -> None:
    log = DirectLog(tmp_path / "log.sqlite")
    delivery = Delivery(tmp_path, direct=log)
    for hour in "10", "11", "12":
        log.append([event(f"{hour}-{n}", hour) for n in range(3)], ARRIVAL_MS)
    delivery.faults.switch("stops_before_put", 1.0, times=1)
    delivery.worker.start()
    delivery.worker._drains_asked += 1
    assert delivery.halted.wait(20)
    delivery.worker.stop()
    delivery.restarted().worker.start()
    assert delivery.worker.drain(20)
    delivery.worker.stop()
    assert set(delivery.names()) == {f"{hour}-{n}" for hour in ("10", "11", "12") for n in range(3)}
    assert log.oldest_ms() is None


def test_what_is_delivered_is_deleted_and_its_numbers_are_not_given_again(tmp_path: Path) -> None:
    log = DirectLog(tmp_path / "log.sqlite")
    first = log.append([event("a"), event("b")], ARRIVAL_MS)
    delivery = Delivery(tmp_path, direct=log)
    delivery.worker.start()
    assert delivery.worker.drain(20)
    delivery.worker.stop()
    assert log.read(0, 1 << 20) == []
    assert log.append([event("c")], ARRIVAL_MS) > first
    delivery.restarted().worker.start()
    assert delivery.worker.drain(20)
    delivery.worker.stop()
    assert delivery.names() == ["a", "b", "c"]


def test_the_function_gets_the_arrival_and_nothing_of_kinesis(tmp_path: Path) -> None:
    log = DirectLog(tmp_path / "log.sqlite")
    log.append([event("a"), b"", event("b")], ARRIVAL_MS)
    delivery = Delivery(tmp_path, direct=log, answer=lambda request: accept(_without_empty(request)))
    delivery.worker.start()
    assert delivery.worker.drain(20)
    delivery.worker.stop()
    [request] = delivery.function.requests
    assert "sourceKinesisStreamArn" not in request
    assert [set(record) for record in request["records"]] == [
        {"recordId", "approximateArrivalTimestamp", "data"}
    ] * 3
    assert {record["approximateArrivalTimestamp"] for record in request["records"]} == {ARRIVAL_MS}
    assert len({record["recordId"] for record in request["records"]}) == 3
    [error] = delivery.errors()
    assert (error["raw"], error["arrivalTimestamp"]) == (b"", ARRIVAL_MS)


def _without_empty(request: dict[str, Any]) -> dict[str, Any]:
    return {**request, "records": [record for record in request["records"] if record["data"]]}


def test_an_aggregate_that_is_put_directly_is_not_taken_apart(tmp_path: Path) -> None:
    packed = aggregate(["k", "k"], [event("a"), event("b")])
    log = DirectLog(tmp_path / "log.sqlite")
    log.append([packed], ARRIVAL_MS)
    delivery = Delivery(tmp_path, direct=log, answer=lambda _: {"records": []})
    delivery.worker.start()
    assert delivery.worker.drain(20)
    delivery.worker.stop()
    assert [error["raw"] for error in delivery.errors()] == [packed]


def test_freshness_counts_from_the_oldest_record_that_is_not_delivered(tmp_path: Path) -> None:
    log = DirectLog(tmp_path / "log.sqlite")
    delivery = Delivery(tmp_path, direct=log)
    assert delivery.worker.metrics() == {"DeliveryToS3.DataFreshness": 0.0}
    log.append([event("a")], ARRIVAL_MS)
    delivery.worker._clock = lambda: ARRIVAL_MS / 1000 + 42
    assert delivery.worker.metrics() == {"DeliveryToS3.DataFreshness": 42.0}


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([{"Data": b"x"}] * 501, "InvalidArgumentException"),
        ([{"Data": b"x" * 1_000_000}] * 5, "InvalidArgumentException"),
        ([{"Data": b"x" * 1_024_000}, {"Data": b"x"}], None),
    ],
)
def test_a_batch_has_the_limits_of_aws(
    tmp_path: Path, records: list[dict[str, bytes]], code: str | None
) -> None:
    with served(tmp_path) as (_, client):
        if code is None:
            answer = client.put_record_batch(DeliveryStreamName="events", Records=records)
            assert answer["FailedPutCount"] == 0
            assert len({each["RecordId"] for each in answer["RequestResponses"]}) == len(records)
            assert client.put_record(DeliveryStreamName="events", Record=records[1])["Encrypted"]
        else:
            with pytest.raises(ClientError) as refused:
                client.put_record_batch(DeliveryStreamName="events", Records=records)
            assert refused.value.response["Error"]["Code"] == code
    kept = [record for request in log_of(tmp_path).read(0, 1 << 30) for record in request.records]
    assert kept == ([] if code else [*(record["Data"] for record in records), b"x"])


def test_a_record_beyond_the_limit_is_refused_by_the_service_too(tmp_path: Path) -> None:
    with served(tmp_path) as (_, client), pytest.raises(Exception, match="1024000"):
        FirehoseSink("events", client).put_records([SinkRecord(b"x" * 1_024_001, "k")])


def test_throttled_records_are_named_and_the_others_kept(tmp_path: Path) -> None:
    service = firehose(tmp_path)
    service.faults.switch("put_throttled", 0.5)
    data = [event(f"{n:03d}") for n in range(200)]
    answer = FirehoseApi(service)._put_batch(
        {
            "DeliveryStreamName": "events",
            "Records": [{"Data": base64.b64encode(one).decode()} for one in data],
        }
    )
    taken = [one for one, said in zip(data, answer["RequestResponses"], strict=True) if "RecordId" in said]
    assert 0 < answer["FailedPutCount"] == 200 - len(taken) < 200
    assert list(service._direct["events"].read(0, 1 << 20)[0].records) == taken


def test_a_source_is_given_exactly_for_a_stream_that_reads_one() -> None:
    assert read_configuration("events", direct_properties()).is_direct
    assert not read_configuration("events", properties()).is_direct
    for wrong in (
        properties() | {"DeliveryStreamType": "DirectPut"},
        direct_properties() | {"DeliveryStreamType": "KinesisStreamAsSource"},
        properties() | {"DeliveryStreamEncryptionConfigurationInput": {"KeyType": "AWS_OWNED_CMK"}},
        direct_properties() | {"DeliveryStreamType": "MSKAsSource"},
    ):
        with pytest.raises(InvalidArgumentError):
            read_configuration("events", wrong)


def test_a_sink_on_the_service_gets_an_answer_for_each_record(tmp_path: Path) -> None:
    with served(tmp_path) as (_, client):
        answers = FirehoseSink("events", client).put_records([SinkRecord(b"a", "k"), SinkRecord(b"b", "k")])
    assert not [answer for answer in answers if isinstance(answer, NotTaken)]
