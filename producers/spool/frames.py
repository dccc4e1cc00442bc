"""How events lie in a segment of the spool, and how they are found again when something is damaged (pure).

A segment begins with a header: a mark, and twice where its frames end and how many they are. A frame:

    mark (4 bytes), length of the rest (4), CRC-32 of the rest (4);
    the rest: segment (4), number (4), length of the key (2), of the hash key (1), key, hash key, data

Segments of earlier versions have no header, and frames without mark, segment and number. Whatever is between
two frames whose checksum holds is damage. Reading goes on behind it.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap
from typing import NamedTuple, Protocol
from zlib import crc32

_HEADER = struct.Struct("<8sQQ")
_HEADER_MARK = b"PNSPOOL2"
_END = struct.Struct("<QQ")
_END_AT = 8
_MASK = (1 << 64) - 1
HEADER_BYTES = _HEADER.size

_MARK = b"PNS\xf7"  # neither UTF-8 nor a length that a frame without a mark can have
_HEAD = struct.Struct("<4sII")
_BODY = struct.Struct("<IIHB")
_OLD_HEAD = struct.Struct("<II")
_OLD_BODY = struct.Struct("<HB")
_LONGEST = 1 << 24
_LONGEST_KEY, _LONGEST_HASH_KEY = 1_024, 64
_NOT_ZERO = re.compile(rb"[^\0]")
BY_PLACE = 1 << 31  # in a number: the rest is the frame's place


class Content(Protocol):
    """The bytes of a segment: a memory map, or bytes."""

    def find(self, sought: bytes, start: int, /) -> int:
        """As `bytes.find`."""
        ...

    def __getitem__(self, span: slice, /) -> bytes:
        """Bytes of a span."""
        ...


class Frame(NamedTuple):
    """One event in the spool. `number` is its own in its segment."""

    number: int
    data: bytes
    key: str
    explicit_hash_key: str | None


class Span(NamedTuple):
    """Where a frame stands whose checksum holds.

    `segment` and `number` are None in frames of earlier versions; `key` is where its key begins.
    """

    start: int
    end: int
    checksum: int
    segment: int | None
    number: int | None
    key: int
    key_bytes: int
    hash_key_bytes: int


@dataclass
class Scan:
    """What a segment holds.

    Attributes:
        begin, end: where its frames begin, and end.
        waiting: frames that are not settled, from the place on that was asked for.
        skips: spans between frames that must be read, by their start: damage, and copies of frames.
        by_place: frames that are known by their place, because their number is not theirs alone.
        damaged: (start, length) of every span that cannot be read. Bytes that are gone count as well.
        lost: events that were there, are not settled, and are in no frame whose checksum holds.
    """

    begin: int = 0
    end: int = 0
    waiting: int = 0
    skips: dict[int, int] = field(default_factory=dict)
    by_place: set[int] = field(default_factory=set)
    damaged: list[tuple[int, int]] = field(default_factory=list)
    lost: int = 0


def frame_bytes(data: bytes, key: bytes, explicit: bytes) -> int:
    """How much room an event takes."""
    return _HEAD.size + _BODY.size + len(key) + len(explicit) + len(data)


def write_header(content: bytearray | mmap, end: int, frames: int) -> None:
    """Notes where the frames end. Written last: what it counts is there, unless something took it away."""
    value = end << 32 | frames
    _END.pack_into(content, _END_AT, value, value ^ _MASK)


def begin(content: bytearray | mmap) -> None:
    """The header of an empty segment."""
    _HEADER.pack_into(content, 0, _HEADER_MARK, 0, 0)
    write_header(content, HEADER_BYTES, 0)


def framed_body(segment: int, number: int, data: bytes, key: bytes, explicit: bytes) -> bytes:
    """The frame without its head."""
    return _BODY.pack(segment, number, len(key), len(explicit)) + key + explicit + data


def write_frame(content: bytearray | mmap, place: int, body: bytes) -> int:
    """Writes a frame; returns where the next one goes."""
    start = place + _HEAD.size
    end = start + len(body)
    # The head last: a process that dies in between leaves zeros, which are not frame.
    content[start:end] = body
    _HEAD.pack_into(content, place, _MARK, len(body), crc32(body))
    return end


def span_at(content: Content, place: int, size: int) -> Span | None:
    """The frame that begins at a place, if its checksum holds."""
    head = content[place : place + _HEAD.size + _BODY.size]
    if head[:4] == _MARK:
        if len(head) < _HEAD.size + _BODY.size:
            return None
        _, length, checksum = _HEAD.unpack_from(head)
        segment, number, key_bytes, hash_key_bytes = _BODY.unpack_from(head, _HEAD.size)
        body, least = place + _HEAD.size, _BODY.size
    else:
        if len(head) < _OLD_HEAD.size + _OLD_BODY.size:
            return None
        length, checksum = _OLD_HEAD.unpack_from(head)
        key_bytes, hash_key_bytes = _OLD_BODY.unpack_from(head, _OLD_HEAD.size)
        segment = number = None
        body, least = place + _OLD_HEAD.size, _OLD_BODY.size
    end = body + length
    is_whole = end <= size and least + key_bytes + hash_key_bytes <= length < _LONGEST
    if not is_whole or key_bytes > _LONGEST_KEY or hash_key_bytes > _LONGEST_HASH_KEY:
        return None
    if crc32(content[body:end]) != checksum:
        return None
    return Span(place, end, checksum, segment, number, body + least, key_bytes, hash_key_bytes)


def frame_at(content: Content, span: Span, number: int) -> Frame:
    """The event of a frame."""
    hash_key = span.key + span.key_bytes
    data = hash_key + span.hash_key_bytes
    return Frame(
        number,
        content[data : span.end],
        content[span.key : hash_key].decode(),
        content[hash_key:data].decode() or None,
    )


def number_of(span: Span, segment: int, by_place: set[int]) -> int:
    """What a frame is known by in its segment."""
    if span.number is None or span.segment != segment or span.start in by_place:
        return BY_PLACE | span.start
    return span.number


def scan(
    content: Content, size: int, segment: int, settled: set[int], old_settled: set[int], since: int = 0
) -> Scan:
    """Looks through a whole segment.

    `settled` are numbers of frames; `old_settled` places in the row of a segment of an earlier version, which
    hold as far as nothing is damaged.
    """
    header = _header(content, size)
    place = HEADER_BYTES if header is not None else 0
    found = Scan(begin=place)
    seen: dict[int, int] = {}
    row = 0
    for span in _spans(content, place, size, old=header is None):
        if span.start > place:
            _damage(found, place, span.start)
        place = span.end
        number = number_of(span, segment, found.by_place)
        if number in seen:
            if seen[number] == span.checksum:
                found.skips[span.start] = span.end
                continue
            found.by_place.add(span.start)
            number = BY_PLACE | span.start
        seen[number] = span.checksum
        if span.number is None and not found.damaged and row in old_settled:
            settled.add(number)
        row += 1
        if number not in settled and span.start >= since:
            found.waiting += 1
    _tail(content, size, place, header, found)
    own = [number for number in seen if number < BY_PLACE]
    written = header[1] if header is not None else max(own, default=-1) + 1
    if written > len(own):
        found.lost = sum(number not in seen and number not in settled for number in range(written))
    return found


def _header(content: Content, size: int) -> tuple[int, int] | None:
    """Where frames end and how many they are, if that can be read."""
    if size < HEADER_BYTES:
        return None
    mark, value, check = _HEADER.unpack(content[0:HEADER_BYTES])
    end = value >> 32
    if mark != _HEADER_MARK or value ^ _MASK != check or end < HEADER_BYTES:
        return None
    return end, value & 0xFFFF_FFFF


def _tail(content: Content, size: int, place: int, header: tuple[int, int] | None, found: Scan) -> None:
    written = place + len(content[place:size].rstrip(b"\0"))
    if header is None:
        end = written
    elif header[0] == place and not found.damaged:
        # Whatever is behind the end is an event whose writing was never over.
        end = place
    else:
        end = max(header[0], written)
    if end > place:
        _damage(found, place, end)
    found.end = max(end, place)


def _damage(found: Scan, start: int, end: int) -> None:
    found.damaged.append((start, end - start))
    found.skips[start] = end


def _spans(content: Content, place: int, size: int, old: bool) -> Iterator[Span]:
    """Every frame whose checksum holds. `old`: frames without a mark are looked for as well."""
    while place < size:
        span = span_at(content, place, size)
        if span is not None and (old or span.number is not None):
            yield span
            place = span.end
            continue
        place = _next_candidate(content, place + 1, size, old)


def _next_candidate(content: Content, place: int, size: int, old: bool) -> int:
    """Where a frame may begin, at or behind a place."""
    marked = content.find(_MARK, place)
    marked = marked if marked >= 0 else size
    if not old:
        return marked
    while True:
        # Of a length in four bytes the last is always 0.
        zero = content.find(b"\0", place + 3)
        if zero < 0 or zero - 3 >= marked:
            return marked
        candidate = zero - 3
        if content[candidate:zero] != b"\0\0\0":
            return candidate
        # Zeros are not length: on to where they end.
        more = _NOT_ZERO.search(content, zero)  # type: ignore[call-overload]
        if more is None:
            return marked
        place = max(candidate + 1, more.start() - 2)
