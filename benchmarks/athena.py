"""The report queries of an hour of a million events: the Athena endpoint beside DuckDB on the same files.

`python -m benchmarks.athena [--events N]` prints seconds of both, interleaved, and their ratios (goal: <= 2).
The endpoint runs the statements that the query function runs, DuckDB the same in its own words, and both must
give the same rows. Two lighter queries show what the endpoint costs besides. Both have warm files: the
endpoint its local copies, DuckDB the page cache.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from benchmarks.report_lab import SOURCE, Lab, a_cloud
from benchmarks.shop import CATALOG, WEB
from producers.simulation.simulator import simulate
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import select
from transforms.contracts import EVENT_HOUR
from transforms.failed.arrow import parquet_bytes, rows_to_table
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted

HOUR = datetime(2026, 11, 25, 10, tzinfo=UTC)
PARTITION = f"{HOUR:%Y-%m-%d-%H}"
FILES = 8
ROUNDS = 7
POLL_SECONDS = 0.01
FILTERED = "orders, filtered first"
"""As somebody writes `orders_by_hour` who knows that copies are alike: only orders are compared."""
AGGREGATE = "plain aggregate"
"""One pass over two columns."""

_LAKE = "read_parquet('{files}', hive_partitioning = true, hive_types = {'event_hour': VARCHAR})"
_COPY = "row_number() OVER (PARTITION BY event_hour, event_id ORDER BY arrival_time, producer_id, epoch, seq)"
_FIRST_COPIES = f"(SELECT * FROM {_LAKE} QUALIFY {_COPY} = 1)"
IN_DUCKDB: Mapping[str, str] = {
    "orders_by_hour": f"""
        SELECT order_placed.currency, count(*), sum(order_placed.total_minor),
               sum(order_placed.total_minor) / count(*), event_hour
        FROM {_FIRST_COPIES} WHERE event_type = 'order_placed' GROUP BY ALL""",
    "traffic_by_hour": f"""
        SELECT count(*), count(DISTINCT client_key), coalesce(sum(page_viewed.bytes_sent), 0),
               count(*) FILTER (page_viewed.status >= 400), event_hour
        FROM {_FIRST_COPIES} WHERE event_type = 'page_viewed' GROUP BY ALL""",
    "health_by_hour": f"""
        WITH copies AS (
            SELECT event_hour, is_late, epoch_ms(arrival_time - event_time) / 1000 AS lag,
                   {_COPY} AS copy,
                   row_number() OVER (PARTITION BY event_hour, producer_id, epoch, seq, event_id
                                      ORDER BY arrival_time) AS delivery
            FROM {_LAKE} WHERE seq > 0)
        SELECT count(*) FILTER (copy = 1), count(*) FILTER (delivery > 1),
               count(*) FILTER (copy = 1 AND is_late), quantile_disc(lag, 0.5) FILTER (copy = 1),
               quantile_disc(lag, -0.05) FILTER (copy = 1), event_hour
        FROM copies GROUP BY ALL""",
    FILTERED: f"""
        SELECT order_placed.currency, count(*), sum(order_placed.total_minor), event_hour
        FROM (SELECT * FROM {_LAKE} WHERE event_type = 'order_placed' QUALIFY {_COPY} = 1) GROUP BY ALL""",
    AGGREGATE: f"""
        SELECT order_placed.currency, count(*), sum(order_placed.total_minor),
               quantile_disc(order_placed.total_minor, -0.05), event_hour
        FROM {_LAKE} WHERE event_type = 'order_placed' GROUP BY ALL""",
}
"""Columns in the order of the report's, its lake partition last, without the checks that the product adds."""


def statement(name: str, queries: Mapping[str, ReportQuery]) -> str:
    """What the endpoint runs: the query function's SELECT, without what it wraps around for writing files."""
    orders = f"{SOURCE.name} WHERE event_type = 'order_placed' AND event_hour = '{PARTITION}'"
    if name == FILTERED:
        return f"""
        SELECT order_placed.currency, count(*), sum(order_placed.total_minor),
               CAST(NULL AS varchar), event_hour
        FROM (SELECT *, {_COPY} AS copy FROM {orders}) WHERE copy = 1
        GROUP BY event_hour, order_placed.currency"""
    if name == AGGREGATE:
        return f"""
        SELECT order_placed.currency, count(*), sum(order_placed.total_minor),
               approx_percentile(order_placed.total_minor, 0.95e0), CAST(NULL AS varchar), event_hour
        FROM {orders} GROUP BY event_hour, order_placed.currency"""
    return select(queries[name], [PARTITION])


