"""The local Athena under attack: 2,000 attempts to reach DuckDB, and statements made to exhaust the machine.

`python -m benchmarks.athena_attacks` prints what became of each, how long a light query took meanwhile beside
its usual time, and how long a cancellation took. It ends with 1 when an attempt got through.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.infra.local.athena.conftest import DATABASE, RESULTS, Endpoint, running_endpoint
from tests.infra.local.athena.exhaustion import STATEMENTS, Statement
from tests.infra.local.athena.test_attacks import outcomes

QUERIES, TABLES = 1_800, 200
TIME_SECONDS, OTHER_SECONDS = 3.0, 40.0
"""After these a statement is cancelled: one that is after time, any other."""
LEAST_PROBES = 25
"""One that ends sooner is sent again: a single query's time says nothing."""
PROBE = "SELECT count(*) FROM web_events WHERE event_hour = '2026-11-24-10'"


def break_in() -> int:
    """Try to reach DuckDB; returns how many attempts got through."""
    with TemporaryDirectory() as folder:
        found = outcomes(QUERIES, TABLES, Path(folder))
    for what, count in found.most_common():
        print(f"{count:>6}  {what or 'a query that reaches nothing of DuckDB'}")
    broken = sum(count for what, count in found.items() if what not in ("", "refused"))
    print(f"{QUERIES + TABLES:,} attempts, {broken} got through\n")
    return broken


def probe(endpoint: Endpoint) -> float:
    """Seconds of the light query. Raises AssertionError when its answer is wrong."""
    begun = time.perf_counter()
    assert endpoint.rows(PROBE) == [("100",)]
    return time.perf_counter() - begun


def exhaust(endpoint: Endpoint, statement: Statement, usual: float) -> None:
    """Run one statement, again and again while it ends early, and print its end."""
    times: list[float] = []
    while True:
        state, reason, cancel = _beside(endpoint, statement, times)
        if len(times) >= LEAST_PROBES:
            break
    ratio = statistics.median(times) / usual
    what = f"{statement.kind:<7}{statement.name:<42}{state:<10}"
    print(f"{what}{len(times):>4}{ratio:>6.2f}{cancel:>8}  {reason[:60]}", flush=True)


def _beside(endpoint: Endpoint, statement: Statement, times: list[float]) -> tuple[str, str, str]:
    """Add the light query's times while the statement runs; return its end, why, and a cancel's seconds."""
    athena = endpoint.client("athena")
    request: dict[str, Any] = {
        "QueryString": statement.sql,
        "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"},
    }
    request["QueryExecutionContext"] = {"Database": DATABASE}
    identifier = athena.start_query_execution(**request)["QueryExecutionId"]
    begun, most = time.perf_counter(), TIME_SECONDS if statement.kind == "time" else OTHER_SECONDS
    cancel = ""
    while True:
        times.append(probe(endpoint))
        status = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
        if time.perf_counter() - begun > most:
            asked = time.perf_counter()
            athena.stop_query_execution(QueryExecutionId=identifier)
            status = endpoint.wait(identifier)["Status"]
            cancel = f"{time.perf_counter() - asked:.2f} s"
            break
    return status["State"], str(status.get("StateChangeReason", "")), cancel


def usual_times(endpoint: Endpoint) -> Iterator[float]:
    """The light query's, with nothing beside it."""
    for _ in range(12):
        yield probe(endpoint)


def main() -> None:
    """Attack, and print."""
    broken = break_in()
    with TemporaryDirectory() as folder, running_endpoint(Path(folder)) as endpoint:
        usual = statistics.median(list(usual_times(endpoint))[2:])
        print(f"a light query takes {usual * 1000:.0f} ms; the ratio is its median time beside the statement")
        print(f"{'after':<7}{'statement':<42}{'end':<10}{'n':>4}{'ratio':>6}{'cancel':>8}  reason")
        for statement in STATEMENTS:
            exhaust(endpoint, statement, usual)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
