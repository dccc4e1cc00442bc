"""The delivery worker of one delivery stream: reads, transforms, buffers, delivers, and checkpoints.

One thread reads the stream and decides; two invoke the function; one writes objects, so that an error object
that cannot be written holds back all delivery, as it does on AWS.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.context import LocalContext
from infra.local.firehose import prefixes
from infra.local.firehose.answers import Judged, Partition
from infra.local.firehose.buffers import Buffer, Buffers
from infra.local.firehose.checkpoints import Checkpoint, CheckpointStore, ShardProgress, finish
from infra.local.firehose.configuration import MOST_PARTITIONS, Configuration
from infra.local.firehose.counts import Counts
from infra.local.firehose.deaggregation import unpack
from infra.local.firehose.delivery import Made, ParquetMaker, local_time, plain, put_until_written
from infra.local.firehose.error_objects import ErrorOrigin, error_line
from infra.local.firehose.faults import Faults
from infra.local.firehose.invocation import Batcher
from infra.local.firehose.reader import LIST_SECONDS, ShardReader, list_shards, readable_shards, start_of
from infra.local.firehose.records import PARTITIONS_EXCEEDED, Failure, Place, UserRecord
from infra.local.firehose.transforming import Transformer

logger = logging.getLogger(__name__)

MOST_BYTES_IN_FLIGHT = 96_000_000
"""Raw data that is read ahead of its delivery."""
CHECKPOINT_SECONDS = 0.25
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 0.6
TRANSFORMS_AT_ONCE = 2

_EXCEEDED = Failure(
    PARTITIONS_EXCEEDED,
    "DynamicPartitioning.ActivePartitionsLimitExceeded",
    "The delivery stream has as many active partitions as it may have.",
)


@dataclass(frozen=True)
class Pace:
    """How this worker differs in pace: factor of every interval, and the limit of lake partitions."""

    interval_scale: float = 1.0
    most_partitions: int = MOST_PARTITIONS


@dataclass
class _Errors:
    since: float
    oldest_ms: int
    records: list[UserRecord]
    lines: list[bytes]


class DeliveryWorker:
    """Runs one delivery stream from `start` to `stop`."""

    def __init__(
        self,
        configuration: Configuration,
        delivery_arn: str,
        context: LocalContext,
        checkpoints: CheckpointStore,
        *,
        pace: Pace,
        faults: Faults,
        new_id: Callable[[], str],
        random_string: Callable[[], str],
        halt: Callable[[], None],
    ) -> None:
        self.configuration = configuration
        self.counts = Counts()
        self._context, self._clock = context, context.clock
        self._checkpoints, self._faults, self._halt = checkpoints, faults, halt
        self._new_id, self._random_string = new_id, random_string
        self._zone = prefixes.zone(configuration.time_zone)
        self._kinesis = context.client("kinesis", role_arn=configuration.source_role_arn)
        self._s3 = context.client("s3", role_arn=configuration.role_arn)
        self._scale = pace.interval_scale
        hints = configuration.hints
        self._buffers = Buffers(hints.size_bytes, hints.interval_seconds * self._scale, pace.most_partitions)
        transform = configuration.transform
        batch = transform.hints if transform else hints
        self._batcher = Batcher(batch.size_bytes, batch.interval_seconds * self._scale)
        self._transformer = self._make_transformer(delivery_arn) if transform else None
        schema = configuration.schema
        self._maker = (
            ParquetMaker(context.client("glue", role_arn=configuration.role_arn), schema) if schema else None
        )
        self._origin = ErrorOrigin(
            transform.arn if transform else "",
            (schema.catalog_id or context.account_id) if schema else "",
            schema.database if schema else "",
            schema.table if schema else "",
            (schema.region or context.region) if schema else context.region,
            schema.version if schema else "LATEST",
        )
        self._errors: dict[str, _Errors] = {}
        self._readers: dict[str, ShardReader] = {}
        self._progress: dict[str, ShardProgress] = {}
        self._finished: frozenset[str] = frozenset()
        self._bytes_in_flight = 0
        self._deliveries = 0
        self._list_at = self._save_at = 0.0
        self._lock = threading.RLock()
        self._wake, self._stopping, self._draining = threading.Event(), threading.Event(), threading.Event()
        self._transforms = ThreadPoolExecutor(TRANSFORMS_AT_ONCE, "transform")
        self._writer = ThreadPoolExecutor(1, "deliver")
        self._thread = threading.Thread(target=self._run, name=f"firehose-{configuration.name}", daemon=True)

    def start(self) -> None:
        """Begin to read, from the checkpoints where there are any."""
        name = self.configuration.name
        self._created_at = self._checkpoints.started_at(name, self._clock())
        self._known = self._checkpoints.load(name)
        self._finished = frozenset(shard for shard, known in self._known.items() if known.finished)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading and give up what is in flight, which a restart reads again; keep the checkpoints."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._transforms.shutdown(cancel_futures=True)
        self._writer.shutdown(cancel_futures=True)
        self._save_checkpoints()

    def drain(self, seconds: float) -> bool:
        """Read to the end of the stream and deliver everything at once; False when time was up before."""
        self._draining.set()
        self._wake.set()
        deadline = time.monotonic() + seconds
        while self._draining.is_set() and time.monotonic() < deadline and not self._stopping.is_set():
            time.sleep(0.01)
        return not self._draining.is_set()

    def _run(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._stopping.is_set():
            try:
                worked = self._step(self._clock())
            except (ClientError, BotoCoreError) as error:
                logger.warning("%s: %s", self.configuration.name, error)
                self._readers.clear()
                self._list_at, worked, pause = 0.0, False, LONGEST_PAUSE
            if worked or self._draining.is_set():
                pause = SHORTEST_PAUSE
            if not worked:
                self._wake.wait(min(pause, 0.02) if self._draining.is_set() else pause)
                self._wake.clear()
                pause = min(pause * 1.5, LONGEST_PAUSE)

    def _step(self, now: float) -> bool:
        """One round; whether anything was read."""
        self._follow_shards(now)
        read = sum(self._read(reader, now) for reader in list(self._readers.values()))
        drains = self._draining.is_set() and not read and not self._faults.happens("reading_pauses")
        if self._batcher.is_due(now) or (drains and len(self._batcher)):
            self._submit(self._batcher.cut())
        with self._lock:
            idle = drains and not self.counts.transforming
            self._deliver(self._buffers.take_due(now, everything=idle))
            self._deliver_errors(now, everything=idle)
            if idle and not self._deliveries and not self.counts.in_flight:
                self._draining.clear()
        if now >= self._save_at:
            self._save_checkpoints()
            self._save_at = now + CHECKPOINT_SECONDS
        return read > 0

    def _follow_shards(self, now: float) -> None:
        if now < self._list_at:
            return
        self._list_at = now + LIST_SECONDS
        arn = self.configuration.stream_arn
        shards = list_shards(self._kinesis, arn)
        for shard in readable_shards(shards, self._finished):
            shard_id = shard["ShardId"]
            if shard_id not in self._readers:
                start = start_of(shard, self._known.get(shard_id), self._created_at)
                self._readers[shard_id] = ShardReader(self._kinesis, arn, shard_id, start, self._clock)
                self._progress.setdefault(shard_id, ShardProgress())

    def _read(self, reader: ShardReader, now: float) -> int:
        if reader.closed or self._faults.happens("reading_pauses"):
            return 0
        if self._bytes_in_flight > MOST_BYTES_IN_FLIGHT:
            return 0
        raw = reader.read()
        places: list[Place] = []
        records: list[UserRecord] = []
        for each in raw:
            unpacked = unpack(each.partition_key, each.data)
            place = Place(each.shard_id, each.sequence_number, each.arrival_ms, len(unpacked))
            places.append(place)
            records += [UserRecord(place, sub, key, data) for sub, (key, data) in enumerate(unpacked)]
        with self._lock:
            self._progress[reader.shard_id].read(places)
            self.counts.stream_records += len(raw)
            self.counts.read += len(records)
            self._bytes_in_flight += sum([len(record.data) for record in records])
            self.counts.behind_ms = max(each.behind_ms for each in self._readers.values())
        if records:
            self._note("firehose", "read", shard=reader.shard_id, records=len(raw), events=len(records))
        for batch in self._batcher.add(records, now):
            self._submit(batch)
        return len(raw)

    def _submit(self, batch: list[UserRecord]) -> None:
        with self._lock:
            self.counts.transforming += len(batch)
        self._transforms.submit(self._transform, batch).add_done_callback(_log_failure)

    def _transform(self, batch: list[UserRecord]) -> None:
        began = time.monotonic()
        if self._transformer is None:
            judged = Judged(rows={(): (batch, [record.data for record in batch])})
        else:
            judged = self._transformer.apply(batch)
        took = time.monotonic() - began
        now = self._clock()
        with self._lock:
            self.counts.transforming -= len(batch)
            self.counts.invocations += 1
            self.counts.transform_seconds += took
            for partition, (records, rows) in judged.rows.items():
                self._buffer(partition, records, rows, now)
            self.counts.partitions = len(self._buffers)
            self._fail(judged.failed, now)
            self._finish(judged.dropped)
            self.counts.dropped += len(judged.dropped)
        self._note(
            "transform",
            "batch",
            events=len(batch),
            failed=len(judged.failed),
            dropped=len(judged.dropped),
            milliseconds=round(took * 1000),
        )
        self._wake.set()

    def _buffer(self, partition: Partition, records: list[UserRecord], rows: list[bytes], now: float) -> None:
        if self._buffers.add(partition, records, rows, now):
            self.counts.buffered += len(records)
            self.counts.succeeded += len(records)
        else:
            self.counts.partitions_exceeded += len(records)
            self._fail([(record, _EXCEEDED) for record in records], now)

    def _make_transformer(self, delivery_arn: str) -> Transformer:
        configuration = self.configuration
        assert configuration.transform is not None
        return Transformer(
            self._context.client("lambda", role_arn=configuration.role_arn),
            configuration.transform,
            configuration.prefix.partition_keys,
            configuration.stream_arn,
            delivery_arn,
            self._context.region,
            self._faults,
            self._new_id,
            self._function_failed,
        )

    def _function_failed(self, attempt: int, why: str) -> None:
        with self._lock:
            self.counts.function_errors += 1
        self._note("transform", "function error", attempt=attempt, why=why[:300])

    def _deliver(self, buffers: list[Buffer]) -> None:
        if self._faults.happens("delivery_reorders"):
            buffers = [buffers[index] for index in self._faults.shuffled(list(range(len(buffers))))]
        for buffer in buffers:
            self._write(self._deliver_buffer, buffer)

    def _deliver_buffer(self, buffer: Buffer) -> None:
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
        now = self._clock()
        with self._lock:
            self.counts.buffered -= len(buffer.records)
            self.counts.delivered += len(good)
            self.counts.rows += made.rows
            self.counts.delivery_seconds += time.monotonic() - began
            self._fail([(buffer.records[index], failure) for index, failure in made.failures], now)
            self._finish(good)

    def _made(self, buffer: Buffer) -> Made | None:
        """The object's content; None when the worker ended while the table could not be read."""
        pause = 0.2
        while not self._stopping.is_set():
            try:
                return self._maker.make(buffer.chunks) if self._maker else plain(buffer.chunks)
            except (ClientError, BotoCoreError) as error:
                self._put_failed(str(error))
                time.sleep(pause)
                pause = min(pause * 2, 5.0)
        return None

    def _put_data(self, buffer: Buffer, made: Made) -> bool:
        if self._faults.happens("stops_before_put"):
            self._halt()
        keys = [self._data_key(buffer)]
        if self._faults.happens("same_key_rewrite"):
            keys *= 2
        if self._faults.happens("delivery_repeats"):
            keys.append(self._data_key(buffer))
        for key in keys:
            if not self._put(key, made.body, "data_put_fails", is_parquet=self._maker is not None):
                return False
            with self._lock:
                self.counts.objects += 1
                self.counts.bytes_delivered += len(made.body)
            size, partition = len(made.body), "/".join(buffer.partition)
            self._note("lake", "object", key=key, rows=made.rows, bytes=size, partition=partition)
        if self._faults.happens("stops_after_put"):
            self._halt()
        return True

    def _data_key(self, buffer: Buffer) -> str:
        at = local_time(buffer.oldest_ms, self._zone)
        names = self.configuration.prefix.partition_keys
        partition = dict(zip(names, buffer.partition, strict=False))
        prefix = self.configuration.prefix.evaluate(at=at, random=self._random_string, partition=partition)
        now = local_time(int(self._clock() * 1000), self._zone)
        name = self.configuration.name
        return prefix + prefixes.object_name(name, now, self._new_id(), self.configuration.extension)

    def _fail(self, failed: list[tuple[UserRecord, Failure]], now: float) -> None:
        for record, failure in failed:
            errors = self._errors.get(failure.output_type)
            if errors is None:
                errors = _Errors(now, record.place.arrival_ms, [], [])
                self._errors[failure.output_type] = errors
            errors.oldest_ms = min(errors.oldest_ms, record.place.arrival_ms)
            errors.records.append(record)
            errors.lines.append(error_line(record, failure, self._origin, ended_ms=int(now * 1000)))

    def _deliver_errors(self, now: float, *, everything: bool) -> None:
        interval = self.configuration.hints.interval_seconds * self._scale
        for output_type, errors in list(self._errors.items()):
            if everything or now - errors.since >= interval:
                del self._errors[output_type]
                self._write(self._deliver_error, output_type, errors)

    def _deliver_error(self, output_type: str, errors: _Errors) -> None:
        prefix = self.configuration.error_prefix.evaluate(
            at=local_time(errors.oldest_ms, self._zone), random=self._random_string, error_type=output_type
        )
        now = local_time(int(self._clock() * 1000), self._zone)
        key = prefix + prefixes.object_name(self.configuration.name, now, self._new_id(), "")
        if not self._put(key, b"".join(errors.lines), "error_put_fails", is_parquet=False):
            return
        with self._lock:
            self.counts.failed += len(errors.records)
            self.counts.error_objects += 1
            self._finish(errors.records)
        self._note("firehose", "error object", key=key, events=len(errors.records), kind=output_type)

    def _write(self, work: Callable[..., None], *arguments: Any) -> None:
        with self._lock:
            self._deliveries += 1
        self._writer.submit(work, *arguments).add_done_callback(self._written)

    def _written(self, done: "Future[None]") -> None:
        with self._lock:
            self._deliveries -= 1
        _log_failure(done)
        self._wake.set()

    def _put(self, key: str, body: bytes, fault: str, *, is_parquet: bool) -> bool:
        return put_until_written(
            self._s3,
            self.configuration.bucket,
            key,
            body,
            is_parquet=is_parquet,
            goes_on=lambda: not self._stopping.is_set(),
            fails=lambda: self._faults.happens(fault),
            failed=self._put_failed,
        )

    def _put_failed(self, why: str) -> None:
        with self._lock:
            self.counts.failed_puts += 1
        self._note("firehose", "write failed", why=why[:300])

    def _finish(self, records: list[UserRecord]) -> None:
        finish(records)
        self._bytes_in_flight -= sum([len(record.data) for record in records])

    def _save_checkpoints(self) -> None:
        moved: dict[str, Checkpoint] = {}
        with self._lock:
            for shard_id, progress in self._progress.items():
                reader, done = self._readers.get(shard_id), progress.advance()
                finished = reader is not None and reader.closed and progress.is_idle
                known = self._known.get(shard_id)
                sequence = done or (known.sequence_number if known else None)
                if done or (finished and shard_id not in self._finished):
                    moved[shard_id] = self._known[shard_id] = Checkpoint(sequence, finished)
                if finished and shard_id not in self._finished:
                    self._finished |= {shard_id}
                    self._readers.pop(shard_id, None)
                    self._list_at = 0.0  # its children may be read now
        if moved:
            self._checkpoints.save(self.configuration.name, moved)

    def _note(self, stage: Any, what: str, **facts: Any) -> None:
        self._context.activity.add(stage, what, at=self._clock(), stream=self.configuration.name, **facts)


def _log_failure(done: "Future[None]") -> None:
    if not done.cancelled() and (error := done.exception()):
        logger.error("the delivery worker has a defect", exc_info=error)
