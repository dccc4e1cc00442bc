"""Readers beside a writer: does anybody ever see a partial report? `python -m benchmarks.torn_reads`

Eight readers ask Athena, through the local endpoint and without result reuse, for all partitions of a report
while a writer publishes them again and again and old files are deleted. Every version of a partition has the
same number of rows, all with the version's stamp; so a reader can tell a whole version from part of one, a
mixture of two, or none. **A read is one partition as one query saw it**; a query that fails is one bad read.

The product publishes first; then the usual designs write the same rows under the same readers.
"""

import argparse
import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from benchmarks.report_lab import Lab, a_cloud, parquet
from benchmarks.report_writers import STRATEGIES, Writer
from benchmarks.shop import TABLES
from queries.engine.port import QueryEngine, QueryFailedError
from queries.refresh.catalog import ReportQuery, parse_report

REPORT = "stamps"
ROWS = 40
"""Rows of every version of a partition."""
START = datetime(2026, 1, 24)  # noqa: DTZ001 - lake timestamps have no zone
QUERIES: Mapping[str, ReportQuery] = {
    REPORT: parse_report(
        f"-- report: {REPORT}\n-- title: Stamps\n-- owner: benchmarks\n-- source: web_events\n"
        "-- grain: event_hour\n-- columns: currency varchar, stamp bigint\n-- keys: currency\n"
        f"-- checks: unique(currency), not_null(stamp), rows between {ROWS} and {ROWS}\n"
        "SELECT event_hour, order_placed.currency AS currency, max(order_placed.total_minor) AS stamp\n"
        "FROM web_events GROUP BY event_hour, order_placed.currency",
        f"{REPORT}.sql",
        TABLES,
    )
}


def hours(count: int) -> list[str]:
    """The first `count` partitions."""
    return [f"{START + timedelta(hours=number):%Y-%m-%d-%H}" for number in range(count)]


def stamped(hour: str, stamp: int) -> bytes:
    """The lake object of an hour whose events all carry this stamp."""
    moment = datetime.strptime(hour, "%Y-%m-%d-%H")  # noqa: DTZ007 - lake timestamps have no zone
    return parquet(
        [
            {
                "event_id": f"{hour}-{number}",
                "event_type": "order_placed",
                "event_time": moment,
                "arrival_time": moment,
                "producer_id": "stamper",
                "epoch": 1,
                "seq": number + 1,
                "order_placed": {"currency": f"C{number:02d}", "total_minor": stamp},
            }
            for number in range(ROWS)
        ]
    )


@dataclass
class Reads:
    """What the readers saw: reads, queries, bad reads by kind, and the longest a query took (seconds)."""

    reads: int = 0
    queries: int = 0
    bad: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    example: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def share(self) -> float:
        """Bad reads of all."""
        return self.bad.total() / self.reads if self.reads else 0.0

    def add(self, rows: Sequence[Sequence[Any]], partitions: Sequence[str], seen: dict[str, int]) -> None:
        """Check a query's rows: (partition, rows, least stamp, highest stamp). `seen` is the reader's own."""
        found = {str(row[0]): row[1:] for row in rows}
        with self.lock:
            self.queries += 1
            for partition in partitions:
                self.reads += 1
                kind = judged(found.get(partition), seen.get(partition, 0))
                if kind:
                    self.bad[kind] += 1
                    self.example = self.example or f"{partition}: {kind}, {found.get(partition)}"
                else:
                    seen[partition] = int(found[partition][1])


def judged(row: Sequence[Any] | None, seen: int) -> str:
    """What is wrong with a partition as read; empty when it is one whole version, no older than `seen`."""
    if row is None:
        return "missing"
    count, least, highest = (int(value) for value in row)
    if count != ROWS:
        return "partial" if count < ROWS else "counted twice"
    if least != highest:
        return "mixed"
    return "went back" if least < seen else ""


