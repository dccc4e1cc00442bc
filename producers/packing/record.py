"""A packed Kinesis record: the bytes that are sent, and what became of them so far (pure).

It is framed as soon as it is full. Its events are then one block of bytes, and the memory of the single
ones is used again for the next while it is still in the processor's cache. Whoever needs them apart, which is
rare, takes them out again.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from producers.packing.aggregation import aggregate_entries, aggregate_explicit, deaggregate, entry_key
from producers.sinks.port import SinkRecord
from producers.sinks.shard_map import Shard, hash_key

Framing = Literal["kpl", "lines", "none"]

EVENT_OVERHEAD = 64  # what Python keeps for an event besides its bytes


class PackedEvent(NamedTuple):
    """An event taken out of a record. `mark` is what the spool knows it by."""

    data: bytes
    key: str
    explicit_hash_key: str | None
    mark: int | None


class Content(NamedTuple):
    """What a record is made of.

    Attributes:
        data: the events' bytes.
        entries: for every event its key as an entry of an aggregate's table.
        hash_keys, marks: explicit hash key, and spool's mark, of every event; or none at all.
    """

    data: list[bytes]
    entries: list[bytes]
    hash_keys: list[str]
    marks: list[int]


class Record:
    """See the module.

    Attributes:
        shard: the shard that it belongs to by the map of its day; None for a record that is not checked.
        opened_at: when its first event came, on the monotonic clock.
        wire: what is sent.
        count: how many events it holds.
        held_bytes: what its events take of the buffer.
        size: bytes of its data and key.
        marks: for every event what the spool knows it by, or none at all.
        attempts: how often it was sent.
        landed: the shard that took it, when that was not the one foreseen.
    """

    __slots__ = (
        "_entries",
        "_lengths",
        "attempts",
        "count",
        "framing",
        "held_bytes",
        "landed",
        "marks",
        "opened_at",
        "shard",
        "size",
        "wire",
    )

    def __init__(self, framing: Framing, shard: Shard | None, opened_at: float, content: Content) -> None:
        data = content.data
        self.framing = framing
        self.shard = shard
        self.opened_at = opened_at
        self.count = len(data)
        self.held_bytes = sum(map(len, data)) + EVENT_OVERHEAD * len(data)
        self.marks = content.marks
        self.attempts = 0
        self.landed: str | None = None
        self._lengths: array[int] | None = None
        self._entries: Sequence[bytes] = ()
        if framing == "lines" and len(data) > 1:
            # A line does not say where its events end if one of them has a newline in it, nor their keys.
            self._lengths, self._entries = array("L", map(len, data)), content.entries
        self.wire = _framed(framing, content)
        self.size = len(self.wire.data) + len(self.wire.partition_key.encode())

    @property
    def must_stay_in_shard(self) -> bool:
        """Whether consumers would drop it in another shard than that of its events."""
        return self.framing == "kpl" and self.count > 1

    def data(self) -> list[bytes]:
        """The bytes of every event, in order."""
        return [event.data for event in self.events()]

    def events(self) -> Iterator[PackedEvent]:
        """Every event, in order, to pack or keep it anew."""
        marks: Sequence[int | None] = self.marks or [None] * self.count
        for (data, key, explicit), mark in zip(self._apart(), marks, strict=True):
            yield PackedEvent(data, key, explicit, mark)

    def _apart(self) -> Iterator[tuple[bytes, str, str | None]]:
        if self.count == 1:
            yield self.wire
        elif self._lengths is None:
            yield from deaggregate(self.wire.data)
        else:
            start = 0
            for length, entry in zip(self._lengths, self._entries, strict=True):
                yield self.wire.data[start : start + length], entry_key(entry), self.wire.explicit_hash_key
                start += length + 1

    def every_hash_key(self) -> Iterator[int]:
        """The hash keys of its events."""
        for event in self.events():
            explicit = event.explicit_hash_key
            yield hash_key(event.key) if explicit is None else int(explicit)


def _framed(framing: Framing, content: Content) -> SinkRecord:
    """A single event goes as it is."""
    data, entries, hash_keys, _ = content
    explicit = hash_keys[0] if hash_keys else None
    first = entry_key(entries[0])
    if len(data) == 1:
        return SinkRecord(data[0], first, explicit)
    if framing == "lines":
        return SinkRecord(b"\n".join(data), first, explicit)
    if hash_keys:
        return SinkRecord(aggregate_explicit([*map(entry_key, entries)], hash_keys, data), first, explicit)
    return SinkRecord(aggregate_entries(entries, data), first)
