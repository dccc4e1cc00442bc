"""An import from sorted lines to the lake, in batches that another process can go on with."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from infra.importing.journal import Intent, Journal, Remembered, Totals
from producers.contracts import FilePlace
from producers.importing.sorting import Sorter
from transforms.importing.planning import Planned, Planner
from transforms.importing.rows import Refused
from transforms.importing.writing import Part, Written

BATCH_EVENTS = 20_000
BATCH_PARTS = 512
"""A batch ends with the first of these."""
GROUP_EVENTS, GROUP_PARTS = 2_000, 128
"""Events that are made into rows at once, unless one part has more; and how many parts they may be."""
AHEAD = 3
"""Batches that are being written at a time."""


class Pool(Protocol):
    """What writes parts, and replaces what the lake holds."""

    def submit(self, parts: Sequence[Part]) -> "Future[list[Written]]":
        """Begin to write them."""
        ...

    def replace(self, part: Part, places: Sequence[FilePlace]) -> "Future[None]":
        """Begin to give the lake's objects the rows of the part that stood in these places."""
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
        replaces: whether a correction takes the place of what the lake holds.
    """

    journal: Journal
    pool: Pool
    fail: Callable[[Iterable[Refused]], None]
    progress: Callable[[Progress], None]
    replaces: bool = False


class _Batch(NamedTuple):
    parts: list[Planned]
    tasks: list[Part]
    written: list["Future[list[Written]]"]
    hours: int


class LakeImport:
    """Writes what has been sorted."""

    def __init__(self, around: Surroundings, planner: Planner, remembered: Remembered) -> None:
        self._around, self._planner, self._remembered = around, planner, remembered
        self._next_seq = remembered.next_seq
        self._keys = [intent.key for intent in remembered.intents.values() if intent.key]
        self.totals = remembered.totals
        self.corrections = remembered.corrections
        self._replaced = remembered.replaced

    @property
    def next_seq(self) -> int:
        """The first number that no event has."""
        return self._next_seq

    @property
    def keys(self) -> Sequence[str]:
        """Of every object that has been written or changed, by this process or one before it."""
        return [*self._keys, *dict.fromkeys(self._replaced)]

    def write(self, sorter: Sorter) -> None:
        """Write every hour that is not done yet."""
        total, waiting = len(sorter.hours), deque[_Batch]()
        for hours, parts in self._batches(sorter):
            intents = [*self._intents(parts)]
            self._around.journal.intend(intents)
            self._keys += [intent.key for intent in intents]
            starts = {(intent.hour, intent.number): intent.first_seq for intent in intents}
            tasks = [_task(part, self._start_of(part, starts)) for part in parts]
            submitted = [self._around.pool.submit(group) for group in _groups(tasks)]
            waiting.append(_Batch(parts, tasks, submitted, hours))
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
        written = [each for group in batch.written for each in group.result()]
        refused = [failed for each in written for failed in each.refused]
        corrections = [place for each in written for place in each.changed]
        if refused:
            self._around.fail(refused)
        if corrections and self._around.replaces:
            self._replace(batch.tasks, written)
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

    def _replace(self, tasks: Sequence[Part], written: Sequence[Written]) -> None:
        """Give the lake the corrections. The journal records them first: afterwards nothing shows them."""
        changed = [(task, each.changed) for task, each in zip(tasks, written, strict=True) if each.changed]
        keys = [key for task, _ in changed for key in task.known_in]
        self._around.journal.replace(keys, [place for _, places in changed for place in places])
        self._replaced += keys
        for future in [self._around.pool.replace(*each) for each in changed]:
            future.result()


def _task(part: Planned, first_seq: int) -> Part:
    return Part(part.key, first_seq, part.fresh, part.known, part.known_in)


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts that one process writes together: their rows are made at once."""
    group: list[Part] = []
    events = 0
    for part in parts:
        if len(group) == GROUP_PARTS or (group and events + len(part.fresh) > GROUP_EVENTS):
            yield group
            group, events = [], 0
        group.append(part)
        events += len(part.fresh)
    if group:
        yield group


def _name(part: Planned) -> str:
    return f"{part.hour}:{part.number}"