def reader(
    engine: QueryEngine, table: str, partitions: Sequence[str], reads: Reads, stop: threading.Event
) -> None:
    """Read all partitions until told to stop."""
    named = ", ".join(f"'{partition}'" for partition in partitions)
    sql = (
        f"SELECT event_hour, count(*), min(stamp), max(stamp) FROM {table} "
        f"WHERE event_hour IN ({named}) GROUP BY event_hour"
    )
    seen: dict[str, int] = {}
    while not stop.is_set():
        began = time.monotonic()
        try:
            rows = engine.rows(sql).rows
        except QueryFailedError as error:
            with reads.lock:
                reads.reads, reads.queries = reads.reads + 1, reads.queries + 1
                reads.bad["file vanished" if "HIVE_C" in str(error) else "query failed"] += 1
                reads.example = reads.example or str(error)
            continue
        reads.add(rows, partitions, seen)
        reads.slowest = max(reads.slowest, time.monotonic() - began)


@contextmanager
def reading(lab: Lab, table: str, partitions: Sequence[str], readers: int) -> Iterator[Reads]:
    """Readers at work while the block runs."""
    reads, stop = Reads(), threading.Event()
    engines = [
        lab.engine() for _ in range(readers)
    ]  # one after the other: they are made from the environment
    with ThreadPoolExecutor(readers) as pool:
        futures = [pool.submit(reader, engine, table, partitions, reads, stop) for engine in engines]
        try:
            yield reads
        finally:
            stop.set()
    for future in futures:
        future.result()


def measure(
    lab: Lab,
    strategy: str,
    *,
    readers: int,
    partitions: int,
    enough: Callable[[Reads, int], bool],
    progress: Callable[[Reads, int], None] = lambda *_: None,
) -> tuple[Reads, Writer]:
    """Publish by this strategy under readers until `enough(reads, publishes)`."""
    names = hours(partitions)
    writer = STRATEGIES[strategy](lab, QUERIES[REPORT].report, names)
    stamp = 1
    publish(lab, writer, names, stamp)  # readers begin when there is something to read
    with reading(lab, writer.table, names, readers) as reads:
        while not enough(reads, writer.published):
            stamp += 1
            publish(lab, writer, names, stamp)
            progress(reads, writer.published)
    return reads, writer


def publish(lab: Lab, writer: Writer, names: Sequence[str], stamp: int) -> None:
    """New input for every partition, then what the strategy does about it."""
    for name in names:
        lab.put_bytes(name, "stamped", stamped(name, stamp))
    writer.publish()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=100_000)
    parser.add_argument("--publishes", type=int, default=200)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--partitions", type=int, default=24)
    asked = parser.parse_args()
    logging.getLogger("pyathena").setLevel(logging.CRITICAL)  # failing queries are counted below
    print(f"{asked.readers} readers; {asked.partitions} partitions of {ROWS} rows in each publish and query")
    print(
        f"{'strategy':30}{'publishes':>10}{'deleted':>9}{'queries':>9}{'reads':>9}{'bad':>8}{'slowest s':>11}"
    )
    wrong = False
    with a_cloud(tick_seconds=0.0) as cloud:
        for number, strategy in enumerate(STRATEGIES):
            ours = number == 0
            least = asked.reads if ours else asked.reads // 20
            publishes = asked.publishes if ours else 10

            def enough(reads: Reads, published: int, least: int = least, publishes: int = publishes) -> bool:
                return reads.reads >= least and published >= publishes

            def progress(reads: Reads, published: int, strategy: str = strategy) -> None:
                print(f"{strategy}: {published} publishes, {reads.reads} reads", file=sys.stderr, flush=True)

            lab = Lab.on(cloud, f"torn{number}", QUERIES)
            reads, writer = measure(
                lab,
                strategy,
                readers=asked.readers,
                partitions=asked.partitions,
                enough=enough,
                progress=progress,
            )
            print(
                f"{strategy:30}{writer.published:>10}{writer.deleted:>9}{reads.queries:>9}{reads.reads:>9}"
                f"{reads.share:>8.2%}{reads.slowest:>11.1f}  {dict(reads.bad) or ''}",
                flush=True,
            )
            wrong |= bool(reads.bad) if ours else strategy == "delete, then insert" and reads.share <= 0.01
            if ours and reads.bad:
                print(f"  for example: {reads.example}")
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
