"""What waits for delivery, and its delivery: data objects, error objects, the backup of raw records.

One thread writes, so an error object that cannot be written holds back all delivery, as it does on AWS.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.firehose import prefixes
from infra.local.firehose.answers import Partition
from infra.local.firehose.buffers import Buffer, Buffers
from infra.local.firehose.configuration import Configuration
from infra.local.firehose.counts import Counts
from infra.local.firehose.delivery import Made, ParquetMaker, local_time, plain, put_until_written
from infra.local.firehose.error_objects import ErrorOrigin, error_line
from infra.local.firehose.faults import Faults
from infra.local.firehose.pace import Pace
from infra.local.firehose.prefixes import Prefix
from infra.local.firehose.records import PARTITIONS_EXCEEDED, Failure, UserRecord

logger = logging.getLogger(__name__)

MOST_WRITES_WAITING = 8
"""While so many objects wait to be written, buffers go on filling: fewer, larger objects catch up sooner."""

_EXCEEDED = Failure(
    PARTITIONS_EXCEEDED,
    "DynamicPartitioning.ActivePartitionsLimitExceeded",
    "The delivery stream has as many active partitions as it may have.",
)

Note = Callable[..., None]
"""Reports to the live page: (stage, what, **facts)."""


@dataclass(frozen=True)
class Surroundings:
    """What a writer shares with its worker.

    Attributes:
        lock: guards counts, buffers and places.
        finish: hears of records that are done for good; called with the lock held.
        stopping: set when the worker ends; retries then give up.
        wake: set when something changed that the worker may wait for.
        new_id: makes the unique part of object names. `random_string` is `!{firehose:random-string}`.
        halt: ends the process dead, for faults.
    """

    counts: Counts
    lock: Any
    finish: Callable[[Sequence[UserRecord]], None]
    stopping: threading.Event
    wake: threading.Event
    clock: Callable[[], float]
    note: Note
    faults: Faults
    new_id: Callable[[], str]
    random_string: Callable[[], str]
    halt: Callable[[], None]


@dataclass
class _Errors:
    since: float
    oldest_ms: int
    records: list[UserRecord] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)


class Writer:
    """Buffers and writes for one delivery stream. Every method but `stop` is called with the lock held."""

    def __init__(
        self,
        configuration: Configuration,
        around: Surroundings,
        *,
        s3: Any,
        maker: ParquetMaker | None,
        origin: ErrorOrigin,
        pace: Pace,
    ) -> None:
        self._configuration, self._s3, self._maker, self._origin = configuration, s3, maker, origin
        self._around, self._counts, self._faults = around, around.counts, around.faults
        self._zone = prefixes.zone(configuration.time_zone)
        self._interval = configuration.hints.interval_seconds * pace.interval_scale
        self._buffers = Buffers(configuration.hints.size_bytes, self._interval, pace.most_partitions)
        self._errors: dict[str, _Errors] = {}
        backup = configuration.backup
        self._backups = (
            Buffers(backup.hints.size_bytes, backup.hints.interval_seconds * pace.interval_scale, 1)
            if backup
            else None
        )
        self._outstanding = 0
        self._executor = ThreadPoolExecutor(1, "deliver")

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being written."""
        waiting = len(self._buffers) + len(self._errors) + (len(self._backups) if self._backups else 0)
        return not self._outstanding and not waiting

    def stop(self) -> None:
        """End; `stopping` is set already."""
        self._executor.shutdown(cancel_futures=True)

    def keep(self, records: Sequence[UserRecord], now: float) -> None:
        """Records as they came, for the backup."""
        if self._backups is not None and records:
            self._backups.add((), records, [record.data for record in records], now)

    def add(self, partition: Partition, records: list[UserRecord], rows: list[bytes], now: float) -> None:
        """Rows for one lake partition; beyond the limit of active ones they fail."""
        if self._takes(partition, records, rows, now):
            self._counts.buffered += len(records)
            self._counts.succeeded += len(records)
        else:
            self._counts.partitions_exceeded += len(records)
            self.fail([(record, _EXCEEDED) for record in records], now)
        self._counts.partitions = len(self._buffers)

    def _takes(self, partition: Partition, records: list[UserRecord], rows: list[bytes], now: float) -> bool:
        if self._buffers.add(partition, records, rows, now):
            return True
        # Buffers whose time is over were only left open because writing is slow on this machine.
        for buffer in self._buffers.take_due(now):
            self._write(self._deliver_data, buffer)
        return self._buffers.add(partition, records, rows, now)

    def fail(self, failed: Sequence[tuple[UserRecord, Failure]], now: float) -> None:
        """Records for the error prefix."""
        for record, failure in failed:
            arrival = record.place.arrival_ms
            errors = self._errors.setdefault(failure.output_type, _Errors(now, arrival))
            errors.oldest_ms = min(errors.oldest_ms, arrival)
            errors.records.append(record)
            errors.lines.append(error_line(record, failure, self._origin, ended_ms=int(now * 1000)))

    def deliver(self, now: float, *, everything: bool) -> None:
        """Begin to write what is due."""
        is_busy = self._outstanding >= MOST_WRITES_WAITING
        buffers = self._buffers.take_due(now, everything=everything, only_full=is_busy)
        if buffers and self._faults.happens("delivery_reorders"):
            buffers = [buffers[index] for index in self._faults.shuffled(list(range(len(buffers))))]
        for buffer in buffers:
            self._write(self._deliver_data, buffer)
        for output_type, errors in list(self._errors.items()):
            if everything or now - errors.since >= self._interval:
                del self._errors[output_type]
                self._write(self._deliver_errors, output_type, errors)
        if self._backups is not None:
            for buffer in self._backups.take_due(now, everything=everything):
                self._write(self._deliver_backup, buffer)

    def _write(self, work: Callable[..., None], *arguments: Any) -> None:
        self._outstanding += 1
        self._executor.submit(work, *arguments).add_done_callback(self._written)

    def _written(self, done: "Future[None]") -> None:
        with self._around.lock:
            self._outstanding -= 1
        if not done.cancelled() and (error := done.exception()):
            logger.error("the delivery worker has a defect", exc_info=error)
        self._around.wake.set()

    def _deliver_data(self, buffer: Buffer) -> None:
        began = time.monotonic()
        made = self._made(buffer)
        if made is None:
            return
        failed = {index for index, _ in made.failures}
        good = [record for index, record in enumerate(buffer.records) if index not in failed]
        if self._faults.happens("delivery_delays"):
            time.sleep(1.0)
        if made.rows and not self._put_data(buffer, made):
            return
        with self._around.lock:
            self._counts.buffered -= len(buffer.records)
            self._counts.delivered += len(good)
            self._counts.rows += made.rows
            self._counts.delivery_seconds += time.monotonic() - began
            self.fail([(buffer.records[index], why) for index, why in made.failures], self._around.clock())
            self._around.finish(good)

    def _made(self, buffer: Buffer) -> Made | None:
        """The object's content; None when the worker ended while the table could not be read."""
        pause = 0.2
        while not self._around.stopping.is_set():
            try:
                return self._maker.make(buffer.rows) if self._maker else plain(buffer.rows)
            except (ClientError, BotoCoreError) as error:
                self._put_failed(str(error))
                time.sleep(pause)
                pause = min(pause * 2, 5.0)
        return None

    def _put_data(self, buffer: Buffer, made: Made) -> bool:
        if self._faults.happens("stops_before_put"):
            self._around.halt()
        keys = [self._data_key(buffer)]
        if self._faults.happens("same_key_rewrite"):
            keys *= 2
        if self._faults.happens("delivery_repeats"):
            keys.append(self._data_key(buffer))
        for key in keys:
            if not self._put(key, made.body, "data_put_fails", is_parquet=self._maker is not None):
                return False
            with self._around.lock:
                self._counts.objects += 1
                self._counts.bytes_delivered += len(made.body)
            size, partition = len(made.body), "/".join(buffer.partition)
            self._around.note("lake", "object", key=key, rows=made.rows, bytes=size, partition=partition)
        if self._faults.happens("stops_after_put"):
            self._around.halt()
        return True

    def _data_key(self, buffer: Buffer) -> str:
        names = self._configuration.prefix.partition_keys
        partition = dict(zip(names, buffer.partition, strict=False))
        return self._key(
            self._configuration.prefix, buffer.oldest_ms, self._configuration.extension, partition=partition
        )

    def _key(self, prefix: Prefix, oldest_ms: int, extension: str, **values: Any) -> str:
        at = local_time(oldest_ms, self._zone)
        now = local_time(int(self._around.clock() * 1000), self._zone)
        name = prefixes.object_name(self._configuration.name, now, self._around.new_id(), extension)
        return prefix.evaluate(at=at, random=self._around.random_string, **values) + name

    def _deliver_errors(self, output_type: str, errors: _Errors) -> None:
        key = self._key(self._configuration.error_prefix, errors.oldest_ms, "", error_type=output_type)
        if not self._put(key, b"".join(errors.lines), "error_put_fails", is_parquet=False):
            return
        with self._around.lock:
            self._counts.failed += len(errors.records)
            self._counts.error_objects += 1
            self._around.finish(errors.records)
        self._around.note("firehose", "error object", key=key, events=len(errors.records), kind=output_type)

    def _deliver_backup(self, buffer: Buffer) -> None:
        backup = self._configuration.backup
        assert backup is not None
        key = self._key(backup.prefix, buffer.oldest_ms, "")
        body = b"".join(buffer.rows)
        if self._put(key, body, "data_put_fails", is_parquet=False, bucket=backup.bucket):
            with self._around.lock:
                self._around.finish(buffer.records)

    def _put(self, key: str, body: bytes, fault: str, *, is_parquet: bool, bucket: str = "") -> bool:
        return put_until_written(
            self._s3,
            bucket or self._configuration.bucket,
            key,
            body,
            is_parquet=is_parquet,
            goes_on=lambda: not self._around.stopping.is_set(),
            fails=lambda: self._faults.happens(fault),
            failed=self._put_failed,
        )

    def _put_failed(self, why: str) -> None:
        with self._around.lock:
            self._counts.failed_puts += 1
        self._around.note("firehose", "write failed", why=why[:300])
