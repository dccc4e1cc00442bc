"""Sends events for the demo, and knows by name what it sent."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from infra.accounting.intervals import IntervalSet
from infra.accounting.names import names_in
from infra.accounting.reconcile import Places, ProducerEpoch
from producers.commands.feeding import Fed, feed_simulation, feed_source
from producers.commands.hour_guard import HourGuard
from producers.contracts import Stream
from producers.errors import ProducerError
from producers.producer import Producer
from producers.simulation.simulator import Simulation
from producers.sinks.port import RecordSink
from producers.sources.read import SourceItem, WholeEvent, read

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


def require_readable(path: str, declared: Stream) -> None:
    """Raise SourceError unless the file is of a format that is known, before anything is started for it."""
    next(iter(read(path, declared)), None)


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
