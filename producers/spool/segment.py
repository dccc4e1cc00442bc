"""One segment of the spool: a file of checksummed frames that only grows, and a journal of what is settled.

The file has its full size from the beginning and is written through a memory map: a frame is in the page
cache, safe from the death of the process, once `append` returns. Only `sync` makes it safe from a power cut.
"""

import mmap
import os
from collections.abc import Iterable
from pathlib import Path

from producers.errors import SpoolError, SpoolFullError
from producers.spool.frames import (
    HEADER_BYTES,
    Frame,
    Scan,
    begin,
    frame_at,
    framed_body,
    number_of,
    scan,
    span_at,
    write_frame,
    write_header,
)
from producers.spool.journal import Journal, read_journal, read_old_journal
from producers.spool.quarantine import quarantine

SUFFIX, JOURNAL_SUFFIX, OLD_JOURNAL_SUFFIX = ".spool", ".acks", ".done"


class Segment:
    """See the module. Not thread-safe: its spool's owner holds a lock.

    Attributes:
        capacity: bytes of the file.
        unsettled: events that are not known to be settled.
        unread: of those, what was not read since the segment was opened.
        end, frames: where the next frame goes, and its number.
        damaged, lost: as in `producers.spool.frames.Scan`.
    """

    def __init__(self, path: Path, capacity: int | None = None) -> None:
        """Opens the segment at `path`, or makes one of `capacity` bytes. Raises SpoolFullError, OSError."""
        self.path = path
        self._number = int(path.stem)
        self._map: mmap.mmap | None = None
        self._is_synced = True
        self._journal = Journal(path.with_suffix(JOURNAL_SUFFIX), self._number)
        self._is_quarantined = False
        self.unsettled = self.unread = self.frames = self.lost = 0
        self._begin = self.end = HEADER_BYTES
        self.damaged: list[tuple[int, int]] = []
        self._skips: dict[int, int] = {}
        self._by_place: set[int] = set()
        self._settled: set[int] = set()
        if capacity is None:
            self.capacity = path.stat().st_size
            self._open()
        else:
            self.capacity = capacity
            self._make()

    def _open(self) -> None:
        self._settled, found = scan_file(self.path)
        self._use(found)
        self.unsettled = self.unread = found.waiting
        self.lost = found.lost

    def _make(self) -> None:
        for suffix in (JOURNAL_SUFFIX, OLD_JOURNAL_SUFFIX):  # of a segment with this number that is gone
            self.path.with_suffix(suffix).unlink(missing_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # Blocks, not only a length: writing to a map whose blocks the disk cannot give kills the process.
            os.posix_fallocate(file, 0, self.capacity)
            begin(self._mapped())
        except OSError as error:
            self.rest()
            self.path.unlink(missing_ok=True)
            raise SpoolFullError(
                f"No room for {self.capacity:,} bytes at {self.path.parent}: {error.strerror}."
            ) from error
        finally:
            os.close(file)

    def _use(self, found: Scan) -> None:
        self._begin, self.end = found.begin, found.end
        self._skips, self._by_place = found.skips, found.by_place
        self._is_quarantined = found.damaged == self.damaged
        self.damaged = found.damaged

    def is_settled(self, number: int) -> bool:
        """Whether the frame of this number is done with."""
        return number in self._settled

    def has_room(self, size: int) -> bool:
        """Whether a frame of this size fits."""
        return self.end + size <= self.capacity

    def append(self, data: bytes, key: bytes, explicit: bytes) -> int:
        """Writes a frame and returns its number. There must be room."""
        content = self._mapped()
        self._is_synced = False
        number = self.frames
        self.end = write_frame(content, self.end, framed_body(self._number, number, data, key, explicit))
        self.frames = number + 1
        write_header(content, self.end, self.frames)
        self.unsettled += 1
        return number

    def read(self, place: int) -> tuple[Frame, int] | None:
        """The frame that stands at `place` or behind it, and where to go on; None at the end.

        Raises SpoolError when the file cannot be read.
        """
        place = max(place, self._begin)
        while place < self.end:
            if place in self._skips:
                place = self._skips[place]
                continue
            content = self._mapped()
            span = span_at(content, place, self.capacity)
            if span is not None:
                return frame_at(content, span, number_of(span, self._number, self._by_place)), span.end
            place = self._look_again(place)
        return None

    def _look_again(self, place: int) -> int:
        """What was readable is not any more: finds what is left from there on; returns where to go on."""
        self.rest()
        found = scan(self._mapped(), self.capacity, self._number, self._settled, set(), since=place)
        self._use(found)
        lost = self.unread - found.waiting
        self.unread -= lost
        self.unsettled -= lost
        self.lost += lost
        ends = [end for start, end in found.skips.items() if start <= place < end]
        if not ends:
            raise SpoolError(
                f"{self.path} cannot be read at {place:,}, and looks whole. It is left as it is."
            )
        return ends[0]

    def settle(self, numbers: Iterable[int]) -> None:
        """Notes frames as done with, so that they are not sent again after a restart.

        Raises OSError when that could not be written; it is then written with the next ones.
        """
        fresh = [number for number in numbers if number not in self._settled]
        self._settled.update(fresh)
        self.unsettled -= len(fresh)
        self._journal.note(fresh)

    def sync(self) -> None:
        """Puts everything on the disk. Raises OSError."""
        if not self._is_synced:
            self._mapped().flush()
            self._is_synced = True

    def rest(self) -> None:
        """Takes the content out of the process's memory, until somebody needs it."""
        if self._map is not None:
            self._map.close()
            self._map = None

    def close(self) -> None:
        """Lets go of the files."""
        self.rest()
        self._journal.close()

    def quarantine(self) -> None:
        """Copies what cannot be read into a file beside this one. Raises OSError."""
        if self.damaged and not self._is_quarantined:
            quarantine(self.path, self.damaged)
            self._is_quarantined = True

    def delete(self) -> None:
        """Removes the files, once everything that cannot be read is quarantined. Raises OSError."""
        self.quarantine()
        self.close()
        self.path.unlink(missing_ok=True)
        self._journal.delete()
        self.path.with_suffix(OLD_JOURNAL_SUFFIX).unlink(missing_ok=True)

    def _mapped(self) -> mmap.mmap:
        if self._map is None:
            file = os.open(self.path, os.O_RDWR)
            try:
                self._map = mmap.mmap(file, self.capacity)
            finally:
                os.close(file)
        return self._map


def scan_file(path: Path) -> tuple[set[int], Scan]:
    """(numbers of settled frames, what the segment holds). Only reads. Raises OSError."""
    number = int(path.stem)
    settled = read_journal(path.with_suffix(JOURNAL_SUFFIX), number)
    old_settled = read_old_journal(path.with_suffix(OLD_JOURNAL_SUFFIX))
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            return settled, Scan(damaged=[(0, 0)], skips={})
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as content:
            return settled, scan(content, size, number, settled, old_settled)
