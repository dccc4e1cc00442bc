"""What the disk does not take is refused, nobody is told of it, and what was there before still is."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import cloud
from infra.local.cloud import LocalCloud
from infra.local.ministack import emulator
from infra.local.ministack.kept_objects import ROOM_BYTES, NotKeptError, Store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")

LIMIT = 300_000


@contextmanager
def _full(of: LocalCloud) -> Iterator[None]:
    """The emulator can make no file longer than LIMIT: every write beyond it fails as on a full disk."""
    found = cloud.status(of.context.paths)[emulator.NAME]
    assert found is not None
    before = resource.prlimit(found["pid"], resource.RLIMIT_FSIZE)
    resource.prlimit(found["pid"], resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.prlimit(found["pid"], resource.RLIMIT_FSIZE, before)


@pytest.mark.cloud
def test_an_object_that_the_disk_does_not_take_is_refused_and_the_one_before_stays(
    local_cloud: LocalCloud,
) -> None:
    s3, sqs = local_cloud.context.client("s3"), local_cloud.context.client("sqs")
    bucket, queue = "full-disk", sqs.create_queue(QueueName="full-disk")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket=bucket)
    told = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)
    s3.put_object(Bucket=bucket, Key="one", Body=b"before")
    with _full(local_cloud):
        with pytest.raises(ClientError, match="disk of the local cloud is full") as caught:
            s3.put_object(Bucket=bucket, Key="one", Body=b"x" * (LIMIT + 1))
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        with pytest.raises(ClientError, match="disk of the local cloud is full"):
            s3.put_object(Bucket=bucket, Key="new", Body=b"x" * (LIMIT + 1))
        s3.put_object(Bucket=bucket, Key="small", Body=b"small")
    assert s3.get_object(Bucket=bucket, Key="one")["Body"].read() == b"before"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["one", "small"]
    s3.put_object(Bucket=bucket, Key="one", Body=b"x" * (LIMIT + 1))
    assert s3.head_object(Bucket=bucket, Key="one")["ContentLength"] == LIMIT + 1
    keys: list[str] = []
    deadline = time.monotonic() + 20
    while keys.count("one") < 2:
        assert time.monotonic() < deadline, keys
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            keys += [each["s3"]["object"]["key"] for each in json.loads(message["Body"]).get("Records", [])]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(keys) == ["one", "one", "small"]


@pytest.mark.cloud
def test_an_object_whose_file_is_gone_is_an_error_and_not_empty(local_cloud: LocalCloud) -> None:
    s3 = local_cloud.context.client("s3")
    s3.create_bucket(Bucket="gone")
    for key, body in (("one", b"1"), ("empty", b"")):
        s3.put_object(Bucket="gone", Key=key, Body=body)
    (local_cloud.context.paths.objects / "000000000000" / "gone" / "one").unlink()
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket="gone", Key="one")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert s3.get_object(Bucket="gone", Key="empty")["Body"].read() == b""


@pytest.mark.cloud
def test_every_version_of_an_object_is_read_from_the_disk_as_it_was_written(local_cloud: LocalCloud) -> None:
    s3 = local_cloud.context.client("s3")
    s3.create_bucket(Bucket="versions")
    s3.put_object(Bucket="versions", Key="a/b", Body=b"before versioning")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    bodies = {"null": b"before versioning"}
    for body in (b"one", b"two", b"three"):
        bodies[s3.put_object(Bucket="versions", Key="a/b", Body=body)["VersionId"]] = body
    s3.delete_object(Bucket="versions", Key="a/b")

    def read(version: str) -> Any:
        return s3.get_object(Bucket="versions", Key="a/b", VersionId=version)["Body"].read()

    assert {version: read(version) for version in bodies} == bodies
    newest = s3.list_object_versions(Bucket="versions")["DeleteMarkers"][0]["VersionId"]
    for version, current in zip((newest, *reversed(list(bodies))), reversed(list(bodies)), strict=False):
        s3.delete_object(Bucket="versions", Key="a/b", VersionId=version)
        assert s3.get_object(Bucket="versions", Key="a/b")["Body"].read() == bodies[current]
        assert read(current) == bodies[current]


_VERSIONS = """
import json
from infra.local.ministack import kept_objects
kept_objects.install()
from ministack.services import s3
s3._create_bucket("lake", b"", {})
s3._bucket_versioning["lake"] = "Enabled"
for number in range(3):
    assert s3._put_object("lake", "k", b"%d" % number, {})[0] == 200
