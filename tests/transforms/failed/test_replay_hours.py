"""One error object with events of many hours, replayed into a bucket of the local cloud.

PENSTOCK_TEST_HOURS is how many hours it has, with 25 events each (`make failed-replay-hours`: 2,000 hours,
50,000 events, and prints what it took).
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from infra.aws.outputs import Outputs
from infra.local.cloud import LocalCloud
from infra.project.project import Project
from tests.golden.poison.corpus import ARRIVAL_MS, changed
from tests.shop import SHOP, TABLES
from tests.transforms.failed.memory_bucket import error_line
from transforms.failed.arrow import read_parquet
from transforms.failed.cli import failed_app
from transforms.failed.s3_bucket import S3Objects

pytestmark = pytest.mark.cloud

HOURS = int(os.environ.get("PENSTOCK_TEST_HOURS", "40"))
EVENTS = 25 * HOURS
TABLE = TABLES["web_events"]
START = datetime(2026, 8, 1, tzinfo=UTC)
REPLAY = ("replay", "--kind", "activePartitionExceeded")


def error_object() -> bytes:
    """What Firehose diverts of a replayed file whose events are of more hours than it holds open."""
    lines = []
    for number in range(EVENTS):
        at = START + timedelta(hours=number % HOURS, seconds=number % 3600)
        event = changed(
            source="replay",
            event_id=f"01927f2e-7b1c-7abc-8def-{number:012x}",
            seq=number + 1,
            event_time=f"{at:%Y-%m-%dT%H:%M:%S}Z",
        )
        code = "DynamicPartitioning.ActivePartitionsLimitExceeded"
        lines.append(error_line(event, ARRIVAL_MS, errorCode=code))
    return b"".join(lines)


@dataclass
class Bucket:
    """What the command is given: a bucket of its own with the error object. Counts its calls to S3."""

    client_of: Callable[[str], Any]
    lake_bucket: str
    pseudonym_secrets: Mapping[str, tuple[str, str]]
    json: bool = False
    project: Project = SHOP
    calls: Counter[str] = field(default_factory=Counter)
    puts_left: int | None = None

    def client(self, service: str) -> Any:
        return self.client_of(service)

    def _count(self, model: Any, **_: Any) -> None:
        if model.name == "PutObject" and self.puts_left is not None:
            if not self.puts_left:
                raise ConnectionError("the connection broke off")
            self.puts_left -= 1
        self.calls[model.name] += 1

    def run(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """The command's result, with only its own calls in `calls`."""
        self.calls.clear()
        events = self.client("s3").meta.events
        events.register("before-call.s3", self._count)
        ran = CliRunner().invoke(failed_app, [*arguments, "--json"], obj=self)
        events.unregister("before-call.s3", self._count)
        assert ran.exit_code == code, (ran.output, ran.exception)
        found: dict[str, Any] = json.loads(ran.stdout) if code == 0 else {}
        return found

    def objects(self) -> dict[str, bytes]:
        """Every object of the lake table."""
        objects = S3Objects(self.client_of("s3"), self.lake_bucket)
        return {name.key: objects.get(name.key) or b"" for name in objects.names(TABLE.prefix)}


@pytest.fixture
def make_bucket(local_cloud: LocalCloud) -> Callable[[], Bucket]:
    outputs = Outputs.from_document(local_cloud.outputs)

    def make() -> Bucket:
        made = Bucket(
            local_cloud.context.client,
            f"hours-{uuid4().hex}",
            outputs.pseudonym_secrets,
        )
        s3 = local_cloud.context.client("s3")
        s3.create_bucket(Bucket=made.lake_bucket)
        key = "failed/activePartitionExceeded/dt=2026-11-24/a"
        s3.put_object(Bucket=made.lake_bucket, Key=key, Body=error_object())
        return made

    return make


def test_every_hour_is_written_once_and_a_second_replay_writes_nothing(
    make_bucket: Callable[[], Bucket],
) -> None:
    bucket = make_bucket()
    assert bucket.run("list")["to_replay"] == EVENTS
    wall, cpu = time.monotonic(), time.process_time()
    done = bucket.run(*REPLAY)
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(f"\n{EVENTS:,} events, {HOURS:,} hours: {wall:.1f} s, {cpu:.1f} s of CPU, {dict(bucket.calls)}")  # noqa: T201
    assert (done["replayed"], done["objects_written"], done["to_replay"]) == (EVENTS, HOURS, 0)
    assert bucket.calls["PutObject"] == HOURS + 2, "the ledger before and after, and each hour once"
    assert bucket.calls["GetObject"] == 2, "the error object and its ledger"
    assert bucket.calls["ListObjectsV2"] <= 2 + HOURS // 250
    before = bucket.objects()
    seqs = [row["seq"] for body in before.values() for row in read_parquet(body, TABLE).to_pylist()]
    assert sorted(seqs) == list(range(1, EVENTS + 1))
    assert bucket.run("list")["to_replay"] == 0
    assert bucket.run(*REPLAY)["done_before"] == 1
    assert bucket.calls["PutObject"] == 0
    assert bucket.run(*REPLAY, "--again")["objects_written"] == 0
    assert bucket.calls["PutObject"] == 1, "the ledger"
    assert bucket.objects() == before


@pytest.mark.parametrize("puts", [0, 1, HOURS // 2, HOURS + 1])
def test_a_replay_of_many_hours_that_was_broken_off_goes_on_to_the_same_lake(
    make_bucket: Callable[[], Bucket], puts: int
) -> None:
    whole, broken = make_bucket(), make_bucket()
    whole.run(*REPLAY)
    broken.puts_left = puts
    broken.run(*REPLAY, code=1)
    assert broken.run("list")["to_replay"] == EVENTS
    broken.puts_left = None
    assert broken.run(*REPLAY)["objects_written"] == HOURS - max(0, puts - 1)
    assert broken.objects() == whole.objects()
