"""Reports to the caller what became of its events."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from producers.packing.record import Record

REPORT_SECONDS = 0.5  # that one report waits for another


@dataclass(frozen=True)
class Settled:
    """A record that is done with: delivered when `error` is None.

    Attributes:
        events: the bytes of its events.
        shard_id, sequence_number: where the stream put it.
        error: why it was not delivered.
    """

    events: Sequence[bytes]
    shard_id: str | None = None
    sequence_number: str | None = None
    error: str | None = None


class Reports:
    """What is settled and not reported yet. `tell` is the caller's code, None when nobody asked."""

    def __init__(self, tell: Callable[[Settled], None] | None, failed: Callable[[], None]) -> None:
        """`failed` is called for every exception of `tell`."""
        self._tell = tell
        self._failed = failed
        self._lock = threading.Lock()
        self._telling = threading.RLock()
        self._to_tell: list[Settled] = []

    def add(
        self,
        record: Record,
        shard_id: str | None = None,
        sequence_number: str | None = None,
        error: str | None = None,
    ) -> None:
        """Notes what became of a record. Calls nobody: a lock may be held."""
        if self._tell is not None:
            settled = Settled(record.data(), shard_id, sequence_number, error)
            with self._lock:
                self._to_tell.append(settled)

    def tell(self) -> None:
        """Reports to the caller what was settled; under no lock of ours, so that it may use the producer.

        When it returns, everything settled before has been reported, unless the caller's code takes long.
        """
        if self._tell is None or not self._telling.acquire(timeout=REPORT_SECONDS):
            return
        try:
            with self._lock:
                told, self._to_tell = self._to_tell, []
            for settled in told:
                self._tell_one(self._tell, settled)
        finally:
            self._telling.release()

    def _tell_one(self, tell: Callable[[Settled], None], settled: Settled) -> None:
        try:
            tell(settled)
        except Exception:  # noqa: BLE001 - the caller's code must not end a sender
            self._failed()
