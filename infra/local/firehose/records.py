"""What the worker carries: places in the stream, user records, and what became of them."""

from dataclasses import dataclass

import msgspec


class Place:
    """One record of the stream: where it stood, when it arrived, and how many of its user records are open.

    The checkpoint may move past it when none is.
    """

    __slots__ = ("arrival_ms", "open", "sequence_number", "shard_id")

    def __init__(self, shard_id: str, sequence_number: str, arrival_ms: int, open_records: int = 1) -> None:
        self.shard_id = shard_id
        self.sequence_number = sequence_number
        self.arrival_ms = arrival_ms
        self.open = open_records


class UserRecord(msgspec.Struct, gc=False, eq=False):
    """One record as the transformation sees it: `sub` counts from 0 within an aggregated record.

    There are a hundred thousand at a time: a struct that the garbage collector does not visit.
    """

    place: Place
    sub: int
    partition_key: str
    data: bytes

    @property
    def record_id(self) -> str:
        """Unique per user record, and the same in each attempt."""
        return f"{self.place.sequence_number}{self.sub:06d}"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a record goes to the error prefix.

    Attributes:
        output_type: folder below the error prefix, for example `processing-failed`.
        code, message: as AWS writes them.
        attempts: how often it was tried.
        raw: what the error object keeps; None for the record's own bytes.
    """

    output_type: str
    code: str
    message: str
    attempts: int = 1
    raw: bytes | None = None


PROCESSING = "processing-failed"
CONVERSION = "format-conversion-failed"
METADATA = "metadata-extraction-failed"
PARTITIONS_EXCEEDED = "activePartitionExceeded"
