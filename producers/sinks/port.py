"""The port through which records leave: what a producer needs of a stream, and no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from producers.sinks.shard_map import ShardMap

DEFAULT_RECORD_BYTES = 1 << 20  # what a stream allows until somebody raises it


class SinkRecord(NamedTuple):
    """One record as the stream takes it. `explicit_hash_key` overrides the key's own hash."""

    data: bytes
    partition_key: str
    explicit_hash_key: str | None = None


class Taken(NamedTuple):
    """The stream has the record. Where there are no shards, `shard_id` is empty."""

    shard_id: str
    sequence_number: str


class NotTaken(NamedTuple):
    """The stream refused this record, and not for what is in it: sending it again can help."""

    code: str
    message: str


Answer = Taken | NotTaken


@dataclass(frozen=True)
class StreamFacts:
    """What is known of a stream.

    Attributes:
        shards: its open shards; None when they cannot be listed.
        max_record_bytes: largest record, its key included.
        ignores_keys: the service distributes records itself, whatever their keys say.
        takes_aggregates: consumers take records of several events apart. Where not, one event is one record.
    """

    shards: ShardMap | None
    max_record_bytes: int = DEFAULT_RECORD_BYTES
    ignores_keys: bool = False
    takes_aggregates: bool = True


class RecordSink(Protocol):
    """A stream that records can be put on. Used from several threads at once."""

    def describe(self) -> StreamFacts:
        """The stream as it is now. Raises StreamUnavailableError, StreamRefusedError."""
        ...

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        """Puts 1 to 500 records; one answer per record, in their order.

        Raises:
            StreamUnavailableError: none may have been taken, or all; sending again can help.
            RequestRefusedError: none was taken, for what is in the request.
            StreamRefusedError: none was taken, and none will be until somebody changes something.
        """
        ...

    def reopen(self) -> None:
        """Lets go of connections that another process shares; the next call makes new ones."""
        ...
