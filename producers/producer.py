"""The producer: gives every event its envelope and its place in the sequence, and sees to its delivery."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any, Literal, Self

from producers.contracts import Event, Payload
from producers.errors import BadKeyError, ProducerError, SpoolError, TooLargeError
from producers.identity import next_epoch
from producers.identity import producer_id as identifier
from producers.packing.codec import ContractError, encode, encode_many
from producers.packing.open_record import Limits
from producers.packing.record import Framing
from producers.sending.batching import BatchLimits
from producers.sending.dead_letters import DeadLetterFile
from producers.sending.delivery import Delivery
from producers.sending.envelopes import Envelopes, check
from producers.sending.process_life import dismiss, enlist
from producers.sending.settings import OutboxSettings, WhenFull
from producers.sending.settled import Settled
from producers.sending.stats import Stats
from producers.sinks.kinesis import KinesisSink, kinesis_client, renewed_client
from producers.sinks.port import RecordSink
from producers.spool.folder import Spool

_log = logging.getLogger(__name__)


class Producer:
    """Puts events on a Kinesis stream. Safe to use from several threads, and across `fork`.

    `put` takes an event in microseconds; threads of the producer's own send it. What returning means:

    - `put`: the event is in memory; with a spool of mode `always` on the disk, where it survives the process.
    - `flush`: everything but the returned number is delivered.
    - `close`: as `flush`, and what is left is in the spool, if there is one.

    Delivery is at least once: an event may arrive twice, under the same `event_id`.
    """

    def __init__(
        self,
        stream_name: str = "",
        *,
        client: Any = None,
        sink: RecordSink | None = None,
        framing: Framing = "kpl",
        ordering: Literal["key"] | None = None,
        when_full: WhenFull = "block",
        spool: Spool | None = None,
        producer_id: str | None = None,
        epoch: int | None = None,
        last_seq: int = 0,
        source: str = "app",
        state: str | Path | None = None,
        check: bool = True,
        linger: float = 0.1,
        max_in_flight: int = 4,
        max_buffer_bytes: int = 64 << 20,
        max_request_bytes: int = 4 << 20,
        max_record_bytes: int = 51_200,
        max_events_per_record: int = 500,
        verify_shard: bool = True,
        record_ttl: float | None = None,
        fail_fast: bool = False,
        dead_letter: DeadLetterFile | None = None,
        on_delivery: Callable[[Settled], None] | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        """Makes a producer; nothing is called and no thread runs before the first event.

        Args:
            stream_name: name or ARN of the stream; may be empty when `sink` is given.
            client: a boto3 Kinesis client of your own; else one is made.
            framing: `kpl` aggregates, `lines` joins by newline, `none` sends one event per record.
            ordering: `key` lets no event overtake another of its partition key.
            when_full: what `put` does when the buffer is full: wait, raise BufferFullError, or spool.
            producer_id, epoch: name this producer's sequence; by default host, process and start time.
            last_seq: the last place that was taken in this sequence before, when it goes on.
            state: folder that remembers the last epoch, so that none is used twice.
            check: whether `put` refuses payloads that break their contract (SchemaViolationError).
            linger: how long an event is buffered for more events to share its record, seconds at most.
            max_in_flight: requests at a time, each on a thread.
            record_ttl: seconds after which an unsent event is given up, and counted; None for never.
            fail_fast: whether `put` raises StreamRefusedError when the stream refuses before it has taken
                anything. Otherwise events are kept, and sending is retried until somebody has fixed it.
            dead_letter: where events go that cannot be sent; without it `put` raises.
            on_delivery: called for every record that is settled, on a sender's thread.
        """
        if when_full == "spool" and spool is None:
            raise ValueError("when_full='spool' needs a spool: pass spool=Spool(folder).")
        self._clock = clock
        self._random = random or Random(int.from_bytes(os.urandom(16), "big"))  # noqa: S311
        self._dead_letter = dead_letter
        self._on_delivery = on_delivery
        self._source = source
        self._check = check
        settings = OutboxSettings(
            framing=framing,
            limits=Limits(record_bytes=max_record_bytes, events=max_events_per_record),
            batch=BatchLimits(max_request_bytes, linger, in_order=ordering == "key"),
            max_buffer_bytes=max_buffer_bytes,
            when_full=when_full,
            verify_shard=verify_shard,
            record_ttl=record_ttl,
            fail_fast=fail_fast,
        )
        told = self._told if on_delivery is not None or dead_letter is not None else None
        own = sink or KinesisSink(
            stream_name, client or kinesis_client(), renewed_client if client is None else None
        )
        self._spool = spool
        if spool is not None:
            self._close_earlier(spool)
        self._delivery = Delivery(own, settings, max_in_flight, monotonic, self._random, spool, told)
        memory = Path(state) if state is not None else None
        self._start_afresh(
            producer_id or identifier(socket.gethostname(), os.getpid()),
            epoch if epoch is not None else next_epoch(int(clock() * 1000), memory),
            last_seq,
        )
        enlist(self)

    def _start_afresh(self, producer_id: str, epoch: int, last_seq: int = 0) -> None:
        self._lock = threading.RLock()
        self._envelopes = Envelopes(producer_id, epoch, self._source, self._clock, self._random)
        self._envelopes.took(last_seq)
        if self._spool is not None:
            self._spool.sequences.begin(producer_id, epoch)

    def _close_earlier(self, spool: Spool) -> None:
        """Says in place of producers that were killed how far they went: behind what they left in the
        spool.
        """
        try:
            for left in spool.sequences.left():
                ended = Envelopes(left.producer_id, left.epoch, self._source, self._clock, self._random)
                ended.took(left.last_seq)
                event, key = ended.audit(True, self._clock())
                spool.append(encode(event), key, None, unread=True)
                spool.sync()
        except (OSError, SpoolError) as error:
            _log.warning("How far an earlier producer went is reported later: %s", error)

    @property
    def producer_id(self) -> str:
        """Who is named as the producer of its events."""
        return self._envelopes.producer_id

    @property
    def epoch(self) -> int:
        """Which of the producer's sequences this is."""
        return self._envelopes.epoch

    @property
    def last_seq(self) -> int:
        """The last place in the sequence that was taken, 0 before the first."""
        return self._envelopes.last_seq

    # Putting

    def put(
        self,
        event: Payload | Event,
        event_time: datetime | None = None,
        *,
        event_id: str | None = None,
        source: str | None = None,
        is_checked: bool = False,
        timeout: float | None = None,
    ) -> str:
        """Takes one event and returns its id.

        A payload gets an envelope (`event_time` is now unless given); an event keeps its id, type, time and
        source, and gets this producer's place in the sequence. `is_checked`: the payload is known to keep its
        contract.

        Raises:
            NotEncodableError, SchemaViolationError, TooLargeError, BadKeyError: this event cannot be sent.
            BufferFullError, SpoolFullError: `timeout` seconds were not enough, or `when_full` is `raise`.
            ClosedError: the producer takes no more events.
            DeadLetterError: the event cannot be sent, and the dead-letter file cannot be written.
            StreamRefusedError: with `fail_fast`, or for aggregates on a stream that ignores keys.
        """
        with self._lock:
            now = self._clock()
            stamped, key = self._envelopes.next(event, event_time, event_id, source, now)
            if self._put_checked(stamped, key, is_checked or not self._check, timeout):
                self._took_places(1, now)
            return stamped.event_id

    def _put_checked(self, event: Event, key: str, is_checked: bool, timeout: float | None) -> bool:
        """False when the event went to the dead-letter file."""
        data = b""
        try:
            data = encode(event)
            if not is_checked:
                check(event, data)
            self._delivery.put(data, key, timeout)
        except (ContractError, TooLargeError, BadKeyError) as error:
            if self._dead_letter is None:
                raise
            self._dead_letter.write(str(error), data or repr(event).encode(), str(key))
            self._delivery.dead_lettered()
            return False
        return True

    def put_raw(
        self, data: bytes, partition_key: str, *, counted: bool = True, timeout: float | None = None
    ) -> None:
        """Takes one record's bytes as they are: a line that nobody could read, or an event that is whole
        already.

        `counted`: the record takes the next place in this producer's sequence. False for bytes that have
        their place already: a copy, or an envelope of another producer.
        """
        with self._lock:
            self._delivery.put(data, partition_key, timeout)
            if counted:
                self._took_places(1, self._clock())

    def put_json(self, value: Any, partition_key: str, *, timeout: float | None = None) -> None:
        """Takes any value that JSON can hold, without an envelope and outside the sequence."""
        self._delivery.put(encode(value), partition_key, timeout)

    def put_many(self, events: Iterable[Payload | Event]) -> int:
        """Takes several events; returns how many. Raises as `put`, with those before it taken."""
        count = 0
        for event in events:
            self.put(event)
            count += 1
        return count

    def put_many_json(self, values: Iterable[Any], key: str, *, timeout: float | None = None) -> None:
        """`put_json` for several mappings whose member `key` is the partition key; faster than one by one."""
        held = list(values)
        self.put_many_raw(encode_many(held), list(map(itemgetter(key), held)), timeout=timeout)

    def put_many_raw(
        self,
        data: Sequence[bytes],
        partition_keys: Sequence[str],
        *,
        counted: int = 0,
        timeout: float | None = None,
    ) -> None:
        """`put_raw` for several records, of which `counted` take a place in this producer's sequence.

        Raises before any is taken when one of them cannot be sent.
        """
        if not counted:
            self._delivery.put_many(data, partition_keys, timeout)
            return
        with self._lock:
            self._delivery.put_many(data, partition_keys, timeout)
            self._took_places(counted, self._clock())

    def _took_places(self, count: int, now: float) -> None:
        self._envelopes.took(count)
        if self._spool is not None:
            self._spool.sequences.took(self.last_seq)
        if self._envelopes.is_audit_due(now):
            self._audit(closed=False)

    def _audit(self, closed: bool) -> None:
        """Reports to the stream how far the sequence went."""
        event, key = self._envelopes.audit(closed, self._clock())
        self._delivery.put_anyway(encode(event), key)

    # Ending

    def interrupt(self) -> None:
        """Ends what other calls wait for: `put` raises BufferFullError, `flush` and `close` return what is
        pending. Takes no lock, so that a signal's handler may call it.
        """
        self._delivery.interrupt()

    def flush(self, timeout: float | None = None) -> int:
        """Sends everything now; returns how many events are not delivered when `timeout` seconds are over.

        Raises StreamRefusedError when the stream refuses meanwhile. The events are kept.
        """
        with self._lock:
            if self.last_seq and self._delivery.failure is None:
                self._audit(closed=False)
        pending = self._delivery.flush(timeout)
        self._write_dead_letters()
        return pending

    def close(self, timeout: float | None = 30.0) -> Stats:
        """Delivers what it can in `timeout` seconds, spools the rest, ends the threads. Always returns."""
        with self._lock:
            is_told = self.last_seq > 0 and not self._delivery.is_over
            if is_told:
                self._audit(closed=True)
        stats = self._delivery.close(timeout)
        if self._spool is not None:
            self._spool.sequences.end(is_told and not stats.pending)
        self._write_dead_letters()
        dismiss(self)
        return stats

    @property
    def has_spool(self) -> bool:
        """Whether what cannot be sent can wait on the disk."""
        return self._delivery.has_spool

    @property
    def failure(self) -> ProducerError | None:
        """Why nothing is sent, when a person has to see to it; None again once the stream takes records."""
        return self._delivery.failure

    def stats(self) -> Stats:
        """A snapshot of the counts."""
        return self._delivery.stats()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _told(self, settled: Settled) -> None:
        if settled.error is not None and self._dead_letter is not None:
            self._dead_letter.keep(settled.error, settled.events)
        if self._on_delivery is not None:
            self._on_delivery(settled)

    def _write_dead_letters(self) -> None:
        if self._dead_letter is not None and (left := self._dead_letter.retry()):
            _log.warning("%d events wait for the dead-letter file %s.", left, self._dead_letter.path)

    def after_fork(self) -> None:
        """In the child: an empty producer with a sequence of its own. The parent delivers what it had."""
        self._random.seed(int.from_bytes(os.urandom(16), "big"))
        self._delivery.after_fork()
        if self._dead_letter is not None:
            self._dead_letter.in_child()
        name = identifier(self.producer_id[:50], os.getpid())
        self._start_afresh(name, next_epoch(int(self._clock() * 1000), None))
