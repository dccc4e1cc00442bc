"""MiniStack's state is written a moment after each change, whole or not at all."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.local.ministack.snapshots import Changes, Snapshots, changes, newest


def _write(folder: Path, name: str, state: Any) -> None:
    if state == "full":
        raise OSError(28, "No space left on device")
    (folder / name).write_text(json.dumps(state))


def _snapshots(folder: Path, **states: Callable[[], Any]) -> Snapshots:
    return Snapshots(folder, lambda: states, _write)


def test_only_the_newest_snapshot_is_kept(tmp_path: Path) -> None:
    state = {"n": 1}
    taken = _snapshots(tmp_path, one=lambda: state, none=lambda: None)
    taken.take()
    state["n"] = 2
    assert taken.take() == newest(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert {each.name: json.loads(each.read_text()) for each in folder.iterdir()} == {"one": {"n": 2}}


def test_a_snapshot_that_the_disk_did_not_take_leaves_the_one_before(tmp_path: Path) -> None:
    before = _snapshots(tmp_path, one=lambda: 1).take()
    with pytest.raises(OSError, match="No space"):
        _snapshots(tmp_path, one=lambda: 2, two=lambda: "full").take()
    assert list(tmp_path.iterdir()) == [before]
    assert (before / "one").read_text() == "1"


def test_what_a_killed_snapshot_left_is_none_and_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "0000000000.tmp").mkdir()
    assert newest(tmp_path) is None
    assert _snapshots(tmp_path, one=lambda: 1).take() == newest(tmp_path) == tmp_path / "0000000000"


@pytest.mark.parametrize(
    ("method", "target", "is_change"),
    [
        ("POST", "Kinesis_20131202.GetRecords", False),
        ("POST", "Kinesis_20131202.PutRecords", False),
        ("POST", "Kinesis_20131202.CreateStream", True),
        ("POST", "DynamoDB_20120810.TransactWriteItems", True),
        ("POST", "DynamoDB_20120810.Query", False),
        ("POST", "AWSGlue.BatchUpdatePartition", True),
        ("POST", "AmazonSQS.DeleteMessage", True),
        ("GET", None, False),
        ("PUT", None, True),
        ("DELETE", None, True),
    ],
)
def test_what_changes_something_is_told_from_what_reads(
    method: str, target: str | None, is_change: bool
) -> None:
    headers = {b"x-amz-target": target.encode()} if target else {}
    assert changes(method, headers) is is_change


def test_a_change_is_written_by_a_child_while_the_process_goes_on(tmp_path: Path) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pass

    async def run() -> None:
        seen = Changes(_snapshots(tmp_path, pid=os.getpid), seconds=0.0)
        watched, task = seen.watching(app), asyncio.create_task(seen.run())
        await watched({"type": "http", "method": "GET", "headers": []}, None, None)
        await asyncio.sleep(0.1)
        assert newest(tmp_path) is None
        await watched({"type": "http", "method": "PUT", "headers": []}, None, None)
        for _ in range(1000):
            if newest(tmp_path):
                break
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())
    found = newest(tmp_path)
    assert found is not None
    assert int((found / "pid").read_text()) != os.getpid()


def test_the_last_snapshot_does_not_wait_for_one_that_is_being_taken(tmp_path: Path) -> None:
    async def run() -> None:
        parent, began = os.getpid(), asyncio.get_running_loop().time()

        def slow() -> int:
            if os.getpid() != parent:
                time.sleep(60)
            return os.getpid()

        seen = Changes(_snapshots(tmp_path, pid=slow), seconds=0.0)
        task = asyncio.create_task(seen.run())
        seen.now()
        while not list(tmp_path.glob("*.tmp")):
            await asyncio.sleep(0.01)
        seen.last()
        task.cancel()
        assert asyncio.get_running_loop().time() - began < 50

    asyncio.run(run())
    found = newest(tmp_path)
    assert found is not None
    assert int((found / "pid").read_text()) == os.getpid()
