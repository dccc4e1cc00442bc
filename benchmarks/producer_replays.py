"""Trials of `penstock produce replay` against the stub: as fast as it goes, in the original timing, at a
rate.
"""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec

from benchmarks.shop import WEB
from benchmarks.stub_process import Arrival, StubProcess
from producers.simulation.simulator import Simulation

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
LONGEST_GAP_SECONDS = 0.01


@dataclass(frozen=True)
class Speed:
    """A replay at full speed."""

    lines: int
    seconds: float
    cpu_seconds: float

    def __str__(self) -> str:
        return (
            f"{self.lines:,} lines in {self.seconds:.2f} s = {self.lines / self.seconds:,.0f} lines/s, "
            f"{self.lines / self.cpu_seconds:,.0f} lines per CPU second (start of the command left out)"
        )


def fastest(folder: Path, lines: int) -> Speed:
    """Replays complete events of about 300 bytes. CPU and time of an empty replay are taken off."""
    path = folder / "events.ndjson"
    _write(path, lines)
    (folder / "empty.ndjson").write_bytes(b"")
    with StubProcess(8) as stub:
        nothing_seconds, nothing_cpu = _replay(stub, folder / "empty.ndjson")
        seconds, cpu = _replay(stub, path)
        assert stub.control()["records"] > 0
    return Speed(lines, seconds - nothing_seconds, cpu - nothing_cpu)


def _write(path: Path, lines: int) -> None:
    """Heads of the simulator's shorter events, as long as those of the corpus."""
    simulation = Simulation(WEB, seed=7, count=20_000, start=START, span=timedelta(hours=3))
    short = [record.data for record in simulation.records() if len(record.data) < 420]
    with path.open("wb") as file:
        for place in range(0, lines, len(short)):
            file.write(b"".join(data + b"\n" for data in short[: lines - place]))


def _replay(stub: StubProcess, path: Path, *options: str) -> tuple[float, float]:
    """(seconds, CPU seconds) of the command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    _command(stub, "replay", str(path), *options)
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _command(stub: StubProcess, *words: str) -> None:
    environment = {
        "AWS_ENDPOINT_URL": stub.url,
        "AWS_ACCESS_KEY_ID": "stub",
        "AWS_SECRET_ACCESS_KEY": "stub",
        "AWS_DEFAULT_REGION": "us-east-1",
        "PATH": "/usr/bin:/bin",
    }
    command = [sys.executable, "-m", "producers", *words, "--stream-name", "stub"]
    subprocess.run(command, env=environment, check=True, capture_output=True)


@dataclass(frozen=True)
class Timing:
    """A paced replay: how far events arrived from where they should have, in milliseconds."""

    events: int
    median_ms: float
    p99_ms: float

    def __str__(self) -> str:
        errors = f"{self.median_ms:.2f} ms median, {self.p99_ms:.2f} ms p99"
        return f"original timing: {self.events:,} events, error {errors}"


def original_timing(folder: Path, count: int) -> Timing:
    """Replays events with pauses between 0 and 10 ms at their own times."""
    path = folder / "paced.ndjson"
    random = Random(7)
    times, at = [], 0.0
    for _ in range(count):
        at += random.random() * LONGEST_GAP_SECONDS
        times.append(int(at * 1000))
    simulation = Simulation(WEB, seed=7, count=count, start=START, span=timedelta(hours=1))
    with path.open("wb") as file:
        for time_ms, record in zip(times, simulation.records(), strict=True):
            event = msgspec.json.decode(record.data)
            event["event_time"] = (START + timedelta(milliseconds=time_ms)).isoformat()
            file.write(msgspec.json.encode(event) + b"\n")
    with StubProcess(2, dump=folder / "dump") as stub:
        _command(stub, "replay", str(path), "--speed", "1x")
        arrivals = stub.arrivals()
    return _timing(arrivals)


def _timing(arrivals: list[Arrival]) -> Timing:
    happened = [_time(arrival) for arrival in arrivals]
    offsets = [arrival.time - time for arrival, time in zip(arrivals, happened, strict=True)]
    # The one unknown is when the clock of the replay began; the typical event sets it.
    typical = sorted(offsets)[len(offsets) // 2]
    errors = sorted(abs(offset - typical) * 1000 for offset in offsets)
    return Timing(len(errors), errors[len(errors) // 2], errors[int(len(errors) * 0.99)])


def _time(arrival: Arrival) -> float:
    return datetime.fromisoformat(msgspec.json.decode(arrival.data)["event_time"]).timestamp()


@dataclass(frozen=True)
class Rate:
    """A replay at a rate."""

    wanted: float
    measured: float

    def __str__(self) -> str:
        error = self.measured / self.wanted - 1
        return f"--rate {self.wanted:,.0f}: {self.measured:,.1f} events/s ({error:+.2%})"


def at_rate(folder: Path, wanted: float, seconds: float) -> Rate:
    """Replays at `wanted` events per second for about so long."""
    path = folder / "events.ndjson"
    _write(path, int(wanted * seconds))
    with StubProcess(2, dump=folder / "dump") as stub:
        _command(stub, "replay", str(path), "--rate", str(wanted))
        times = [arrival.time for arrival in stub.arrivals()]
    return Rate(wanted, (len(times) - 1) / (times[-1] - times[0]))
