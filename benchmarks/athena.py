"""A report query over an hour of a million events: the Athena endpoint beside DuckDB on the same files.

`python -m benchmarks.athena [--events N]` prints seconds of both, interleaved, and their ratio (goal: at most 2).
Both are given warm files: the endpoint its local copies, DuckDB the page cache.
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
import pyarrow as pa

from tests.infra.athena.conftest import BUCKET, DATABASE, RESULTS, running_endpoint, write_events

HOUR = "2026-11-25-10"
FILES = 8
ROUNDS = 7
ENDPOINT = f"""
SELECT event_hour, order_placed.currency AS currency, count(*) AS orders, sum(order_placed.total_minor) AS revenue_minor,
       CAST(sum(order_placed.total_minor) AS double) / count(*) AS average_order_minor,
       approx_percentile(CAST(order_placed.total_minor AS double), 0.95e0) AS p95
FROM {DATABASE}.bench_events
WHERE event_type = 'order_placed' AND event_hour = '{HOUR}'
GROUP BY event_hour, order_placed.currency ORDER BY 2
"""
DUCKDB = """
SELECT event_hour, order_placed.currency AS currency, count(*) AS orders, sum(order_placed.total_minor) AS revenue_minor,
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


def _print(events: int, ours: list[tuple[float, float]], theirs: list[tuple[float, float]], unload: tuple[float, float]) -> None:
    mine, other = (tuple(statistics.median(part) for part in zip(*given, strict=True)) for given in (ours, theirs))
    print(f"{events:,} events of one hour in {FILES} objects, median of {ROUNDS}, DuckDB {duckdb.__version__}, Arrow {pa.__version__}")
    print(f"{'':24}{'wall s':>10}{'CPU s':>10}")
    print(f"{'Athena endpoint':24}{mine[0]:>10.3f}{mine[1]:>10.3f}")
    print(f"{'DuckDB, same files':24}{other[0]:>10.3f}{other[1]:>10.3f}")
    print(f"{'UNLOAD of the same':24}{unload[0]:>10.3f}{unload[1]:>10.3f}")
    print(f"ratio: {mine[0] / other[0]:.2f} wall, {mine[1] / other[1]:.2f} CPU (goal: <= 2); bucket {BUCKET}")


if __name__ == "__main__":
    main()
