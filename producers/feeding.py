"""Feeds a producer from the simulator or from a source, and counts what went in."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from producers.contracts import UNREADABLE_LINE
from producers.pacing import AtOnce, Pace
from producers.producer import Producer
from producers.simulator import SimulatedRecord
from producers.sources import SourceItem, WholeEvent

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
        last_line: number of the last line, or row, that was put.
    """

    put: int = 0
    copies: int = 0
    malformed: int = 0
    unreadable: int = 0
    whole: int = 0
    last_line: int = 0


Progress = Callable[[Fed], None]


def _silent(_: Fed) -> None:
    """Nobody watches."""


def feed_simulation(
    producer: Producer,
    records: Iterable[SimulatedRecord],
    pace: Pace | None = None,
    progress: Progress = _silent,
    fed: Fed | None = None,
) -> Fed:
    """Puts simulated records. The producer must have the simulation's `producer_id` and `epoch`."""
    fed = fed if fed is not None else Fed()
    wait = None if pace is None or isinstance(pace, AtOnce) else pace.wait
    if wait is None:
        source = iter(records)
        while together := list(islice(source, TOGETHER)):
            _put_simulated(producer, together, fed)
            progress(fed)
        return fed
    for record in records:
        wait(record.time_ms)
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
) -> Fed:
    """Puts what was read from a source: whole events byte for byte, others in an envelope of source `replay`.

    So many whole events are handed over `together`: 1 for a pipe, where the next one may not come soon.
    """
    fed = fed if fed is not None else Fed()
    wait = None if pace is None or isinstance(pace, AtOnce) else pace.wait
    data: list[bytes] = []
    keys: list[str] = []
    for item in items:
        if wait is not None:
            wait(int(item.event_time.timestamp() * 1000))
        if isinstance(item, WholeEvent):
            data.append(item.data)
            keys.append(item.partition_key)
            fed.whole += 1
            if wait is not None or len(data) >= together:
                producer.put_many_raw(data, keys)
                data, keys = [], []
        else:
            if data:
                producer.put_many_raw(data, keys)
                data, keys = [], []
            producer.put(
                item.payload, item.event_time, event_id=item.event_id, source=REPLAY_SOURCE, is_checked=True
            )
            if item.event_type is UNREADABLE_LINE:
                fed.unreadable += 1
        fed.put += 1
        fed.last_line = item.number
        if fed.put % 1000 == 0:
            progress(fed)
    producer.put_many_raw(data, keys)
    progress(fed)
    return fed
