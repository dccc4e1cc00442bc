"""The local cloud, started for real: processes, ports, state, and what is deployed."""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local import cloud, processes, server
from infra.local.cloud import LocalCloud
from infra.local.deploy import assembly
from infra.local.ministack import emulator
from infra.local.paths import LocalPaths
from infra.local.processes import LOOPBACK, PortTakenError
from infra.local.settings import LocalSettings
from tests.shop import SHOP

pytestmark = pytest.mark.cloud


def _ignore(message: str) -> None:
    pass


def _settings() -> LocalSettings:
    port, server_port = processes.free_ports(2)
    return LocalSettings(port=port, server_port=server_port)


def _until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def test_every_stack_of_the_assembly_is_deployed(local_cloud: LocalCloud) -> None:
    cloudformation = local_cloud.context.client("cloudformation")
    stacks = {
        stack["StackName"]: stack["StackStatus"] for stack in cloudformation.describe_stacks()["Stacks"]
    }
    wanted = [s.name for s in assembly.read(assembly.PACKAGED, account_id="0", region="x")]
    assert {stacks[name] for name in wanted} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_the_template_that_is_deployed_is_the_file_of_the_assembly(local_cloud: LocalCloud) -> None:
    for stack in assembly.read(assembly.PACKAGED, account_id="0", region="x"):
        recorded = local_cloud.outputs["stacks"][stack.name]
        assert recorded["template_sha256"] == stack.sha256


def test_what_the_local_server_serves_is_all_that_differs_from_the_template(local_cloud: LocalCloud) -> None:
    for stack in assembly.read(assembly.PACKAGED, account_id="0", region="x"):
        deployed = local_cloud.outputs["stacks"][stack.name]["resources"]
        for name, resource in stack.document()["Resources"].items():
            if resource["Type"] == "AWS::CDK::Metadata":
                continue
            local = "Custom::Local" + "".join(resource["Type"].split("::")[1:])
            assert deployed[name]["type"] in {resource["Type"], local}


def test_no_process_listens_beyond_loopback(local_cloud: LocalCloud) -> None:
    status = cloud.status(local_cloud.context.paths)
    mine = {int(found["pid"]) for found in status.values() if found}
    listening = [address for pid, address in _listeners() if pid in mine]
    assert len(listening) >= 2
    assert set(listening) == {"0100007F"}


def _listeners() -> list[tuple[int, str]]:
    """(process id, local address in hex) of every listening IPv4 or IPv6 socket."""
    sockets: dict[str, str] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":
                sockets[fields[9]] = fields[1].split(":")[0]
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("socket:[") and (address := sockets.get(target[8:-1])):
            found.append((int(link.parts[2]), address))
    return found


def test_up_again_starts_nothing_and_changes_nothing(local_cloud: LocalCloud) -> None:
    paths = local_cloud.context.paths
    before = cloud.status(paths)
    settings = LocalSettings(**json.loads(paths.cloud.read_text()))
    again = cloud.up(paths, settings, _ignore, project=SHOP)
    assert cloud.status(paths) == before
    assert again.outputs["stacks"].keys() == local_cloud.outputs["stacks"].keys()


def test_a_taken_port_is_named_with_a_remedy(local_paths: LocalPaths) -> None:
    settings = _settings()
    with socket.socket() as taken:
        taken.bind((LOOPBACK, settings.ports[0]))
        taken.listen()
        with pytest.raises(PortTakenError, match=rf"Port {settings.ports[0]} .*PENSTOCK_LOCAL_PORT"):
            cloud.up(local_paths, settings, _ignore, project=SHOP)
    assert cloud.status(local_paths) == {emulator.NAME: None, server.NAME: None}


def test_a_cloud_comes_back_whole_after_down_and_up_and_empty_after_reset(local_paths: LocalPaths) -> None:
    settings = _settings()
    try:
        first = cloud.up(local_paths, settings, _ignore, project=SHOP)
        bucket = _bucket(first)
        first.context.client("s3").put_object(Bucket=bucket, Key="kept/one", Body=b"1")
        record = {"Data": b"large enough to be kept packed, " * 300, "PartitionKey": "k"}
        first.context.client("kinesis").put_records(StreamName=_stream(first), Records=[record])
        assert cloud.down(local_paths, _ignore)
        assert not cloud.down(local_paths, _ignore)
        again = cloud.up(local_paths, settings, _ignore, project=SHOP)
        assert again.context.client("s3").get_object(Bucket=bucket, Key="kept/one")["Body"].read() == b"1"
        assert record["Data"] in _records(again)
        emptied = cloud.reset(local_paths, settings, _ignore, project=SHOP)
        listed = emptied.context.client("s3").list_objects_v2(Bucket=_bucket(emptied))
        assert listed["KeyCount"] == 0
    finally:
        cloud.down(local_paths, _ignore)


def test_a_cloud_that_was_killed_is_taken_over_by_the_next_up(local_paths: LocalPaths) -> None:
    settings = _settings()
    try:
        first = cloud.up(local_paths, settings, _ignore, project=SHOP)
        found = cloud.status(local_paths)[emulator.NAME]
        assert found is not None
        os.kill(found["pid"], signal.SIGKILL)
        _until(lambda: cloud.status(local_paths)[emulator.NAME] is None)
        again = cloud.up(local_paths, settings, _ignore, project=SHOP)
        assert again.outputs["stacks"].keys() == first.outputs["stacks"].keys()
        assert cloud.attach(local_paths) is not None
    finally:
        cloud.down(local_paths, _ignore)


def _stream(of: LocalCloud) -> str:
    (name,) = of.context.client("kinesis").list_streams()["StreamNames"]
    return str(name)


def _records(of: LocalCloud) -> list[bytes]:
    kinesis, name = of.context.client("kinesis"), _stream(of)
    found = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        start = {"StreamName": name, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis.get_shard_iterator(**start)["ShardIterator"]
        found += [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
    return found


def _bucket(of: LocalCloud) -> str:
    return next(
        str(value)
        for stack in of.outputs["stacks"].values()
        for name, value in stack["outputs"].items()
        if name == "LakeBucket"
    )
