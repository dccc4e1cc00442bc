"""A worker that kills itself: the product's own refresh in a process, with a trap in its AWS session.

The trap sits in botocore's events, so the product's code knows nothing of it: SIGKILL comes just before a
request is sent, or just after its answer has come, at any request that the refresh makes.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Lock
from typing import Any

import boto3

from benchmarks.report_lab import SOURCE, service_on, wall_clock
from benchmarks.shop import CATALOG
from queries.partitions import LakeHour
from queries.settings import Settings

REPORT = "traffic_by_hour"
QUERIES = {REPORT: CATALOG[REPORT]}
LIFE_MS = 20_000
"""The worker says of itself that it is dead after this; its lease ends a minute later."""
_POLLED = {"athena.GetQueryExecution": 1, "dynamodb.Query": 2}
"""How often these are asked depends on how long Athena takes; so many of each are steps."""
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["benchmarks.report_victim", "pyathena.connection"])


@dataclass
class Trap:
    """Names every step of a session; at the step `deadly` the process ends as by `kill -9`."""

    deadly: str
    steps: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def set_in(self, session: Any) -> None:
        """Clients that the session makes from now on run into it."""
        session.events.register("before-send", self._sent)
        session.events.register("response-received", self._answered)

    def _sent(self, event_name: str, **_: Any) -> None:
        self._step("before", event_name)

    def _answered(self, event_name: str, **_: Any) -> None:
        self._step("after", event_name)

    def _step(self, when: str, event_name: str) -> None:
        _, service, operation = event_name.split(".")
        name = f"{when} {service}.{operation}"
        with self.lock:
            self.counts[name] += 1
            if self.counts[name] > _POLLED.get(f"{service}.{operation}", self.counts[name]):
                return
            step = f"{name} {self.counts[name]}"
            self.steps.append(step)
            if step == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)


def run(
    environ: Mapping[str, str], settings: Settings, hours: Sequence[str], deadly: str, *, clock_ahead: int
) -> tuple[int | None, list[str]]:
    """Let a worker be told of these lake hours and refresh what they make stale, in a process of its own.

    Returns its exit code (-9: killed) and the steps it went through, unless it was killed.
    """
    mine, its = _CONTEXT.Pipe()
    process = _CONTEXT.Process(
        target=_work, args=(dict(environ), settings, list(hours), deadly, clock_ahead, its)
    )
    process.start()
    its.close()
    try:
        steps: list[str] = mine.recv()
    except EOFError:
        steps = []
    process.join()
    return process.exitcode, steps


def _work(
    environ: dict[str, str],
    settings: Settings,
    hours: list[str],
    deadly: str,
    clock_ahead: int,
    parent: "Connection[list[str], Any]",
) -> None:
    os.environ.update(environ)
    trap, session = Trap(deadly), boto3.Session()
    trap.set_in(session)
    clock: Callable[[], int] = lambda: wall_clock() + clock_ahead  # noqa: E731 - a clock is a value here
    service = service_on(settings, QUERIES, session, clock)
    service.notice(LakeHour(SOURCE.name, hour) for hour in hours)
    now = clock()
    service.work(stop_at=now + LIFE_MS, hard_end=now + LIFE_MS)
    parent.send(trap.steps)
