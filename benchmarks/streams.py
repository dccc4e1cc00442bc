"""Several delivery streams in one process beside one: `python -m benchmarks.streams --events 1000000`.

Each stream is the local Firehose's own worker; what is put, the function (it accepts everything), the table
and the bucket are in this process, so that what is measured is the worker. Two figures:

- `throughput`: CPU of one stream with all the events, over that of five with a fifth each; 1 is no
  difference.
- `isolation`: p95 of how long a stream's small puts take to be delivered while its neighbour's function fails
  every batch and is retried, over the same when it is alone.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from infra.local import process_memory
from infra.local.firehose.direct_log import DirectLog
from infra.local.firehose.pace import Pace
from tests.infra.local.firehose.harness import ARRIVAL_MS, Delivery, accepted, event

STREAMS = 5
PER_REQUEST = 500


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    return {"records": [accepted(record) for record in request["records"]]}


def _fails(_: dict[str, Any]) -> Exception:
    return RuntimeError("poisoned")


def _fill(log: DirectLog, count: int) -> None:
    record = event("x" * 200)
    for _ in range(count // PER_REQUEST):
        log.append([record] * PER_REQUEST, ARRIVAL_MS)


def _deliveries(folder: Path, count: int, events: int) -> Iterator[Delivery]:
    for n in range(count):
        place = folder / f"{count}-{n}"
        place.mkdir()
        log = DirectLog(place / "log.sqlite")
        _fill(log, events // count)
        yield Delivery(place, _answer, direct=log)


def cpu_of(folder: Path, count: int, events: int) -> float:
    """CPU seconds that so many streams take for all the events together."""
    deliveries = list(_deliveries(folder, count, events))
    before = time.process_time()
    for each in deliveries:
        each.worker.start()
    for each in deliveries:
        assert each.worker.drain(3600)
    took = time.process_time() - before
    for each in deliveries:
        each.worker.stop()
    assert sum(int(each.worker.counts.rows) for each in deliveries) == events
    return took


def latencies(folder: Path, rounds: int, *, with_neighbour: bool) -> Sequence[float]:
    """Seconds from a small put to its delivery, again and again."""
    folder.mkdir()
    log, poison = DirectLog(folder / "log.sqlite"), DirectLog(folder / "poison.sqlite")
    ours = Delivery(folder, _answer, direct=log)
    (folder / "other").mkdir()
    other = Delivery(folder / "other", _fails, direct=poison, pace=Pace(1000.0, retry_seconds=0.02))
    ended = threading.Event()

    def keep_failing() -> None:
        while not ended.is_set():
            poison.append([event("poison")] * PER_REQUEST, ARRIVAL_MS)
            other.worker.drain(1)

    neighbour = threading.Thread(target=keep_failing)
    ours.worker.start()
    if with_neighbour:
        other.worker.start()
        neighbour.start()
    found = []
    for _ in range(rounds):
        begun = time.monotonic()
        log.append([event("a")] * 20, ARRIVAL_MS)
        assert ours.worker.drain(60)
        found.append(time.monotonic() - begun)
    ended.set()
    if with_neighbour:
        neighbour.join()
        assert other.worker.counts.function_errors
        other.worker.stop()
    ours.worker.stop()
    assert len(ours.rows()) == rounds * 20
    return found


def p95(seconds: Sequence[float]) -> float:
    """Ninety-five of a hundred are no longer."""
    return quantiles(seconds, n=20)[-1]


def measure(events: int, rounds: int, repeats: int) -> dict[str, Any]:
    """Both figures, each the median of interleaved repeats."""
    throughput, isolation = [], []
    for number in range(repeats):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            one = cpu_of(folder, 1, events)
            throughput.append(one / cpu_of(folder, STREAMS, events))
            alone = p95(latencies(folder / "alone", rounds, with_neighbour=False))
            beside = p95(latencies(folder / "beside", rounds, with_neighbour=True))
            isolation.append(beside / alone)
            sys.stderr.write(
                f"{number + 1} of {repeats}: one stream {one:.1f} s CPU, throughput {throughput[-1]:.2f}; "
                f"p95 alone {alone * 1000:.0f} ms, beside a failing one {beside * 1000:.0f} ms\n"
            )
    return {"throughput": round(median(throughput), 3), "isolation": round(median(isolation), 3)}


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    process_memory.settle()  # as the server does: its threads wait less for one another
    sys.stdout.write(json.dumps(measure(arguments.events, arguments.rounds, arguments.repeats)) + "\n")


if __name__ == "__main__":
    main()
