"""Kills a producer with SIGKILL at random moments, again and again, and looks for what it had accepted.

`python -m benchmarks.producer_kills --runs 200`. Every run is a new process on the same spool folder (mode
`always`), which drains what the run before left. At the end every event for which `put` had returned must
have arrived; more than once is allowed.
"""

import argparse
import os
import signal
import struct
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec

from benchmarks.stub_process import StubProcess
from producers.producer import Producer
from producers.spool.folder import Spool

_NUMBER = struct.Struct("<q")
SEGMENT_BYTES = 1 << 20  # small, so that runs also die while segments change
PADDING = "x" * 220


@dataclass(frozen=True)
class Losses:
    """What a series of killed runs came to, in events."""

    runs: int
    accepted: int
    arrived: int
    lost: int
    duplicates: int

    def __str__(self) -> str:
        return (
            f"{self.runs} runs killed: {self.accepted:,} events accepted, {self.lost} lost, "
            f"{self.duplicates:,} duplicates ({self.duplicates / max(1, self.accepted):.2%})"
        )


def kill_runs(runs: int, seed: int, folder: Path, longest: float = 0.3) -> Losses:
    """Runs and kills; `longest` is the most seconds that a run lives."""
    random = Random(seed)
    accepted: dict[int, int] = {}
    with StubProcess(shards=4, delay=0.005, throttle=0.02, dump=folder / "dump") as stub:
        for run in range(runs):
            accepted[run] = _run_and_kill(stub, folder, run, random.random() * longest)
        with Producer("stub", client=stub.client(), spool=Spool(folder / "spool", "always")) as producer:
            assert producer.flush(60) == 0
        arrived = Counter((found["run"], found["i"]) for found in map(_decoded, stub.arrivals()))
    lost = sum((run, i) not in arrived for run, last in accepted.items() for i in range(1, last + 1))
    return Losses(runs, sum(accepted.values()), len(arrived), lost, arrived.total() - len(arrived))


def _decoded(arrival: object) -> dict[str, int]:
    found: dict[str, int] = msgspec.json.decode(arrival.data)  # type: ignore[attr-defined]
    return found


def _run_and_kill(stub: StubProcess, folder: Path, run: int, seconds: float) -> int:
    """Number of events that the run had accepted when it died."""
    note = os.open(folder / f"run-{run}", os.O_RDWR | os.O_CREAT)
    os.pwrite(note, _NUMBER.pack(0), 0)
    started, ready = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _put_for_ever(stub, folder, run, note, ready)
        finally:
            os._exit(1)
    os.close(ready)
    os.read(started, 1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    (last,) = _NUMBER.unpack(os.pread(note, _NUMBER.size, 0))
    os.close(note)
    os.close(started)
    return int(last)


def _put_for_ever(stub: StubProcess, folder: Path, run: int, note: int, ready: int) -> None:
    spool = Spool(folder / "spool", "always", segment_bytes=SEGMENT_BYTES)
    producer = Producer("stub", client=stub.client(), spool=spool, linger=0.02)
    os.write(ready, b"+")
    i = 0
    while True:
        i += 1
        producer.put_json({"run": run, "i": i, "padding": PADDING}, f"key-{i % 50}")
        os.pwrite(note, _NUMBER.pack(i), 0)


def main() -> int:
    """Prints the result; 1 when an event was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        losses = kill_runs(arguments.runs, arguments.seed, Path(folder))
    print(f"seed {arguments.seed}: {losses}")
    return 1 if losses.lost else 0


if __name__ == "__main__":
    sys.exit(main())
