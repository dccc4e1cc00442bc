"""How far one producer's sequence went into a spool, on the disk.

A note of its own beside the segments, because those are deleted when they are delivered. It is written
through a memory map: like the events, it survives the process. Whoever opens the folder next reports it to
the stream. An event that was written and not yet noted was not accepted either: its `put` had not returned.
"""

import mmap
import os
import struct
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

SEQUENCE_SUFFIX = ".sequence"
_MARK = b"PNSEQ\xf71\n"
_HEAD = struct.Struct("<8sQHI")  # mark, epoch, length of the producer id, CRC-32 of epoch and id
_SLOT = struct.Struct("<QQ")  # the number, and its complement
_MASK = (1 << 64) - 1


class Sequence(NamedTuple):
    """A producer's sequence, and the last place in it that is known to be taken."""

    producer_id: str
    epoch: int
    last_seq: int


class SequenceNote:
    """See the module. Not thread-safe: the producer holds a lock."""

    def __init__(self, folder: Path, producer_id: str, epoch: int) -> None:
        """Makes the file. Raises OSError."""
        name = producer_id.encode()
        head = _HEAD.pack(_MARK, epoch, len(name), _checksum(epoch, name)) + name
        numbers = (int(path.stem) for path in sequence_paths(folder))
        self._path = folder / f"{max(numbers, default=-1) + 1:06d}{SEQUENCE_SUFFIX}"
        self._begin = len(head)
        self._turn = 0
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            size = self._begin + 2 * _SLOT.size
            # Blocks, not only a length: writing to a map whose blocks the disk cannot give kills the process.
            os.posix_fallocate(file, 0, size)
            self._map = mmap.mmap(file, size)
        except OSError:
            self._path.unlink()
            raise
        finally:
            os.close(file)
        self._map[: self._begin] = head

    def note(self, last_seq: int) -> None:
        """The sequence went so far."""
        # By turns: a process that is killed while it writes the one leaves the other whole.
        self._turn ^= _SLOT.size
        _SLOT.pack_into(self._map, self._begin + self._turn, last_seq, last_seq ^ _MASK)

    def sync(self) -> None:
        """Makes it safe from a power cut. Raises OSError."""
        self._map.flush()

    def close(self) -> None:
        """Lets go of the file, which stays for the next process."""
        self._map.close()

    def delete(self) -> None:
        """Removes the file: the stream knows how far the sequence went. Raises OSError."""
        self.close()
        self._path.unlink(missing_ok=True)


def sequence_paths(folder: Path) -> list[Path]:
    """The notes in a folder, oldest first."""
    return sorted(path for path in folder.glob(f"*{SEQUENCE_SUFFIX}") if path.stem.isdigit())


def read_sequence(path: Path) -> Sequence | None:
    """What a note says; None when it cannot be read, or was never written. Raises OSError."""
    content = path.read_bytes()
    if len(content) < _HEAD.size:
        return None
    mark, epoch, length, checksum = _HEAD.unpack_from(content)
    name, slots = content[_HEAD.size : _HEAD.size + length], content[_HEAD.size + length :]
    if mark != _MARK or len(slots) != 2 * _SLOT.size or _checksum(epoch, name) != checksum:
        return None
    last = max((value for value, check in _SLOT.iter_unpack(slots) if value ^ check == _MASK), default=0)
    return Sequence(name.decode(), epoch, last) if last else None


def _checksum(epoch: int, name: bytes) -> int:
    return crc32(name, crc32(epoch.to_bytes(8, "little")))
