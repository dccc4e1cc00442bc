"""Events on the disk until the stream has them: what survives the process, or an outage longer than
memory.
"""

import fcntl
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from producers.errors import SpoolError, SpoolFullError
from producers.spool.frames import HEADER_BYTES, Frame, frame_bytes
from producers.spool.quarantine import numbers_in_use
from producers.spool.segment import JOURNAL_SUFFIX, OLD_JOURNAL_SUFFIX, SUFFIX, Segment
from producers.spool.sequences import Sequences

SpoolMode = Literal["outage", "always"]
SEGMENT_BYTES = 16 << 20
LOCK = "lock"
_log = logging.getLogger(__name__)


class SpooledEvent(NamedTuple):
    """An event read from the spool. `mark` is what `Spool.acknowledge` knows it by."""

    mark: int
    data: bytes
    key: str
    explicit_hash_key: str | None


@dataclass(frozen=True)
class Damage:
    """What was found to be unreadable. `events` are those that are known to have been there, unsettled."""

    ranges: int = 0
    bytes: int = 0
    events: int = 0

    def __add__(self, other: "Damage") -> "Damage":
        return Damage(self.ranges + other.ranges, self.bytes + other.bytes, self.events + other.events)


class _Cursor:
    """Where reading goes on: segment number, and place in it."""

    def __init__(self, segment: int) -> None:
        self.segment = segment
        self.place = 0


