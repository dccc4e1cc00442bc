"""Half an hour of steady traffic: what grows, and by how much.

`python -m benchmarks.soak --minutes 30 --rate 1000` starts a local cloud in a folder of its own, produces
into it, and looks every few seconds at the memory of each process and the size of each folder. Every look is
a line of `--samples`, so figures survive an interruption: `--judge FILE` reads them again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from benchmarks.local import roles
from benchmarks.shop import SHOP
from infra.local import cloud, processes
from infra.local.athena.objects import CACHE_BYTES
from infra.local.athena.service import WORKERS
from infra.local.athena.worker import FILE_BYTES, PROCESS_BYTES
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings

SAMPLE_SECONDS = 5.0
MOST_BYTES_AN_EVENT = 80
"""What MiniStack may grow by for each event that it retains."""
MOST_DRIFT = 0.05
"""What any other process, and any folder that may not grow, may differ by between the last two thirds."""
EMULATOR = "ministack"
PRODUCER = "producer and command"
LIMITED = {"server: queries": PROCESS_BYTES, "function penstock-transform": 200_000_000}
"""Processes that may grow up to a limit: the largest that runs a query follows the lake that it reads; the
transform's memories of values fill (65,536 each, 13 MB of short values) and are then emptied."""
GROWING = ("s3/penstock-lake", "s3/penstock-reporting", "stream", "ledger")
"""Folders whose content is the product: the lake, reports, the retained stream, the ledger in the state."""
BOUNDED = {
    "cache/athena": CACHE_BYTES,
    "scratch/athena": WORKERS * FILE_BYTES,
    "state": 24_000_000,
    "state/snapshots": 24_000_000,
}
"""Folders that may grow up to a limit: copies of objects, what queries spill while they run, the records of
executions with sqlite's logs of changes, and snapshots with logs and metrics (two while one is written)."""
SMALL_BYTES = 1_000_000
"""Folders that change by less than this between thirds do not count: logs, sqlite's files."""


class Sample(msgspec.Struct, frozen=True):
    """One look: seconds since the start, events in the stream, bytes of each process and folder."""

    at: float
    events: int
    memory: Mapping[str, int]
    folders: Mapping[str, int]


@dataclass(frozen=True)
class Judgement:
    """What the samples show.

    Attributes:
        bytes_an_event: growth of MiniStack from the first third's end on, per event of that time.
        memory: process to (mean of the middle third, mean of the last third) in bytes.
        folders: the same of folders.
        faults: one sentence for each figure that is out of its bounds.
    """

    bytes_an_event: float
    memory: Mapping[str, tuple[float, float]]
    folders: Mapping[str, tuple[float, float]]
    faults: tuple[str, ...]


def judge(samples: Sequence[Sample]) -> Judgement:
    """Compare the last third with the middle one. Raises ValueError when there are fewer than six samples."""
    if len(samples) < 6:
        raise ValueError(f"{len(samples)} samples are too few to compare; run for longer.")
    end = samples[-1].at
    middle = [each for each in samples if end / 3 <= each.at < 2 * end / 3]
    last = [each for each in samples if each.at >= 2 * end / 3]
    memory = _thirds([each.memory for each in middle], [each.memory for each in last])
    folders = _thirds([each.folders for each in middle], [each.folders for each in last])
    before, after = memory.get(EMULATOR, (0.0, 0.0))
    events = fmean(each.events for each in last) - fmean(each.events for each in middle)
    growth = (after - before) / events if events else 0.0
    faults = []
    if growth > MOST_BYTES_AN_EVENT:
        faults.append(f"MiniStack grows by {growth:.0f} bytes an event; {MOST_BYTES_AN_EVENT} are allowed.")
    for name, (first, second) in memory.items():
        if name in LIMITED:
            if second > LIMITED[name]:
                faults.append(f"{name} took {second / 1e6:.0f} MB; {LIMITED[name] / 1e6:.0f} are allowed.")
        elif name not in (EMULATOR, PRODUCER) and abs(second - first) > MOST_DRIFT * first:
            faults.append(f"{name} went from {first / 1e6:.0f} to {second / 1e6:.0f} MB.")
    for name, (first, second) in folders.items():
        if name in BOUNDED:
            if second > BOUNDED[name]:
                faults.append(f"The folder {name} has {second / 1e6:.1f} MB, more than its limit.")
        elif not name.startswith(GROWING) and second - first > max(SMALL_BYTES, MOST_DRIFT * first):
            faults.append(f"The folder {name} went from {first / 1e6:.1f} to {second / 1e6:.1f} MB.")
    return Judgement(growth, memory, folders, tuple(faults))


