"""Backfills by jobs whose execution is stopped at every step in turn, and one while the cloud goes down.

Each forces the same days of hours. Beside one that nothing happened to, every partition must have the same
bytes, must have been published once, and each chunk must have been computed by one query execution.
"""

import argparse
import hashlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from botocore.exceptions import ClientError

from benchmarks.jobs_cloud import REPORT, JobsCloud, hours_of, jobs_cloud, publish, queries
from queries.api.history import Executions
from queries.jobs.aws import execution_arn
from queries.jobs.rules import chunks_of
from queries.jobs.state import Job
from queries.ledger.dynamodb import DynamoDbLedger
from queries.ledger.state import PartitionState
from tests.end_to_end.jobs_rig import World, until


@dataclass(frozen=True)
class Outcome:
    """What a backfill came to; `steps` is how many there were in all of its executions."""

    state: str
    attempts: int
    partitions: int
    steps: int
    queries: int
    bytes: str
    published: tuple[int, ...]
    seconds: float

    def told(self, whole: "Outcome", chunks: int) -> str:
        """What is wrong beside the undisturbed one; empty when nothing is."""
        wrong = []
        if self.state != "SUCCEEDED":
            wrong.append(f"the job is {self.state}")
        if self.bytes != whole.bytes:
            wrong.append("other bytes")
        if self.partitions != len(self.published) or set(self.published) != {1}:
            times = sorted(set(self.published))
            wrong.append(
                f"of {self.partitions} partitions {len(self.published)} were published {times} times"
            )
        if self.queries != chunks:
            wrong.append(f"{self.queries} queries for {chunks} chunks")
        return ", ".join(wrong)


class Backfills:
    """Backfills of the same hours on one cloud."""

    def __init__(self, running: JobsCloud, hours: Sequence[str]) -> None:
        self._running, self._hours = running, hours

    def run(self, disturb: Callable[[World, str], None] = lambda _world, _job_id: None) -> Outcome:
        """Have them computed; `disturb` may do what it likes to the job meanwhile."""
        before, paid = self._published(), queries(self._world)
        began = time.monotonic()
        asked = {"from": self._hours[0], "to": self._hours[-1]}
        started = self._world.start(secrets.token_hex(8), report=REPORT, **asked)
        assert started.status == 202, started.body
        disturb(self._world, started.body["job_id"])
        job = self._world.over(started.body["job_id"])
        took, after = time.monotonic() - began, self._published()
        publishes = tuple(
            sum(1 for version in _versions(state) if version > max(_versions(before.get(hour)), default=0))
            for hour, state in after.items()
        )
        return Outcome(
            state=job.state,
            attempts=job.attempt,
            partitions=job.partitions,
            steps=len(steps(self._world, job)),
            queries=queries(self._world) - paid,
            bytes=self._bytes(after),
            published=publishes,
            seconds=took,
        )

    def down(self, world: World, job_id: str) -> None:
        """Have the cloud go down and up when half of the chunks are done."""

        def is_half() -> bool:
            job = world.table.job(job_id)
            return job is not None and bool(job.chunks) and 2 * len(job.done) >= (job.chunks or 0)

        until(is_half)
        self._running.restart()

    @property
    def _world(self) -> World:
        return self._running.world

    def _published(self) -> dict[str, PartitionState]:
        ledger = DynamoDbLedger(self._world.chain.client("dynamodb"), self._world.outputs.ledger_table)
        wanted = set(self._hours)
        return {
            state.partition: state
            for state in ledger.report(REPORT)
            if state.published and state.partition in wanted
        }

    def _bytes(self, published: dict[str, PartitionState]) -> str:
        s3, bucket = self._world.chain.client("s3"), self._world.outputs.reporting_bucket
        told = hashlib.sha256()
        for partition, state in sorted(published.items()):
            assert state.published is not None
            found = s3.list_objects_v2(Bucket=bucket, Prefix=state.published.location).get("Contents", [])
            bodies = sorted(
                s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found if each["Size"]
            )
            for body in bodies:
                told.update(f"{partition} {len(body)}\n".encode() + body)
        return told.hexdigest()


def _versions(state: PartitionState | None) -> list[int]:
    """The fences of what was published, each another one."""
    if state is None or state.published is None:
        return []
    return [version.fence for version in (state.published, *state.previous)]


def steps(world: World, job: Job) -> list[str]:
    """The steps that have ended so far, by the lines of their log."""
    executions = Executions(
        world.chain.client("stepfunctions"),
        world.chain.client("logs"),
        f"/aws/lambda/{world.outputs.jobs_function}",
    )
    lines = executions.lines(job.job_id, job.created_at)
    return [str(line["step"]) for line in lines if line.get("message") == "step"]


def stopped_after(count: int) -> Callable[[World, str], None]:
    """Stop the job's execution when so many of its steps have ended."""

    def stop(world: World, job_id: str) -> None:
        states = world.chain.client("stepfunctions")
        arn = execution_arn(world.outputs.jobs_machine_arn, f"{job_id}-1")

        def came() -> bool:
            job = world.table.job(job_id)
            assert job is not None
            return job.is_over or len(steps(world, job)) >= count

        until(came)
        with suppress(ClientError):  # it has not begun, or ends at this moment
            states.stop_execution(executionArn=arn, cause="benchmark")

    return stop


def main() -> int:
    """Print a line for each backfill; 1 when one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--every", type=int, default=1, help="stop at each so many-th step")
    arguments = parser.parse_args()
    hours = hours_of(arguments.days, arguments.days)
    chunks = len(chunks_of(hours))
    with jobs_cloud() as running:
        publish(running.world, hours, 2)
        backfills = Backfills(running, hours)
        whole = backfills.run()
        assert whole.partitions == len(hours), whole
        _say(f"undisturbed, {len(hours)} partitions in {chunks} chunks", whole, whole, chunks)
        is_right = not whole.told(whole, chunks)
        for count in range(0, whole.steps, arguments.every):
            found = backfills.run(stopped_after(count))
            is_right &= _say(f"stopped after {count} of {whole.steps} steps", found, whole, chunks)
        found = backfills.run(backfills.down)
        is_right &= _say("the cloud down and up at 50 %", found, whole, chunks)
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0 if is_right else 1


def _say(name: str, found: Outcome, whole: Outcome, chunks: int) -> bool:
    wrong = found.told(whole, chunks)
    print(
        f"{'MISSED' if wrong else 'met   '} {name}: {wrong or 'the same bytes, published once'}, "
        f"{found.queries} queries, {found.attempts} executions, {found.seconds:.0f} s",
        flush=True,
    )
    return not wrong


if __name__ == "__main__":
    sys.exit(main())
