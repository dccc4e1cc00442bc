"""`penstock failed` against the local cloud, a module of repairs that it may name, and replays in memory."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from tests.golden.poison.corpus import ARRIVAL_MS, unpaid
from tests.transforms.failed import replaying
from tests.transforms.failed.console import FOLDER, REPAIR, Console, broken, event, unreadable_line
from tests.transforms.failed.memory_bucket import MemoryObjects, error_line
from transforms.failed.records import error_objects
from transforms.failed.repair import Repair
from transforms.failed.replay import Counts, Order, replay
from transforms.failed.review import Reviewer
from transforms.gate.gate import Gate


@pytest.fixture
def make_console(local_cloud: LocalCloud) -> Callable[[], Console]:
    """Makes consoles, each with a bucket of its own with the same failed records."""
    outputs = Outputs.from_document(local_cloud.outputs)

    def make() -> Console:
        made = Console(local_cloud, f"failed-{uuid4().hex}", outputs.pseudonym_secrets)
        made.client("s3").create_bucket(Bucket=made.lake_bucket)
        first = [
            error_line(broken(1), ARRIVAL_MS),
            error_line(b"nothing", ARRIVAL_MS),
            error_line(unpaid("status").replace(b":123,", b":5,"), ARRIVAL_MS + 3_600_000),
            error_line(unreadable_line(), ARRIVAL_MS),
        ]
        made.put(f"{FOLDER}a", b"".join(first))
        made.put(f"{FOLDER}b", error_line(broken(2, producer_id="p-2"), ARRIVAL_MS))
        made.put(
            "failed/activePartitionExceeded/dt=2026-11-24/c",
            error_line(event(3), ARRIVAL_MS, errorCode="ActivePartitionExceeded") + b"no document\n",
        )
        return made

    return make


@pytest.fixture
def console(make_console: Callable[[], Console]) -> Console:
    return make_console()


@pytest.fixture
def repair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A repair in a file of the working directory, under a name that no other test has imported."""
    name = f"mending_{uuid4().hex}"
    (tmp_path / f"{name}.py").write_text(REPAIR)
    monkeypatch.chdir(tmp_path)
    yield f"{name}:mend"
    sys.modules.pop(name, None)


@pytest.fixture
def objects() -> MemoryObjects:
    found = MemoryObjects()
    found.bodies["failed/processing-failed/dt=2026-11-24/a"] = b"".join(
        [
            error_line(replaying.broken(1), ARRIVAL_MS),
            error_line(b"nothing", ARRIVAL_MS),
            error_line(replaying.broken(2).replace(b"T10:", b"T09:"), ARRIVAL_MS),
            error_line(replaying.broken(1), ARRIVAL_MS),
        ]
    )
    found.bodies["failed/processing-failed/dt=2026-11-24/b"] = error_line(
        replaying.event(3), ARRIVAL_MS, errorCode="Lambda.FunctionError"
    )
    return found


@pytest.fixture
def replayed(gate: Gate) -> Callable[..., Counts]:
    def run(
        objects: MemoryObjects,
        repair: replaying.Mend | None = replaying.mend,
        order: Order | None = None,
        **options: Any,
    ) -> Counts:
        order = order or Order(repair_name="mend" if repair else "", key_id="k1")
        reviewer, total = Reviewer([(replaying.TABLE, gate)]), Counts()
        for counts in replay(
            error_objects(objects),
            objects,
            reviewer,
            order,
            repair=Repair("mending:mend", repair) if repair else None,
            now=replaying.now,
            **options,
        ):
            total.add(counts)
        return total

    return run