def _thirds(
    middle: Sequence[Mapping[str, int]], last: Sequence[Mapping[str, int]]
) -> dict[str, tuple[float, float]]:
    """Means of both thirds for what is in both; a process counts only where it was alive."""
    found = {}
    for name in sorted({name for each in last for name in each} & {name for each in middle for name in each}):
        means = [fmean([each[name] for each in third if name in each]) for third in (middle, last)]
        found[name] = (means[0], means[1])
    return found


def text(judgement: Judgement) -> str:
    """The figures for people."""
    lines = [f"MiniStack: {judgement.bytes_an_event:.0f} bytes per retained event"]
    for title, found in (("memory, MB", judgement.memory), ("folders, MB", judgement.folders)):
        lines.append(f"{title:<44} {'middle third':>12} {'last third':>12}")
        for name, (first, second) in found.items():
            lines.append(f"  {name:<42} {first / 1e6:>12.1f} {second / 1e6:>12.1f}")
    return "\n".join([*lines, *(judgement.faults or ["Everything is within its bounds."])])


def look(folder: Path, producer: int, at: float, events: int) -> Sample:
    """Look at every process and folder of the local cloud in this folder."""
    memory: defaultdict[str, list[int]] = defaultdict(list)
    for pid, role in roles(folder, producer):
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
        memory[role].append(pages * os.sysconf("SC_PAGE_SIZE"))
    largest = {role: max(found) for role, found in memory.items()}
    return Sample(round(at, 1), events, largest, sizes(LocalPaths.of(folder)))


def sizes(paths: LocalPaths) -> dict[str, int]:
    """Bytes below each folder of the local cloud; buckets and parts of the state each by itself.

    A file of several names counts once, in the first of its folders: queries link what they read.
    """
    found: defaultdict[str, int] = defaultdict(int)
    seen: set[tuple[int, int]] = set()
    for base, folders, files in os.walk(paths.root):
        folders.sort()
        parts = Path(base).relative_to(paths.root).parts
        for file in files:
            try:
                stat = (Path(base) / file).stat()
            except OSError:
                continue
            if (stat.st_dev, stat.st_ino) not in seen:
                seen.add((stat.st_dev, stat.st_ino))
                found[_place(parts, file)] += stat.st_size
    return dict(found)


def _place(parts: tuple[str, ...], file: str) -> str:
    if parts[:1] == ("s3",):
        account = 2 if parts[1:2] == (".versions",) else 1
        bucket = parts[account + 1] if len(parts) > account + 1 else ""
        return f"s3/{bucket}"
    if parts[:2] == ("state", "snapshots"):
        return "ledger" if file == "dynamodb.json" else "state/snapshots"
    return "/".join(parts[:2])


def run(minutes: float, rate: float, folder: Path, samples: Path) -> None:
    """Produce and look, for so long. Raises CalledProcessError when the producer fails."""
    port, server_port = processes.free_ports(2)
    settings, paths = LocalSettings(port=port, server_port=server_port), LocalPaths.of(folder)
    try:
        up = cloud.up(paths, settings, lambda message: print(message, file=sys.stderr), project=SHOP)
        environ = {**os.environ, **settings.to_environ(), **up.environment()}
        count = int(minutes * 60 * rate)
        command = [sys.executable, "-m", "infra.command.cli", "produce", "simulate", "--json"]
        options = ["--count", str(count), "--rate", str(rate), "--span", "1"]
        began = time.monotonic()
        with (
            subprocess.Popen([*command, *options], cwd=folder, env=environ) as producer,
            samples.open("ab") as out,
        ):
            while producer.poll() is None:
                at = time.monotonic() - began
                sample = look(folder, producer.pid, at, min(count, int(at * rate)))
                out.write(msgspec.json.encode(sample) + b"\n")
                out.flush()
                time.sleep(SAMPLE_SECONDS)
        if producer.returncode:
            raise subprocess.CalledProcessError(producer.returncode, command)
    finally:
        cloud.down(paths, lambda _: None)


def read(samples: Path) -> list[Sample]:
    """The samples of a file; a last line that was cut off is left out."""
    found = []
    for line in samples.read_bytes().splitlines():
        try:
            found.append(msgspec.json.decode(line, type=Sample))
        except msgspec.DecodeError:
            break
    return found


def main() -> None:
    """Parse the command line, run, validate; exits with 1 when something is out of its bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=1000.0, help="events a second")
    parser.add_argument("--samples", type=Path, default=None, help="file that gets every look")
    parser.add_argument("--judge", type=Path, default=None, help="only judge the samples of this file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-soak-", ignore_cleanup_errors=True) as folder:
        samples = given.judge or given.samples or Path(folder) / "samples.jsonl"
        if given.judge is None:
            run(given.minutes, given.rate, Path(folder), samples)
        found = judge(read(samples))
    print(text(found))
    facts: dict[str, Any] = {"bytes_an_event": round(found.bytes_an_event, 1), "faults": list(found.faults)}
    print(json.dumps(facts))
    sys.exit(bool(found.faults))


if __name__ == "__main__":
    main()
