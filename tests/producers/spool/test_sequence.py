"""A producer that was killed: whoever opens its spool next tells how far its sequence went."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from producers import Producer, Spool
from producers.contracts import AUDIT_TYPE
from producers.errors import StreamUnavailableError
from producers.packing.aggregation import deaggregate, is_aggregate
from producers.sinks.memory import MemorySink, even_shards
from producers.sinks.port import Answer, SinkRecord
from producers.spool.sequence import Sequence, SequenceNote, read_sequence, sequence_paths
from tests.shop import STREAMS

BEAT = next(iter(STREAMS.values())).latest["heartbeat"].payload
SEGMENT_BYTES = 1 << 14
_KILLED = """
import os, signal, sys
from producers import Producer, Spool
from tests.producers.spool.test_sequence import BEAT, Kept

sink = Kept()
producer = Producer(sink=sink, spool=Spool(sys.argv[1], "always"), producer_id="killed", epoch=7)
for number in range(int(sys.argv[2])):
    producer.put(BEAT(host="web-1", uptime_seconds=number))
    if number == 20:
        producer.flush(30)
        sink.is_down = True
os.kill(os.getpid(), signal.SIGKILL)
"""


class Kept(MemorySink):
    """A stream that can be looked into, and does not answer when told so."""

    def __init__(self) -> None:
        self.records: list[SinkRecord] = []
        self.is_down = False
        super().__init__(even_shards(2), lambda _, record: self.records.append(record))

    def put_records(self, records: Any) -> Any:
        if self.is_down:
            raise StreamUnavailableError("down")
        answers: list[Answer] = list(super().put_records(records))
        return answers

    def events(self) -> list[dict[str, Any]]:
        found = []
        for record in self.records:
            whole = is_aggregate(record.data)
            found += [each.data for each in deaggregate(record.data)] if whole else [record.data]
        return list(map(msgspec.json.decode, found))

    def audits(self) -> list[tuple[str, int, int, bool]]:
        """(producer id, epoch, last seq, closed) of each audit event."""
        return [
            (event["producer_id"], event["epoch"], event["payload"]["last_seq"], event["payload"]["closed"])
            for event in self.events()
            if event["event_type"] == AUDIT_TYPE
        ]

    def seqs(self) -> set[int]:
        return {event["seq"] for event in self.events() if event["seq"]}


def open_next(folder: Path, mode: Any = "always") -> Kept:
    """The stream after another process has used the spool and put one event."""
    sink = Kept()
    with Producer(sink=sink, spool=Spool(folder, mode), producer_id="next", epoch=9) as producer:
        producer.put(BEAT(host="web-2", uptime_seconds=1))
    return sink


def test_the_next_process_tells_how_far_a_killed_one_went(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _KILLED, str(tmp_path), "40"]
    killed = subprocess.run(command, check=False, cwd=Path(__file__).parents[3], timeout=60)
    assert killed.returncode == -signal.SIGKILL
    sink = open_next(tmp_path)
    assert sorted(sink.audits()) == [("killed", 7, 40, True), ("next", 9, 1, True)]
    assert sink.seqs() >= set(range(22, 41))
    assert open_next(tmp_path).audits() == [("next", 9, 1, True)]


def test_what_was_delivered_and_deleted_counts_as_well(tmp_path: Path) -> None:
    sink = Kept()
    spool = Spool(tmp_path / "spool", "always", segment_bytes=SEGMENT_BYTES)
    producer = Producer(sink=sink, spool=spool, producer_id="killed", epoch=7)
    for number in range(300):
        producer.put(BEAT(host="web-1", uptime_seconds=number))
    assert producer.flush(30) == 0
    assert spool.used_bytes == SEGMENT_BYTES  # of several segments, all but the last are gone
    shutil.copytree(spool.folder, tmp_path / "killed")
    producer.close()
    assert ("killed", 7, 300, True) in open_next(tmp_path / "killed").audits()
    assert open_next(spool.folder).audits() == [("next", 9, 1, True)]


def test_of_events_that_never_reached_the_disk_nothing_is_reported(tmp_path: Path) -> None:
    sink = Kept()
    sink.is_down = True
    spool = Spool(tmp_path / "spool", "outage")
    producer = Producer(
        sink=sink, spool=spool, when_full="spool", max_buffer_bytes=3_000, producer_id="killed", epoch=7
    )
    producer.put(BEAT(host="web-1", uptime_seconds=0))
    shutil.copytree(spool.folder, tmp_path / "early")
    for number in range(1, 50):
        producer.put(BEAT(host="web-1", uptime_seconds=number))
    shutil.copytree(spool.folder, tmp_path / "late")
    producer.close(0)
    assert open_next(tmp_path / "early", "outage").audits() == [("next", 9, 1, True)]
    assert ("killed", 7, 50, True) in open_next(tmp_path / "late", "outage").audits()


def test_the_end_is_reported_later_when_the_spool_has_no_room_for_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "always", segment_bytes=SEGMENT_BYTES)
    SequenceNote(tmp_path, "killed", 7).note(3)
    spool.close()
    sink = Kept()
    full = Spool(tmp_path, max_bytes=10)
    with Producer(sink=sink, spool=full) as producer:
        producer.put(BEAT(host="web-2", uptime_seconds=1))
    assert all(audit[0] != "killed" for audit in sink.audits())
    assert ("killed", 7, 3, True) in open_next(tmp_path).audits()


def test_a_fork_notes_its_own_sequence_in_its_own_folder(tmp_path: Path) -> None:
    producer = Producer(sink=Kept(), spool=Spool(tmp_path, "always"), producer_id="parent", epoch=7)
    producer.put(BEAT(host="web-1", uptime_seconds=1))
    child = os.fork()
    if child == 0:
        producer.put(BEAT(host="web-1", uptime_seconds=2))
        producer.put(BEAT(host="web-1", uptime_seconds=3))
        os._exit(0)
    os.waitpid(child, 0)
    (note,) = sequence_paths(tmp_path / f"fork-{child}")
    found = read_sequence(note)
    assert found is not None
    assert found.producer_id.startswith("parent-")
    assert found.last_seq == 2
    assert producer.close().pending == 0
    assert not sequence_paths(tmp_path)


def test_a_note_that_is_damaged_never_names_more_than_was_taken(tmp_path: Path) -> None:
    note = SequenceNote(tmp_path, "killed", 7)
    (path,) = sequence_paths(tmp_path)
    assert read_sequence(path) is None
    for seq in (1, 2, 3):
        note.note(seq)
    note.close()
    whole, random = path.read_bytes(), Random(3)
    assert read_sequence(path) == Sequence("killed", 7, 3)
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[random.randrange(len(whole))] ^= 1 << random.randrange(8)
        path.write_bytes(damaged)
        assert read_sequence(path) in (None, Sequence("killed", 7, 2), Sequence("killed", 7, 3))
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert read_sequence(path) is None


def test_a_note_that_cannot_be_made_keeps_no_event_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path, "always")
    with Producer(sink=Kept(), spool=spool) as producer:
        producer.put_json({"first": "makes the segment"}, "key")
        with monkeypatch.context() as patch:
            patch.setattr(os, "posix_fallocate", _no_room)
            for number in range(20):
                producer.put(BEAT(host="web-1", uptime_seconds=number))
        assert producer.flush(30) == 0
    assert sum("cannot be noted" in record.message for record in caplog.records) == 1


def _no_room(*_: int) -> None:
    raise OSError(28, "No space left on device")
