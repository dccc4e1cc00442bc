"""Damages spools in every way that a disk does, drains them, and looks for what became of every byte.

`python -m benchmarks.producer_damage --damages 1000`. Every damaged spool is drained by its own producer.
What must have been delivered, and what must be quarantined, is found here by comparing bytes, without reading
a length or a checksum.
"""

import argparse
import base64
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from struct import Struct
from zlib import crc32

from producers.packing.aggregation import deaggregate, is_aggregate
from producers.producer import Producer
from producers.sinks.memory import MemorySink, even_shards
from producers.sinks.port import SinkRecord
from producers.spool.folder import Spool

SEGMENT_BYTES = 4_096
KINDS = ("flip", "cut", "zero", "duplicate", "reorder", "journal")
_OLD = Struct("<IIHB")
_OLD_NUMBER = Struct("<I")


@dataclass
class Damages:
    """What a series of damaged spools came to."""

    damages: int = 0
    events: int = 0
    delivered: int = 0
    unreadable: int = 0
    not_delivered: int = 0
    twice: int = 0
    invented: int = 0
    deleted_bytes: int = 0
    miscounted: int = 0

    @property
    def is_sound(self) -> bool:
        """Whether every readable event arrived once, and every other byte is kept and counted."""
        return not (self.not_delivered + self.twice + self.invented + self.deleted_bytes + self.miscounted)

    def __str__(self) -> str:
        return (
            f"{self.damages:,} damages: {self.events:,} undelivered events, {self.delivered:,} readable and "
            f"delivered, {self.unreadable:,} unreadable and quarantined; readable and not delivered "
            f"{self.not_delivered}, twice {self.twice}, invented {self.invented}, unreadable bytes deleted "
            f"{self.deleted_bytes}, spools miscounted {self.miscounted}"
        )


def damage_runs(count: int, seed: int, folder: Path) -> Damages:
    """Damages as many spools, the kinds in turn."""
    random = Random(seed)
    found = Damages()
    for number in range(count):
        place = folder / f"{number}"
        _one(place, KINDS[number % len(KINDS)], random, found)
    return found


def _one(folder: Path, kind: str, random: Random, found: Damages) -> None:
    is_old = kind != "journal" and random.random() < 0.2
    waiting = (_old_spool if is_old else _spool)(folder, random)
    frames = _frames(folder, waiting, is_old)
    victim = random.choice(sorted(folder.glob("*.acks" if kind == "journal" else "*.spool")))
    before = victim.read_bytes()
    written = max(end for end, _ in frames[victim.name].values()) if kind != "journal" else len(before)
    content = _damaged(before, kind, written, random)
    victim.write_bytes(content)
    # Frames that stand whole in the damaged file, and the bytes that are in none.
    readable, damaged = {}, {}
    for path in folder.glob("*.spool"):
        whole, rest = _apart(path.read_bytes(), frames[path.name], is_old)
        readable.update(dict.fromkeys(whole))
        damaged[path.name] = rest
    expected = waiting & readable.keys()
    delivered, stats_damaged, stats_bytes, kept = _drain(folder)
    found.damages += 1
    found.events += len(waiting)
    found.delivered += len(expected)
    found.unreadable += len(waiting) - len(expected)
    found.not_delivered += len(expected - delivered.keys())
    # Frames of earlier versions have no number: a copy cannot be told from an equal event.
    found.twice += 0 if is_old else sum(times > 1 for times in delivered.values())
    found.invented += len(delivered.keys() - {number for each in frames.values() for number in each})
    lost_bytes = sum(
        length for name, spans in damaged.items() for length in _not_kept(spans, kept.get(name, []))
    )
    found.deleted_bytes += lost_bytes
    has_all = len(expected) == len(waiting)
    counts = stats_damaged == len(waiting) - len(expected) if not is_old and _has_header(content) else True
    told = sum(length for spans in kept.values() for _, length in spans)
    found.miscounted += not (counts and stats_bytes == told and (has_all or stats_bytes > 0))


def _data(number: int, random: Random) -> bytes:
    filling = random.randbytes(random.randrange(200)).hex() if random.random() < 0.8 else "\0" * 60
    return b"%07d:" % number + filling.encode()


