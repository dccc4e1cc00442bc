"""Each row of docs/firehose-failures.md, in its order."""

import asyncio
import base64
import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local import process_memory
from infra.local.firehose.api import FirehoseApi
from infra.local.firehose.checkpoints import Checkpoint, CheckpointStore
from infra.local.firehose.configuration import InvalidArgumentError, read_configuration
from producers.packing.aggregation import aggregate
from tests.infra.local.firehose.harness import (
    ARRIVAL_MS,
    COLUMNS,
    FUNCTION_ARN,
    PATIENT,
    Delivery,
    MemoryStream,
    accept,
    accepted,
    but,
    event,
    properties,
)

PROCESSING = "processing-failed"
CONVERSION = "format-conversion-failed"
DOCUMENT = Path(__file__).parents[4] / "docs" / "firehose-failures.md"


def _changed(**members: Any) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    return lambda answer: [{**answer, **members}]


def _until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def test_every_row_of_the_document_names_a_test_that_exists() -> None:
    named = re.findall(r"`(test_\w+)`", DOCUMENT.read_text())
    assert len(named) >= 30
    assert {name for name in named if name not in globals()} == set()


def test_processing_failed_goes_to_the_error_prefix_and_neighbours_are_delivered(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", _changed(result="ProcessingFailed")))
    delivery.run(event("a"), event("b"), event("c"))
    assert delivery.names() == ["a", "c"]
    (error,) = delivery.errors(PROCESSING)
    assert list(error)[:-1] == [
        "rawData",
        "errorCode",
        "errorMessage",
        "attemptsMade",
        "arrivalTimestamp",
        "attemptEndingTimestamp",
        "lambdaARN",
    ]
    assert error["raw"] == event("b")
    assert error["errorCode"] == "Lambda.ProcessingFailedStatus"
    assert error["errorMessage"] == "ProcessingFailed status set for record"
    assert error["attemptsMade"] == 1
    assert error["arrivalTimestamp"] == ARRIVAL_MS
    assert error["lambdaARN"] == FUNCTION_ARN
    assert len(delivery.function.requests) == 1


def test_dropped_leaves_no_trace_and_is_counted(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", lambda a: [{"recordId": a["recordId"], "result": "Dropped"}]))
    delivery.run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    assert delivery.errors() == []
    counts = delivery.worker.counts
    assert (counts.read, counts.delivered, counts.dropped, counts.in_flight) == (2, 1, 1, 0)


def test_a_record_id_that_is_not_answered_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", lambda _: [])).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    (error,) = delivery.errors(PROCESSING)
    assert (error["errorCode"], error["attemptsMade"]) == ("Lambda.MissingRecordId", 1)


@pytest.mark.parametrize("answer", [{}, {"records": 5}, [], "text"])
def test_an_answer_without_records_fails_every_record_once(tmp_path: Path, answer: object) -> None:
    delivery = Delivery(tmp_path, lambda _: answer).run(event("a"), event("b"))
    assert [error["errorCode"] for error in delivery.errors(PROCESSING)] == ["Lambda.MissingRecordId"] * 2
    assert len(delivery.function.requests) == 1


def test_a_record_id_that_is_answered_twice_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", lambda a: [a, a])).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    (error,) = delivery.errors(PROCESSING)
    assert error["errorCode"] == "Lambda.DuplicatedRecordId"


def test_a_record_id_that_nobody_asked_for_is_ignored(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", lambda a: [a, {**a, "recordId": "nobody"}]))
    delivery.run(event("a"), event("b"))
    assert delivery.names() == ["a", "b"]
    assert delivery.errors() == []


def test_ok_without_data_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", _changed(data=None))).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    assert [error["errorCode"] for error in delivery.errors(PROCESSING)] == ["Lambda.InvalidReturnFormat"]


def test_a_result_that_does_not_exist_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", _changed(result="Fine"))).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    assert [error["errorCode"] for error in delivery.errors(PROCESSING)] == ["Lambda.InvalidReturnFormat"]


def _is_tried_four_times(delivery: Delivery) -> None:
    errors = delivery.errors(PROCESSING)
    assert [(e["errorCode"], e["attemptsMade"]) for e in errors] == [("Lambda.FunctionError", 4)] * 2
    requests = delivery.function.requests
    assert len(requests) == 4
    assert len({request["invocationId"] for request in requests}) == 4
    assert len({json.dumps(request["records"]) for request in requests}) == 1


def test_a_function_that_raises_is_tried_four_times_and_then_fails_the_batch(tmp_path: Path) -> None:
    _is_tried_four_times(Delivery(tmp_path, lambda _: RuntimeError("no")).run(event("a"), event("b")))


def test_data_that_is_not_base64_is_a_function_error(tmp_path: Path) -> None:
    _is_tried_four_times(Delivery(tmp_path, but("b", _changed(data="%"))).run(event("a"), event("b")))


def test_an_answer_that_is_not_json_is_a_function_error(tmp_path: Path) -> None:
    _is_tried_four_times(Delivery(tmp_path, lambda _: b"{").run(event("a"), event("b")))


def test_an_answer_over_six_megabytes_is_a_function_error(tmp_path: Path) -> None:
    large = but("b", _changed(data="A" * 6_400_000))
    _is_tried_four_times(Delivery(tmp_path, large).run(event("a"), event("b")))


def test_a_function_that_recovers_loses_nothing(tmp_path: Path) -> None:
    tries: list[int] = []

    def answer(request: dict[str, Any]) -> Any:
        tries.append(1)
        return RuntimeError("no") if len(tries) < 4 else accept(request)

    delivery = Delivery(tmp_path, answer).run(event("a"))
    assert delivery.names() == ["a"]
    assert delivery.errors() == []


@pytest.mark.parametrize("hour", ["", None])
def test_a_partition_key_that_is_null_or_empty_fails_alone(tmp_path: Path, hour: str | None) -> None:
    delivery = Delivery(tmp_path).run(event("a"), event("b", hour=hour))
    assert delivery.names() == ["a"]
    (error,) = delivery.errors("metadata-extraction-failed")
    assert error["errorCode"] == "DynamicPartitioning.MetadataExtractionFailed"
    assert error["errorMessage"] == "partitionKeys values must not be null or empty"


def test_a_partition_key_that_is_missing_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", _changed(metadata={}))).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    assert len(delivery.errors("metadata-extraction-failed")) == 1


def test_partitions_beyond_the_limit_go_to_the_error_prefix_and_active_ones_go_on(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, pace=replace(PATIENT, most_partitions=2))
    delivery.run(event("a", "1"), event("b", "2"), event("c", "3"), event("d", "1"))
    assert delivery.names() == ["a", "b", "d"]
    (error,) = delivery.errors("activePartitionExceeded")
    assert error["raw"] == event("c", "3")


def _converts(tmp_path: Path, row: bytes) -> dict[str, Any]:
    """The error of the one bad row between two good ones."""
    change = _changed(data=base64.b64encode(row).decode())
    delivery = Delivery(tmp_path, but("b", change)).run(event("a"), event("b"), event("c"))
    assert delivery.names() == ["a", "c"]
    (error,) = delivery.errors(CONVERSION)
    assert error["raw"] == row
    return error


def test_a_row_that_is_not_json_fails_alone(tmp_path: Path) -> None:
    error = _converts(tmp_path, b'{"name": ')
    assert error["lastErrorCode"] == "DataFormatConversion.ParseError"
    assert error["lastErrorMessage"].startswith("Encountered malformed JSON.")
    assert list(error)[:-1] == [
        "attemptsMade",
        "arrivalTimestamp",
        "lastErrorCode",
        "lastErrorMessage",
        "attemptEndingTimestamp",
        "rawData",
        "sequenceNumber",
        "subSequenceNumber",
        "dataCatalogTable",
    ]
    assert error["dataCatalogTable"] == {
        "catalogId": "000000000000",
        "databaseName": "db",
        "tableName": "events",
        "region": "us-east-1",
        "versionId": "LATEST",
        "catalogArn": "arn:aws:glue:us-east-1:000000000000:catalog",
    }


def test_a_value_that_does_not_fit_its_column_fails_alone(tmp_path: Path) -> None:
    error = _converts(tmp_path, b'{"name": "b", "number": "oops"}')
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"
    assert error["lastErrorMessage"] == 'Data does not match the schema. For input string: "oops"'


@pytest.mark.parametrize("row", [b" ", b"\n", b"\t\n"])
def test_an_empty_row_fails_alone(tmp_path: Path, row: bytes) -> None:
    error = _converts(tmp_path, row)
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"
    assert error["lastErrorMessage"] == "The record was empty or contained only whitespace."


def test_a_number_out_of_its_columns_range_fails_alone(tmp_path: Path) -> None:
    error = _converts(tmp_path, b'{"name": "b", "inner": {"a": 2147483648}}')
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"


def test_a_time_with_an_offset_fails_alone(tmp_path: Path) -> None:
    error = _converts(tmp_path, b'{"name": "b", "at": "2026-11-24T10:00:00+00:00"}')
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"


def test_a_list_of_documents_fails_and_documents_in_a_row_are_rows(tmp_path: Path) -> None:
    _converts(tmp_path, b'[{"name": "b"}]')
    other = tmp_path / "other"
    other.mkdir()
    two = base64.b64encode(b'{"name": "b1"}{"name": "b2"}').decode()
    delivery = Delivery(other, but("b", _changed(data=two))).run(event("a"), event("b"))
    assert delivery.names() == ["a", "b1", "b2"]


def test_two_halves_of_a_document_in_two_records_never_become_one_row(tmp_path: Path) -> None:
    halves = {"b": b'{"name": "b", "number": 1', "c": b', "at": null}'}

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        records = []
        for record in request["records"]:
            name = json.loads(base64.b64decode(record["data"]))["name"]
            made = accepted(record)
            if name in halves:
                made["data"] = base64.b64encode(halves[name]).decode()
            records.append(made)
        return {"records": records}

    delivery = Delivery(tmp_path, answer).run(event("a"), event("b"), event("c"), event("d"))
    assert delivery.names() == ["a", "d"]
    assert len(delivery.errors(CONVERSION)) == 2


def test_a_missing_table_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.catalog.columns = None
    delivery.stream.put(event("a"))
    delivery.worker.start()
    delivery.worker.drain(0.3)
    assert delivery.worker.counts.failed_puts > 0
    delivery.catalog.columns = dict(COLUMNS)
    assert delivery.worker.drain(10)
    delivery.worker.stop()
    assert delivery.names() == ["a"]


def test_a_new_column_is_delivered_without_a_restart(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.stream.put(event("a", more="1"))
    delivery.worker.start()
    assert delivery.worker.drain(10)
    delivery.catalog.columns = {**COLUMNS, "more": "string"}
    delivery.catalog.version += 1

    def put_and_see() -> bool:
        delivery.stream.put(event("b", more="2"))
        assert delivery.worker.drain(10)
        return any(row.get("more") == "2" for row in delivery.rows())

    _until(put_and_see)
    delivery.worker.stop()


def test_a_failing_write_of_data_is_tried_until_it_works_and_the_checkpoint_waits(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.bucket.refuses = lambda _: True
    delivery.stream.put(event("a"))
    delivery.worker.start()
    delivery.worker.drain(0.2)
    _until(lambda: len(delivery.bucket.tries) >= 2)
    assert CheckpointStore(tmp_path / "checkpoints.sqlite").load("events") == {}
    delivery.bucket.refuses = lambda _: False
    _until(lambda: delivery.names() == ["a"])
    delivery.worker.stop()
    assert CheckpointStore(tmp_path / "checkpoints.sqlite").load("events") != {}


def test_a_failing_write_of_errors_holds_back_all_delivery(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", _changed(result="ProcessingFailed")))
    delivery.bucket.refuses = lambda key: key.startswith("failed/")
    delivery.stream.put(event("b"))
    delivery.worker.start()
    delivery.worker.drain(0.2)
    _until(lambda: len(delivery.bucket.tries) >= 2)
    delivery.stream.put(event("a"))
    delivery.worker.drain(0.5)
    assert delivery.names() == []
    delivery.bucket.refuses = lambda _: False
    assert delivery.worker.drain(10)
    delivery.worker.stop()
    assert delivery.names() == ["a"]
    assert len(delivery.errors(PROCESSING)) == 1


def test_a_sudden_end_after_a_write_delivers_again_and_loses_nothing(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.faults.switch("stops_after_put", 1.0, times=1)
    delivery.stream.put(event("a"), event("b"))
    delivery.worker.start()
    delivery.worker.drain(0.5)
    assert delivery.halted.wait(5)
    again = delivery.restarted().run()
    assert again.names() == ["a", "a", "b", "b"]


def test_a_sudden_end_before_a_write_loses_nothing(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.faults.switch("stops_before_put", 1.0, times=1)
    delivery.stream.put(event("a"), event("b"))
    delivery.worker.start()
    delivery.worker.drain(0.5)
    assert delivery.halted.wait(5)
    assert delivery.restarted().run().names() == ["a", "b"]


def test_a_restart_reads_on_from_the_checkpoint(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path).run(event("a"), event("b"))
    again = delivery.restarted().run(event("c"))
    assert again.names() == ["a", "b", "c"]
    assert again.stream.reads == ["shardId-0"] * 3


def test_who_asks_at_the_end_of_a_quiet_delivery_gets_what_was_put_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = Delivery(tmp_path, pace=replace(PATIENT, quiet_seconds=0.05))
    names: list[list[str]] = []

    def ask() -> None:
        assert delivery.worker.drain(10)
        names.append(delivery.names())

    asking = threading.Thread(target=ask)

    def late() -> None:
        if not asking.ident:
            delivery.stream.put(event("b"))
            asking.start()
            _until(lambda: delivery.worker._drains_asked == 1)

    monkeypatch.setattr(process_memory, "give_back", late)
    delivery.stream.put(event("a"))
    delivery.worker.start()
    _until(lambda: asking.ident is not None)
    asking.join(10)
    delivery.worker.stop()
    assert names == [["a", "b"]]


def test_an_expired_iterator_is_renewed_without_loss_or_copy(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.stream.put(event("a"))
    delivery.worker.start()
    assert delivery.worker.drain(10)
    delivery.stream.expire_next = 2
    delivery.stream.put(event("b"))
    assert delivery.worker.drain(10)
    delivery.worker.stop()
    assert delivery.names() == ["a", "b"]


def test_children_are_read_after_their_parent_is_done_and_from_their_beginning(tmp_path: Path) -> None:
    stream = MemoryStream(
        [
            {"ShardId": "shardId-0"},
            {"ShardId": "shardId-1", "ParentShardId": "shardId-0"},
            {"ShardId": "shardId-2", "ParentShardId": "shardId-0"},
        ]
    )
    stream.put(event("parent"), event("parent2"))
    stream.put(event("left"), shard="shardId-1")
    stream.put(event("right"), shard="shardId-2")
    delivery = Delivery(tmp_path, stream=stream)
    delivery.worker.start()
    assert delivery.worker.drain(10)
    assert delivery.names() == ["parent", "parent2"]
    stream.closed.add("shardId-0")
    _until(lambda: delivery.worker.drain(10) and len(delivery.names()) == 4)
    delivery.worker.stop()
    assert stream.reads == ["shardId-0", "shardId-0", "shardId-1", "shardId-2"]


def test_the_timestamp_of_a_prefix_is_the_arrival_of_the_oldest_record(tmp_path: Path) -> None:
    prefix = "events/hour=!{partitionKeyFromLambda:hour}/day=!{timestamp:yyyy-MM-dd}/"
    delivery = Delivery(tmp_path, given=properties(Prefix=prefix))
    delivery.stream.put(event("late"), arrival_ms=ARRIVAL_MS + 86_400_000)
    delivery.run(event("early"))
    (key,) = delivery.data_keys()
    assert key.startswith("events/hour=10/day=2025-11-25/events-1-")
    assert key.endswith(".parquet")


def test_a_broken_aggregate_is_a_plain_record(tmp_path: Path) -> None:
    packed = aggregate(["k1", "k2"], [event("a"), event("b")])

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        def one(record: dict[str, Any]) -> dict[str, Any]:
            if base64.b64decode(record["data"]).startswith(b"{"):
                return accepted(record)
            return {"recordId": record["recordId"], "result": "ProcessingFailed"}

        return {"records": [one(record) for record in request["records"]]}

    delivery = Delivery(tmp_path, answer).run(packed, packed[:-1] + b"x")
    assert delivery.names() == ["a", "b"]
    (error,) = delivery.errors(PROCESSING)
    assert error["raw"] == packed[:-1] + b"x"
    metadata = [r["kinesisRecordMetadata"] for q in delivery.function.requests for r in q["records"]]
    assert [m["subsequenceNumber"] for m in metadata] == [0, 1, 0]
    assert [m["partitionKey"] for m in metadata] == ["k1", "k2", "key"]
    assert len({m["sequenceNumber"] for m in metadata}) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"CompressionFormat": "GZIP"}, "CompressionFormat"),
        ({"BufferingHints": {"SizeInMBs": "32"}}, "SizeInMBs"),
        ({"ErrorOutputPrefix": None}, "ErrorOutputPrefix"),
        ({"ErrorOutputPrefix": "failed/!{partitionKeyFromLambda:hour}/"}, "ErrorOutputPrefix"),
        ({"Prefix": "events/"}, "partition keys"),
    ],
)
def test_settings_that_aws_refuses_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        read_configuration("events", properties(**change))


def test_a_backup_keeps_every_record_as_it_came(tmp_path: Path) -> None:
    backup = {"BucketARN": "arn:aws:s3:::backup", "RoleARN": "r", "Prefix": "raw/"}
    given = properties(S3BackupMode="Enabled", S3BackupConfiguration=backup)
    delivery = Delivery(tmp_path, but("b", _changed(result="Dropped")), given=given)
    delivery.run(event("a"), event("b"))
    kept = b"".join(body for key, body in delivery.bucket.objects.items() if key.startswith("raw/"))
    assert kept == event("a") + event("b")


def test_an_object_that_is_written_twice_has_the_same_content(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.faults.switch("same_key_rewrite", 1.0)
    delivery.run(event("a"))
    assert len(delivery.bucket.order) == 2
    assert len(set(delivery.bucket.order)) == 1
    assert delivery.names() == ["a"]


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("PutRecord", {"Record": {"Data": "YQ=="}}),
        ("PutRecordBatch", {"Records": [{"Data": "YQ=="}]}),
    ],
)
def test_direct_puts_are_refused_by_a_delivery_stream_that_reads_kinesis(
    operation: str, body: dict[str, Any]
) -> None:
    service: Any = type(
        "Service",
        (),
        {"properties": {"events": properties()}, "takes_puts": lambda _, name: name != "events"},
    )()
    request: Any = None
    call = FirehoseApi(service).answer(operation, {"DeliveryStreamName": "events", **body}, request)
    answer = asyncio.run(call)
    told = json.loads(bytes(answer.body))
    assert answer.status_code == 400
    assert told["__type"] == "InvalidArgumentException"
    assert "KinesisStreamAsSource" in told["message"]


def test_a_lost_checkpoint_delivers_again_what_waited_and_skips_nothing(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.run(event("one"))
    delivery.stream.put(event("two"), event("three"))
    for file in tmp_path.glob("checkpoints.sqlite*"):
        file.unlink()
    delivery.restarted().run(event("four"))
    assert set(delivery.names()) == {"one", "two", "three", "four"}


def test_records_from_before_the_delivery_stream_are_not_its_business(tmp_path: Path) -> None:
    stream = MemoryStream()
    stream.put(event("before"), arrival_ms=ARRIVAL_MS - 1000)
    assert Delivery(tmp_path, stream=stream).run(event("since")).names() == ["since"]


def test_a_delivery_stream_of_unknown_age_is_read_from_the_beginning(tmp_path: Path) -> None:
    stream = MemoryStream()
    stream.put(event("long ago"), arrival_ms=0)
    assert Delivery(tmp_path, stream=stream, created_at=None).run(event("now")).names() == ["long ago", "now"]


def test_checkpoints_that_a_full_disk_refused_are_written_when_it_has_room(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    store = delivery.worker._checkpoints
    keep = store.save
    refused: list[dict[str, Checkpoint]] = []

    def save(stream: str, checkpoints: dict[str, Checkpoint]) -> None:
        if not refused:
            refused.append(checkpoints)
            raise sqlite3.OperationalError("database or disk is full")
        keep(stream, checkpoints)

    store.save = save  # type: ignore[method-assign]
    delivery.stream.put(event("one"), event("two"))
    delivery.worker.start()
    assert delivery.worker.drain(20)
    _until(lambda: bool(store.load("events")))
    assert refused
    assert store.load("events")["shardId-0"].sequence_number == f"{2:056d}"
    delivery.worker.stop()
    assert delivery.names() == ["one", "two"]
