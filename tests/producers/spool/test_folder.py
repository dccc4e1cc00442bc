"""The spool: what is written comes back, whatever happened to the file's end, the disk or the process."""

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.errors import SpoolError, SpoolFullError
from producers.spool.folder import Spool
from producers.spool.survey import spool_folders, survey

SMALL = 1 << 14


def spooled(folder: Path, count: int, segment_bytes: int = SMALL) -> list[int]:
    """Writes numbered events, and lets go of the files as a process that dies does."""
    spool = Spool(folder, "always", segment_bytes=segment_bytes)
    marks = [
        spool.append(b"%d" % number + b"x" * 100, f"key-{number}", None, unread=True)
        for number in range(count)
    ]
    for segment in spool._segments.values():
        segment.close()
    os.close(spool._lock)
    return marks


def numbers(spool: Spool) -> list[int]:
    return [int(event.data.rstrip(b"x")) for event in spool.read(1_000_000)]


def test_events_of_a_dead_process_come_back_in_order(tmp_path: Path) -> None:
    spooled(tmp_path, 500)
    spool = Spool(tmp_path)
    assert spool.unread == 500
    assert numbers(spool) == list(range(500))
    assert spool.unread == 0


def test_keys_and_explicit_hash_keys_come_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append(b"", "ключ", "12", unread=True)
    spool.close()
    (event,) = Spool(tmp_path).read(10)
    assert (event.data, event.key, event.explicit_hash_key) == (b"", "ключ", "12")


def test_settled_events_do_not_come_back_and_full_segments_go(tmp_path: Path) -> None:
    spooled(tmp_path, 500)
    spool = Spool(tmp_path)
    events = spool.read(1_000)
    spool.acknowledge([event.mark for event in events[:300]])
    spool.close()
    again = Spool(tmp_path)
    assert numbers(again) == list(range(300, 500))
    again.acknowledge([event.mark for event in events[300:]])
    again.close()
    assert list(tmp_path.glob("*.spool")) == []


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 3_000), tail=st.binary(max_size=64))
def test_a_torn_tail_costs_only_what_was_torn(
    tmp_path_factory: pytest.TempPathFactory, cut: int, tail: bytes
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spooled(folder, 20)
    (path,) = folder.glob("*.spool")
    content = path.read_bytes()
    path.write_bytes(content[:cut] + tail)
    found = numbers(Spool(folder))
    assert found == list(range(len(found)))


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 2_300), flip=st.integers(1, 255))
def test_a_flipped_bit_is_never_read_as_an_event(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spooled(folder, 20)
    (path,) = folder.glob("*.spool")
    content = bytearray(path.read_bytes())
    content[place] ^= flip
    path.write_bytes(content)
    assert set(numbers(Spool(folder))) <= set(range(20))


def test_a_torn_journal_of_settled_events_is_not_a_matter(tmp_path: Path) -> None:
    spooled(tmp_path, 5)
    spool = Spool(tmp_path)
    spool.acknowledge([event.mark for event in spool.read(2)])
    spool.close()
    (journal,) = tmp_path.glob("*.acks")
    journal.write_bytes(journal.read_bytes() + b"\x01\x02")
    assert numbers(Spool(tmp_path)) == [2, 3, 4]


def test_the_limit_is_reported_before_it_is_passed(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=SMALL, segment_bytes=SMALL)
    with pytest.raises(SpoolFullError, match="its limit is 16,384"):
        for _ in range(200):
            spool.append(b"x" * 1_000, "key", None, unread=True)
    assert spool.used_bytes <= SMALL


def test_a_full_disk_is_reported_and_leaves_no_half_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    spool = Spool(tmp_path)
    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with pytest.raises(SpoolFullError, match="No space left"):
        spool.append(b"x", "key", None, unread=True)
    assert list(tmp_path.glob("*.spool")) == []
    monkeypatch.undo()
    spool.append(b"x", "key", None, unread=True)
    assert spool.unread == 1


def test_a_folder_has_one_user(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(SpoolError, match="used by another process"):
        Spool(tmp_path)
    spool.close()
    assert survey(tmp_path).events == 0


def test_folders_of_forked_processes_are_found(tmp_path: Path) -> None:
    (tmp_path / "fork-12").mkdir()
    assert spool_folders(tmp_path) == [tmp_path, tmp_path / "fork-12"]
