"""What has passed through one delivery stream's worker."""

from dataclasses import asdict, dataclass


@dataclass
class Counts:
    """User records by what became of them, and the work done for it. Since the worker started.

    `read` = delivered + failed + dropped + in flight.
    """

    read: int = 0
    stream_records: int = 0
    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    transforming: int = 0
    buffered: int = 0
    succeeded: int = 0
    rows: int = 0
    objects: int = 0
    bytes_delivered: int = 0
    error_objects: int = 0
    invocations: int = 0
    function_errors: int = 0
    failed_puts: int = 0
    partitions: int = 0
    partitions_exceeded: int = 0
    behind_ms: int = 0
    transform_seconds: float = 0.0
    delivery_seconds: float = 0.0

    @property
    def in_flight(self) -> int:
        """User records that were read and are neither in an object nor dropped."""
        return self.read - self.delivered - self.failed - self.dropped

    def to_json(self) -> dict[str, float]:
        """Every count by name."""
        return {**asdict(self), "in_flight": self.in_flight}
