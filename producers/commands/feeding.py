"""Feeds a producer from the simulator or from a source, and counts what went in."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice

from producers.commands.pacing import AtOnce, Pace
from producers.contracts import UNREADABLE_LINE
from producers.producer import Producer
from producers.simulation.simulator import SimulatedRecord
from producers.sources.read import NewEvent, SourceItem, WholeEvent

REPLAY_SOURCE = "replay"
TOGETHER = 500  # events that are handed over in one call, when nobody paces them


@dataclass
class Fed:
    """What was fed.

    Attributes:
        put: everything that was put, copies included.
        copies: records sent before, byte for byte.
        malformed: damaged on purpose.
        unreadable: lines that could not be read, sent as such.
        whole: events that had their envelope already.
        last_line: number of the line, or row, up to which everything was put.
    """

    put: int = 0
    copies: int = 0
    malformed: int = 0
    unreadable: int = 0
    whole: int = 0
    last_line: int = 0

    def add(self, other: "Fed") -> None:
        """Count what was fed elsewhere, too; `last_line` stays."""
        self.put += other.put
        self.copies += other.copies
        self.malformed += other.malformed
        self.unreadable += other.unreadable
        self.whole += other.whole


Progress = Callable[[Fed], None]
Guard = AbstractContextManager[object]
"""Entered around every call of the producer, so that a signal does not end one in the middle."""


def _silent(_: Fed) -> None:
    """Nobody watches."""


def feed_simulation(
    producer: Producer,
    records: Iterable[SimulatedRecord],
    pace: Pace | None = None,
    progress: Progress = _silent,
    fed: Fed | None = None,
    guard: Guard | None = None,
) -> Fed:
    """Puts simulated records. The producer must have the simulation's `producer_id` and `epoch`."""
    fed = fed if fed is not None else Fed()
    guard = guard or nullcontext()
    wait = None if pace is None or isinstance(pace, AtOnce) else pace.wait
    if wait is None:
        source = iter(records)
        while together := list(islice(source, TOGETHER)):
            with guard:
                _put_simulated(producer, together, fed)
            progress(fed)
        return fed
    for record in records:
        wait(record.time_ms)
        with guard:
            _put_simulated(producer, [record], fed)
        if fed.put % 1000 == 0:
            progress(fed)
    progress(fed)
    return fed


def _put_simulated(producer: Producer, records: list[SimulatedRecord], fed: Fed) -> None:
    copies = [record.is_copy for record in records].count(True)
    producer.put_many_raw(
        [record.data for record in records],
        [record.partition_key for record in records],
        counted=len(records) - copies,
    )
    fed.put += len(records)
    fed.copies += copies
    fed.malformed += sum([record.damage is not None and not record.is_copy for record in records])


def feed_source(
    producer: Producer,
    items: Iterable[SourceItem],
    pace: Pace | None = None,
    progress: Progress = _silent,
    fed: Fed | None = None,
    together: int = TOGETHER,
    guard: Guard | None = None,
    handed: Callable[[int], None] | None = None,
) -> Fed:
    """Puts what was read from a source: whole events byte for byte, others in an envelope of source `replay`.

    So many whole events are handed over `together`: 1 for a pipe, where the next one may not come soon.
    `handed` is called with a line's number when the producer has it and every line before it.
    """
    fed = fed if fed is not None else Fed()
    wait = None if pace is None or isinstance(pace, AtOnce) else pace.wait
    waiting = _Waiting(producer, fed, guard or nullcontext(), handed)
    for count, item in enumerate(items, start=1):
        if wait is not None:
            wait(int(item.event_time.timestamp() * 1000))
        if isinstance(item, WholeEvent):
            waiting.add(item)
            if wait is not None or len(waiting.data) >= together:
                waiting.hand_over()
        else:
            waiting.hand_over()
            waiting.put(item)
        if count % 1000 == 0:
            progress(fed)
    waiting.hand_over()
    progress(fed)
    return fed


class _Waiting:
    """Whole events that were read and are not put yet; `fed` counts what was put."""

    def __init__(
        self, producer: Producer, fed: Fed, guard: Guard, handed: Callable[[int], None] | None
    ) -> None:
        self.data: list[bytes] = []
        self._keys: list[str] = []
        self._last = fed.last_line
        self._producer = producer
        self._fed = fed
        self._guard = guard
        self._handed = handed

    def add(self, item: WholeEvent) -> None:
        self.data.append(item.data)
        self._keys.append(item.partition_key)
        self._last = item.number

    def hand_over(self) -> None:
        if not self.data:
            return
        with self._guard:
            self._producer.put_many_raw(self.data, self._keys)
            self._fed.put += len(self.data)
            self._fed.whole += len(self.data)
            self.data, self._keys = [], []
            self._have(self._last)

    def put(self, item: NewEvent) -> None:
        with self._guard:
            self._producer.put(
                item.payload, item.event_time, event_id=item.event_id, source=REPLAY_SOURCE, is_checked=True
            )
            self._fed.put += 1
            self._fed.unreadable += item.event_type is UNREADABLE_LINE
            self._have(item.number)

    def _have(self, line: int) -> None:
        self._fed.last_line = line
        if self._handed is not None:
            self._handed(line)
