"""`up`, `down` and `reset`, cut off anywhere, and processes that are killed: the next command finds its way."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infra.local import cloud, processes, server
from infra.local.cloud import LocalCloud
from infra.local.deploy import deployer
from infra.local.ministack import emulator, snapshots
from infra.local.parts.ticker import OUTPUT
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from queries.ledger.dynamodb import DynamoDbLedger
from queries.ledger.state import Run
from tests.shop import SHOP

pytestmark = pytest.mark.cloud

ROUNDS = int(os.environ.get("PENSTOCK_TEST_INTERRUPTIONS", "1"))


def _ignore(message: str) -> None:
    pass


def _until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalPaths, LocalSettings]]:
    """Folders and settings of the local cloud that these tests kill."""
    paths = LocalPaths.of(tmp_path_factory.mktemp("cloud"))
    port, server_port = processes.free_ports(2)
    yield paths, LocalSettings(port=port, server_port=server_port)
    cloud.down(paths, _ignore)


def _output(of: LocalCloud, name: str) -> str:
    return next(str(s["outputs"][name]) for s in of.outputs["stacks"].values() if name in s["outputs"])


def _kill(paths: LocalPaths, name: str) -> None:
    found = cloud.status(paths)[name]
    assert found is not None
    os.kill(found["pid"], signal.SIGKILL)
    _until(lambda: cloud.status(paths)[name] is None)


def _records(of: LocalCloud) -> list[bytes]:
    kinesis = of.context.client("kinesis")
    (name,) = kinesis.list_streams()["StreamNames"]
    found = []
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        start = {"StreamName": name, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis.get_shard_iterator(**start)["ShardIterator"]
        found += [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
    return found


def _put(of: LocalCloud, *data: bytes) -> None:
    kinesis = of.context.client("kinesis")
    (name,) = kinesis.list_streams()["StreamNames"]
    records = [{"Data": each, "PartitionKey": str(n)} for n, each in enumerate(data)]
    assert kinesis.put_records(StreamName=name, Records=records)["FailedRecordCount"] == 0


def _leased(of: LocalCloud) -> tuple[DynamoDbLedger, Run]:
    variables = of.context.client("lambda").get_function_configuration(FunctionName=_output(of, OUTPUT))
    table = variables["Environment"]["Variables"]["QUERIES_LEDGER_TABLE"]
    ledger = DynamoDbLedger(of.context.client("dynamodb"), table)
    now = int(time.time() * 1000)
    run = Run(
        run_id="r" * 64,
        report="no_such_report",
        location="s3://x/run=1/",
        sql_sha="x",
        started_at=now,
        as_of=now,
        inputs={},
        lease_until=now + 360_000,
    )
    ledger.commit([run])
    return ledger, run


def test_a_killed_emulator_comes_back_with_all_that_it_acknowledged(
    place: tuple[LocalPaths, LocalSettings],
) -> None:
    first = cloud.up(*place, _ignore, project=SHOP)
    assert first.notes == ()
    bucket, data = _output(first, "LakeBucket"), [b"%d" % n for n in range(200)]
    _put(first, *data)
    first.context.client("s3").put_object(Bucket=bucket, Key="kept/one", Body=b"1")
    ledger, run = _leased(first)
    _until(lambda: _is_in_newest_snapshot(place[0], run.run_id))
    _put(first, b"the last one")
    _kill(place[0], emulator.NAME)
    again = cloud.up(*place, _ignore, project=SHOP)
    assert "ERROR" not in place[0].log(emulator.NAME).read_text()  # what it starts from is whole
    assert "goes on from what it wrote at" in again.notes[0]
    assert "1 runs of reports" in again.notes[1]
    assert sorted(_records(again)) == sorted([*data, b"the last one"])
    assert _output(again, "LakeBucket") == bucket
    assert again.context.client("s3").get_object(Bucket=bucket, Key="kept/one")["Body"].read() == b"1"
    # The sweep after a kill adopts what was given free, and gives it up: nobody knows the report. That is long
    # before the lease would have ended.
    _until(lambda: run.run_id not in {each.run_id for each in ledger.runs()})
    assert time.time() * 1000 < run.lease_until


def _is_in_newest_snapshot(paths: LocalPaths, text: str) -> bool:
    newest = snapshots.newest(paths.snapshots)
    with suppress(FileNotFoundError):  # a newer one may take its place meanwhile
        files = [file for file in newest.rglob("*") if file.is_file()] if newest else []
        return any(text.encode() in file.read_bytes() for file in files)
    return False


def test_a_process_that_dies_under_the_deployment_is_named_and_the_next_up_works(
    place: tuple[LocalPaths, LocalSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, settings = place
    cloud.up(paths, settings, _ignore, project=SHOP)
    deploy = deployer.deploy

    def deployed(*given: Any) -> dict[str, Any]:
        _kill(paths, server.NAME)
        outputs: dict[str, Any] = deploy(*given)
        return outputs

    monkeypatch.setattr(deployer, "deploy", deployed)
    with pytest.raises(
        processes.ProcessFailedError, match=r"The local server ended during .* `penstock local up`"
    ):
        cloud.up(paths, settings, _ignore, project=SHOP)
    monkeypatch.undo()
    assert cloud.up(paths, settings, _ignore, project=SHOP).outputs["stacks"]


def test_a_cloud_whose_run_folder_was_deleted_is_found_and_ended(
    place: tuple[LocalPaths, LocalSettings],
) -> None:
    paths, settings = place
    cloud.up(paths, settings, _ignore, project=SHOP)
    before = cloud.status(paths)
    shutil.rmtree(paths.run)
    again = cloud.up(paths, settings, _ignore, project=SHOP)
    assert cloud.status(paths) == before
    assert again.outputs["stacks"]
    shutil.rmtree(paths.run)
    _until(lambda: None not in cloud.status(paths).values())
    assert cloud.down(paths, _ignore)
    assert cloud.status(paths) == {emulator.NAME: None, server.NAME: None}


def test_what_no_state_can_be_found_for_is_moved_aside_and_named(
    place: tuple[LocalPaths, LocalSettings],
) -> None:
    paths, settings = place
    first = cloud.up(paths, settings, _ignore, project=SHOP)
    first.context.client("s3").put_object(Bucket=_output(first, "LakeBucket"), Key="kept/two", Body=b"2")
    _kill(paths, emulator.NAME)
    shutil.rmtree(paths.snapshots)
    again = cloud.up(paths, settings, _ignore, project=SHOP)
    (folder,) = paths.kept.iterdir()
    assert str(folder) in again.notes[0]
    assert any(path.read_bytes() == b"2" for path in folder.rglob("two"))
    assert again.context.client("s3").list_objects_v2(Bucket=_output(again, "LakeBucket"))["KeyCount"] == 0


def test_a_torn_file_of_a_killed_command_is_not_an_obstacle(place: tuple[LocalPaths, LocalSettings]) -> None:
    paths, settings = place
    cloud.up(paths, settings, _ignore, project=SHOP)
    paths.outputs.write_text('{"stacks": {')
    assert cloud.attach(paths) is None
    assert cloud.up(paths, settings, _ignore, project=SHOP).outputs["stacks"]
    paths.cloud.write_text("{")
    assert cloud.up(paths, settings, _ignore, project=SHOP).outputs["stacks"]


def _interrupted(
    command: str, paths: LocalPaths, settings: LocalSettings, seconds: float, number: int
) -> int:
    """Run the command as a user would and send it the signal after so many seconds; its exit code."""
    environ = {**os.environ, **settings.to_environ()}
    arguments = [sys.executable, "-m", "infra.command.cli", "local", command]
    with subprocess.Popen(
        arguments,
        cwd=paths.root.parent,
        env=environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            return process.wait(120)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_commands_that_are_cut_off_anywhere_leave_nothing_in_the_way(
    place: tuple[LocalPaths, LocalSettings], seed: int
) -> None:
    paths, settings = place
    random = Random(seed)
    for _ in range(2):
        command = random.choice(["up", "down", "reset", "reset"])
        number = random.choice([signal.SIGINT, signal.SIGKILL])
        _interrupted(command, paths, settings, random.uniform(0.5, 6.0), number)
    whole = cloud.up(paths, settings, _ignore, project=SHOP)
    status: dict[str, Any] = cloud.status(paths)
    assert None not in status.values()
    _put(whole, b"works")
    assert b"works" in _records(whole)
    again = cloud.attach(paths)
    assert again is not None
    assert json.loads(paths.outputs.read_text())["stacks"].keys() == whole.outputs["stacks"].keys()


def test_reset_of_many_objects_is_done_when_it_says_so(place: tuple[LocalPaths, LocalSettings]) -> None:
    paths, settings = place
    first = cloud.up(paths, settings, _ignore, project=SHOP)
    bucket = paths.objects / "000000000000" / _output(first, "LakeBucket") / "many"
    for number in range(7000):
        file = bucket / f"{number % 100:02d}" / str(number)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    _put(first, b"before")
    emptied = cloud.reset(paths, settings, _ignore, project=SHOP)
    assert b"before" not in _records(emptied)
    assert (
        emptied.context.client("s3").list_objects_v2(Bucket=_output(emptied, "LakeBucket"))["KeyCount"] == 0
    )
    assert not list(paths.root.glob("**/many"))
    assert not paths.leaving.exists()
