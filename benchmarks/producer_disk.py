"""Fills the disk under a spool while a producer works, frees it again, and looks for what became of events.

`python -m benchmarks.producer_disk`. The disk is a tmpfs of its own, which needs the right to mount one.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.stub_process import StubProcess
from producers.errors import BufferFullError, SpoolFullError
from producers.producer import Producer
from producers.spool.folder import Spool, SpoolMode

DISK_BYTES = 4 << 20
SEGMENT_BYTES = 256 << 10


class NoMountError(RuntimeError):
    """This process may not mount a tmpfs."""


@contextmanager
def small_disk(folder: Path, size: int = DISK_BYTES) -> Iterator[Path]:
    """A file system of that many bytes. Raises NoMountError."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NoMountError(str(error)) from error
    if done.returncode:
        raise NoMountError(done.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@dataclass(frozen=True)
class FullDisk:
    """What came of a full disk. Rates are events that arrived per second of the producer's CPU."""

    mode: str
    accepted: int
    refused: int
    lost: int
    twice: int
    dead_threads: int
    accepted_while_full: int
    delivered_while_full: int
    rate_before: float
    rate_after: float

    def __str__(self) -> str:
        return (
            f"{self.mode}: {self.accepted:,} events accepted ({self.accepted_while_full:,} while the disk "
            f"was full, {self.delivered_while_full:,} delivered then), {self.refused:,} refused, "
            f"{self.lost} lost, {self.twice} twice, {self.dead_threads} threads ended; "
            f"{self.rate_before:,.0f} events per CPU second before, {self.rate_after:,.0f} after "
            f"({self.rate_after / self.rate_before:.2f}x)"
        )


class _Feeder:
    """Puts numbered events, and knows which were accepted."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._next = 0
        self.accepted: set[int] = set()
        self.refused = 0

    def put(self, count: int) -> int:
        """How many of so many were accepted."""
        before = len(self.accepted)
        for number in range(self._next, self._next + count):
            try:
                self._producer.put_json({"n": number, "padding": "x" * 200}, f"k-{number % 50}", timeout=0)
                self.accepted.add(number)
            except (SpoolFullError, BufferFullError):
                self.refused += 1
        self._next += count
        return len(self.accepted) - before

    def rate(self, count: int) -> float:
        """Events per CPU second of this process, delivered."""
        began, accepted = time.process_time(), 0
        for _ in range(0, count, 500):
            accepted += self.put(500)
            assert self._producer.flush(60) == 0
        return accepted / (time.process_time() - began)


def full_disk(folder: Path, mode: SpoolMode, count: int) -> FullDisk:
    """`count` events before, while and after the disk is full. Raises NoMountError."""
    with small_disk(folder / "disk") as disk, StubProcess(4, dump=folder / "dump") as stub:
        client = stub.client()
        spool = Spool(disk / "spool", mode, segment_bytes=SEGMENT_BYTES)
        producer = Producer(
            "stub", client=client, spool=spool, when_full="spool", linger=0.02, max_buffer_bytes=200_000
        )
        feeder = _Feeder(producer)
        feeder.rate(1_000)  # to warm up
        before = feeder.rate(count)
        stub.control(is_down=True)
        feeder.put(500)
        filler = disk / "filler"
        _fill(filler)
        while_full = feeder.put(count)
        # The stream comes back before the disk has room: what is accepted is delivered, and cannot be noted.
        delivered = producer.stats().delivered
        stub.control(is_down=False)
        assert producer.flush(60) == 0
        while_full += feeder.put(500)
        assert producer.flush(60) == 0
        delivered = producer.stats().delivered - delivered
        filler.unlink()
        after = feeder.rate(count)
        names = {thread.name for thread in threading.enumerate()}
        dead = sum(f"penstock-sender-{number}" not in names for number in range(4))
        assert producer.close(60).pending == 0
        client.close()
        arrived = [msgspec.json.decode(arrival.data)["n"] for arrival in stub.arrivals()]
    return FullDisk(
        mode=mode,
        accepted=len(feeder.accepted),
        refused=feeder.refused,
        lost=len(feeder.accepted - set(arrived)),
        twice=len(arrived) - len(set(arrived)),
        dead_threads=dead,
        accepted_while_full=while_full,
        delivered_while_full=delivered,
        rate_before=before,
        rate_after=after,
    )


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for block in (1 << 16, 1 << 10, 1):
            try:
                while file.write(b"x" * block):
                    pass
            except OSError:
                continue


def main() -> int:
    """Prints the results; 1 when an event was lost or a thread ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="events before, while and after it is full")
    arguments = parser.parse_args()
    bad = 0
    for mode in ("outage", "always"):
        with tempfile.TemporaryDirectory() as folder:
            found = full_disk(Path(folder), mode, arguments.count)
        print(found)
        bad += found.lost + found.dead_threads
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
