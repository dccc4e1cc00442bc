"""Producers side by side, and the trials of ours: `make bench-producers`.

Every variant runs in a fresh process against a fresh stub; rounds are interleaved; ratios are taken within
a round and their medians printed. CPU is the client's own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import producer_kills, producer_replays, producer_trials
from benchmarks.stub_process import StubProcess

# (variant, events): sized so that each takes about a second.
CPU = (
    ("floor", 200_000),
    ("boto3_500", 30_000),
    ("async_kinesis_json", 12_000),
    ("async_kinesis_kpl", 20_000),
    ("aws_kinesis_agg", 60_000),
    ("penstock_kpl", 200_000),
    ("penstock_singly", 200_000),
    ("penstock_lines", 200_000),
    ("penstock_strict", 200_000),
    ("penstock_spool", 200_000),
    ("penstock_contract", 100_000),
)
LATENCY = (
    ("boto3_500", 20_000),
    ("async_kinesis_kpl", 40_000),
    ("penstock_kpl", 300_000),
    ("penstock_strict", 300_000),
)
GOALS_CPU = (
    ("penstock_kpl", "boto3_500", 0.33),
    ("penstock_kpl", "async_kinesis_json", 0.17),
    ("penstock_kpl", "aws_kinesis_agg", 0.5),
    ("penstock_kpl", "floor", 2.2),
    ("penstock_lines", "boto3_500", 0.20),
)
GOALS_RATE = (("penstock_kpl", "boto3_500", 12.0), ("penstock_kpl", "async_kinesis_kpl", 5.0))

Round = dict[str, dict[str, float]]


def run_variant(variant: str, count: int, delay: float) -> dict[str, float]:
    """One variant in a fresh process against a fresh stub. Raises when the stub refused a request."""
    with StubProcess(shards=8, delay=delay) as stub:
        command = [
            sys.executable,
            "-m",
            "benchmarks.producer_peers",
            variant,
            "--url",
            stub.url,
            "--count",
            str(count),
        ]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise RuntimeError(f"{variant} failed:\n{answer.stderr}")
        counts = stub.control()
    if counts.get("refused_requests"):
        raise RuntimeError(f"{variant}: the stub refused {counts['refused_requests']} requests; no result.")
    figures: dict[str, float] = json.loads(answer.stdout)
    return figures | {"records": counts["records"], "load": os.getloadavg()[0]}


def rounds(variants: Sequence[tuple[str, int]], count: int, delay: float, scale: float) -> list[Round]:
    """Every variant once per round."""
    return [
        {name: run_variant(name, max(1_000, int(events * scale)), delay) for name, events in variants}
        for _ in range(count)
    ]


def ratio(found: list[Round], ours: str, theirs: str, figure: Callable[[dict[str, float]], float]) -> float:
    """The median over the rounds of our figure over theirs."""
    return median(figure(each[ours]) / figure(each[theirs]) for each in found)


def cpu(figures: dict[str, float]) -> float:
    """CPU seconds per million events."""
    return figures["cpu"] / figures["events"] * 1e6


def rate(figures: dict[str, float]) -> float:
    """Events per second."""
    return figures["events"] / figures["seconds"]


def show_cpu(count: int, scale: float) -> None:
    """Must-show 1."""
    found = rounds(CPU, count, 0.0, scale)
    print(f"\nCPU, no service time, {count} interleaved rounds, load {found[-1]['floor']['load']:.1f}")
    print(f"{'variant':<20} {'CPU s per million':>18} {'events/s':>12} {'records per 1,000':>18}")
    for name, _ in CPU:
        middle = {figure: median(each[name][figure] for each in found) for figure in found[0][name]}
        share = middle["records"] / middle["events"] * 1000
        print(f"{name:<20} {cpu(middle):>18.2f} {rate(middle):>12,.0f} {share:>18.1f}")
    for ours, theirs, goal in GOALS_CPU:
        _judge(f"CPU {ours} / {theirs}", ratio(found, ours, theirs, cpu), goal, at_most=True)
    print(f"   penstock_contract / boto3_500: {ratio(found, 'penstock_contract', 'boto3_500', cpu):.2f}")
    print(f"   penstock_spool / penstock_kpl: {ratio(found, 'penstock_spool', 'penstock_kpl', cpu):.2f}")


def show_latency(count: int, scale: float) -> None:
    """Must-show 2."""
    found = rounds(LATENCY, count, 0.015, scale)
    print(f"\nThroughput at 15 ms service time, {count} interleaved rounds")
    for name, _ in LATENCY:
        print(f"{name:<20} {median(rate(each[name]) for each in found):>12,.0f} events/s")
    for ours, theirs, goal in GOALS_RATE:
        _judge(f"throughput {ours} / {theirs}", ratio(found, ours, theirs, rate), goal, at_most=False)


def show_placement(scale: float) -> None:
    """Must-show 3."""
    print("\nPlacement, bill, and the reading of an independent de-aggregator")
    for shards in (1, 2, 4, 8, 16):
        with tempfile.TemporaryDirectory() as folder:
            print(producer_trials.placement(Path(folder), int(100_000 * scale), shards))
    _in_folder(lambda folder: print(producer_trials.placement(folder, int(60_000 * scale), 4, (8, 3))))


def show_loss(runs: int, scale: float) -> None:
    """Must-show 4."""
    print("\nLoss and order")
    seed = int(time.time())
    _in_folder(lambda folder: print(f"seed {seed}: {producer_kills.kill_runs(runs, seed, folder)}"))
    _in_folder(lambda folder: print(producer_trials.order(folder, int(50_000 * scale))))


def show_outage(seconds: float) -> None:
    """Must-show 5."""
    print("\nOutage and fork")
    _in_folder(lambda folder: print("block:", producer_trials.outage(folder, seconds, "block")))
    _in_folder(lambda folder: print("spool:", producer_trials.outage(folder, seconds, "spool")))
    _in_folder(lambda folder: print(f"3 forks: {producer_trials.fork_loses(folder, 5_000)} events lost"))


def show_replay(count: int, scale: float) -> None:
    """Must-show 6."""
    print("\nReplay")
    for _ in range(count):
        _in_folder(lambda folder: print(producer_replays.fastest(folder, int(1_000_000 * scale))))
    _in_folder(lambda folder: print(producer_replays.original_timing(folder, 2_000)))
    _in_folder(lambda folder: print(producer_replays.at_rate(folder, 5_000.0, 5.0)))


def _judge(what: str, measured: float, goal: float, at_most: bool) -> None:
    met = measured <= goal if at_most else measured >= goal
    print(f"{'ok' if met else 'NO':<2} {what}: {measured:.3f} (goal {'<=' if at_most else '>='} {goal})")


def _in_folder(trial: Callable[[Path], Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trial(Path(folder))


PARTS = ("cpu", "latency", "placement", "loss", "outage", "replay")


def main() -> None:
    """Prints every part, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of events")
    parser.add_argument("--runs", type=int, default=200, help="that are killed")
    parser.add_argument("--outage", type=float, default=60.0, help="seconds")
    arguments = parser.parse_args()
    shows: dict[str, Callable[[], None]] = {
        "cpu": lambda: show_cpu(arguments.rounds, arguments.scale),
        "latency": lambda: show_latency(arguments.rounds, arguments.scale),
        "placement": lambda: show_placement(arguments.scale),
        "loss": lambda: show_loss(arguments.runs, arguments.scale),
        "outage": lambda: show_outage(arguments.outage),
        "replay": lambda: show_replay(arguments.rounds, arguments.scale),
    }
    for part in arguments.only:
        shows[part]()


if __name__ == "__main__":
    main()
