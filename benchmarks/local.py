"""The whole chain on this machine: events per second, memory, and where the time went.

`python -m benchmarks.local --events 200000` runs `penstock demo` in a folder of its own and watches it.
Processor seconds tell where the work is, also on a machine that others use at the same time.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from infra.local import cloud, processes
from infra.local.paths import LocalPaths

SAMPLE_SECONDS = 0.25
_PROPORTIONAL = re.compile(r"^Pss: +([0-9]+) kB", re.MULTILINE)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Watch:
    """Processor seconds and memory of the processes below one process, by what they are for.

    `cpu` is per role; `peak` is the largest sum of resident bytes at one moment, a page that processes share
    counted once in all; `at_peak` is the same per role.
    """

    root: int
    cpu: dict[str, float] = field(default_factory=dict)
    peak: int = 0
    at_peak: dict[str, int] = field(default_factory=dict)
    _last: dict[int, tuple[str, float]] = field(default_factory=dict)

    def sample(self, folder: Path) -> None:
        """Look at every process once."""
        memory: defaultdict[str, int] = defaultdict(int)
        for pid, found in roles(folder, self.root):
            role = found.partition(":")[0]
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                share = _PROPORTIONAL.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
            except OSError:
                continue
            self._last[pid] = role, (int(fields[11]) + int(fields[12])) / _TICKS
            memory[role] += int(share[1]) * 1024 if share else 0
        total = sum(memory.values())
        if total > self.peak:
            self.peak, self.at_peak = total, dict(memory)
        sums: defaultdict[str, float] = defaultdict(float)
        for role, seconds in self._last.values():
            sums[role] += seconds
        self.cpu = dict(sums)


def roles(folder: Path, command: int) -> Iterator[tuple[int, str]]:
    """(process id, what it is for) of every process of the chain that is alive.

    Those that run queries for the server are `server: queries`.
    """
    alive = cloud.status(LocalPaths.of(folder)) if (folder / ".local").is_dir() else {}
    named = {int(found["pid"]): name for name, found in alive.items() if found}
    named[command] = "producer and command"
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(entry.parent.name)] = int(fields[1])
    for pid, parent in parents.items():
        if pid in named:
            yield pid, named[pid]
        elif parent in named:
            # Until a child begins its own program it shares its parent's memory, which must not count twice.
            if _command(pid) != _command(parent):
                yield pid, _function(pid) or named[parent]
        elif parents.get(parent) in named:  # one of the processes that the server's nursery forks
            yield pid, f"{named[parents[parent]]}: queries"


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _function(pid: int) -> str:
    """The Lambda function that a worker of MiniStack runs."""
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    name = next((e.partition(b"=")[2] for e in environ if e.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")), b"")
    return f"function {name.decode()}" if name else ""


def run(events: int, seed: int, folder: Path) -> tuple[dict[str, object], Watch]:
    """One demo of that size; its result and what was watched. Raises CalledProcessError."""
    port, server_port = processes.free_ports(2)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"PENSTOCK_LOCAL_PORT": str(port), "PENSTOCK_LOCAL_SERVER_PORT": str(server_port)}
    command = [
        sys.executable,
        "-m",
        "infra.command.cli",
        "demo",
        "--events",
        str(events),
        "--seed",
        str(seed),
    ]
    demo = subprocess.Popen([*command, "--json"], cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
    watch, ended = Watch(demo.pid), threading.Event()

    def look() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            watch.sample(folder)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        output, _ = demo.communicate()
    finally:
        ended.set()
        watcher.join()
    if demo.returncode:
        raise subprocess.CalledProcessError(demo.returncode, command)
    return json.loads(output), watch


def report(result: dict[str, object], watch: Watch, events: int) -> str:
    """The table that is printed."""
    seconds = result["seconds"]
    assert isinstance(seconds, dict)
    lines = [
        f"{events:,} events end to end: {result['events_per_second']:,} events/s, "
        f"balanced: {str(result['balanced']).lower()}",
        "",
        f"{'step':<28}{'seconds':>10}",
        *(f"{name:<28}{value:>10.1f}" for name, value in seconds.items()),
        "",
        f"{'process':<28}{'cpu s':>10}{'us/event':>10}{'MB':>8}",
    ]
    for role, cpu in sorted(watch.cpu.items(), key=lambda item: -item[1]):
        memory = watch.at_peak.get(role, 0) / 1e6
        lines.append(f"{role:<28}{cpu:>10.1f}{cpu / events * 1e6:>10.1f}{memory:>8.0f}")
    total = sum(watch.cpu.values())
    lines.append(f"{'all':<28}{total:>10.1f}{total / events * 1e6:>10.1f}{watch.peak / 1e6:>8.0f}")
    lines.append("")
    lines.append(
        f"MB: resident at the moment of the largest sum, shared pages once; cores: {os.cpu_count()}."
    )
    return "\n".join(lines)


def main() -> None:
    """Run once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=7)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            began = time.monotonic()
            result, watch = run(wanted.events, wanted.seed, Path(folder))
            print(report(result, watch, wanted.events))
            print(f"With set-up and accounting: {time.monotonic() - began:.1f} s.")
        finally:
            cloud.down(LocalPaths.of(Path(folder)), lambda _: None)


if __name__ == "__main__":
    main()