def objects(events: int) -> Iterator[bytes]:
    """The hour's objects: simulated events, some twice, validated and written as the pipeline does it."""
    gate = Gate(SOURCE, key_id="k1", key=bytes(32))
    records = simulate(WEB, 11, events, HOUR, timedelta(hours=1), duplicate=0.01)
    for _ in range(FILES):
        rows: list[bytes] = []
        for record in islice(records, events // FILES):
            outcome = gate.judge(record.data, record.time_ms + 1_500)
            if isinstance(outcome, Accepted):  # heartbeats are not
                rows.append(outcome.row)
        yield parquet_bytes(rows_to_table(SOURCE, rows))


Rows = list[tuple[Any, ...]]
Times = tuple[float, float]


class Endpoint:
    """The laboratory's Athena, asked as a client asks."""

    def __init__(self, lab: Lab) -> None:
        self._athena, self._group = lab.client("athena"), lab.settings.work_group
        self._database = lab.settings.database

    def rows(self, sql: str) -> Rows:
        """The statement's rows, without the failed check."""
        identifier = self._athena.start_query_execution(
            QueryString=sql, WorkGroup=self._group, QueryExecutionContext={"Database": self._database}
        )["QueryExecutionId"]
        while (found := self._status(identifier))["State"] in ("QUEUED", "RUNNING"):
            time.sleep(POLL_SECONDS)
        assert found["State"] == "SUCCEEDED", found
        rows = self._athena.get_query_results(QueryExecutionId=identifier)["ResultSet"]["Rows"][1:]
        cells = [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]
        assert all(row[-2] is None for row in cells), "a check failed"
        return sorted((*map(_number, row[:-2]), row[-1]) for row in cells)

    def _status(self, identifier: str) -> dict[str, Any]:
        found = self._athena.get_query_execution(QueryExecutionId=identifier)
        status: dict[str, Any] = found["QueryExecution"]["Status"]
        return status


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def compare(endpoint: Endpoint, duck: duckdb.DuckDBPyConnection, sql: str, same: str) -> list[Times]:
    """Seconds of (endpoint, DuckDB), interleaved; the first round fetches and warms, and is left out."""
    times = []
    for number in range(ROUNDS + 1):
        ours, mine = timed(lambda: endpoint.rows(sql))
        theirs, other = timed(lambda: duck.execute(same).fetchall())
        assert mine == sorted(other), (mine[:3], sorted(other)[:3])
        if number:
            times.append((ours, theirs))
    return times


def timed(run: Callable[[], Rows]) -> tuple[float, Rows]:
    """Wall seconds of one call, and what it gave."""
    begun = time.perf_counter()
    rows = run()
    return time.perf_counter() - begun, rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    with TemporaryDirectory() as temporary, a_cloud(tick_seconds=0.0) as cloud:
        queries = {name: query for name, query in CATALOG.items() if query.report.grain == EVENT_HOUR}
        lab, folder = Lab.on(cloud, "hour", queries), Path(temporary) / f"event_hour={PARTITION}"
        folder.mkdir()
        for number, body in enumerate(objects(events)):
            (folder / f"{number}.parquet").write_bytes(body)
            lab.put_bytes(PARTITION, str(number), body)
            print(f"{number + 1} of {FILES} objects written", file=sys.stderr, flush=True)
        duck, endpoint = duckdb.connect(config={"threads": 2}), Endpoint(lab)
        print(f"{events:,} events of one hour in {FILES} objects, medians of {ROUNDS} interleaved rounds")
        print(f"{'':24}{'endpoint s':>12}{'DuckDB s':>12}{'ratio':>8}  (goal: <= 2)")
        for name, same in IN_DUCKDB.items():
            filled = same.replace("{files}", f"{folder}/*.parquet")
            _print(name, compare(endpoint, duck, statement(name, queries), filled))


def _print(name: str, times: list[Times]) -> None:
    ours, theirs = (statistics.median(each) for each in zip(*times, strict=True))
    ratio = statistics.median(mine / other for mine, other in times)
    print(f"{name:24}{ours:>12.3f}{theirs:>12.3f}{ratio:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