class Spool:
    """A folder of segments, used by one process at a time.

    Modes: `always` writes every event before `put` returns; `outage` writes what memory cannot hold, and
    what is left when the producer closes. Not thread-safe: the outbox calls it under its lock.

    Attributes:
        unread: events that were not read yet.
        sequences: how far producers' sequences went; may be called by any thread.
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
        self._gone = Damage()
        self._complaints: set[int | None] = set()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(self.folder)
            self._segments = {int(path.stem): Segment(path) for path in segment_paths(self.folder)}
            _forget_journals(self.folder)
        except OSError as error:
            raise SpoolError(f"The spool folder {self.folder} cannot be used: {error}.") from error
        self._next = max([*self._segments, *numbers_in_use(self.folder)], default=-1) + 1
        self._current: Segment | None = None
        self.sequences = Sequences(self.folder)
        self.unread = sum(segment.unread for segment in self._segments.values())
        self._cursor = _Cursor(min(self._segments, default=self._next))
        for number, segment in list(self._segments.items()):
            with suppress(OSError):  # tried again before the segment goes
                segment.quarantine()
            if not segment.unsettled:
                self._delete(number)

    @property
    def used_bytes(self) -> int:
        """Bytes on the disk."""
        return sum(segment.capacity for segment in self._segments.values())

    @property
    def damage(self) -> Damage:
        """What could not be read since the folder was opened."""
        return sum((_damage(segment) for segment in self._segments.values()), self._gone)

    def append(self, data: bytes, key: str, explicit_hash_key: str | None, unread: bool) -> int:
        """Writes an event and returns its mark. `unread`: it will be read from here, not kept in memory.

        Raises SpoolFullError. An event that is kept in memory may only be written while nothing is unread.
        """
        encoded, explicit = key.encode(), (explicit_hash_key or "").encode()
        segment = self._current
        size = frame_bytes(data, encoded, explicit)
        if segment is None or not segment.has_room(size):
            segment = self._new_segment(HEADER_BYTES + size)
        number = segment.append(data, encoded, explicit)
        self.sequences.appended += 1
        if unread:
            self.unread += 1
            segment.unread += 1
        else:
            self._cursor.segment, self._cursor.place = self._next - 1, segment.end
        return (self._next - 1) << 32 | number

    def read(self, most: int) -> list[SpooledEvent]:
        """The next unread events, oldest first. Raises SpoolError when none of them can be read."""
        found: list[SpooledEvent] = []
        try:
            while self.unread and len(found) < most and self._cursor.segment < self._next:
                self._read_one(found)
        except (OSError, ValueError, SpoolError) as error:
            if not found:
                raise SpoolError(f"The spool {self.folder} cannot be read: {error}.") from error
        return found

    def _read_one(self, found: list[SpooledEvent]) -> None:
        segment = self._segments.get(self._cursor.segment)
        step = None
        if segment is not None:
            before = segment.unread
            try:
                step = segment.read(self._cursor.place)
            finally:
                self.unread -= before - segment.unread
        if segment is None or step is None:
            if segment is not None and segment is not self._current:
                segment.rest()
                if not segment.unsettled:
                    self._delete(self._cursor.segment)
            self._cursor = _Cursor(self._cursor.segment + 1)
            return
        frame, self._cursor.place = step
        if not segment.is_settled(frame.number):
            self.unread -= 1
            segment.unread -= 1
            found.append(_event(self._cursor.segment, frame))

    def acknowledge(self, marks: Sequence[int]) -> None:
        """These events are settled. A segment whose events all are is deleted.

        Never raises: what a full disk has no room for is written later, or its events are sent twice by the
        next process.
        """
        by_segment: dict[int, list[int]] = {}
        for mark in marks:
            by_segment.setdefault(mark >> 32, []).append(mark & 0xFFFF_FFFF)
        for number, frames in by_segment.items():
            segment = self._segments.get(number)
            if segment is None:
                continue
            try:
                segment.settle(frames)
            except OSError as error:
                self._complain("What is delivered cannot be noted", error)
            if not segment.unsettled and segment is not self._current:
                self._delete(number)

    def _delete(self, number: int) -> None:
        segment = self._segments.pop(number)
        self._gone += _damage(segment)
        try:
            segment.delete()
        except OSError as error:
            segment.close()
            self._complain(f"{segment.path.name} is delivered and cannot be removed", error)

    def _complain(self, what: str, error: OSError) -> None:
        if error.errno not in self._complaints:
            self._complaints.add(error.errno)
            _log.warning("%s in the spool %s: %s.", what, self.folder, error)

    def sync(self) -> None:
        """Makes what is written safe from a power cut. Raises SpoolError."""
        try:
            self.sequences.sync()
            for segment in self._segments.values():
                segment.sync()
                if segment is not self._current:
                    segment.rest()
        except OSError as error:
            raise SpoolError(f"The spool {self.folder} cannot be synced: {error}.") from error

    def close(self) -> None:
        """Syncs and lets go of the folder; what is settled is removed from it. Raises SpoolError."""
        try:
            self.sync()
        finally:
            self._current = None
            for number, segment in list(self._segments.items()):
                if segment.unsettled:
                    segment.close()
                else:
                    self._delete(number)
            self._segments.clear()
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
        segment = self._made(least)
        previous = self._current
        if previous is not None:
            # What waits on the disk must not fill the memory: that is what it is on the disk for.
            previous.rest()
            if not previous.unsettled:
                self._delete(self._next - 1)
        self._segments[self._next] = self._current = segment
        self._next += 1
        return segment

    def _made(self, least: int) -> Segment:
        size = max(self._segment_bytes, least)
        if self.used_bytes + size > self._max_bytes:
            raise SpoolFullError(
                f"The spool {self.folder} holds {self.used_bytes:,} bytes, "
                f"and its limit is {self._max_bytes:,}."
            )
        path = self.folder / f"{self._next:012d}{SUFFIX}"
        try:
            try:
                segment = Segment(path, size)
            except SpoolFullError:
                # The last bit of a disk is used as well.
                segment = Segment(path, max(size // 16, least))
            _sync_folder(self.folder)
        except OSError as error:
            raise SpoolFullError(f"No segment can be made in {self.folder}: {error}.") from error
        return segment


def segment_paths(folder: Path) -> list[Path]:
    """The segments in a folder, oldest first."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdigit())


def _damage(segment: Segment) -> Damage:
    lengths = [length for _, length in segment.damaged]
    return Damage(len(lengths), sum(lengths), segment.lost)


def _forget_journals(folder: Path) -> None:
    """Journals of segments that are gone: a process died between removing the one and the other."""
    for suffix in (JOURNAL_SUFFIX, OLD_JOURNAL_SUFFIX):
        for path in folder.glob(f"*{suffix}"):
            if path.stem.isdigit() and not path.with_suffix(SUFFIX).exists():
                path.unlink()


def _event(segment: int, frame: Frame) -> SpooledEvent:
    return SpooledEvent(segment << 32 | frame.number, frame.data, frame.key, frame.explicit_hash_key)


def _locked(folder: Path) -> int:
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
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
