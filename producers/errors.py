"""What can go wrong in producing, by who must act: the caller, the operator, or nobody (it is tried
again).
"""

from producers.packing.codec import ContractError, NotEncodableError, SchemaViolationError

__all__ = [
    "BadKeyError",
    "BufferFullError",
    "ClosedError",
    "ContractError",
    "DeadLetterError",
    "NotEncodableError",
    "ProducerError",
    "RequestRefusedError",
    "ResumeFileError",
    "SchemaViolationError",
    "SpoolError",
    "SpoolFullError",
    "StateError",
    "StreamRefusedError",
    "StreamUnavailableError",
    "TooLargeError",
]


class ProducerError(Exception):
    """Any error of a producer that is not about an event's contract."""


class TooLargeError(ProducerError):
    """The event and its partition key are larger than a record of the stream may be.

    Attributes: size, limit (bytes).
    """

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(
            f"The event has {size:,} bytes with its key; a record of this stream holds {limit:,}. "
            "Shorten it, or raise the stream's record size."
        )


class BadKeyError(ProducerError):
    """A partition key that Kinesis refuses: it has 1 to 256 characters."""

    def __init__(self, key: object) -> None:
        self.key = key
        told = f"{len(key)} characters" if isinstance(key, str) else f"type {type(key).__name__}"
        super().__init__(f"A partition key is a text of 1 to 256 characters, not one of {told}.")


class BufferFullError(ProducerError):
    """The buffer (and the spool, when there is one) has no room, and the caller chose not to wait longer."""


class ClosedError(ProducerError):
    """The producer was closed; it takes no more events."""


class StreamUnavailableError(ProducerError):
    """The service did not answer, or said that it cannot just now. Trying again can help."""


class RequestRefusedError(ProducerError):
    """The service refused the request for what is in it. The same request will be refused again."""


class StreamRefusedError(ProducerError):
    """The stream cannot be written to as things stand. Somebody has to change something first."""


class SpoolError(ProducerError):
    """The spool folder cannot be used; the message says why."""


class SpoolFullError(SpoolError):
    """The spool has reached its limit, or the disk is full."""


class DeadLetterError(ProducerError):
    """The dead-letter file cannot be written; the message says why."""


class StateError(ProducerError):
    """The folder that remembers the last epoch cannot be used; the message says why."""


class ResumeFileError(ProducerError):
    """The file given with `--resume` is something else."""
