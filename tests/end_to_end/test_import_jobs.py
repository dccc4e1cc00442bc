"""Files in the inbox of the running cloud become what `penstock import` makes of them; a schedule asks for a job."""

import gzip
import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from infra.importing.here import Here
from infra.importing.session import Places, Session
from infra.local.cloud import LocalCloud
from infra.project.loading import SHOP, load
from producers.sources.reader import SourceReader
from queries.commands.dlq_cli import app as dlq_app
from queries.commands.jobs_cli import JobFailedError
from queries.commands.jobs_cli import app as jobs_app
from queries.commands.jobs_client import JobsApiError
from tests.end_to_end.jobs_rig import World, run, target_of, until
from tests.infra.importing.function.job_world import OF_DELIVERY
from tests.infra.importing.world import HEAD, Bucket
from tests.shop import TABLE
from transforms.failed.s3_bucket import S3Objects
from transforms.gate.gate import Gate
from transforms.importing.rows import RowMaker, Sender
from transforms.importing.writing import PartWriter
from transforms.target import deployed_keys

pytestmark = pytest.mark.cloud
DAY = "2014-03-05"
"""No other test has events in it."""
SOURCE = "access_log"


def line(number: int) -> str:
    return (
        f"198.51.100.{number % 200} - - [05/Mar/2014:{number // 20:02d}:{number % 60:02d}:00 +0000] "
        f'"GET /page/{number} HTTP/1.1" 200 512 "-" "curl/8.0"'
    )


FILES = {
    "a.log": "\n".join(map(line, range(70))).encode(),
    "b.log.gz": gzip.compress("\n".join([*map(line, range(70, 130)), "no line of a log"]).encode(), mtime=0),
}


@pytest.fixture(scope="module")
def world(local_cloud: LocalCloud) -> World:
    return World(local_cloud)


