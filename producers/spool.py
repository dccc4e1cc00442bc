"""Events on the disk until the stream has them: what survives the process, or an outage longer than
memory.
"""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from producers.errors import SpoolError, SpoolFullError
from producers.spool_segment import Frame, Segment, frame_bytes

SpoolMode = Literal["outage", "always"]
SEGMENT_BYTES = 16 << 20
_SUFFIX = ".spool"


class SpooledEvent(NamedTuple):
    """An event read from the spool. `mark` is what `Spool.acknowledge` knows it by."""

    mark: int
    data: bytes
    key: str
    explicit_hash_key: str | None


class _Cursor:
    """Where reading goes on: segment number, place in it, frames before it."""

    def __init__(self, segment: int) -> None:
        self.segment = segment
        self.place = 0
        self.number = 0


class Spool:
    """A folder of segments, used by one process at a time.

    Modes: `always` writes every event before `put` returns; `outage` writes what memory cannot hold, and
    what is left when the producer closes. Not thread-safe: the outbox calls it under its lock.
    """

    def __init__(
        self,
        folder: str | Path,
        mode: SpoolMode = "outage",
        max_bytes: int = 1 << 30,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Opens the folder and finds what an earlier process left. Raises SpoolError."""
        self.folder = Path(folder)
        self.mode: SpoolMode = mode
        self._max_bytes = max_bytes
        self._segment_bytes = min(segment_bytes, max_bytes)
        self._open()

    def _open(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.folder)
            self._segments = {
                int(path.stem): Segment(path, 0)
                for path in sorted(self.folder.glob(f"*{_SUFFIX}"))
                if path.stem.isdigit()
            }
        except OSError as error:
            raise SpoolError(f"The spool folder {self.folder} cannot be used: {error}.") from error
        for number in [number for number, segment in self._segments.items() if not segment.unsettled]:
            self._segments.pop(number).delete()
        self._next = max(self._segments, default=-1) + 1
        self._current: Segment | None = None
        self.unread = sum(segment.unsettled for segment in self._segments.values())
        self._cursor = _Cursor(min(self._segments, default=self._next))

    @property
    def used_bytes(self) -> int:
        """Bytes on the disk."""
        return sum(segment.capacity for segment in self._segments.values())

    def append(self, data: bytes, key: str, explicit_hash_key: str | None, unread: bool) -> int:
        """Writes an event and returns its mark. `unread`: it will be read from here, not kept in memory.

        Raises SpoolFullError. An event that is kept in memory may only be written while nothing is unread.
        """
        encoded, explicit = key.encode(), (explicit_hash_key or "").encode()
        segment = self._current
        size = frame_bytes(data, encoded, explicit)
        if segment is None or not segment.has_room(size):
            segment = self._new_segment(size)
        number = segment.append(data, encoded, explicit)
        if unread:
            self.unread += 1
        else:
            self._cursor.segment = self._next - 1
            self._cursor.place, self._cursor.number = segment.end, segment.frames
        return (self._next - 1) << 32 | number

    def read(self, most: int) -> list[SpooledEvent]:
        """The next unread events, oldest first."""
        found: list[SpooledEvent] = []
        while self.unread and len(found) < most:
            segment = self._segments.get(self._cursor.segment)
            step = None if segment is None else segment.read(self._cursor.place, self._cursor.number)
            if segment is None or step is None:
                if self._cursor.segment >= self._next:
                    break
                if segment is not None and segment is not self._current:
                    segment.rest()
                self._cursor = _Cursor(self._cursor.segment + 1)
                continue
            frame, self._cursor.place = step
            self._cursor.number += 1
            if not segment.is_settled(frame.number):
                self.unread -= 1
                found.append(_event(self._cursor.segment, frame))
        return found

    def acknowledge(self, marks: Sequence[int]) -> None:
        """These events are settled. A segment whose events all are is deleted."""
        by_segment: dict[int, list[int]] = {}
        for mark in marks:
            by_segment.setdefault(mark >> 32, []).append(mark & 0xFFFF_FFFF)
        for number, frames in by_segment.items():
            segment = self._segments.get(number)
            if segment is None:
                continue
            segment.settle(frames)
            if not segment.unsettled and segment is not self._current:
                self._segments.pop(number).delete()

    def sync(self) -> None:
        """Makes what is written safe from a power cut."""
        for segment in self._segments.values():
            segment.sync()
            if segment is not self._current:
                segment.rest()

    def close(self) -> None:
        """Syncs and lets go of the folder; what is settled is removed from it."""
        self.sync()
        for segment in self._segments.values():
            if segment.unsettled:
                segment.close()
            else:
                segment.delete()
        self._segments.clear()
        self._current = None
        os.close(self._lock)

    def in_child(self) -> None:
        """After a fork: this process leaves the folder to its parent and uses one of its own below it."""
        # The lock belongs to the open file, which the parent shares; closing the copy here leaves it locked.
        for segment in self._segments.values():
            segment.close()
        os.close(self._lock)
        self.folder = self.folder / f"fork-{os.getpid()}"
        self._open()

    def _new_segment(self, least: int) -> Segment:
        size = max(self._segment_bytes, least)
        if self.used_bytes + size > self._max_bytes:
            raise SpoolFullError(
                f"The spool {self.folder} holds {self.used_bytes:,} bytes, "
                f"and its limit is {self._max_bytes:,}."
            )
        try:
            segment = Segment(self.folder / f"{self._next:012d}{_SUFFIX}", size)
        except OSError as error:
            raise SpoolFullError(f"No segment can be made in {self.folder}: {error}.") from error
        _sync_folder(self.folder)
        previous = self._current
        if previous is not None:
            # What waits on the disk must not fill the memory: that is what it is on the disk for.
            previous.rest()
            if not previous.unsettled:
                self._segments.pop(self._next - 1).delete()
        self._segments[self._next] = self._current = segment
        self._next += 1
        return segment


def spool_folders(folder: Path) -> list[Path]:
    """The folder itself, and those that forked processes left below it."""
    return [folder, *sorted(path for path in folder.glob("**/fork-*") if path.is_dir())]


def waiting(folder: Path) -> int:
    """How many events lie in a spool folder. Raises SpoolError while a producer uses it."""
    spool = Spool(folder)
    count = spool.unread
    spool.close()
    return count


def _event(segment: int, frame: Frame) -> SpooledEvent:
    return SpooledEvent(segment << 32 | frame.number, frame.data, frame.key, frame.explicit_hash_key)


def _locked(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise SpoolError(
            f"The spool folder {folder} is used by another process. Give each its own."
        ) from error
    return lock


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
