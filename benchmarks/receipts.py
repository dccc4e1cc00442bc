"""The receipt of a number over an hour of a million events: `python -m benchmarks.receipts [--events N]`

Prints the seconds of each number's receipt: the median of five, the first left out (goal: <= 2). The events
are simulated, some of them sent twice, and made rows as the pipeline does it. A receipt lists and counts the
events, proves the list, and looks at the sequences of their producers.
"""

import argparse
import os
import statistics
import sys
import time

from benchmarks.athena import PARTITION, objects
from benchmarks.receipt_lab import explainer_in
from benchmarks.report_lab import Lab, a_cloud, tick
from benchmarks.shop import CATALOG
from queries.receipts.cell import parse_words
from queries.receipts.page import receipt_page

NUMBERS = (
    ("traffic_by_hour", ("page_views",)),
    ("traffic_by_hour", ("errors",)),
    ("orders_by_hour", ("currency=EUR", "revenue_minor")),
    ("health_by_hour", ("duplicates",)),
)
ROUNDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    events = parser.parse_args().events
    queries = {report: CATALOG[report] for report, _ in NUMBERS}
    with a_cloud(tick_seconds=0.0) as cloud:
        lab = Lab.on(cloud, "receipts", queries)
        for number, body in enumerate(objects(events)):
            lab.put_bytes(PARTITION, str(number), body)
            print(f"{number + 1} objects written", file=sys.stderr, flush=True)
        tick(lab.service())
        explainer = explainer_in(lab)
        for report, words in NUMBERS:
            query = queries[report]
            asked = parse_words(query.report, PARTITION, words)
            seconds = []
            for _ in range(ROUNDS + 1):
                begun = time.perf_counter()
                receipt = explainer.explain(query, asked)
                receipt_page(receipt)
                seconds.append(time.perf_counter() - begun)
            print(
                f"{report} {' '.join(words)}: {statistics.median(seconds[1:]):.2f} s, "
                f"{receipt.events:,} events, {receipt.untraced or 'proved'}; load {os.getloadavg()[0]:.1f}"
            )


if __name__ == "__main__":
    main()
