"""Hours of orders for measuring what a refresh reads: the same data for every way of keeping a report."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from random import Random
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.report_lab import SOURCE, Lab
from transforms.failed.arrow import arrow_schema

LAST = datetime(2026, 1, 30, 23)  # noqa: DTZ001 - lake timestamps have no zone
CURRENCIES = ("EUR", "GBP", "USD", "SEK")


def history(days: int) -> list[str]:
    """The hours of so many days, in order, the last one `LAST`."""
    return [f"{LAST - timedelta(hours=back):%Y-%m-%d-%H}" for back in reversed(range(days * 24))]


def orders(hour: str, count: int, seed: int) -> bytes:
    """A lake object with so many orders of that hour, whole rows with ids that do not compress."""
    rng = Random(f"{hour}/{seed}")
    start = datetime.strptime(hour, "%Y-%m-%d-%H")  # noqa: DTZ007 - lake timestamps have no zone
    times = pa.array(
        [start + timedelta(milliseconds=rng.randrange(3_600_000)) for _ in range(count)], pa.timestamp("ms")
    )
    schema = arrow_schema(SOURCE)
    order = schema.field("order_placed").type
    placed = [
        {
            "order_id": f"{rng.getrandbits(64):016x}",
            "currency": rng.choice(CURRENCIES),
            "total_minor": rng.randrange(1, 99_999),
        }
        for _ in range(count)
    ]
    columns = {
        "event_type": pa.array(["order_placed"] * count, pa.string()),
        "event_id": pa.array(
            [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(count)], pa.string()
        ),
        "event_time": times,
        "arrival_time": times,
        "producer_id": pa.array([f"shop-{rng.randrange(4)}" for _ in range(count)], pa.string()),
        "epoch": pa.array([1] * count, schema.field("epoch").type),
        "seq": pa.array(range(1, count + 1), schema.field("seq").type),
        "order_placed": pa.array(placed, order),
    }
    arrays = [
        columns[field.name].cast(field.type) if field.name in columns else pa.nulls(count, field.type)
        for field in schema
    ]
    out = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), out, compression="snappy")
    return bytes(out.getvalue())


def fill(lab: Lab, hours: Sequence[str], *, objects: int, rows: int) -> None:
    """So many objects of so many rows in each hour; the same hour of two days has the same ones."""
    for hour in hours:
        for number in range(objects):
            lab.put_bytes(hour, f"h{number}", _of_the_hour(hour[-2:], rows, number))


@cache
def _of_the_hour(hour: str, rows: int, number: int) -> bytes:
    return orders(f"2026-01-30-{hour}", rows, number)
