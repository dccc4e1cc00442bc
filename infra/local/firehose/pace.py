"""How a worker differs from AWS in pace; no setting of the template."""

from dataclasses import dataclass

from infra.local.firehose.configuration import MOST_PARTITIONS


@dataclass(frozen=True)
class Pace:
    """The pace of one worker.

    Attributes:
        interval_scale: factor of every interval.
        quiet_seconds: when the stream has brought nothing for so long, what was read is delivered without
            waiting for its interval; 0 for never.
        retry_seconds: pause before the function is tried again; it doubles each time.
        most_partitions: lake partitions that may be open at once.
    """

    interval_scale: float = 1.0
    quiet_seconds: float = 0.0
    retry_seconds: float = 0.1
    most_partitions: int = MOST_PARTITIONS
