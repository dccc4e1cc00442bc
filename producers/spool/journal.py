"""Which frames of a segment are settled, on the disk.

Blocks of numbers, each with a mark and a checksum: a number that is not settled must never be taken for one
that is. A block that is lost means that its events are sent twice, never that one is lost.
"""

import os
import struct
from pathlib import Path
from zlib import crc32

_MARK = b"ACK\xf7"
_HEAD = struct.Struct("<4sII")  # mark, count, CRC-32 of the numbers
_OLD_NUMBER = struct.Struct("<I")


class Journal:
    """See the module. Not synced: see there what a lost block costs."""

    def __init__(self, path: Path, segment: int) -> None:
        """Nothing is opened, and nothing made, before the first note."""
        self._path = path
        self._segment = segment
        self._file: int | None = None
        self._end = 0
        self._unwritten: list[int] = []

    def note(self, numbers: list[int]) -> None:
        """Writes numbers. Raises OSError; they are kept, and written with the next."""
        self._unwritten += numbers
        if not self._unwritten:
            return
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            self._end = os.fstat(self._file).st_size
        block = struct.pack(f"<{len(self._unwritten)}I", *self._unwritten)
        block = _HEAD.pack(_MARK, len(self._unwritten), _checksum(block, self._segment)) + block
        # A full disk may take a part of it: the next block is written over that part.
        if os.pwrite(self._file, block, self._end) == len(block):
            self._end += len(block)
            self._unwritten.clear()

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def delete(self) -> None:
        """Removes the file."""
        self.close()
        self._path.unlink(missing_ok=True)


def read_journal(path: Path, segment: int) -> set[int]:
    """Every number in a block whose checksum holds; none when there is no file."""
    content = _content(path)
    found: set[int] = set()
    place = content.find(_MARK)
    while place >= 0:
        start = place + _HEAD.size
        if start <= len(content):
            _, count, checksum = _HEAD.unpack_from(content, place)
            block = content[start : start + 4 * count]
            if len(block) == 4 * count and _checksum(block, segment) == checksum:
                found.update(struct.unpack(f"<{count}I", block))
                place = content.find(_MARK, start + len(block))
                continue
        place = content.find(_MARK, place + 1)
    return found


def read_old_journal(path: Path) -> set[int]:
    """The journal of earlier versions: numbers and nothing else."""
    content = _content(path)
    whole = len(content) - len(content) % _OLD_NUMBER.size
    return {number for (number,) in _OLD_NUMBER.iter_unpack(content[:whole])}


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _checksum(block: bytes, segment: int) -> int:
    return crc32(block, segment & 0xFFFF_FFFF)
