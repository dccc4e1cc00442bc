"""From a change of the jobs table to its subscribers: 50 of them, 100 changes a second, on a local cloud.

The item is written as the product writes it, the table's stream calls the publishing function, its mutation
reaches the local AppSync, and that sends it on. One more subscriber reads nothing: it must delay nobody, and
cost no more memory than is kept for one socket. The function publishes the newest of what comes together of a
job; an older change counts as heard when a newer one is.
"""

import argparse
import asyncio
import json
import multiprocessing
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

import boto3
from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection

from benchmarks.jobs_cloud import REPORT, jobs_cloud
from benchmarks.live import Place, listen, report, resident_mb
from infra.local import processes, server
from queries.jobs.dynamodb import DynamoDbJobs
from queries.jobs.state import Backfill, Expected, Job
from tests.end_to_end.jobs_rig import World, token

JOBS = 20
"""That change in turn."""
WARM_UP_SECONDS = 3.0
_QUERY = "subscription { jobChanged { jobId revision state done total } }"
_MUCH = f"subscription {{ jobChanged {{ {' '.join(f'of{n}: jobId' for n in range(100))} }} }}"
"""Makes messages of 3 KB, so that within the run more waits for the socket than may."""
Change = tuple[str, int]
"""A job's id and its revision."""
Heard = tuple[str, int, float]
"""A job's id, its revision, and when that arrived."""


def write(named: Mapping[str, str], table: str, rate: float, count: int, pipe: Connection) -> None:
    """Write the changes, each at its time whatever the one before took; say when each was begun.

    `named` is what boto3 makes a client of. The pipe gets the jobs' ids first, and tells when to begin.
    """
    jobs_table = DynamoDbJobs(boto3.client("dynamodb", **named), table)  # type: ignore[call-overload]
    jobs = [jobs_table.commit(_job()) for _ in range(JOBS)]
    pipe.send([job.job_id for job in jobs])
    pipe.recv()
    begun: dict[Change, float] = {}
    start = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, start + number / rate - time.perf_counter()))
        job, now = jobs[number % JOBS], time.perf_counter()
        changed = replace(job, state="RUNNING", chunks=count, done=(*job.done, len(job.done)))
        jobs[number % JOBS] = made = jobs_table.commit(changed)
        begun[made.job_id, made.revision] = now
    pipe.send((begun, count / (time.perf_counter() - start)))


def _job() -> Job:
    now, hour = time.time_ns() // 1_000_000, "2026-11-01-00"
    return Job(
        job_id=secrets.token_hex(10), kind="backfill", request=Backfill(report=REPORT, first=hour, last=hour),
        owner="bench", expected=Expected(), created_at=now, queued_at=now,
    )  # fmt: skip


async def hear(socket: ClientConnection, wanted: Mapping[str, int]) -> list[Heard]:
    """What comes until every job has the revision that is wanted of it."""
    left, found = dict(wanted), list[Heard]()
    while left:
        message = json.loads(await socket.recv())
        if message["type"] != "data":
            continue
        change = message["payload"]["data"]["jobChanged"]
        found.append((change["jobId"], change["revision"], time.perf_counter()))
        if change["revision"] >= left.get(change["jobId"], sys.maxsize):
            del left[change["jobId"]]
    return found


def delays(begun: Mapping[Change, float], heard: Iterable[Heard], since: float) -> list[float]:
    """Milliseconds from the beginning of each change's write until one subscriber had it, or a newer one.

    Changes that were begun before `since` do not count.
    """
    found, seen = list[float](), dict[str, int]()
    for job_id, revision, at in heard:
        reached = range(seen.get(job_id, 1) + 1, revision + 1)
        times = [begun[job_id, each] for each in reached]
        found += [(at - each) * 1000 for each in times if each >= since]
        seen[job_id] = max(revision, seen.get(job_id, 1))
    return found


async def measure(
    world: World, subscribers: int, wanted: Mapping[str, int], begin: Callable[[], None]
) -> list[list[Heard]]:
    """What each subscriber heard."""
    place = Place(urlsplit(world.outputs.updates_url).netloc, token(world, "viewers"))
    sockets = [await listen(place, number, _QUERY) for number in range(subscribers)]
    slow = await listen(place, subscribers, _MUCH)
    slow.transport.pause_reading()
    await asyncio.to_thread(world.table.commit, _job())
    while json.loads(await sockets[0].recv())["type"] != "data":  # the function has started
        pass
    begin()
    found = await asyncio.gather(*(hear(socket, wanted) for socket in sockets))
    slow.transport.abort()
    await asyncio.gather(*(socket.close() for socket in sockets))
    return found


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=50)
    parser.add_argument("--rate", type=float, default=100.0, help="changes a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    count = int(arguments.rate * arguments.seconds) // JOBS * JOBS
    context = multiprocessing.get_context("spawn")
    with jobs_cloud() as running:
        world, (ours, its) = running.world, context.Pipe()
        local = world.cloud.context
        named = {"endpoint_url": local.endpoint_url, "region_name": local.region, **local.credentials}
        process = context.Process(
            target=write, args=(named, world.outputs.jobs_table, arguments.rate, count, its)
        )
        process.start()
        try:
            wanted = dict.fromkeys(ours.recv(), 1 + count // JOBS)
            pid = (processes.alive(running.paths.run, server.NAME) or {})["pid"]
            before = resident_mb(pid)
            heard = asyncio.run(measure(world, arguments.subscribers, wanted, lambda: ours.send("begin")))
            begun, rate = ours.recv()
            grown = resident_mb(pid) - before
            slow = local.ask("/_graphql/counts")["slow"]
        finally:
            process.join(20)
            process.kill()
    since = min(begun.values()) + WARM_UP_SECONDS
    found = [each for of_one in heard for each in delays(begun, of_one, since)]
    print(f"{sum(map(len, heard)):,} messages told of {count:,} changes to each of {arguments.subscribers}")
    return 0 if report(found, rate, grown, slow) else 1


if __name__ == "__main__":
    sys.exit(main())
