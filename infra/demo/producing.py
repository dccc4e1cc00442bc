"""Sends events for the demo, and knows by name what it sent."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing

from infra.accounting.intervals import IntervalSet
from infra.accounting.names import names_in
from infra.accounting.reconcile import Places, ProducerEpoch
from producers.commands.by_source import BySource
from producers.commands.feeding import Fed, feed_simulation, feed_source
from producers.commands.hour_guard import HourGuard, Target
from producers.contracts import Stream
from producers.errors import ProducerError
from producers.producer import Producer
from producers.simulation.simulator import Simulation
from producers.sinks.port import RecordSink
from producers.sources.definition import SourceDefinition
from producers.sources.read import SourceItem, WholeEvent, read
from producers.sources.reader import SourceReader

Progress = Callable[[Fed], None]
_CLOSE_SECONDS = 120.0


class NotSentError(RuntimeError):
    """The stream did not take everything. `pending` is how many events it did not take."""

    def __init__(self, pending: int, why: str) -> None:
        super().__init__(
            f"The stream did not take {pending:,} events ({why}). Look at: penstock local status"
        )
        self.pending = pending


def send_simulation(sink: RecordSink, simulation: Simulation, progress: Progress) -> tuple[Fed, Places]:
    """Send what is simulated; return what was sent, also by name. Raises NotSentError."""
    producer = Producer(
        sink=sink,
        producer_id=simulation.producer_id,
        epoch=simulation.epoch,
        fail_fast=True,
    )
    fed = _sent(producer, lambda: feed_simulation(producer, simulation.records(), progress=progress))
    return fed, _own(producer)


def require_readable(path: str, declared: Stream, source: SourceDefinition | None = None) -> None:
    """Raise SourceError unless the file is of a format that is known, before anything is started for it.

    With a source, which must fit the file's columns, it also raises SourceDefinitionError.
    """
    if source is None:
        next(iter(read(path, declared)), None)
        return
    with SourceReader(source, declared) as reader, closing(reader.batches(path)) as batches:
        next(batches, None)


def send_file(
    sink: RecordSink, declared: Stream, path: str, progress: Progress, hours: HourGuard
) -> tuple[Fed, Places]:
    """Send a file's lines as events of the declared stream; return what was sent, also by name.

    They leave no faster than the delivery can open their event hours. Raises SourceError, NotSentError.
    """
    passing: defaultdict[ProducerEpoch, list[tuple[int, int]]] = defaultdict(list)

    def watched(items: Iterable[SourceItem]) -> Iterator[SourceItem]:
        for item in items:
            if isinstance(item, WholeEvent):
                for name, seq in names_in(item.data):
                    passing[name].append((seq, seq))
            yield item

    producer = Producer(sink=sink, fail_fast=True)
    pace = hours.of_file(path, declared, None).pace(producer.flush)
    fed = _sent(producer, lambda: feed_source(producer, watched(read(path, declared)), pace, progress))
    whole = {name: IntervalSet.of(span for span in spans if span[0] > 0) for name, spans in passing.items()}
    return fed, {**whole, **_own(producer)}


def send_rows(
    sink: RecordSink,
    source: SourceDefinition,
    declared: Stream,
    path: str,
    progress: Progress,
    target: Target,
) -> tuple[Fed, Places]:
    """Send a file's rows as the source reads them; return what was sent, also by name.

    Raises NotUniqueError, SourceDefinitionError, SourceError, NotSentError.
    """
    rows = BySource(source, declared)
    try:
        rows.prepare([path], lambda: target.delivery)
        producer = Producer(sink=sink, fail_fast=True)
        pace = HourGuard(target).of_plan(path, rows.plan_of(path)).pace(producer.flush)
        with closing(rows.items(path, None, lambda *_: None)) as items:
            fed = _sent(producer, lambda: feed_source(producer, items, pace, progress))
    finally:
        rows.close()
    return fed, _own(producer)


def _sent(producer: Producer, feed: Callable[[], Fed]) -> Fed:
    """Feed, and wait until the stream has taken everything."""
    try:
        fed = feed()
    except ProducerError as error:
        raise NotSentError(producer.stats().pending, str(error)) from error
    finally:
        stats = producer.close(_CLOSE_SECONDS)
    if stats.pending:
        raise NotSentError(stats.pending, str(producer.failure or f"after {_CLOSE_SECONDS:.0f} s"))
    return fed


def _own(producer: Producer) -> Places:
    if not producer.last_seq:
        return {}
    return {ProducerEpoch(producer.producer_id, producer.epoch): IntervalSet.up_to(producer.last_seq)}
