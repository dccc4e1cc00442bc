"""Events in: from programs, files and the simulator to a Kinesis stream, none of them lost without a trace.

The names below are loaded on first use: whoever reads only `producers.contracts` pays for nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from producers.async_producer import AsyncProducer
    from producers.errors import (
        BadKeyError,
        BufferFullError,
        ClosedError,
        ContractError,
        DeadLetterError,
        NotEncodableError,
        ProducerError,
        SchemaViolationError,
        SpoolError,
        SpoolFullError,
        StateError,
        StreamRefusedError,
        TooLargeError,
    )
    from producers.producer import Producer
    from producers.sending.dead_letters import DeadLetterFile
    from producers.sending.settled import Settled
    from producers.sending.stats import Stats
    from producers.spool.folder import Spool

_HOMES = {
    "AsyncProducer": "async_producer",
    "BadKeyError": "errors",
    "BufferFullError": "errors",
    "ClosedError": "errors",
    "ContractError": "errors",
    "DeadLetterError": "errors",
    "DeadLetterFile": "sending.dead_letters",
    "NotEncodableError": "errors",
    "Producer": "producer",
    "ProducerError": "errors",
    "SchemaViolationError": "errors",
    "Settled": "sending.settled",
    "Spool": "spool.folder",
    "SpoolError": "errors",
    "SpoolFullError": "errors",
    "StateError": "errors",
    "Stats": "sending.stats",
    "StreamRefusedError": "errors",
    "TooLargeError": "errors",
}

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
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{home}"), name)
