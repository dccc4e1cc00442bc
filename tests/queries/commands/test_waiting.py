"""`reports refresh --wait` says why it waits: a worker that was killed holds partitions until its lease ends."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from queries.commands.delivery import clock_time
from queries.commands.waiting import Held, RefreshError, Standing, refresh_until_fresh, told_of
from queries.requests import read_request
from queries.service import ReportService
from tests.queries.refresh.sealing_world import TABLE, KilledError, World

HOURS = ("2026-11-24-09", "2026-11-24-10")
TIMEOUT_MS = 300_000


class Waited(World):
    """A world whose sealed hours are waited for, as those of any report."""

    def service(self) -> ReportService:
        service = super().service()
        service.queries = {TABLE: replace(service.queries[TABLE], waits_for_lateness=False)}
        return service


class Function:
    """The query function, run in this process."""

    def __init__(self, world: World) -> None:
        self.world = world

    def invoke(self, *, Payload: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's name
        now = self.world.now
        request, service = read_request(json.loads(Payload), now), self.world.service()
        service.prepare(request)
        summary = service.work(stop_at=now + 20_000, hard_end=now + TIMEOUT_MS)
        standing = service.standing_briefly() if request.briefly else service.standing()
        answer = standing | {
            "published": len(summary.published),
            "unchanged": len(summary.unchanged),
            "statements": summary.statements,
            "bytes_scanned": summary.bytes_scanned,
        }
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def killed() -> None:
    raise KilledError


@pytest.fixture
def world() -> Iterator[World]:
    """A worker has claimed two partitions and was killed before its query began."""
    with mock_aws():
        world = Waited()
        for hour in HOURS:
            world.put(hour, "1", "a")
        world.notify(*HOURS)
        world.pass_time(8 * 3_600_000)
        worker = world.service()
        worker.refresher.hasten(worker.keys(TABLE))
        world.during_query = killed
        with pytest.raises(KilledError):
            worker.work(stop_at=world.now + 60_000, hard_end=world.now + TIMEOUT_MS)
        world.during_query = lambda: None
        yield world


def refresh(world: World, seconds: float, said: list[Standing]) -> Standing:
    sqs = boto3.client("sqs", region_name="us-east-1")
    queue = sqs.create_queue(QueueName="notifications")["QueueUrl"]
    return refresh_until_fresh(
        lambda_client=Function(world),
        sqs=sqs,
        query_function="queries",
        queue_url=queue,
        timeout_seconds=seconds,
        clock=lambda: world.now / 1000,
        sleep=lambda _: world.pass_time(10_000),
        progress=said.append,
    )


def test_who_waits_for_a_killed_worker_learns_the_run_its_partitions_and_until_when(world: World) -> None:
    (run,) = world.service().ledger.runs()
    until = run.lease_until
    said: list[Standing] = []
    standing = refresh(world, 3_600, said)
    held = Held(run=run.run_id[:12], report=TABLE, partitions=2, lease_until=until)
    assert said[0].held == [held]
    assert told_of(said[0].held).startswith(
        f"run {run.run_id[:12]} holds 2 partitions of {TABLE} until {clock_time(until / 1000)}"
    )
    assert "penstock local down" in told_of(said[0].held)
    assert (standing.stale, standing.published, standing.held) == (0, 2, [])
    assert world.now >= until


def test_giving_up_says_so_as_well(world: World) -> None:
    with pytest.raises(RefreshError, match="holds 2 partitions of web_events_hours until"):
        refresh(world, 30, [])


def test_nothing_is_said_of_runs_when_none_is_held() -> None:
    assert told_of(()) == ""