versions = s3._object_versions[("lake", "k")]
read = [s3._version_body(s3._buckets["lake"], "lake", "k", each).decode() for each in versions]
print(json.dumps([read, [each["data"] for each in versions]]))
"""


def test_no_version_of_an_object_is_kept_in_memory(tmp_path: Path) -> None:
    environ = {**os.environ, "S3_PERSIST": "1", "S3_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", _VERSIONS]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout.splitlines()[-1]) == [["0", "1", "2"], [None, None, None]]


def test_an_object_is_not_replaced_before_its_version_is_on_the_disk(tmp_path: Path) -> None:
    kept: list[str] = []
    s3 = _s3([])
    s3._object_disk_path = lambda bucket, key: str(tmp_path / bucket / key)
    s3._version_file_exists = lambda bucket, key, version: version in kept
    displace = Store(s3, lambda: 1 << 40).displacing(lambda *_: None)
    displace("b", "k", {"version_id": "v"}, "Enabled")  # its file is gone: nothing is lost
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "k").write_bytes(b"x")
    with pytest.raises(NotKeptError, match="Version v of b/k"):
        displace("b", "k", {"version_id": "v"}, "Enabled")
    kept.append("v")
    displace("b", "k", {"version_id": "v"}, "Enabled")
    displace("b", "k", None, "Enabled")


@pytest.mark.cloud
def test_records_that_the_disk_does_not_take_are_refused_and_then_taken(local_cloud: LocalCloud) -> None:
    kinesis = local_cloud.context.client("kinesis")
    kinesis.create_stream(StreamName="full-disk", ShardCount=1)
    records = [{"Data": bytes([n]) * 3000, "PartitionKey": "k"} for n in range(200)]
    with _full(local_cloud), pytest.raises(ClientError, match="InternalFailure") as caught:
        for _ in range(2):  # text is kept as it came: more than one limit, whatever was there before
            kinesis.put_records(StreamName="full-disk", Records=records)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    kinesis.put_records(StreamName="full-disk", Records=[{"Data": b"after", "PartitionKey": "k"}])
    start = {
        "StreamName": "full-disk",
        "ShardId": "shardId-000000000000",
        "ShardIteratorType": "TRIM_HORIZON",
    }
    iterator = kinesis.get_shard_iterator(**start)["ShardIterator"]
    assert [each["Data"] for each in kinesis.get_records(ShardIterator=iterator)["Records"]] == [b"after"]
    kinesis.delete_stream(StreamName="full-disk")


def _s3(fired: list[Any]) -> Any:
    return SimpleNamespace(
        _fire_s3_event_async=lambda *given, **_: fired.append(given),
        _buckets={"b": {"objects": {"k": "before"}}},
        _object_versions={},
        _error=lambda code, message, status, where: (status, code, message, where),
        DATA_DIR="/data",
    )


def test_an_object_is_refused_before_anything_changes_when_the_disk_has_no_room_for_it() -> None:
    fired: list[Any] = []
    s3, room = _s3(fired), [ROOM_BYTES + 9]
    store = Store(s3, lambda: room[0])

    def put(bucket: str, key: str, body: bytes) -> int:
        s3._buckets[bucket]["objects"][key] = body
        store.fire(bucket, key)
        assert not fired  # the object is not kept yet
        return 200

    kept = store.keeping(put, lambda bucket, key, body: len(body))
    status, code, message, where = kept("b", "k", b"0123456789")
    assert (status, code, where) == (503, "ServiceUnavailable", "/b/k")
    assert "full" in message
    assert (s3._buckets["b"]["objects"], fired) == ({"k": "before"}, [])
    room[0] += 1
    assert kept("b", "k", b"0123456789") == 200
    assert fired == [("b", "k")]


def test_a_write_that_fails_is_taken_back_with_its_version_and_its_notification() -> None:
    fired: list[Any] = []
    s3 = _s3(fired)
    store = Store(s3, lambda: 1 << 40)

    def put(bucket: str, key: str) -> int:
        s3._buckets[bucket]["objects"][key] = "new"
        s3._object_versions[(bucket, key)] = ["new"]
        store.fire(bucket, key)
        raise NotKeptError("no space left")

    kept = store.keeping(put, lambda *_: 0)
    assert kept("b", "k")[0] == kept("b", "another")[0] == 503
    assert (s3._buckets["b"]["objects"], s3._object_versions, fired) == ({"k": "before"}, {}, [])
    store.fire("b", "outside of any write")
    assert fired == [("b", "outside of any write")]
