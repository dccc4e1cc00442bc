"""Pages of a report over the port of the read API: waiting times, queries run, and cold starts.

It starts a local cloud of its own, publishes a day of hours, and reads as somebody does who signed in: other
pages in turn, the same page again, and a page that is unchanged.
"""

import argparse
import http.client
import os
import statistics
import sys
import time
from collections.abc import Sequence

from benchmarks.api_cold_starts import LIMIT_MS, cold_starts
from benchmarks.jobs_cloud import REPORT, hours_of, jobs_cloud, publish, queries, verdict
from tests.end_to_end.jobs_rig import World, token

P50_MS = 10.0
EVENTS_AN_HOUR, ROWS = 60, 100
_WARM_UPS = 20


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
    hours = hours_of(1, 3)
    publish(world, hours, EVENTS_AN_HOUR)
    bearer = f"Bearer {token(world, 'viewers')}"
    rows = f"/api/v1/reports/{REPORT}/rows?limit={ROWS}"
    pages = [f"{rows}&from={hour}" for hour in hours]
    etag = world.ask("GET", pages[0], Authorization=bearer).headers["etag"]
    kinds: dict[str, list[float]] = {"page": [], "same page": [], "unchanged": []}
    before = queries(world)
    for _ in range(rounds):
        other = [pages[number % len(pages)] for number in range(requests)]
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
    parser.add_argument("--cold", type=int, default=7, help="cold starts of each")
    arguments = parser.parse_args()
    with jobs_cloud() as running:
        found = measure(running.world, arguments.rounds, arguments.requests)
        hour = hours_of(1, 3)[0]
        starts = cold_starts(running.world, f"from={hour}&limit={ROWS}", arguments.cold)
    print(f"load {os.getloadavg()[0]:.1f}; the middle of {arguments.rounds} rounds, p50 in milliseconds")
    for name in ("page", "same page", "unchanged"):
        print(
            f"{'met   ' if found[name] <= P50_MS else 'MISSED'} {name}: {found[name]:.1f} (limit {P50_MS:g})"
        )
    print(f"{'met   ' if not found['queries'] else 'MISSED'} queries run: {found['queries']:.0f} (limit 0)")
    print("cold starts: CPU in milliseconds from a new process to its first answer")
    for name, milliseconds in starts.items():
        print(verdict(name, milliseconds, LIMIT_MS)[0])
    is_met = found["page"] <= P50_MS and not found["queries"] and max(starts.values()) <= LIMIT_MS
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
