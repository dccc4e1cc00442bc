"""Report rows for tests: plausible, seeded, written as Parquet, and asked through SQL in Athena's words."""

import math
import random
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot

NOW = datetime(2026, 11, 25, 10, 17, tzinfo=UTC)
PATHS = (
    "/", "/products/kettle", "/products/lamp", "/products/chair", "/products/desk", "/products/rug", "/cart",
    "/checkout", "/blog/how-a-penstock-works", "/blog/turbines", "/about", "/help/returns", "/help/delivery",
    "/search", "/account/orders", "/offers/winter", "/offers/last-chance", "/jobs",
)  # fmt: skip
CURRENCIES = ("EUR", "USD", "GBP", "SEK")
STEPS = ("1 page", "2 product", "3 cart", "4 order")
Rows = dict[str, list[dict[str, Any]]]


def report_rows(days: int = 8, seed: int = 7) -> Rows:
    """Rows of every report for some days up to NOW."""
    random_ = random.Random(seed)
    found: Rows = {
        name: []
        for name in (
            "traffic_by_hour",
            "orders_by_hour",
            "health_by_hour",
            "top_pages_by_day",
            "sessions_by_day",
            "funnel_by_day",
        )
    }
    start = NOW.replace(hour=0, minute=0) - timedelta(days=days - 1)
    hour = start
    while hour <= NOW:
        _hour(found, hour, random_)
        hour += timedelta(hours=1)
    for day in range(days):
        _day(found, start + timedelta(days=day), random_)
    return found


def _hour(found: Rows, hour: datetime, random_: random.Random) -> None:
    wave = 1 + 0.65 * math.sin((hour.hour - 9) / 24 * 2 * math.pi) + 0.1 * math.sin(hour.day)
    views = int(5200 * wave * random_.uniform(0.92, 1.08))
    key = hour.strftime("%Y-%m-%d-%H")
    found["traffic_by_hour"].append(
        {
            "event_hour": key,
            "page_views": views,
            "visitors": int(views * random_.uniform(0.36, 0.41)),
            "bytes_sent": views * random_.randint(21_000, 26_000),
            "errors": int(views * (0.004 + (0.021 if hour.hour == 3 else 0) + random_.random() * 0.004)),
        }
    )
    for weight, currency in zip((1.0, 0.7, 0.35, 0.12), CURRENCIES, strict=True):
        orders = max(1, int(views * 0.012 * weight * random_.uniform(0.8, 1.2)))
        revenue = sum(random_.randint(900, 18_000) for _ in range(min(orders, 60)))
        found["orders_by_hour"].append(
            {
                "event_hour": key,
                "currency": currency,
                "orders": orders,
                "revenue_minor": revenue,
                "average_order_minor": revenue / orders,
            }
        )
    late = int(views * random_.uniform(0, 0.012))
    p50 = random_.uniform(6, 14)
    found["health_by_hour"].append(
        {
            "event_hour": key,
            "events": int(views * 1.4),
            "duplicates": random_.randint(0, 60),
            "late": late,
            "p50_lag_seconds": p50,
            "p95_lag_seconds": p50 * random_.uniform(2.5, 9) * (6 if hour.hour == 3 else 1),
        }
    )


def _day(found: Rows, day: datetime, random_: random.Random) -> None:
    key = day.strftime("%Y-%m-%d")
    for rank, path in enumerate(PATHS):
        views = int(42_000 / (rank + 1.4) * random_.uniform(0.9, 1.1))
        found["top_pages_by_day"].append(
            {
                "event_date": key,
                "path": path,
                "page_views": views,
                "visitors": int(views * random_.uniform(0.5, 0.7)),
            }
        )
    sessions = int(19_000 * random_.uniform(0.9, 1.1))
    found["sessions_by_day"].append(
        {
            "event_date": key,
            "sessions": sessions,
            "bounces": int(sessions * random_.uniform(0.33, 0.41)),
            "median_seconds": random_.uniform(80, 120),
            "p95_seconds": random_.uniform(900, 1500),
        }
    )
    visitors = 14_000
    for step in STEPS:
        found["funnel_by_day"].append(
            {"event_date": key, "step": step, "visitors": visitors, "rate": visitors / 14_000}
        )
        visitors = int(visitors * random_.uniform(0.28, 0.5))


def write(rows: Rows, folder: Path) -> None:
    """One Parquet file per report."""
    for name, entries in rows.items():
        pq.write_table(pa.Table.from_pylist(entries), folder / f"{name}.parquet")


def publish(file: Path, entries: list[dict[str, Any]]) -> None:
    """Put a new version of a report in place, whole, as a publish does."""
    staged = file.with_suffix(".staged")
    pq.write_table(pa.Table.from_pylist(entries), staged)
    staged.replace(file)


def replace(file: Path, body: bytes) -> None:
    """Put bytes in place, whole."""
    staged = file.with_suffix(".staged")
    staged.write_bytes(body)
    staged.replace(file)


def athena(folder: Path) -> Callable[[str], pa.Table]:
    """A query function over those files that reads Athena's SQL (Trino's), as the local endpoint does."""
    one_at_a_time = (
        threading.Lock()
    )  # a board asks from several threads, and both libraries load parts lazily

    def query(sql: str) -> pa.Table:
        with one_at_a_time:
            return answer(sql)

    def answer(sql: str) -> pa.Table:
        connection = duckdb.connect(":memory:")
        connection.execute("CREATE SCHEMA reports")
        for file in sorted(folder.glob("*.parquet")):
            connection.execute(f"CREATE VIEW reports.{file.stem} AS SELECT * FROM read_parquet('{file}')")
        text = sqlglot.transpile(sql, read="athena", write="duckdb")[0]
        return connection.sql(text).to_arrow_table()

    return query


def bound(rows: Rows) -> Mapping[str, int]:
    """How many rows each report has."""
    return {name: len(entries) for name, entries in rows.items()}
