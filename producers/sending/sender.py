"""The threads that carry records from the outbox to the sink."""

import threading
from collections.abc import Callable

from producers.errors import ProducerError, RequestRefusedError, StreamUnavailableError
from producers.packing.record import Record
from producers.sending.dispatch import Work
from producers.sending.outbox import Outbox
from producers.sending.outcomes import unexpected
from producers.sinks.port import RecordSink


class Sender:
    """Does one piece of work after the other until the outbox says stop."""

    def __init__(self, outbox: Outbox, sink: RecordSink, clock: Callable[[], float]) -> None:
        self._dispatch = outbox.dispatch
        self._outcomes = outbox.outcomes
        self._reports = outbox.reports
        self._sink = sink
        self._clock = clock

    def run(self) -> None:
        """Returns when the outbox is stopped, and for no other reason."""
        while True:
            batch: list[Record] | None = None
            try:
                work = self._dispatch.next_work()
                if work is Work.STOP:
                    return
                if isinstance(work, Work):
                    self._describe()
                else:
                    batch = work
                    self._send(batch)
                self._reports.tell()
            except Exception as error:  # noqa: BLE001 - a sender that dies in silence would strand every event
                self._outcomes.stumbled(batch, error)

    def _describe(self) -> None:
        try:
            facts = self._sink.describe()
        except ProducerError as error:
            self._outcomes.not_described(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported, and looking is tried again
            self._outcomes.not_described(unexpected(error))
        else:
            self._outcomes.described(facts)

    def _send(self, batch: list[Record]) -> bool:
        """False when nothing more should be sent now."""
        started = self._clock()
        try:
            answers = self._sink.put_records([record.wire for record in batch])
            if len(answers) != len(batch):
                raise StreamUnavailableError(f"{len(answers)} answers came to {len(batch)} records.")
        except RequestRefusedError as error:
            return self._narrow_down(batch, error)
        except ProducerError as error:
            self._outcomes.put_back(batch, error)
            return False
        except Exception as error:  # noqa: BLE001 - as above
            self._outcomes.put_back(batch, unexpected(error))
            return False
        self._outcomes.settle(batch, answers, self._clock() - started)
        return True

    def _narrow_down(self, batch: list[Record], error: RequestRefusedError) -> bool:
        """One record spoils the request: halves are tried until it is alone."""
        if len(batch) == 1:
            return self._outcomes.condemn(batch, batch[0], str(error))
        first, second = self._outcomes.split(batch)
        if self._send(first):
            return self._send(second)
        self._outcomes.put_back(second)
        return False


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