@pytest.fixture
def target(world: World, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    return target_of(world, monkeypatch)


@contextmanager
def inbox(world: World, files: dict[str, bytes]) -> Iterator[str]:
    """A prefix with these files."""
    prefix, s3 = f"{secrets.token_hex(4)}/", world.chain.client("s3")
    for name, body in files.items():
        s3.put_object(Bucket=world.outputs.lake_bucket, Key=f"inbox/{prefix}{name}", Body=body)
    yield prefix


def objects(bucket: Any) -> dict[str, Any]:
    """The day's objects, without who sent them; the audits, which are of the day of the test, are not in it."""
    found = {}
    for name in bucket.names(f"{TABLE.prefix}event_hour={DAY}"):
        found[name.key] = pq.read_table(io.BytesIO(bucket.get(name.key))).drop_columns(OF_DELIVERY)
    return found


def by_the_command(world: World, folder: Path) -> dict[str, Any]:
    """What `penstock import` would make of the files."""
    project, bucket = load(SHOP), Bucket()
    keys: Any = SimpleNamespace(client=world.chain.client, pseudonym_secrets=world.outputs.pseudonym_secrets)
    key_id, key = next(iter(deployed_keys(keys, TABLE.stream.name).items()))
    maker = RowMaker(TABLE, Gate(TABLE, key_id=key_id, key=key))

    def pool(sender: Sender, _: int) -> Here:
        return Here(PartWriter(bucket, TABLE, maker, sender))

    paths = []
    for name, body in FILES.items():
        (folder / name).write_bytes(body)
        paths.append(str(folder / name))
    places = Places(bucket, TABLE, maker, pool, lambda _: None)
    with SourceReader(project.sources[SOURCE], TABLE.stream) as reader:
        Session(folder / "state", places, lambda _: None).run(reader, SOURCE, paths, HEAD)
    return objects(bucket)


def test_files_of_the_inbox_become_the_objects_of_the_command_and_reports_follow(
    world: World, target: SimpleNamespace, tmp_path: Path
) -> None:
    with inbox(world, FILES) as prefix:
        over = run(jobs_app, target, "start", "import", "--prefix", prefix, "--source", SOURCE, "--wait")
        assert (over["state"], over["chunks"], over["kind"]) == ("SUCCEEDED", 3, "import")
        assert {name: over["counts"][name] for name in ("landed", "failed", "objects")} == {
            "landed": 130,
            "failed": 1,
            "objects": 7,
        }
        wanted = by_the_command(world, tmp_path)
        found = objects(S3Objects(world.chain.client("s3"), world.outputs.lake_bucket))
        assert list(found) == list(wanted)
        assert all(found[key].equals(rows) for key, rows in wanted.items())
        world.chain.refresh()
        rows = world.chain.rows(
            f"SELECT sum(page_views) FROM traffic_by_hour WHERE event_hour BETWEEN '{DAY}-00' AND '{DAY}-23'"
        ).rows
        assert [int(row[0]) for row in rows] == [130]
        again = run(jobs_app, target, "start", "import", "--prefix", prefix, "--source", SOURCE, "--wait")
        assert (again["counts"]["landed"], again["counts"]["already_there"]) == (0, 130)
        shown = run(jobs_app, target, "show", over["job_id"])
        assert {"Begin", "Plan", "Chunk", "Check", "Verify", "Finish"} <= {
            each["step"] for each in shown["steps"]
        }


def test_a_file_that_cannot_be_read_fails_the_job_by_name_and_writes_nothing(
    world: World, target: SimpleNamespace
) -> None:
    bad = gzip.compress(b"x" * 1_000)[:20]
    with inbox(world, {"bad.log.gz": bad}) as prefix:
        with pytest.raises(JobFailedError, match="FAILED"):
            run(jobs_app, target, "start", "import", "--prefix", prefix, "--source", SOURCE, "--wait")
        newest = run(jobs_app, target, "list", "--limit", "1")[0]
        shown = world.signed("GET", f"/iam/v1/jobs/{newest['job_id']}").body
        assert list(shown["failed"]) == [f"inbox/{prefix}bad.log.gz"]


def test_what_is_not_there_is_refused_with_what_to_do(world: World, target: SimpleNamespace) -> None:
    for prefix, source, words in (
        ("nothing/", SOURCE, "Copy them there"),
        ("", "nothing", "There is no source"),
    ):
        with pytest.raises(JobsApiError, match=f"400.*{words}"):
            run(jobs_app, target, "start", "import", "--prefix", prefix, "--source", source)


def test_a_schedule_fires_and_its_job_is_in_the_list(world: World, target: SimpleNamespace) -> None:
    scheduler, name = world.chain.client("scheduler"), f"test-{secrets.token_hex(4)}"
    deployed = scheduler.get_schedule(Name="penstock-orders")
    assert deployed["ScheduleExpression"] == "cron(0 3 * * ? *)"
    scheduler.create_schedule(
        Name=name,
        ScheduleExpression=f"at({datetime.now(UTC):%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=deployed["Target"],
    )
    try:
        owner = "schedule:orders"
        job = until(
            lambda: next((job for job in run(jobs_app, target, "list") if job["owner"] == owner), None)
        )
    finally:
        scheduler.delete_schedule(Name=name)
    assert (job["kind"], job["request"]["report"]) == ("backfill", "orders_by_hour")
    assert world.over(job["job_id"]).state == "SUCCEEDED"


@contextmanager
def broken_worker(world: World) -> Iterator[None]:
    """The function of jobs knows another state machine meanwhile, and messages come back after a second."""
    functions, sqs = world.chain.client("lambda"), world.chain.client("sqs")
    name, url = world.outputs.jobs_function, world.outputs.jobs_queue_url
    before = functions.get_function_configuration(FunctionName=name)["Environment"]
    hidden = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    elsewhere = {**before["Variables"], "PENSTOCK_JOBS_MACHINE_ARN": f"{world.outputs.jobs_machine_arn}-gone"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": elsewhere})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment=before)
        sqs.set_queue_attributes(QueueUrl=url, Attributes=hidden)


def test_a_message_that_fails_five_times_is_a_dead_letter_and_a_redrive_recovers_its_job(
    world: World, target: SimpleNamespace
) -> None:
    with inbox(world, {"a.log": line(1).encode()}) as prefix:
        with broken_worker(world):
            made = run(jobs_app, target, "start", "import", "--prefix", prefix, "--source", SOURCE)
            [letter] = until(lambda: run(dlq_app, target, "list", "--queue", "jobs"))
        assert letter["body"] == f"job {made['job_id']}, attempt 1"
        job = world.table.job(made["job_id"])
        assert job is not None
        assert job.state == "QUEUED"
        assert run(dlq_app, target, "redrive", "--queue", "jobs") == {"redriven": 1}
        assert world.over(made["job_id"]).state == "SUCCEEDED"
