"""`penstock produce simulate` against a local cloud of its own, aggregated and event by event.

Rounds are interleaved, and each waits until the pipeline rests: on one machine it works on the same cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from infra.local import cloud, processes
from infra.local.paths import LocalPaths

FRAMINGS = ("none", "kpl")
SETTLE_SECONDS = 120.0


def compare(folder: Path, events: int, rounds: int) -> list[dict[str, float]]:
    """Events per second by framing, round by round. The first, unmeasured, run warms the cloud up."""
    port, server_port = processes.free_ports(2)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"PENSTOCK_LOCAL_PORT": str(port), "PENSTOCK_LOCAL_SERVER_PORT": str(server_port)}
    _command(folder, environ, "local", "up")
    try:
        _simulate(folder, environ, "kpl", events, 0)
        return [
            {framing: _simulate(folder, environ, framing, events, seed) for framing in FRAMINGS}
            for seed in range(1, rounds + 1)
        ]
    finally:
        cloud.down(LocalPaths.of(folder), lambda _: None)


def _simulate(folder: Path, environ: dict[str, str], framing: str, events: int, seed: int) -> float:
    words = ("produce", "simulate", "--count", str(events), "--framing", framing, "--seed", str(seed))
    summary = _command(folder, environ, *words)
    _settle(folder, environ)
    return float(summary["events_per_second"])


def _settle(folder: Path, environ: dict[str, str]) -> None:
    """Waits until no stage has had anything to do for a while. Raises TimeoutError."""
    deadline, idle = time.monotonic() + SETTLE_SECONDS, 0
    while idle < 3:
        if time.monotonic() > deadline:
            raise TimeoutError(f"The pipeline did not come to rest in {SETTLE_SECONDS:g} s.")
        time.sleep(1)
        status = _command(folder, environ, "local", "status")
        idle = idle + 1 if not any(stage["state"] == "flowing" for stage in status["stages"]) else 0


def _command(folder: Path, environ: dict[str, str], *words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "infra.command.cli", *words, "--json"]
    answer = subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def main() -> None:
    """Prints the rounds and the median of their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    # 20,000 take a quarter of a second with `kpl`, which is much start and much chance.
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), arguments.events, arguments.rounds)
    for each in found:
        print("  ".join(f"{framing} {rate:>9,.0f} events/s" for framing, rate in each.items()))
    ratio = median(each["kpl"] / each["none"] for each in found)
    print(f"{'ok' if ratio >= 3 else 'NO'} simulate kpl / none: {ratio:.2f} (goal >= 3)")


if __name__ == "__main__":
    main()
