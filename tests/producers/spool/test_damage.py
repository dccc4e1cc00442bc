"""What a damaged spool still gives, what it counts, and what it keeps."""

import json
import logging
import os
from pathlib import Path
from zlib import crc32

import pytest

from benchmarks import producer_damage
from producers.spool.folder import Spool
from producers.spool.frames import HEADER_BYTES, frame_bytes
from producers.spool.survey import survey

FRAME = frame_bytes(b"0" * 10, b"key", b"")


def spooled(folder: Path, count: int) -> Path:
    """A segment of events of the same length, as a process that dies leaves it."""
    spool = Spool(folder, "always", segment_bytes=1 << 14)
    for number in range(count):
        spool.append(b"%010d" % number, "key", None, unread=True)
    for segment in spool._segments.values():
        segment.close()
    os.close(spool._lock)
    return folder / "000000000000.spool"


def numbers(spool: Spool) -> list[int]:
    return [int(event.data) for event in spool.read(1_000)]


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_damaged_spools_give_every_readable_event_once_and_keep_every_other_byte(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    found = producer_damage.damage_runs(60, seed=3, folder=tmp_path)
    assert found.unreadable > 0
    assert found.is_sound, found


def test_one_bit_costs_one_event_and_the_bytes_are_kept(tmp_path: Path) -> None:
    path = spooled(tmp_path, 10)
    flip(path, HEADER_BYTES + 4 * FRAME + 20)
    spool = Spool(tmp_path)
    assert (spool.unread, spool.damage.ranges, spool.damage.bytes, spool.damage.events) == (9, 1, FRAME, 1)
    events = spool.read(100)
    assert [int(event.data) for event in events] == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    spool.acknowledge([event.mark for event in events])
    spool.close()
    assert not path.exists()
    (kept,) = tmp_path.glob("*.damaged")
    (line,) = map(json.loads, kept.read_text().splitlines())
    assert (line["segment"], line["start"], line["length"]) == (path.name, HEADER_BYTES + 4 * FRAME, FRAME)
    assert survey(tmp_path).quarantined == 1


def test_damage_while_the_spool_is_in_use_is_found_when_it_is_read(tmp_path: Path) -> None:
    spool = Spool(tmp_path, segment_bytes=1 << 14)
    for number in range(10):
        spool.append(b"%010d" % number, "key", None, unread=True)
    flip(tmp_path / "000000000000.spool", HEADER_BYTES + 5 * FRAME + 30)
    assert numbers(spool) == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert (spool.unread, spool.damage.events) == (0, 1)
    spool.close()
    assert survey(tmp_path).events == 9


def test_zeros_at_the_end_are_missed_by_number(tmp_path: Path) -> None:
    path = spooled(tmp_path, 10)
    content = path.read_bytes()
    place = HEADER_BYTES + 7 * FRAME
    path.write_bytes(content[:place] + bytes(len(content) - place))
    spool = Spool(tmp_path)
    assert (numbers(spool), spool.damage.events) == (list(range(7)), 3)


def test_a_write_that_was_never_over_is_not_a_damage(tmp_path: Path) -> None:
    path = spooled(tmp_path, 3)
    content = bytearray(path.read_bytes())
    place = HEADER_BYTES + 3 * FRAME + 12
    content[place : place + 5] = b"begun"
    path.write_bytes(content)
    spool = Spool(tmp_path)
    assert (numbers(spool), spool.damage.ranges) == ([0, 1, 2], 0)


def test_an_empty_file_in_the_folder_ends_nothing(tmp_path: Path) -> None:
    spooled(tmp_path, 3)
    (tmp_path / "000000000007.spool").touch()
    spool = Spool(tmp_path)
    assert (numbers(spool), spool.damage.ranges) == ([0, 1, 2], 1)


def test_segments_of_earlier_versions_are_read_and_what_they_settled_stays_settled(tmp_path: Path) -> None:
    content = b""
    for number in range(6):
        rest = b"\x03\0\0key%010d" % number
        content += len(rest).to_bytes(4, "little") + crc32(rest).to_bytes(4, "little") + rest
    (tmp_path / "000000000003.spool").write_bytes(content + bytes(500))
    (tmp_path / "000000000003.done").write_bytes((1).to_bytes(4, "little") + (5).to_bytes(4, "little"))
    assert survey(tmp_path).events == 4
    spool = Spool(tmp_path)
    events = spool.read(100)
    assert [(int(event.data), event.key) for event in events] == [(n, "key") for n in (0, 2, 3, 4)]
    spool.acknowledge([event.mark for event in events[:2]])
    spool.close()
    again = Spool(tmp_path)
    assert numbers(again) == [3, 4]


def test_the_journal_of_a_segment_that_is_gone_settles_nothing_of_a_new_one(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.append(b"1", "key", None, unread=True)
    first.append(b"2", "key", None, unread=True)
    first.acknowledge([first.read(1)[0].mark])
    first.close()
    (tmp_path / "000000000000.spool").unlink()
    second = Spool(tmp_path)
    second.append(b"3", "key", None, unread=True)
    second.close()
    assert numbers(Spool(tmp_path)) == [3]
