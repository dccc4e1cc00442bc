"""The port to what lies around a number: failed and dropped records, sequences, what is in flight."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from queries.receipts.model import NotLanded, Refused
from transforms.contracts import LakeTable


class RunName(NamedTuple):
    """One run of one producer."""

    producer_id: str
    epoch: int

    def __str__(self) -> str:
        return f"{self.producer_id}/{self.epoch}"


@dataclass(frozen=True)
class Told:
    """What is known of a producer run's whole sequence; `missing` are the numbers in no place, as text."""

    known: int
    is_audited: bool
    has_ended: bool
    landed: int
    failed: int
    dropped: int
    missing: str
    missing_count: int


@dataclass(frozen=True)
class Around:
    """What was found.

    Attributes:
        refused: failed records of the partition's hours by reason.
        hours: what failed or was dropped, by hour; hours without any are left out.
        without_hour, dropped_without_hour: failed records and dropped events of these streams whose time is
            not known.
        failed_names: producer run and number of every failed record that shows them.
        sequences: of the producer runs that were asked about.
        nameless: failed records, of any stream, that show no producer.
        unreadable: hours of lake tables that were left out of the sequences, with what Athena says of them.
        unknown: what could not be looked at, and why.
    """

    refused: Sequence[Refused] = ()
    hours: Sequence[NotLanded] = ()
    without_hour: int = 0
    dropped_without_hour: int = 0
    failed_names: frozenset[tuple[RunName, int]] = frozenset()
    sequences: Mapping[RunName, Told] = field(default_factory=dict)
    nameless: int = 0
    delivered_until: int | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)
    unknown: Sequence[str] = ()
    statements_run: int = 0
    bytes_scanned: int = 0


class Surroundings(Protocol):
    """Looks around a number."""

    def look(
        self,
        tables: Sequence[LakeTable],
        span: tuple[datetime, datetime],
        runs: Callable[[], Sequence[RunName]],
    ) -> Around:
        """What failed, was dropped or is in flight in these hours, and the sequences of these runs.

        `runs` is asked while the rest is looked for: it may take its time.
        """
        ...
