"""Pages of a report over the port of the read API, through the emulator: waiting times, and queries run.

It starts a local cloud of its own, publishes a day of hours, and reads as somebody does who signed in: other
pages in turn, the same page again, and a page that is unchanged.
"""

import argparse
import http.client
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.shop import SHOP
from infra.local import cloud, processes
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from tests.end_to_end.jobs_rig import World, token
from tests.queries.events import page_viewed

REPORT, P50_MS = "traffic_by_hour", 10.0
HOURS, EVENTS_AN_HOUR, ROWS = 24, 60, 100
_WARM_UPS = 20


def publish(world: World) -> str:
    """Have a day of hours published; the day."""
    day = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"
    hours = [f"{day}-{hour:02d}" for hour in range(HOURS)]
    world.chain.put(
        [page_viewed(hour, n, producer="bench") for hour in hours for n in range(1, EVENTS_AN_HOUR + 1)]
    )
    world.chain.deliver()
    world.chain.refresh()
    return day


def queries(world: World) -> int:
    """Query executions so far."""
    athena = world.chain.client("athena")
    pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=world.outputs.work_group)
    return sum(len(page["QueryExecutionIds"]) for page in pages)


def waits(place: str, paths: Sequence[str], status: int, **headers: str) -> list[float]:
    """Milliseconds of each request over one connection, after some that are not counted."""
    connection, found = http.client.HTTPConnection(place, timeout=60), []
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    for path in [*[paths[0]] * _WARM_UPS, *paths]:
        started = time.perf_counter()
        connection.request("GET", path, headers=named)
        answer = connection.getresponse()
        told = answer.read()
        found.append((time.perf_counter() - started) * 1000)
        assert answer.status == status, told
    connection.close()
    return found[_WARM_UPS:]


def measure(world: World, rounds: int, requests: int) -> dict[str, float]:
    """Medians of interleaved rounds, in milliseconds, by kind of request; `queries` is how many were run."""
    day = publish(world)
    bearer = f"Bearer {token(world, 'viewers')}"
    rows = f"/api/v1/reports/{REPORT}/rows?limit={ROWS}"
    pages = [f"{rows}&from={day}-{hour:02d}" for hour in range(HOURS)]
    etag = world.ask("GET", pages[0], Authorization=bearer).headers["etag"]
    kinds: dict[str, list[float]] = {"page": [], "same page": [], "unchanged": []}
    before = queries(world)
    for _ in range(rounds):
        other = [pages[number % HOURS] for number in range(requests)]
        kinds["page"].append(statistics.median(waits(world.place, other, 200, Authorization=bearer)))
        same = [pages[0]] * requests
        kinds["same page"].append(statistics.median(waits(world.place, same, 200, Authorization=bearer)))
        known = waits(world.place, same, 304, Authorization=bearer, If_None_Match=etag)
        kinds["unchanged"].append(statistics.median(known))
    return {
        **{name: statistics.median(found) for name, found in kinds.items()},
        "queries": queries(world) - before,
    }


def main() -> int:
    """Print the figures; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        port, server_port, collector_port, jobs_port, site_port = processes.free_ports(5)
        settings = LocalSettings(
            port=port,
            server_port=server_port,
            collector_port=collector_port,
            jobs_port=jobs_port,
            site_port=site_port,
        )
        environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        paths = LocalPaths.of(Path(scratch))
        try:
            local = cloud.up(paths, settings, lambda _: None, environ=environ, project=SHOP)
            found = measure(World(local), arguments.rounds, arguments.requests)
        finally:
            cloud.down(paths, lambda _: None)
    print(f"load {os.getloadavg()[0]:.1f}; the middle of {arguments.rounds} rounds, p50 in milliseconds")
    for name in ("page", "same page", "unchanged"):
        print(
            f"{'met   ' if found[name] <= P50_MS else 'MISSED'} {name}: {found[name]:.1f} (limit {P50_MS:g})"
        )
    print(f"{'met   ' if not found['queries'] else 'MISSED'} queries run: {found['queries']:.0f} (limit 0)")
    return 0 if found["page"] <= P50_MS and not found["queries"] else 1


if __name__ == "__main__":
    sys.exit(main())
