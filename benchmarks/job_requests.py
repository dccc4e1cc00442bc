"""Requests for jobs over the port of the API: equal ones at once, other ones at a rate, and a cancellation.

It starts a local cloud of its own. The jobs at a rate have nothing to compute, so that what is measured is
how soon they are answered and running.
"""

import argparse
import math
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.jobs_cloud import REPORT, hours_of, jobs_cloud, publish, verdict
from queries.jobs.machine import definition
from queries.jobs.rules import MOST_ACTIVE
from queries.ledger.dynamodb import DynamoDbLedger
from tests.end_to_end.jobs_rig import Answer, World, until
from tests.queries.jobs.world import REQUEST
from tests.queries.jobs.world import World as Memory

AT_ONCE, WARM_UPS = 20, 10
P50_MS, P95_MS, RUNNING_MS = 10.0, 40.0, 200.0
YEAR, CHUNKS, TRANSITIONS = 365 * 24, 92, 1_000
CANCEL_DAYS, SETTLED_SECONDS = 12, 1.0
Lines = list[tuple[str, bool]]


def at_once(world: World, hours: Sequence[str]) -> Lines:
    """Equal requests at the same moment."""
    key = secrets.token_hex(8)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(
            pool.map(lambda _: _asked(world, key, hours[0], hours[-1], force=True), range(AT_ONCE))
        )
    made = {each.body["job_id"] for each in answers if each.status == 202}
    replays = [each.headers.get("idempotent-replayed") for each in answers].count("true")
    [job_id] = made
    world.over(job_id)
    listed = world.chain.client("stepfunctions").list_executions(
        stateMachineArn=world.outputs.jobs_machine_arn
    )
    executions = [each for each in listed["executions"] if each["name"].startswith(job_id)]
    other = _asked(world, key, hours[0], hours[0], force=True).status
    is_met = (len(executions), replays, other) == (1, AT_ONCE - 1, 422)
    return [
        (
            f"{'met   ' if is_met else 'MISSED'} {AT_ONCE} equal requests at once: {len(made)} job, "
            f"{len(executions)} execution, {replays} replays; another body under the key: {other}",
            is_met,
        )
    ]


def at_a_rate(world: World, hours: Sequence[str], rate: float) -> Lines:
    """Another request every so often, each for an hour of its own, which would not change.

    Where as many jobs are running as may be, the clock stands still until one is over.
    """
    made: list[str] = []
    answered: list[float] = []
    stood, due = 0, time.perf_counter()
    for hour in hours:
        if len(world.table.active().jobs) >= MOST_ACTIVE:
            stood += 1
            until(lambda: len(world.table.active().jobs) < MOST_ACTIVE)
            due = time.perf_counter()
        time.sleep(max(0.0, due - time.perf_counter()))
        due += 1 / rate
        asked = time.perf_counter()
        answer = _asked(world, secrets.token_hex(8), hour, hour, force=False)
        answered.append((time.perf_counter() - asked) * 1000)
        assert answer.status == 202, answer.body
        made.append(answer.body["job_id"])
    over = [world.over(job_id) for job_id in made]
    waited = [float(job.started_at - job.created_at) for job in over if job.started_at is not None]
    assert len(waited) == len(hours)
    answers, waits = answered[WARM_UPS:], waited[WARM_UPS:]
    named = f"{len(answers)} requests, {rate:g} a second"
    return [
        verdict(f"{named}: answered, p50", at(answers, 0.5), P50_MS, " ms"),
        verdict(f"{named}: answered, p95", at(answers, 0.95), P95_MS, " ms"),
        verdict(f"{named}: accepted to running, p50", at(waits, 0.5), RUNNING_MS, " ms"),
        verdict(f"{named}: accepted to running, p95", at(waits, 0.95), RUNNING_MS, " ms"),
        (f"       {stood} times there were {MOST_ACTIVE} jobs that were not over", True),
    ]


def cancelled(world: World, hours: Sequence[str]) -> Lines:
    """A job that is cancelled when its first chunks are marked: those that are marked a second later."""
    started = _asked(world, secrets.token_hex(8), hours[0], hours[-1], force=True)
    job_id = started.body["job_id"]
    until(lambda: marked(world, job_id))
    world.signed("POST", f"/iam/v1/jobs/{job_id}/cancel")
    time.sleep(SETTLED_SECONDS)
    soon = marked(world, job_id)
    job = world.over(job_id)
    late = marked(world, job_id) - soon
    is_met = not late and job.state == "CANCELLED"
    told = f"of {len(hours)} partitions {soon} were begun, and {late} after {SETTLED_SECONDS:g} s"
    return [(f"{'met   ' if is_met else 'MISSED'} cancelled: {told}; the job is {job.state}", is_met)]


def marked(world: World, job_id: str) -> int:
    """Partitions that the job has had marked."""
    ledger = DynamoDbLedger(world.chain.client("dynamodb"), world.outputs.ledger_table)
    return sum(1 for state in ledger.report(REPORT) if state.asked_by.startswith(f"{job_id}#"))


def year() -> Lines:
    """A year of hours by the machine's definition, over memory, and what waits add to its transitions."""
    memory = Memory(YEAR)
    job = memory.run(memory.asking.start("bench", "year", REQUEST).job.job_id)
    chunk = definition("function")["States"]["Chunks"]["ItemProcessor"]["States"]
    again = ["Settled", "Wait", "Check"]
    assert set(again) <= set(chunk)
    waits = (TRANSITIONS - memory.transitions) // len(again)
    return [
        verdict("a year of hours: chunks", job.chunks or 0, CHUNKS),
        verdict("a year of hours: transitions", memory.transitions, TRANSITIONS),
        (f"       each wait of a chunk adds {len(again)}: {waits} of them are within the limit", True),
    ]


def at(found: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return sorted(found)[math.ceil(share * len(found)) - 1]


def _asked(world: World, key: str, first: str, last: str, *, force: bool) -> Answer:
    return world.start(key, report=REPORT, **{"from": first, "to": last}, force=force)


def _shown(lines: Lines) -> Lines:
    for line, _ in lines:
        print(line, flush=True)
    return lines


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rate", type=float, default=10.0)
    arguments = parser.parse_args()
    with jobs_cloud() as running:
        world = running.world
        days = hours_of(CANCEL_DAYS, 28)
        publish(world, days, 2)
        others = hours_of(14, 15)[: WARM_UPS + arguments.requests]
        parts: Sequence[Callable[[], Lines]] = (
            year,
            lambda: at_once(world, days[:4]),
            lambda: at_a_rate(world, others, arguments.rate),
            lambda: cancelled(world, days),
        )
        lines = [line for part in parts for line in _shown(part())]
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0 if all(is_met for _, is_met in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
