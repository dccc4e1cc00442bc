"""What a service imports: `from penstock import Producer`. A stream's contract imports `penstock.contracts`.

The names below are loaded on first use, so that `penstock.contracts` brings no AWS library along.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producers import (
        AsyncProducer,
        BadKeyError,
        BufferFullError,
        ClosedError,
        ContractError,
        DeadLetterError,
        DeadLetterFile,
        NotEncodableError,
        Producer,
        ProducerError,
        SchemaViolationError,
        Settled,
        Spool,
        SpoolError,
        SpoolFullError,
        StateError,
        Stats,
        StreamRefusedError,
        TooLargeError,
    )

__all__ = [
    "AsyncProducer",
    "BadKeyError",
    "BufferFullError",
    "ClosedError",
    "ContractError",
    "DeadLetterError",
    "DeadLetterFile",
    "NotEncodableError",
    "Producer",
    "ProducerError",
    "SchemaViolationError",
    "Settled",
    "Spool",
    "SpoolError",
    "SpoolFullError",
    "StateError",
    "Stats",
    "StreamRefusedError",
    "TooLargeError",
]


def __getattr__(name: str) -> Any:
    from producers import __getattr__ as load

    return load(name)
