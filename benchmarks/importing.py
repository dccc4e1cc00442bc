"""`penstock import` of a dense file: events a second, and per CPU second beside a replay by the stream.

`python -m benchmarks.importing --events 500000` imports a generated file of flights, 6,000 an hour, into a
local cloud of its own, and replays its head through stream, Firehose and transformation into the same lake,
other days. CPU is that of every process of the chain: the command, the emulator, the server and the function.

`--memory BYTES` imports a generated file of that size instead, and prints the command's largest memory at
each tenth of the way. It needs as much disk again for what is sorted.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.local import Watch
from infra.local import processes

PROJECT = Path(__file__).parents[1] / "tests" / "flights"
AN_HOUR = 6_000
START = datetime(2014, 1, 1, tzinfo=UTC)
HEADER = "time_hour,carrier,flight,origin,dest,tailnum,dep_delay,arr_delay,distance\n"
PLACES = ("EWR", "JFK", "LGA")


@dataclass(frozen=True)
class Trial:
    """One run of the command: its seconds, and the CPU seconds of everything by role."""

    events: int
    seconds: float
    cpu: Mapping[str, float]

    def __str__(self) -> str:
        total = sum(self.cpu.values())
        parts = ", ".join(f"{role} {spent:.1f}" for role, spent in sorted(self.cpu.items()))
        each = total / self.events * 1e6
        return (
            f"{self.events:,} events in {self.seconds:.1f} s = {self.events / self.seconds:,.0f} a second; "
            f"{self.events / total:,.0f} per CPU second ({each:.1f} us an event: {parts})"
        )

    @property
    def rate(self) -> float:
        """Events per CPU second."""
        return self.events / sum(self.cpu.values())


def write(path: Path, start: datetime, *, events: int = sys.maxsize, size: int = sys.maxsize) -> int:
    """A file of so many events, or of about so many bytes; how many events it has."""
    written = number = 0
    with path.open("w") as file:
        written += file.write(HEADER)
        while number < events and written < size:
            hour = f"{start + timedelta(hours=number // AN_HOUR):%Y-%m-%dT%H:00:00Z}"
            lines = [
                f"{hour},C{place % 16},{place // 16},{PLACES[place % 3]},{PLACES[place % 2]},N{place % 4000},"
                f"{place % 120 - 15},{place % 90 - 20},{100 + place % 2500}\n"
                for place in range(min(AN_HOUR, events - number))
            ]
            written += file.write("".join(lines))
            number += len(lines)
    return number


@contextmanager
def deployed() -> Iterator[tuple[Path, Callable[..., subprocess.Popen[str]]]]:
    """A folder with the flights project and a local cloud, and what runs the command there."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(shutil.copytree(PROJECT, Path(scratch, "flights")))
        port, server_port = processes.free_ports(2)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environ |= {"PENSTOCK_LOCAL_PORT": str(port), "PENSTOCK_LOCAL_SERVER_PORT": str(server_port)}

        def command(*arguments: str) -> subprocess.Popen[str]:
            whole = [sys.executable, "-m", "infra.command.cli", *arguments]
            return subprocess.Popen(whole, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)

        try:
            _end(command("local", "up"))
            yield folder, command
        finally:
            _end(command("local", "down"))


def _end(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, output)
    return output


def watched(
    folder: Path, process: subprocess.Popen[str], then: Callable[[], object] = bool
) -> tuple[str, Watch]:
    """The command's output, and what was spent until `then` has returned after it."""
    watch, ended = Watch(process.pid), threading.Event()
    watch.sample(folder)
    before = dict(watch.cpu)

    def look() -> None:
        while not ended.wait(0.2):
            watch.sample(folder)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        output = _end(process)
        then()
    finally:
        ended.set()
        watcher.join()
    watch.sample(folder)
    watch.cpu = {role: spent - before.get(role, 0.0) for role, spent in watch.cpu.items()}
    return output, watch


def compare(events: int) -> None:
    """Import a file and replay a tenth of one; print both and their ratio."""
    with deployed() as (folder, command):
        dense, head = folder / "dense.csv", folder / "head.csv"
        write(dense, START, events=events)
        write(head, START + timedelta(days=300), events=events // 10)
        began = time.monotonic()
        output, watch = watched(folder, command("import", str(dense), "--source", "flights", "--json"))
        imported = Trial(json.loads(output)["landed"], time.monotonic() - began, watch.cpu)
        print(f"import: {imported}", flush=True)
        _end(command("reports", "refresh", "--wait", "--timeout", "900"))
        began = time.monotonic()
        arguments = ("produce", "replay", str(head), "--source", "flights", "--json")
        _, watch = watched(folder, command(*arguments), lambda: _delivered(command))
        replayed = Trial(events // 10, time.monotonic() - began, watch.cpu)
        print(f"replay: {replayed}")
        print(f"events per CPU second: {imported.rate / replayed.rate:.1f} times the replay's")


def _delivered(command: Callable[..., subprocess.Popen[str]]) -> None:
    """Wait until the stream's events are in the lake: everything balances then."""
    _end(command("reconcile", "--wait", "600"))


def memory(size: int) -> None:
    """Import a file of that size; print the command's largest memory at each tenth of the time."""
    with deployed() as (folder, command):
        dense = folder / "dense.csv"
        events = write(dense, START, size=size)
        process = command("import", str(dense), "--source", "flights", "--json")
        peaks: list[int] = []
        while process.poll() is None:
            peaks.append(_resident(process.pid))
            time.sleep(0.5)
        landed = json.loads(_end(process))["landed"]
        assert landed == events, (landed, events)
        tenths = [max(peaks[len(peaks) * n // 10 : len(peaks) * (n + 1) // 10 + 1]) >> 20 for n in range(10)]
        print(f"{dense.stat().st_size >> 20:,} MB, {events:,} events: {tenths} MB at each tenth")


def _resident(root: int) -> int:
    """Bytes that the command and its children hold."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
            if root in (int(entry.parent.name), int(fields[1])):
                total += int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return total


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--memory", type=int, default=0, metavar="BYTES")
    given = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    if given.memory:
        memory(given.memory)
    else:
        compare(given.events)


if __name__ == "__main__":
    main()
