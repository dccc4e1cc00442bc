"""Makes records safe: on the stream, or in the queue that is drained to it (pure)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from producers.errors import ProducerError, StreamUnavailableError
from producers.sinks.port import RecordSink, SinkRecord, Taken

TRIES = 3
SECONDS = 2.0
_FIRST_WAIT = 0.1


Counted = tuple[int, SinkRecord]
"""How many events are in the record, and the record."""


class NotSafeError(Exception):
    """Neither took a record.

    Attributes:
        safe: how many of its first events the queue took before it failed; nearly always none.
        is_ambiguous: the stream may have taken the record all the same.
    """

    def __init__(self, safe: int, is_ambiguous: bool) -> None:
        super().__init__("Neither the stream nor the queue took a record.")
        self.safe, self.is_ambiguous = safe, is_ambiguous


class QueueUnavailableError(Exception):
    """The queue did not take a message."""


class SpillQueue(Protocol):
    """A queue of records that the stream did not take."""

    def send(self, stream: str, record: SinkRecord) -> None:
        """Keep the record for the stream. Raises QueueUnavailableError."""
        ...


@dataclass(frozen=True)
class Delivery:
    """Puts records on streams. `waited` sleeps for seconds; `chance` gives a number from 0 to 1."""

    sinks: Callable[[str], RecordSink]
    queue: SpillQueue
    waited: Callable[[float], None]
    monotonic: Callable[[], float]
    chance: Callable[[], float]

    def put(self, stream: str, record: SinkRecord, messages: Callable[[], Sequence[Counted]]) -> bool:
        """Make one record safe; False when it went to the queue, as `messages`: the same events in records
        that each fit into a message.

        Raises NotSafeError.
        """
        taken, is_ambiguous = self._tried(stream, record)
        if taken:
            return True
        safe = 0
        for count, part in messages():
            try:
                self.queue.send(stream, part)
            except QueueUnavailableError as error:
                raise NotSafeError(safe, is_ambiguous) from error
            safe += count
        return False

    def _tried(self, stream: str, record: SinkRecord) -> tuple[bool, bool]:
        """(taken, may have been taken)"""
        began, is_ambiguous = self.monotonic(), False
        for number in range(TRIES):
            try:
                answer = self.sinks(stream).put_records([record])[0]
                if isinstance(answer, Taken):
                    return True, False
            except StreamUnavailableError:
                is_ambiguous = True
            except ProducerError:
                break  # trying again does not help; the queue waits for a person
            wait = _FIRST_WAIT * 3**number * (0.5 + self.chance())
            if number + 1 == TRIES or self.monotonic() - began + wait > SECONDS:
                break
            self.waited(wait)
        return False, is_ambiguous
