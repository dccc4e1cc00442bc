"""An import from sorted lines to the lake, in batches that another process can go on with."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from infra.importing.journal import Intent, Journal, Remembered, Totals
from producers.importing.sorting import Sorter
from transforms.importing.planning import Planned, Planner
from transforms.importing.rows import Refused
from transforms.importing.writing import Part, Written

BATCH_EVENTS = 20_000
BATCH_PARTS = 128
"""A batch ends with the first of these."""
AHEAD = 3
"""Batches that are being written at a time."""


class Pool(Protocol):
    """What writes parts."""

    def submit(self, part: Part) -> "Future[Written]":
        """Begin to write it."""
        ...

    def close(self) -> None:
        """End what writes."""
        ...


class Progress(NamedTuple):
    """How far the import is, in hours of all hours, and what has come of it so far."""

    hours: int
    of: int
    totals: Totals


class Surroundings(NamedTuple):
    """What an import works with.

    Attributes:
        fail: keeps failed records, named for what they say.
    """

    journal: Journal
    pool: Pool
    fail: Callable[[Iterable[Refused]], None]
    progress: Callable[[Progress], None]


class _Batch(NamedTuple):
    parts: list[Planned]
    written: list["Future[Written]"]
    hours: int


class LakeImport:
    """Writes what has been sorted."""

    def __init__(self, around: Surroundings, planner: Planner, remembered: Remembered) -> None:
        self._around, self._planner, self._remembered = around, planner, remembered
        self._next_seq = remembered.next_seq
        self._keys = [intent.key for intent in remembered.intents.values() if intent.key]
        self.totals = remembered.totals
        self.corrections = remembered.corrections

    @property
    def next_seq(self) -> int:
        """The first number that no event has."""
        return self._next_seq

    @property
    def keys(self) -> Sequence[str]:
        """Of every object that has been written, by this process or one before it."""
        return self._keys

    def write(self, sorter: Sorter) -> None:
        """Write every hour that is not done yet."""
        total, waiting = len(sorter.hours), deque[_Batch]()
        for hours, parts in self._batches(sorter):
            intents = [*self._intents(parts)]
            self._around.journal.intend(intents)
            self._keys += [intent.key for intent in intents]
            starts = {(intent.hour, intent.number): intent.first_seq for intent in intents}
            tasks = [_task(part, self._start_of(part, starts)) for part in parts]
            waiting.append(_Batch(parts, [self._around.pool.submit(task) for task in tasks], hours))
            while len(waiting) >= AHEAD:
                self._settle(waiting.popleft(), total)
        while waiting:
            self._settle(waiting.popleft(), total)

    def _batches(self, sorter: Sorter) -> Iterator[tuple[int, list[Planned]]]:
        batch: list[Planned] = []
        events = 0
        for number, hour in enumerate(sorter.hours, start=1):
            for part in self._planner.parts(hour, sorter.lines(hour), self._remembered.own(hour)):
                if _name(part) in self._remembered.done:
                    continue
                batch.append(part)
                events += len(part.fresh) + len(part.known)
                if events >= BATCH_EVENTS or len(batch) >= BATCH_PARTS:
                    yield number, batch
                    batch, events = [], 0
        if batch:
            yield len(sorter.hours), batch

    def _intents(self, parts: Iterable[Planned]) -> Iterator[Intent]:
        for part in parts:
            if part.fresh and (part.hour, part.number) not in self._remembered.intents:
                yield Intent(part.hour, part.number, part.key, self._next_seq, len(part.fresh))
                self._next_seq += len(part.fresh)

    def _start_of(self, part: Planned, starts: dict[tuple[str, int], int]) -> int:
        name = (part.hour, part.number)
        known = self._remembered.intents.get(name)
        return known.first_seq if known else starts.get(name, 0)

    def _settle(self, batch: _Batch, total: int) -> None:
        """See a batch through: when the journal says that it is done, its failed records are kept, too."""
        written = [each.result() for each in batch.written]
        refused = [failed for each in written for failed in each.refused]
        corrections = [place for each in written for place in each.changed]
        if refused:
            self._around.fail(refused)
        objects = [each.bytes for each in written if each.rows]
        totals = Totals(
            landed=sum(each.rows for each in written),
            failed=len(refused),
            settled=sum(part.settled + len(part.known) for part in batch.parts),
            objects=len(objects),
            bytes=sum(objects),
            corrections=len(corrections),
        )
        self._around.journal.settle(map(_name, batch.parts), totals, corrections)
        self.totals.add(totals)
        self.corrections += corrections
        self._around.progress(Progress(batch.hours, total, self.totals))


def _task(part: Planned, first_seq: int) -> Part:
    return Part(part.key, first_seq, part.fresh, part.known, part.known_in)


def _name(part: Planned) -> str:
    return f"{part.hour}:{part.number}"
