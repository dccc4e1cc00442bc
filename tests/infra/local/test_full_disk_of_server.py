"""What the local server cannot keep on a full disk is refused; what has happened is kept when there is room."""

import resource
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local import cloud, server
from infra.local.athena.execution import Execution
from infra.local.athena.executions import Executions
from infra.local.athena.store import NotKeptError, Store
from infra.local.cloud import LocalCloud
from infra.local.parts.cfn import TYPE_PROPERTY, ResourceEndpoint, ResourceStore
from queries.engine.port import QueryThrottledError
from tests.queries.cloud import Chain


def _fill(connection: sqlite3.Connection) -> None:
    """Nothing more fits: sqlite answers as it does on a full disk."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")


def _free(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA max_page_count = 1073741823")


def _execution(name: str, query: str = "SELECT 1") -> Execution:
    return Execution(
        id=name, query=query, kind="SELECT", family="DML", database="d", catalog="c",
        work_group="primary", output_location="s3://results/", submitted=1.0,
    )  # fmt: skip


class _Runner:
    """The disk is full when it answers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fills = True

    def job(self) -> Any:
        return type("Job", (), {"is_cancelled": False, "cancel": lambda _: None})()

    def run(self, execution: Execution, *_: Any) -> dict[str, Any]:
        if self.fills:
            _fill(self._store._connection)
        return {"outcome": {"reason": "x" * 100_000}}


def test_an_execution_that_ends_on_a_full_disk_ends_and_is_written_when_there_is_room(tmp_path: Path) -> None:
    store = Store(tmp_path / "athena.sqlite")
    runner: Any = _Runner(store)
    executions = Executions(store, runner, time.time, workers=1, watch=lambda _: None)
    executions.submit(_execution("one"))
    deadline = time.monotonic() + 20
    while executions.get("one").state != "SUCCEEDED":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(NotKeptError, match="full"):
        executions.submit(_execution("two", "y" * 100_000))
    saved = store.find("execution", "one")
    assert saved is not None
    assert saved["state"] != "SUCCEEDED"
    _free(store._connection)
    runner.fills = False
    executions.submit(_execution("three"))
    executions.close()
    found = {body["id"]: body["state"] for body in store.all("execution")}
    assert found["one"] == "SUCCEEDED"
    assert found.keys() == {"one", "three"}


class _Handler:
    def __init__(self) -> None:
        self.made: set[str] = set()

    def create(self, logical_id: str, _: dict[str, Any]) -> tuple[str, dict[str, str]]:
        self.made.add(logical_id)
        return logical_id, {}

    def update(self, _: str, __: dict[str, Any]) -> dict[str, str]:
        return {}

    def delete(self, physical_id: str) -> None:
        self.made.remove(physical_id)


def test_a_resource_that_cannot_be_remembered_is_not_made(tmp_path: Path) -> None:
    handler: Any = _Handler()
    store = ResourceStore(tmp_path / "resources.sqlite")
    endpoint = ResourceEndpoint({"T": handler}, store)
    message: dict[str, Any] = {
        "StackId": "s", "RequestId": "r", "LogicalResourceId": "one", "RequestType": "Create",
        "ResourceProperties": {TYPE_PROPERTY: "T", "Text": "x" * 100_000},
    }  # fmt: skip
    _fill(store._database)
    answer = endpoint.answer(message)
    assert (answer["Status"], handler.made) == ("FAILED", set())
    assert "full" in answer["Reason"]
    _free(store._database)
    assert endpoint.answer(message)["Status"] == "SUCCESS"
    assert handler.made == {"one"}


@pytest.mark.cloud
@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
def test_athena_refuses_what_the_disk_does_not_take_and_goes_on_when_it_does(local_cloud: LocalCloud) -> None:
    athena = local_cloud.context.client("athena")
    found = cloud.status(local_cloud.context.paths)[server.NAME]
    assert found is not None
    before = resource.prlimit(found["pid"], resource.RLIMIT_FSIZE)
    resource.prlimit(found["pid"], resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        with pytest.raises(ClientError, match="disk of the local cloud is full") as caught:
            athena.create_work_group(Name="full-disk")
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        assert caught.value.response["Error"]["Code"] == "InternalServerException"
        # A worker that ended here would keep others from its partitions for minutes: it has to try again.
        with pytest.raises(QueryThrottledError, match="disk of the local cloud is full"):
            Chain.of(local_cloud).engine.start("SELECT 1", "a-token-of-at-least-thirty-two-characters")
    finally:
        resource.prlimit(found["pid"], resource.RLIMIT_FSIZE, before)
    athena.create_work_group(Name="full-disk")
    names = {group["Name"] for group in athena.list_work_groups()["WorkGroups"]}
    athena.delete_work_group(WorkGroup="full-disk", RecursiveDeleteOption=True)
    assert "full-disk" in names
