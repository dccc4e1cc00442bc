"""Records that hold many events: the aggregated format of the Kinesis Producer Library, and lines (pure).

The format: magic, a protobuf message (AggregatedRecord), the MD5 of the message. Its reader passes a
record with a wrong MD5 on as if it were plain data, so the MD5 is as much part of the format as the rest.
`infra.local.firehose.deaggregation` reads it a second time, on purpose: it does not trust this one.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import md5
from itertools import chain, count
from operator import or_
from typing import NamedTuple, TypeVar

MAGIC = b"\xf3\x89\x9a\xc2"
DIGEST_BYTES = 16
FRAME_BYTES = len(MAGIC) + DIGEST_BYTES
HEADER_BYTES = 12  # most that stands in front of one event's data below 2 MiB and 16,384 keys
EXPLICIT_HEADER_BYTES = 4 + 39  # most that an explicit hash key adds to it
PLACE_SHIFT = 24  # a record may reach 10 MiB
_CACHED = 300_000  # bounded: lengths come from outside
_Key = TypeVar("_Key", str, bytes)


class UserRecord(NamedTuple):
    """One event inside an aggregate."""

    data: bytes
    partition_key: str
    explicit_hash_key: str | None = None


class NotAnAggregateError(ValueError):
    """The bytes are not aggregated record, or a damaged one."""


@lru_cache(maxsize=1 << 15)
def varint(number: int) -> bytes:
    """Protobuf's variable-length form of a number from 0."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _entry(tag: bytes, text: str) -> bytes:
    encoded = text.encode()
    return tag + varint(len(encoded)) + encoded


def key_entry(key: str) -> bytes:
    """The partition key's entry in an aggregate's table of keys."""
    return _entry(b"\x0a", key)


class _Headers(dict[int, bytes]):
    """(key index << 24 | length) to the bytes in front of an event's data; filled on first use.

    `between` stands behind the key's index.
    """

    def __init__(self, between: bytes = b"") -> None:
        self._between = between

    def __missing__(self, slot: int) -> bytes:
        index, length = slot >> PLACE_SHIFT, slot & 0xFF_FFFF
        inner = b"\x08" + varint(index) + self._between + b"\x1a" + varint(length)
        header = b"\x1a" + varint(len(inner) + length) + inner
        if len(self) < _CACHED:
            self[slot] = header
        return header


_HEADERS = _Headers()
_HASHED_HEADERS = _Headers(between=b"\x10\x00")
"""Of events that all have the first explicit hash key."""


def entry_key(entry: bytes) -> str:
    """The partition key that an entry of the table is for."""
    return entry[2 if entry[1] < 128 else 3 :].decode()


def aggregate(keys: Sequence[str], data: Sequence[bytes]) -> bytes:
    """One aggregated record of these events, in this order, each with its partition key."""
    return aggregate_entries([key_entry(key) for key in keys], data)


def aggregate_entries(entries: Sequence[bytes], data: Sequence[bytes]) -> bytes:
    """The same, with every event's key as `key_entry` makes it."""
    places = _places(entries)
    return _framed(b"".join(chain(places, _with_headers(_HEADERS, places, entries, data))))


def aggregate_into(keys: Sequence[str], hash_key: str, data: Sequence[bytes]) -> bytes:
    """The same with one explicit hash key (decimal) for all events."""
    places = _places(keys)
    table = (*map(key_entry, places), _entry(b"\x12", hash_key))
    return _framed(b"".join(chain(table, _with_headers(_HASHED_HEADERS, places, keys, data))))


def _places(keys: Sequence[_Key]) -> dict[_Key, int]:
    """The index of each key, where `_Headers` wants it."""
    return dict(zip(dict.fromkeys(keys), count(0, 1 << PLACE_SHIFT), strict=False))


def _with_headers(
    headers: _Headers, places: dict[_Key, int], keys: Sequence[_Key], data: Sequence[bytes]
) -> Iterator[bytes]:
    # Nothing but C per event: this is half of what an event costs.
    found = map(headers.__getitem__, map(or_, map(places.__getitem__, keys), map(len, data)))
    return chain.from_iterable(zip(found, data, strict=True))


def aggregate_explicit(keys: Sequence[str], hash_keys: Sequence[str], data: Sequence[bytes]) -> bytes:
    """The same with an explicit hash key (decimal) for every event."""
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    hash_places = {key: place for place, key in enumerate(dict.fromkeys(hash_keys))}
    parts = [*map(key_entry, places), *(_entry(b"\x12", hashed) for hashed in hash_places)]
    for key, hashed, blob in zip(keys, hash_keys, data, strict=True):
        place = b"\x08" + varint(places[key]) + b"\x10" + varint(hash_places[hashed])
        inner = place + b"\x1a" + varint(len(blob))
        parts += (b"\x1a" + varint(len(inner) + len(blob)) + inner, blob)
    return _framed(b"".join(parts))


def _framed(body: bytes) -> bytes:
    # usedforsecurity: systems in FIPS mode refuse MD5 for anything else
    return b"".join((MAGIC, body, md5(body, usedforsecurity=False).digest()))


def is_aggregate(data: bytes) -> bool:
    """Whether a record's data is an aggregate, validated as readers do: magic, length and MD5."""
    if not data.startswith(MAGIC) or len(data) <= FRAME_BYTES:
        return False
    return md5(data[len(MAGIC) : -DIGEST_BYTES], usedforsecurity=False).digest() == data[-DIGEST_BYTES:]


def deaggregate(data: bytes) -> list[UserRecord]:
    """The events of an aggregated record, in their order. Raises NotAnAggregateError."""
    if not is_aggregate(data):
        raise NotAnAggregateError("no aggregated record: the magic, the length or the MD5 is not right")
    keys: list[str] = []
    hash_keys: list[str] = []
    found: list[UserRecord] = []
    try:
        for field, value in _fields(data[len(MAGIC) : -DIGEST_BYTES]):
            if field == 1 and isinstance(value, bytes):
                keys.append(value.decode())
            elif field == 2 and isinstance(value, bytes):
                hash_keys.append(value.decode())
            elif field == 3 and isinstance(value, bytes):
                found.append(_user_record(value, keys, hash_keys))
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise NotAnAggregateError(f"a damaged aggregated record: {error}") from error
    return found


def _user_record(message: bytes, keys: list[str], hash_keys: list[str]) -> UserRecord:
    fields = dict(_fields(message))
    key, hashed, blob = fields[1], fields.get(2), fields[3]
    if not isinstance(key, int) or not isinstance(blob, bytes):
        raise NotAnAggregateError("a damaged aggregated record: a field has another type")
    return UserRecord(blob, keys[key], hash_keys[hashed] if isinstance(hashed, int) else None)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of a protobuf message that has only numbers and byte strings."""
    place = 0
    while place < len(message):
        tag, place = _read_varint(message, place)
        value, place = _read_varint(message, place)
        if tag & 7 == 0:
            yield tag >> 3, value
        elif tag & 7 == 2:
            if place + value > len(message):
                raise NotAnAggregateError("a damaged aggregated record: it ends within a field")
            yield tag >> 3, message[place : place + value]
            place += value
        else:
            raise NotAnAggregateError(f"a damaged aggregated record: wire type {tag & 7}")


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[place]
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
        shift += 7
