"""What a refresh is asked for, and what it reports."""

from dataclasses import dataclass, field

from queries.partitions import Key


@dataclass(frozen=True)
class Policy:
    """How long partitions wait: `debounce_scale` multiplies each report's times, the rest is milliseconds."""

    debounce_scale: float = 1.0
    retry: int = 30_000
    poll: int = 200


@dataclass
class Summary:
    """What a worker did: partitions published, found unchanged, given up; statements; bytes scanned.

    `recovered` are partitions that readers see again as they were published.
    """

    adopted: int = 0
    claimed: int = 0
    statements: int = 0
    published: list[Key] = field(default_factory=list)
    unchanged: list[Key] = field(default_factory=list)
    failed: dict[Key, str] = field(default_factory=dict)
    handed_over: int = 0
    recovered: list[Key] = field(default_factory=list)
    bytes_scanned: int = 0
