"""One segment of the spool: a file of checksummed frames that only grows, and a journal of what is settled.

The file has its full size from the beginning and is written through a memory map: a frame is in the page
cache, safe from the death of the process, once `append` returns. Only `sync` makes it safe from a power cut.

Frame: length of the rest (4 bytes), CRC-32 of the rest (4), length of the key (2), of the explicit hash
key (1),
key, hash key, data. A length of 0 ends the segment: the CRC of nothing is 0, so zeros would look like frames.
"""

import mmap
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from producers.errors import SpoolFullError

_HEAD = struct.Struct("<IIHB")
_PREFIX = 8  # length and checksum, which the checksum does not cover
_NUMBER = struct.Struct("<I")


class Frame(NamedTuple):
    """One event in the spool. `number` counts the frames of its segment from 0."""

    number: int
    data: bytes
    key: str
    explicit_hash_key: str | None


def frame_bytes(data: bytes, key: bytes, explicit: bytes) -> int:
    """How much room an event takes."""
    return _HEAD.size + len(key) + len(explicit) + len(data)


class Segment:
    """See the module. Not thread-safe: its spool's owner holds a lock."""

    def __init__(self, path: Path, capacity: int) -> None:
        """Opens the segment at `path`, or makes one of `capacity` bytes. Raises SpoolFullError, OSError."""
        self.path = path
        self._journal_path = path.with_suffix(".done")
        is_new = not path.exists()
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if is_new:
                _reserve(file, path, capacity)
            self.capacity = os.fstat(file).st_size
        finally:
            os.close(file)
        self._map: mmap.mmap | None = None
        self._is_synced = True
        self._journal = os.open(self._journal_path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._settled = set(_read_numbers(self._journal))
        self.end = 0
        self.frames = 0
        if not is_new:
            self._find_end()
            self.rest()

    @property
    def unsettled(self) -> int:
        """Frames that are not known to be settled."""
        return self.frames - len(self._settled)

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
        rest = _HEAD.pack(0, 0, len(key), len(explicit))[_PREFIX:] + key + explicit + data
        start = self.end
        body = start + _PREFIX
        # The head last: a process that dies in between leaves a length of 0, which ends the segment.
        content[body : body + len(rest)] = rest
        struct.pack_into("<II", content, start, len(rest), crc32(rest))
        self.end = body + len(rest)
        self.frames += 1
        return self.frames - 1

    def read(self, place: int, number: int) -> tuple[Frame, int] | None:
        """The frame that stands at `place` and where the next one stands; None at the end."""
        if place >= self.end:
            return None
        rest = self._rest(place)
        if rest is None:
            return None
        key_size, explicit_size = struct.unpack_from("<HB", rest)
        key_end = 3 + key_size
        data_at = key_end + explicit_size
        explicit = rest[key_end:data_at].decode() or None
        frame = Frame(number, rest[data_at:], rest[3:key_end].decode(), explicit)
        return frame, place + _PREFIX + len(rest)

    def settle(self, numbers: Iterable[int]) -> None:
        """Notes frames as done with, so that they are not sent again after a restart."""
        fresh = [number for number in numbers if number not in self._settled]
        self._settled.update(fresh)
        # Not synced: a lost note means that an event is sent twice, never that it is lost.
        os.write(self._journal, struct.pack(f"<{len(fresh)}I", *fresh))

    def sync(self) -> None:
        """Puts everything on the disk."""
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
        os.close(self._journal)

    def delete(self) -> None:
        """Removes the files."""
        self.close()
        self.path.unlink(missing_ok=True)
        self._journal_path.unlink(missing_ok=True)

    def _find_end(self) -> None:
        """Stops at the first frame that is short or wrong; what is behind it was never acknowledged to
        anybody.
        """
        while (rest := self._rest(self.end)) is not None:
            self.end += _PREFIX + len(rest)
            self.frames += 1
        self._settled = {number for number in self._settled if number < self.frames}

    def _rest(self, place: int) -> bytes | None:
        if place + _HEAD.size > self.capacity:
            return None
        content = self._mapped()
        length, checksum = struct.unpack_from("<II", content, place)
        body = place + _PREFIX
        if length < 3 or body + length > self.capacity:
            return None
        rest = content[body : body + length]
        key_size, explicit_size = struct.unpack_from("<HB", rest)
        return rest if crc32(rest) == checksum and 3 + key_size + explicit_size <= length else None

    def _mapped(self) -> mmap.mmap:
        if self._map is None:
            file = os.open(self.path, os.O_RDWR)
            try:
                self._map = mmap.mmap(file, self.capacity)
            finally:
                os.close(file)
        return self._map


def _reserve(file: int, path: Path, capacity: int) -> None:
    try:
        # Blocks, not only a length: writing to a map whose blocks the disk cannot give kills the process.
        os.posix_fallocate(file, 0, capacity)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SpoolFullError(f"No room for {capacity:,} bytes at {path.parent}: {error.strerror}.") from error


def _read_numbers(journal: int) -> Iterator[int]:
    content = os.pread(journal, os.fstat(journal).st_size, 0)
    whole = len(content) - len(content) % _NUMBER.size
    return (number for (number,) in _NUMBER.iter_unpack(content[:whole]))
