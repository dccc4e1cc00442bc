"""What keeping reports costs: `python -m benchmarks.reports` (or `make bench-reports`)

An object comes into the latest hour, and `orders_by_hour` is refreshed: by the product, and by the usual
designs with the same SELECT over the same lake, which holds one day and then thirty. Bytes are those that the
endpoint counts from Parquet footers; Athena bills at least 10 MB a statement. Then all reports are computed
again for thirty days.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.report_lab import INVOCATION_MS, Lab, a_cloud, wall_clock
from benchmarks.report_rivals import Bill, Ways, bill
from benchmarks.report_scenes import fill, history, orders
from benchmarks.shop import CATALOG
from queries.commands.backfill import forecast
from queries.commands.cost import human_bytes

NAME = "orders_by_hour"
WAYS = {
    "recompute what is stale (ours)": "recompute",
    "microbatch, 1 h lookback": "microbatch",
    "insert_overwrite, 24 h lookback": "insert_overwrite",
    "full rebuild": "full",
}


@dataclass(frozen=True)
class Size:
    """Objects of each hour and rows of each object; of the large hour likewise."""

    objects: int = 4
    rows: int = 2_000
    large_objects: int = 60
    large_rows: int = 5_000


def compare(lab: Lab, ways: Ways, size: Size, days: Sequence[int]) -> dict[str, list[Bill]]:
    """Each way's bill for one refresh, with each length of history. The lake is filled as it goes."""
    bills: dict[str, list[Bill]] = {name: [] for name in WAYS}
    filled: set[str] = set()
    for length in days:
        hours = history(length)
        fill(lab, [hour for hour in hours if hour not in filled], objects=size.objects, rows=size.rows)
        filled |= set(hours)
        for number, (name, way) in enumerate(WAYS.items()):
            # The object that has come is another one each time, and of the same size.
            lab.put_bytes(hours[-1], "latest", orders(hours[-1], size.rows, 1_000 * length + number))
            bills[name].append(bill(lab, partial(getattr(ways, way), hours)))
    return bills


def large_hour(lab: Lab, ways: Ways, size: Size, days: int) -> Bill:
    """The product's bill when the hour that changes is larger than what Athena bills at least."""
    hours = history(days)
    for number in range(size.large_objects):
        lab.put_bytes(hours[-1], f"l{number}", orders(hours[-1], size.large_rows, days * 1_000 + number))
    return bill(lab, partial(ways.recompute, hours))


def backfill(lab: Lab, days: int) -> dict[str, int]:
    """Compute every report again for the whole history; statements of each."""
    service, hours = lab.service(), history(days)
    for query in lab.queries.values():
        first, last = hours[0], hours[-1]
        if query.report.grain == "event_date":
            first, last = first[:10], last[:10]
        wanted = forecast(service.ledger, service.lake, query, first, last, force=True)
        service.refresher.mark(wanted.partitions, force=True, at_once=True)
    before = {one["QueryExecutionId"] for one in lab.executions()}
    now = wall_clock()
    done = service.work(stop_at=now + 2 * INVOCATION_MS, hard_end=now + 3 * INVOCATION_MS)
    assert not done.failed, done.failed
    statements: Counter[str] = Counter()
    for one in lab.executions():
        if one["QueryExecutionId"] not in before and one["SubstatementType"] == "UNLOAD":
            statements[one["Query"].rpartition("/reports/")[2].partition("/")[0]] += 1
    return dict(sorted(statements.items()))


def table(bills: dict[str, list[Bill]], days: Sequence[int]) -> str:
    """The comparison, as a table in Markdown."""
    heads = [f"scanned, {length} d" for length in days] + [f"billed, {days[-1]} d", "x scanned", "x billed"]
    lines = [f"| refreshing by | statements | {' | '.join(heads)} |", "|---" * (len(heads) + 2) + "|"]
    ours = next(iter(bills.values()))[-1]
    for name, found in bills.items():
        last = found[-1]
        cells = [
            *(human_bytes(one.scanned) for one in found),
            human_bytes(last.billed),
            f"{last.scanned / ours.scanned:.1f}",
            f"{last.billed / ours.billed:.1f}",
        ]
        lines.append(f"| {name} | {last.statements} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    asked = parser.parse_args()
    size, days = Size(), (1, asked.days)
    with a_cloud(tick_seconds=0.0) as cloud:
        lab = Lab.on(cloud, "costs", CATALOG)
        ways = Ways(lab, CATALOG[NAME])
        fill(lab, history(1)[-1:], objects=size.objects, rows=size.rows)
        lab.put_bytes(history(1)[-1], "latest", orders(history(1)[-1], size.rows, 0))
        little = large_hour(lab, ways, size, 1)
        lab.remove(history(1)[-1])
        bills = compare(lab, ways, size, days)
        print(f"One refresh of {NAME}; {size.objects} objects of {size.rows} orders in each hour\n")
        print(table(bills, days), flush=True)
        much = large_hour(lab, ways, size, asked.days)
        ours = next(iter(bills.values()))
        small, large = (last.scanned / first.scanned for first, last in ((ours[0], ours[-1]), (little, much)))
        print(f"\nours, {asked.days} days of history beside 1: x {small:.3f} scanned")
        print(
            f"an hour of {size.large_objects} objects of {size.large_rows} orders: "
            f"{human_bytes(little.billed)} billed with little history, "
            f"{human_bytes(much.billed)} with {asked.days} days (x {large:.3f} scanned)",
            flush=True,
        )
        statements = backfill(lab, asked.days)
        print(f"backfill of {asked.days} days, statements: {statements}")
    flat = abs(small - 1) <= 0.05 and abs(large - 1) <= 0.05
    return int(not flat or max(statements.values()) > -(-asked.days * 24 // 96))


if __name__ == "__main__":
    sys.exit(main())
