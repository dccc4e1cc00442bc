"""The accounting identity: produced = landed + failed + dropped + in flight, by name, not by count.

An event's name is (producer id, epoch, seq), and `seq` is gap-free from 1. So what a producer sent is known
from one number, and whatever is in none of the three places is missing under a name. One event can be in
several places (a batch that is tried again lands what its first try refused); it counts once: landed before
failed before dropped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from infra.accounting.intervals import EMPTY, IntervalSet


class ProducerEpoch(NamedTuple):
    """One run of one producer: the scope of a sequence."""

    producer_id: str
    epoch: int

    def __str__(self) -> str:
        return f"{self.producer_id}/{self.epoch}"


SILENT_SECONDS = 900.0
"""A producer that sends reports its total every minute. One that never did, and of which nothing has arrived
for so long, was killed before it could: nothing more is coming, and what arrived is all that is known of it.
So long by what has been delivered: while delivery is stopped, nothing is silent.
"""
Places = Mapping[ProducerEpoch, IntervalSet]
"""Sequence numbers by producer run."""


@dataclass(frozen=True)
class Evidence:
    """What is known of events, from four independent sources.

    Attributes:
        told: the highest `last_seq` that each producer's audit events reported.
        landed: the sequence numbers that are rows of a lake table.
        copies: records beyond the first of each event that landed or was dropped.
        failed, dropped: the sequence numbers that the transformation refused, or counted and did not keep.
        nameless: identities (hashes) of failed records in which no name could be read.
        newest: when the newest event of each producer run arrived that landed, in epoch seconds.
        unreadable: hours of lake tables that no query can read, with what Athena says.
        tables: the lake table in which anything of a producer run was found.
    """

    told: Mapping[ProducerEpoch, int] = field(default_factory=dict)
    landed: Places = field(default_factory=dict)
    copies: Mapping[ProducerEpoch, int] = field(default_factory=dict)
    failed: Places = field(default_factory=dict)
    dropped: Places = field(default_factory=dict)
    nameless: frozenset[str] = frozenset()
    newest: Mapping[ProducerEpoch, float] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[ProducerEpoch, str] = field(default_factory=dict)

    @property
    def epochs(self) -> frozenset[ProducerEpoch]:
        """Every producer run of which anything is known."""
        return frozenset((*self.told, *self.landed, *self.failed, *self.dropped))


@dataclass(frozen=True)
class Line:
    """The identity for one producer run.

    `is_audited`: it reported how many events it sent. `has_ended`: it never did, and has been silent for so
    long that it never will; `produced` is then what is known of it. `table` is the lake table that has events
    of it; empty when none has.
    """

    name: ProducerEpoch
    produced: int
    landed: int
    failed: int
    dropped: int
    duplicates: int
    missing: IntervalSet
    is_audited: bool
    has_ended: bool = False
    table: str = ""


@dataclass(frozen=True)
class Accounting:
    """The identity over all lines.

    `nameless` is how many failed records show no readable name. Each is the event of some missing number,
    which one cannot be told; so that many missing numbers are taken to have failed. Those beyond are of no
    known producer. Events of `unreadable` hours are among the missing ones.
    """

    lines: tuple[Line, ...]
    nameless: int = 0
    unreadable: Mapping[str, str] = field(default_factory=dict)

    @property
    def produced(self) -> int:
        """Distinct events that producers sent."""
        return sum(line.produced for line in self.lines) + max(0, self.nameless - self.gaps)

    @property
    def gaps(self) -> int:
        """Numbers that are in no place under their name."""
        return sum(len(line.missing) for line in self.lines)

    @property
    def landed(self) -> int:
        """Distinct events that are in the lake."""
        return sum(line.landed for line in self.lines)

    @property
    def failed(self) -> int:
        """Distinct events that are nowhere but among the failed records."""
        return sum(line.failed for line in self.lines) + self.nameless

    @property
    def dropped(self) -> int:
        """Distinct events that were dropped on purpose, and are nowhere else."""
        return sum(line.dropped for line in self.lines)

    @property
    def in_flight(self) -> int:
        """Distinct events that are in no place yet. After the pipeline has drained, they are lost."""
        return max(0, self.gaps - self.nameless)

    @property
    def duplicates(self) -> int:
        """Records beyond the first of each event. Reports count none of them; they are not error."""
        return sum(line.duplicates for line in self.lines)

    @property
    def incomplete(self) -> tuple[Line, ...]:
        """Lines with numbers that are missing, unless failed records without a name explain them all."""
        return tuple(line for line in self.lines if line.missing) if self.in_flight else ()

    @property
    def unaudited(self) -> tuple[Line, ...]:
        """Producers that have not reported how far they went: what they sent last may be missing unseen."""
        return tuple(line for line in self.lines if not line.is_audited and not line.has_ended)

    @property
    def ended(self) -> tuple[Line, ...]:
        """Producers that ended without reporting how far they went."""
        return tuple(line for line in self.lines if not line.is_audited and line.has_ended)

    def of_table(self, table: str) -> "Accounting":
        """The identity of the producers whose events are in this lake table. Failed records that show no name
        are of no known table, and count as missing here.
        """
        hours = {hour: why for hour, why in self.unreadable.items() if hour.startswith(f"{table}/")}
        return Accounting(tuple(line for line in self.lines if line.table == table), 0, hours)

    @property
    def is_balanced(self) -> bool:
        """Nothing is missing or unreadable, and no total is still awaited."""
        return not self.incomplete and not self.unaudited and not self.unreadable


def reconcile(evidence: Evidence, sent: Places | None = None, *, delivered_until: float = 0.0) -> Accounting:
    """The accounting of what `evidence` knows.

    Everything that arrived before `delivered_until` (epoch seconds) is in the evidence: it shows which
    producers are silent.

    With `sent`, of exactly these events, by somebody who knows what he sent and needs no audit events for it.
    """
    nameless = len(evidence.nameless)
    if sent is None:
        lines = tuple(_told(evidence, name, delivered_until) for name in sorted(evidence.epochs))
        return Accounting(lines, nameless, evidence.unreadable)
    lines = tuple(_line(evidence, name, sent[name], is_audited=True) for name in sorted(sent))
    return Accounting(lines, nameless, evidence.unreadable)


def _told(evidence: Evidence, name: ProducerEpoch, delivered_until: float) -> Line:
    last = max(
        evidence.told.get(name, 0),
        *(places.get(name, EMPTY).largest for places in (evidence.landed, evidence.failed, evidence.dropped)),
    )
    line = _line(evidence, name, IntervalSet.up_to(last), is_audited=name in evidence.told)
    newest = evidence.newest.get(name)
    return replace(line, has_ended=newest is not None and delivered_until - newest >= SILENT_SECONDS)


def _line(evidence: Evidence, name: ProducerEpoch, produced: IntervalSet, *, is_audited: bool) -> Line:
    landed = produced & evidence.landed.get(name, EMPTY)
    failed = produced & evidence.failed.get(name, EMPTY) - landed
    dropped = produced & evidence.dropped.get(name, EMPTY) - landed - failed
    return Line(
        name=name,
        produced=len(produced),
        landed=len(landed),
        failed=len(failed),
        dropped=len(dropped),
        duplicates=evidence.copies.get(name, 0),
        missing=produced - landed - failed - dropped,
        table=evidence.tables.get(name, ""),
        is_audited=is_audited,
    )