def _spool(folder: Path, random: Random) -> set[int]:
    """Numbers of the events that wait in a spool whose process died or ended well, some settled."""
    spool = Spool(folder, "always", segment_bytes=SEGMENT_BYTES)
    count = random.randrange(20, 80)
    for number in range(count):
        spool.append(_data(number, random), f"key-{number % 7}", None, unread=True)
    settled: set[int] = set()
    events = spool.read(count)
    # Never the first of a segment: then every segment stays, and has a journal.
    for event in random.sample(events, count // 2):
        if event.mark & 0xFFFF_FFFF:
            spool.acknowledge([event.mark])
            settled.add(_number(event.data))
    if random.random() < 0.5:
        spool.close()
    else:
        for segment in spool._segments.values():
            segment.close()
        os.close(spool._lock)
    return set(range(count)) - settled


def _old_spool(folder: Path, random: Random) -> set[int]:
    """The same as an earlier version left it: no header, and frames without mark and number."""
    folder.mkdir()
    waiting: set[int] = set()
    number = 0
    for segment in range(random.randrange(1, 4)):
        content = b""
        settled = b""
        for row in range(random.randrange(3, 20)):
            data, key = _data(number, random), b"key-%d" % (number % 7)
            rest = _OLD.pack(0, 0, len(key), 0)[8:] + key + data
            content += _OLD.pack(len(rest), crc32(rest), 0, 0)[:8] + rest
            if random.random() < 0.3 and row:
                settled += _OLD_NUMBER.pack(row)
            else:
                waiting.add(number)
            number += 1
        name = folder / f"{segment:012d}"
        name.with_suffix(".spool").write_bytes(content + bytes(1_000))
        name.with_suffix(".done").write_bytes(settled)
    return waiting


def _frames(folder: Path, waiting: set[int], is_old: bool) -> dict[str, dict[int, tuple[int, bytes]]]:
    """Of every segment the events: where each frame ends, and its bytes. Frames follow one another."""
    found: dict[str, dict[int, tuple[int, bytes]]] = {}
    for path in sorted(folder.glob("*.spool")):
        content, frames = path.read_bytes(), {}
        place = 0 if is_old else 24
        while place < len(content) and content[place : place + 8].strip(b"\0"):
            length_at = place + (0 if is_old else 4)
            length = int.from_bytes(content[length_at : length_at + 4], "little")
            end = length_at + 8 + length
            raw = content[place:end]
            colon = raw.index(b":", len(raw) - length)
            frames[int(raw[colon - 7 : colon])] = end, raw
            place = end
        found[path.name] = frames
    assert waiting <= {number for frames in found.values() for number in frames}
    return found


def _damaged(content: bytes, kind: str, written: int, random: Random) -> bytes:
    start = random.randrange(written)
    length = random.randrange(1, min(600, written - start) + 1)
    changed = bytearray(content)
    if kind == "journal":
        kind = random.choice(("flip", "cut", "zero", "duplicate"))
    if kind == "flip":
        for _ in range(random.choice((1, 1, 1, 3))):
            changed[random.randrange(written)] ^= 1 << random.randrange(8)
    elif kind == "cut":
        del changed[start:]
    elif kind == "zero":
        changed[start : start + length] = bytes(length)
    elif kind == "duplicate":
        changed[start:start] = changed[start : start + length]
    else:
        other = random.randrange(start, written)
        block = changed[start : start + length]
        del changed[start : start + length]
        changed[other:other] = block
    return bytes(changed)


def _apart(
    content: bytes, frames: dict[int, tuple[int, bytes]], is_old: bool
) -> tuple[list[int], list[tuple[int, int]]]:
    """(events whose frame is whole, (start, length) of what is in no frame and was written)."""
    whole: list[int] = []
    covered = bytearray(len(content))
    if not is_old and _has_header(content):
        covered[:24] = b"\1" * 24
    for number, (_, raw) in frames.items():
        place = content.find(raw)
        if place >= 0:
            whole.append(number)
        while place >= 0:
            covered[place : place + len(raw)] = b"\1" * len(raw)
            place = content.find(raw, place + 1)
    spans: list[tuple[int, int]] = []
    place = covered.find(b"\0")
    while place >= 0:
        end = covered.find(b"\1", place)
        # Zeros at the end may never have been written.
        length = (end if end >= 0 else place + len(content[place:].rstrip(b"\0"))) - place
        if length:
            spans.append((place, length))
        place = covered.find(b"\0", end) if end >= 0 else -1
    return whole, spans


def _has_header(content: bytes) -> bool:
    """The two halves of a header say the same."""
    halves = content[8:16], content[16:24]
    return (
        content[:8] == b"PNSPOOL2"
        and len(content) >= 24
        and all(one ^ other == 255 for one, other in zip(*halves, strict=True))
    )


def _drain(folder: Path) -> tuple[Counter[int], int, int, dict[str, list[tuple[int, int]]]]:
    """(how often every event arrived, events and bytes counted as damaged, quarantined spans by segment)."""
    records: list[SinkRecord] = []
    sink = MemorySink(even_shards(2), lambda _, record: records.append(record))
    producer = Producer(sink=sink, spool=Spool(folder, segment_bytes=SEGMENT_BYTES), max_in_flight=1)
    assert producer.flush(30) == 0
    stats = producer.close(30)
    assert stats.accepted == stats.delivered + stats.damaged
    arrived: Counter[int] = Counter()
    for record in records:
        events = deaggregate(record.data) if is_aggregate(record.data) else [record]
        arrived.update(_number(event.data) for event in events)
    kept: dict[str, list[tuple[int, int]]] = {}
    for path in folder.glob("*.damaged"):
        for line in map(json.loads, path.read_text().splitlines()):
            content = base64.b64decode(line["base64"])
            assert len(content) == line["length"] - line["missing"]
            kept.setdefault(line["segment"], []).append((line["start"], line["length"]))
    assert not list(folder.glob("*.spool"))
    return arrived, stats.damaged, stats.damaged_bytes, kept


def _not_kept(spans: list[tuple[int, int]], kept: list[tuple[int, int]]) -> list[int]:
    """Lengths of the spans that lie in no quarantined one."""
    return [
        length
        for start, length in spans
        if not any(at <= start and start + length <= at + size for at, size in kept)
    ]


def _number(data: bytes) -> int:
    return int(data[:7])


def main() -> int:
    """Prints the result; 1 when something is lost, twice, invented or not counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--damages", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = damage_runs(arguments.damages, arguments.seed, Path(folder))
    print(f"seed {arguments.seed}: {found}")
    return 0 if found.is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
