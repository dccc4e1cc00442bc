"""A report query over an hour of a million events: the Athena endpoint beside DuckDB on the same files.

`python -m benchmarks.athena [--events N]` prints seconds of both, interleaved, and their ratio (goal: <= 2).
Both have warm files: the endpoint its local copies, DuckDB the page cache.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from tests.infra.athena.conftest import DATABASE, RESULTS, running_endpoint, write_events

HOUR = "2026-11-25-10"
FILES = 8
ROUNDS = 7
ENDPOINT = f"""
SELECT event_hour, order_placed.currency AS currency, count(*) AS orders,
       sum(order_placed.total_minor) AS revenue_minor,
       CAST(sum(order_placed.total_minor) AS double) / count(*) AS average_order_minor,
       approx_percentile(CAST(order_placed.total_minor AS double), 0.95e0) AS p95
FROM {DATABASE}.bench_events
WHERE event_type = 'order_placed' AND event_hour = '{HOUR}'
GROUP BY event_hour, order_placed.currency ORDER BY 2
"""
DUCKDB = """
SELECT event_hour, order_placed.currency AS currency, count(*) AS orders,
       sum(order_placed.total_minor) AS revenue_minor,
       CAST(sum(order_placed.total_minor) AS double) / count(*) AS average_order_minor,
       quantile_disc(CAST(order_placed.total_minor AS double), 0.95) AS p95
FROM read_parquet('{files}', hive_partitioning = true)
WHERE event_type = 'order_placed' GROUP BY 1, 2 ORDER BY 2
"""


def timed(run: Callable[[], Any]) -> tuple[float, float]:
    """Wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), _cpu()
    run()
    return time.perf_counter() - wall, _cpu() - cpu


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory() as temporary, running_endpoint(Path(temporary)) as endpoint:
        local = Path(temporary) / "same" / f"event_hour={HOUR}"
        local.mkdir(parents=True)
        write_events(endpoint, "bench_events", HOUR, events, FILES, local)
        connection = duckdb.connect(config={"threads": 2})
        text = DUCKDB.format(files=f"{local}/*.parquet")
        ours, theirs = [], []
        for number in range(ROUNDS + 1):  # the first round fetches and warms
            first = timed(lambda: endpoint.rows(ENDPOINT))
            second = timed(lambda: connection.execute(text).fetchall())
            if number:
                ours.append(first)
                theirs.append(second)
        unload = timed(lambda: endpoint.run(_unload(number)))
    _print(events, ours, theirs, unload)


def _unload(number: int) -> str:
    return f"UNLOAD ({ENDPOINT}) TO 's3://{RESULTS}/bench/{number}/' WITH (format = 'PARQUET')"


Times = tuple[float, float]


def _print(events: int, ours: list[Times], theirs: list[Times], unload: Times) -> None:
    mine, other = _median(ours), _median(theirs)
    print(f"{events:,} events of one hour in {FILES} objects, median of {ROUNDS} interleaved rounds")
    print(f"{'':24}{'wall s':>10}{'CPU s':>10}")
    for name, times in (
        ("Athena endpoint", mine),
        ("DuckDB, same files", other),
        ("UNLOAD of the same", unload),
    ):
        print(f"{name:24}{times[0]:>10.3f}{times[1]:>10.3f}")
    print(f"ratio: {mine[0] / other[0]:.2f} wall, {mine[1] / other[1]:.2f} CPU (goal: <= 2)")


def _median(given: list[Times]) -> Times:
    return statistics.median(wall for wall, _ in given), statistics.median(cpu for _, cpu in given)


if __name__ == "__main__":
    main()
