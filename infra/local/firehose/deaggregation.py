"""Records that the Kinesis Producer Library's format packs many user records into, unpacked.

Magic `F3 89 9A C2`, a protobuf message, the MD5 of that message. Whatever is not that is a plain record.

`producers.packing.aggregation` writes this format and has a reader of its own. This one is a second
opinion on purpose, as Firehose's is: with one reader for both, a mistake would be written and read alike. It
also answers differently: Firehose passes a damaged aggregate on as a plain record, where a producer raises.
"""

import hashlib
from collections.abc import Sequence

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST = 16

Unpacked = Sequence[tuple[str, bytes]]
"""(partition key, data) of each user record, in order."""


class _MalformedError(ValueError):
    pass


def unpack(partition_key: str, data: bytes) -> Unpacked:
    """The user records of one stream record; a plain record is its own only user record."""
    if not data.startswith(MAGIC) or len(data) <= len(MAGIC) + _DIGEST:
        return ((partition_key, data),)
    message = data[len(MAGIC) : -_DIGEST]
    if hashlib.md5(message, usedforsecurity=False).digest() != data[-_DIGEST:]:
        return ((partition_key, data),)
    try:
        return _records(message)
    except (_MalformedError, IndexError, UnicodeDecodeError):
        return ((partition_key, data),)


def _records(message: bytes) -> Unpacked:
    keys: list[str] = []
    found: list[tuple[int, bytes]] = []
    at, end = 0, len(message)
    while at < end:
        tag = message[at]
        length, start = _varint(message, at + 1)
        at = start + length
        if at > end:
            raise _MalformedError
        if tag == 0x0A:
            keys.append(message[start:at].decode())
        elif tag == 0x1A:
            found.append(_record(message, start, at))
        elif tag != 0x12:  # explicit hash keys chose the shard, which is history
            raise _MalformedError
    return [(keys[index], data) for index, data in found]


def _record(message: bytes, at: int, end: int) -> tuple[int, bytes]:
    index, data = -1, None
    while at < end:
        tag = message[at]
        number, at = _varint(message, at + 1)
        if tag == 0x08:
            index = number
        elif tag == 0x1A:
            data = message[at : at + number]
            at += number
        elif tag == 0x22:  # tags are of no use to the transformation
            at += number
        elif tag != 0x10:
            raise _MalformedError
    if index < 0 or data is None or at != end:
        raise _MalformedError
    return index, data


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """(number, position behind it)."""
    byte = message[at]
    if byte < 0x80:
        return byte, at + 1
    number, shift = byte & 0x7F, 7
    while True:
        at += 1
        byte = message[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at + 1
        shift += 7
        if shift > 63:
            raise _MalformedError
