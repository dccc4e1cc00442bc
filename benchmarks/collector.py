"""The collector beside its peers, in the real Lambda runtime: CPU time of the function's process.

Rounds are interleaved: each asks every function in turn. The whole path adds the stub of Kinesis and the
runtime's side, which this process serves. A cold start is counted from a new process to its first answer,
over a function that does nothing.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.collector_functions import EACH, NOTHING, OURS, TOGETHER, Lab, accepted, lab, request
from benchmarks.runtime_api import Function

SIZES = (1, 20, 100)
PEERS = (EACH, TOGETHER)
RATIOS = ((EACH, 20, 5.0), (TOGETHER, 20, 1.3), (TOGETHER, 100, 1.8))
COLD_MS = 250.0
_WARM_UPS = 3

Taken = dict[tuple[str, int], list[tuple[float, float]]]
"""(function, events a request) -> CPU microseconds an event of each round: function, whole path."""


def warm(made: Lab, rounds: int, repeats: int) -> Taken:
    """Requests of every size to every function, in turn."""
    functions = {name: made.started(name) for name in (OURS, *PEERS)}
    bodies = {size: request(size) for size in SIZES}
    taken: Taken = {}
    try:
        for number in range(_WARM_UPS + rounds):
            for size, body in bodies.items():
                for name, function in functions.items():
                    if name == EACH and size > RATIOS[0][1]:
                        continue  # it takes seconds, and nothing is promised for it
                    found = _round(made, function, body, size, repeats)
                    if number >= _WARM_UPS:
                        taken.setdefault((name, size), []).append(found)
    finally:
        for function in functions.values():
            function.__exit__(None, None, None)
    return taken


def _round(made: Lab, function: Function, body: bytes, size: int, repeats: int) -> tuple[float, float]:
    stub, mine, its = float(made.kinesis.control()["cpu"]), time.process_time(), function.cpu_seconds
    for _ in range(repeats):
        answer, _ = function.invoke(body)
        assert accepted(answer) == size
    its = function.cpu_seconds - its
    whole = its + time.process_time() - mine
    whole += float(made.kinesis.control()["cpu"]) - stub
    return its / repeats / size * 1e6, whole / repeats / size * 1e6


def cold(made: Lab, rounds: int) -> dict[str, float]:
    """Median CPU milliseconds from a new process to its first answer."""
    taken: dict[str, list[float]] = {name: [] for name in (NOTHING, OURS, TOGETHER)}
    body = request(1)
    for number in range(1 + rounds):
        for name, found in taken.items():
            with made.started(name) as function:
                function.invoke(body)
                if number:  # the first writes the modules' compiled forms
                    found.append(function.cpu_seconds * 1000)
    return {name: statistics.median(found) for name, found in taken.items()}


def report(taken: Taken, starts: dict[str, float]) -> tuple[list[str], bool]:
    """(lines to print, whether every target is met)"""
    lines = [f"load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}", ""]
    lines.append(f"{'CPU us an event':38}{'events':>7}{'function':>10}{'whole':>8}{'it / Penstock':>15}")
    medians = {
        each: tuple(statistics.median(column) for column in zip(*rounds, strict=True))
        for each, rounds in taken.items()
    }
    for (name, size), (function, whole) in sorted(medians.items(), key=lambda each: each[0][1]):
        ratio = function / medians[OURS, size][0]
        lines.append(f"{name:38}{size:7}{function:10.1f}{whole:8.1f}{ratio:15.2f}")
    lines += ["", f"{'a cold start to the first answer':45}{'CPU ms':>10}{'over nothing':>14}"]
    lines += [f"{name:45}{ms:10.1f}{ms - starts[NOTHING]:14.1f}" for name, ms in starts.items()]
    lines.append("")
    is_met = True
    for peer, size, wanted in RATIOS:
        ratio = medians[peer, size][0] / medians[OURS, size][0]
        is_met &= ratio >= wanted
        lines.append(f"{_word(ratio >= wanted)} {peer}, {size} events: {ratio:.2f} (at least {wanted:g})")
    init = starts[OURS] - starts[NOTHING]
    is_met &= init <= COLD_MS
    lines.append(f"{_word(init <= COLD_MS)} cold start: {init:.0f} ms (at most {COLD_MS:g})")
    return lines, is_met


def _word(is_met: bool) -> str:
    return "met   " if is_met else "MISSED"


def main() -> int:
    """Print the tables; 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=60, help="requests of a round")
    parser.add_argument("--cold", type=int, default=7, help="cold starts of each")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, lab(Path(scratch)) as made:
        lines, is_met = report(warm(made, arguments.rounds, arguments.repeats), cold(made, arguments.cold))
    print("\n".join(lines))
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
