"""What a delivery does about failing writes, sudden ends, restarts and lost checkpoints."""

import asyncio
import base64
import json
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local import process_memory
from infra.local.firehose.api import FirehoseApi
from infra.local.firehose.checkpoints import Checkpoint, CheckpointStore
from infra.local.firehose.configuration import InvalidArgumentError, read_configuration
from producers.packing.aggregation import aggregate
from tests.infra.local.firehose.answers import PROCESSING, changed, until
from tests.infra.local.firehose.harness import (
    ARRIVAL_MS,
    PATIENT,
    Delivery,
    MemoryStream,
    accepted,
    but,
    event,
    properties,
)


def test_a_failing_write_of_data_is_tried_until_it_works_and_the_checkpoint_waits(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.bucket.refuses = lambda _: True
    delivery.stream.put(event("a"))
    delivery.worker.start()
    delivery.worker.drain(0.2)
    until(lambda: len(delivery.bucket.tries) >= 2)
    assert CheckpointStore(tmp_path / "checkpoints.sqlite").load("events") == {}
    delivery.bucket.refuses = lambda _: False
    until(lambda: delivery.names() == ["a"])
    delivery.worker.stop()
    assert CheckpointStore(tmp_path / "checkpoints.sqlite").load("events") != {}


def test_a_failing_write_of_errors_holds_back_all_delivery(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", changed(result="ProcessingFailed")))
    delivery.bucket.refuses = lambda key: key.startswith("failed/")
    delivery.stream.put(event("b"))
    delivery.worker.start()
    delivery.worker.drain(0.2)
    until(lambda: len(delivery.bucket.tries) >= 2)
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
            until(lambda: delivery.worker._drains_asked == 1)

    monkeypatch.setattr(process_memory, "give_back", late)
    delivery.stream.put(event("a"))
    delivery.worker.start()
    until(lambda: asking.ident is not None)
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
    until(lambda: delivery.worker.drain(10) and len(delivery.names()) == 4)
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
    delivery = Delivery(tmp_path, but("b", changed(result="Dropped")), given=given)
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


def test_a_new_delivery_stream_begins_with_what_comes_after_it_also_on_halves_of_a_split_shard(
    tmp_path: Path,
) -> None:
    stream = MemoryStream([{"ShardId": "shardId-0"}, {"ShardId": "shardId-1", "ParentShardId": "shardId-0"}])
    for shard in ("shardId-0", "shardId-1"):
        stream.put(event(f"before on {shard}"), shard=shard, arrival_ms=ARRIVAL_MS - 1)
        stream.put(event(f"after on {shard}"), shard=shard)
    stream.closed.add("shardId-0")
    delivery = Delivery(tmp_path, stream=stream)
    delivery.worker.start()
    until(lambda: delivery.worker.drain(10) and len(delivery.names()) == 2)
    delivery.worker.stop()
    assert delivery.names() == ["after on shardId-0", "after on shardId-1"]


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
    until(lambda: bool(store.load("events")))
    assert refused
    assert store.load("events")["shardId-0"].sequence_number == f"{2:056d}"
    delivery.worker.stop()
    assert delivery.names() == ["one", "two"]
