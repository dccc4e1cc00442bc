"""The records of MiniStack's streams, in files that are appended to: what is acknowledged is in them.

So records outlive the sudden end of the process, and memory holds where they lie instead of what they are.
A write is not waited for until the disk has it: that guards against the end of the machine, not of a process,
and nothing here is worth more than a laptop's disk gives anyway.
"""

import base64
import itertools
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import zstandard

SEGMENT_BYTES = 64 * 1024 * 1024
_MARK = b"\xf5PsR"
_FRAME = struct.Struct("<4sIII")
"""Mark, checksum of what follows, length of the head, length of the data."""
_LEVEL = 1


class Head(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is known of one record beside its data."""

    account: str
    region: str
    stream: str
    shard: str
    sequence: str
    partition_key: str
    arrived: float
    is_text: bool
    """Whether the data is kept as the base64 text that came; otherwise it is bytes, compressed."""


class Segment:
    """One file of records."""

    __slots__ = ("file", "newest", "number", "path", "size")

    def __init__(self, path: Path, size: int = 0) -> None:
        self.path, self.size, self.newest = path, size, 0.0
        self.file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self.number = next(_numbers)
        _files[self.number] = self.file

    def delete(self) -> None:
        """Delete the file, and with it the records in it."""
        del _files[self.number]
        os.close(self.file)
        self.path.unlink(missing_ok=True)


class Stored(bytes):
    """Data that lies in the log: these few bytes say where. MiniStack takes bytes or text only."""

    __slots__ = ()

    @classmethod
    def at(cls, segment: Segment, offset: int, length: int, *, is_text: bool) -> "Stored":
        """The data at that place."""
        return cls(_PLACE.pack(segment.number, offset, length, is_text))

    def base64(self) -> bytes:
        """The record's data in base64, read from the log."""
        number, offset, length, is_text = _PLACE.unpack(self)
        data = os.pread(_files[number], length, offset)
        return data if is_text else base64.b64encode(zstandard.decompress(data))


_PLACE = struct.Struct("<IQI?")
PLACE_BYTES = _PLACE.size
_numbers = itertools.count()
_files: dict[int, int] = {}
"""File descriptor of each segment of this process, by its number."""


class StreamLog:
    """The log in one folder. Not for use from several threads."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder, self._most = folder, segment_bytes
        self._segments: list[Segment] = []
        self._open: Segment | None = None
        self.unreadable_bytes = 0

    def append(self, entries: Sequence[tuple[Head, bytes]]) -> list[Stored]:
        """Keep these, all or none. Raises OSError, for example when the disk is full."""
        segment = self._segment()
        parts, stored, at = [], [], segment.size
        for head, data in entries:
            body = data if head.is_text else zstandard.compress(data, _LEVEL)
            written = _ENCODER.encode(head)
            checksum = zlib.crc32(body, zlib.crc32(written))
            parts += [_FRAME.pack(_MARK, checksum, len(written), len(body)), written, body]
            at += _FRAME.size + len(written)
            stored.append(Stored.at(segment, at, len(body), is_text=head.is_text))
            at += len(body)
        try:
            _write_all(segment.file, b"".join(parts), segment.size)
        except OSError:
            self._open = None  # what follows goes into another file
            os.ftruncate(segment.file, segment.size)
            raise
        segment.size = at
        segment.newest = max([segment.newest, *(head.arrived for head, _ in entries)])
        return stored

    def restore(self) -> Iterator[tuple[Head, Stored]]:
        """Every record that the folder holds, oldest first. Bytes that are none are counted and skipped."""
        for path in sorted(self._folder.glob("*.records")):
            segment = Segment(path, path.stat().st_size)
            self._segments.append(segment)
            for head, stored in self._frames(segment):
                segment.newest = max(segment.newest, head.arrived)
                yield head, stored

    def expire(self, before: float) -> None:
        """Delete the files in which every record arrived before that time (epoch seconds)."""
        for segment in [each for each in self._segments if each.newest < before]:
            if segment is self._open:
                self._open = None
            self._segments.remove(segment)
            segment.delete()

    def clear(self) -> None:
        """Forget every record."""
        self.expire(float("inf"))

    def _segment(self) -> Segment:
        if self._open is None or self._open.size >= self._most:
            self._folder.mkdir(parents=True, exist_ok=True)
            number = max((int(path.stem) for path in self._folder.glob("*.records")), default=-1) + 1
            self._open = Segment(self._folder / f"{number:08d}.records")
            self._segments.append(self._open)
        return self._open

    def _frames(self, segment: Segment) -> Iterator[tuple[Head, Stored]]:
        if not segment.size:
            return
        with mmap.mmap(segment.file, segment.size, access=mmap.ACCESS_READ) as text:
            at = 0
            while at < segment.size:
                found = _frame(text, at)
                if found is None:
                    following = text.find(_MARK, at + 1)
                    following = segment.size if following < 0 else following
                    self.unreadable_bytes += following - at
                    at = following
                    continue
                head, start, length = found
                yield head, Stored.at(segment, start, length, is_text=head.is_text)
                at = start + length


def _frame(text: mmap.mmap, at: int) -> tuple[Head, int, int] | None:
    """Head, start and length of the data of the record that begins there; None when none does."""
    start = at + _FRAME.size
    if start > len(text):
        return None
    mark, checksum, head_length, length = _FRAME.unpack_from(text, at)
    end = start + head_length + length
    if mark != _MARK or end > len(text) or zlib.crc32(text[start:end]) != checksum:
        return None
    return _DECODER.decode(text[start : start + head_length]), start + head_length, length


def _write_all(file: int, data: bytes, offset: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, offset)
        left, offset = left[written:], offset + written


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Head)
