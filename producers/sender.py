"""The threads that carry records from the outbox to the sink."""

import threading
from collections.abc import Callable

from producers.dispatch import Work
from producers.errors import ProducerError, RequestRefusedError, StreamRefusedError, StreamUnavailableError
from producers.outbox import Outbox
from producers.record import Record
from producers.record_sink import RecordSink


class Sender:
    """Does one piece of work after the other until the outbox says stop."""

    def __init__(self, outbox: Outbox, sink: RecordSink, clock: Callable[[], float]) -> None:
        self._dispatch = outbox.dispatch
        self._outcomes = outbox.outcomes
        self._reports = outbox.reports
        self._sink = sink
        self._clock = clock

    def run(self) -> None:
        """Returns when the outbox is stopped."""
        while True:
            work = self._dispatch.next_work()
            if work is Work.STOP:
                return
            if isinstance(work, Work):
                self._describe()
            else:
                self._send(work)
            self._reports.tell()

    def _describe(self) -> None:
        try:
            self._outcomes.described(self._sink.describe())
        except StreamUnavailableError:
            self._outcomes.not_described()
        except ProducerError as error:
            self._outcomes.not_described(error)
        except Exception as error:  # noqa: BLE001 - a sender that dies in silence would strand every event
            self._outcomes.not_described(_unexpected(error))

    def _send(self, batch: list[Record]) -> None:
        started = self._clock()
        try:
            answers = self._sink.put_records([record.wire for record in batch])
        except StreamUnavailableError:
            self._outcomes.put_back(batch)
        except RequestRefusedError as error:
            self._narrow_down(batch, error)
        except ProducerError as error:
            self._outcomes.put_back(batch, error)
        except Exception as error:  # noqa: BLE001 - as above
            self._outcomes.put_back(batch, _unexpected(error))
        else:
            self._outcomes.settle(batch, answers, self._clock() - started)

    def _narrow_down(self, batch: list[Record], error: RequestRefusedError) -> None:
        """One record spoils the request: halves are tried until it is alone."""
        if len(batch) == 1:
            self._outcomes.condemn(batch, batch[0], str(error))
            return
        for half in self._outcomes.split(batch):
            self._send(half)


def _unexpected(error: Exception) -> StreamRefusedError:
    found = StreamRefusedError(f"Sending ended on an unexpected {type(error).__name__}: {error}")
    found.__cause__ = error
    return found


def start_senders(
    outbox: Outbox, sink: RecordSink, clock: Callable[[], float], count: int
) -> list[threading.Thread]:
    """Starts the threads. They are daemons: a request that hangs must not keep the process alive."""
    threads = [
        threading.Thread(
            target=Sender(outbox, sink, clock).run, name=f"penstock-sender-{number}", daemon=True
        )
        for number in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads
