"""Several delivery streams in one process beside one: `python -m benchmarks.streams --events 1000000`.

Each stream is the local Firehose's own worker; what is put, the function (it accepts everything), the table
and the bucket are in this process, so that what is measured is the worker. Figures:

- `throughput`: CPU of one stream with all the events, over that of five with a fifth each; 1 is no
  difference.
- `freshness`: p95 of how long a stream's small puts take to be in an object, with the local cloud's buffers,
  while its neighbour is in trouble (`stream_neighbours`), over the same when it is alone.
- `unbuffered`: the same of a stream that is told to deliver each put at once. A few milliseconds of the one
  interpreter that both share are a large part of it.
- `lost`: records of either that are in no object in the end.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.stream_neighbours import PER_REQUEST, TROUBLES, neighbour
from infra.local import process_memory
from infra.local.firehose.direct_log import DirectLog
from infra.local.firehose.pace import Pace
from infra.local.settings import LocalSettings
from tests.infra.local.firehose.harness import ARRIVAL_MS, PATIENT, Delivery, accepted, event

STREAMS = 5
KINDS = ("freshness", "unbuffered")
SLICES = 10
"""Alone and beside each trouble in turn, so often: the machine's load changes slowly."""
PER_SMALL_PUT = 20


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    return {"records": [accepted(record) for record in request["records"]]}


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


class Measured:
    """The stream whose freshness is measured. It drains after each put, or has the local cloud's pace."""

    def __init__(self, folder: Path, *, drains: bool) -> None:
        self._drains, self.put = drains, 0
        self._log = DirectLog(folder / "log.sqlite")
        local = LocalSettings()
        pace = PATIENT if drains else Pace(local.interval_scale, local.quiet_seconds)
        self.delivery = Delivery(folder, _answer, direct=self._log, pace=pace)

    def latencies(self, rounds: int) -> list[float]:
        """Seconds from a small put until its object is written, again and again."""
        return [self._latency() for _ in range(rounds)]

    def _latency(self) -> float:
        bucket, worker = self.delivery.bucket, self.delivery.worker
        begun = time.monotonic()
        self._log.append([event("a")] * PER_SMALL_PUT, ARRIVAL_MS)
        self.put += PER_SMALL_PUT
        worker.wake()
        if self._drains:
            assert worker.drain(60)
        while bucket.written_at < begun:
            assert time.monotonic() < begun + 60, worker.counts
            time.sleep(0.001)
        return bucket.written_at - begun

    def end(self) -> int:
        """Stop it; how many of its records are in no object."""
        assert self.delivery.worker.drain(60)
        self.delivery.worker.stop()
        return self.put - len(self.delivery.rows())


Seconds = dict[str, dict[str, list[float]]]
"""What is measured -> alone, or the neighbour's trouble -> each latency."""


def freshness(folder: Path, rounds: int, slices: int) -> tuple[Seconds, Counter[str]]:
    """Latencies alone and beside each trouble, in turn, and how many records were lost."""
    measured = {}
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        measured[kind] = Measured(folder / kind, drains=kind == "unbuffered")
        measured[kind].delivery.worker.start()
    seconds: Seconds = {kind: defaultdict(list) for kind in KINDS}
    lost: Counter[str] = Counter()
    for number in range(slices):
        _slice(measured, rounds // slices, seconds, "alone")
        for trouble in TROUBLES:
            with neighbour(trouble, folder / f"{trouble}-{number}") as beside:
                _slice(measured, rounds // slices, seconds, trouble)
            lost[trouble] += beside.lost
    lost["measured"] = sum(each.end() for each in measured.values())
    return seconds, lost


def _slice(measured: dict[str, Measured], rounds: int, seconds: Seconds, beside: str) -> None:
    for kind, each in measured.items():
        seconds[kind][beside] += each.latencies(rounds)


def p95(seconds: Sequence[float]) -> float:
    """Ninety-five of a hundred are no longer."""
    return quantiles(seconds, n=20)[-1]


def measure(events: int, rounds: int, repeats: int, slices: int = SLICES) -> dict[str, Any]:
    """All figures, each the median of interleaved repeats; `lost` is the sum over them."""
    throughput: list[float] = []
    ratios: dict[str, dict[str, list[float]]] = {kind: defaultdict(list) for kind in KINDS}
    lost: Counter[str] = Counter()
    for number in range(repeats):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            one = cpu_of(folder, 1, events)
            throughput.append(one / cpu_of(folder, STREAMS, events))
            seconds, missing = freshness(folder / "beside", rounds, slices)
        lost.update(missing)
        sys.stderr.write(f"{number + 1} of {repeats}: throughput {throughput[-1]:.2f} of {one:.1f} s CPU\n")
        for kind, found in seconds.items():
            spoken = [f"{name} {p95(each) * 1000:.1f}" for name, each in found.items()]
            sys.stderr.write(f"    {kind}, p95 in ms: {', '.join(spoken)}\n")
            for name in TROUBLES:
                ratios[kind][name].append(p95(found[name]) / p95(found["alone"]))
    return {
        "throughput": round(median(throughput), 3),
        **{kind: {name: round(median(each), 3) for name, each in ratios[kind].items()} for kind in KINDS},
        "lost": dict(lost),
    }


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
