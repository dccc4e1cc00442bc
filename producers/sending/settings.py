"""How a producer packs, sends and keeps events."""

from dataclasses import dataclass, field
from typing import Literal

from producers.packing.open_record import Limits
from producers.packing.record import Framing
from producers.sending.batching import BatchLimits

WhenFull = Literal["block", "raise", "spool"]


@dataclass(frozen=True)
class OutboxSettings:
    """See `producers.producer.Producer` for the meaning of each."""

    framing: Framing = "kpl"
    limits: Limits = field(default_factory=Limits)
    batch: BatchLimits = field(default_factory=BatchLimits)
    max_buffer_bytes: int = 64 << 20
    when_full: WhenFull = "block"
    verify_shard: bool = True
    record_ttl: float | None = None
    fail_fast: bool = False
