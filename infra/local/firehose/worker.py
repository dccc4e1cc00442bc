"""The delivery worker of one delivery stream: reads, transforms, hands to the writer, and checkpoints.

One thread reads the stream and decides; two invoke the function; the writer has a thread of its own.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local import process_memory
from infra.local.firehose.answers import Judged
from infra.local.firehose.checkpoints import Checkpoint, CheckpointStore, ShardProgress, finish
from infra.local.firehose.configuration import Configuration
from infra.local.firehose.counts import Counts
from infra.local.firehose.delivery import ParquetMaker
from infra.local.firehose.direct_log import DirectLog
from infra.local.firehose.error_objects import ErrorOrigin
from infra.local.firehose.faults import Faults
from infra.local.firehose.invocation import Batcher
from infra.local.firehose.lag import direct_metrics, metrics
from infra.local.firehose.pace import Pace
from infra.local.firehose.reader import LIST_SECONDS
from infra.local.firehose.records import UserRecord
from infra.local.firehose.sources import DirectSource, KinesisSource, Reader, Source
from infra.local.firehose.transforming import Transformer
from infra.local.firehose.writer import Surroundings, Writer
from infra.local.parts.context import LocalContext, ServiceRole

logger = logging.getLogger(__name__)

MOST_BYTES_IN_FLIGHT = 64_000_000
"""Raw data that is read ahead of its delivery."""
CHECKPOINT_SECONDS = 0.25
SHORTEST_PAUSE, LONGEST_PAUSE, DRAINING_PAUSE = 0.05, 0.6, 0.02
TRANSFORMS_AT_ONCE = 2


class DeliveryWorker:
    """Runs one delivery stream from `start` to `stop`.

    `direct` keeps what is put on a delivery stream that has no Kinesis stream. `created_at` is when the
    delivery stream was created (epoch seconds): where it starts to read shards that have no checkpoint.
    None reads them from their beginning.
    """

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
        created_at: float | None,
        direct: DirectLog | None = None,
    ) -> None:
        self.configuration = configuration
        self.counts = Counts()
        self._context, self._clock = context, context.clock
        self._checkpoints, self._faults = checkpoints, faults
        self._direct = direct
        self._source = self._open(delivery_arn, created_at)
        self._quiet_seconds, self._read_at = pace.quiet_seconds, 0.0
        self._lock = threading.RLock()
        self._wake, self._stopping = threading.Event(), threading.Event()
        around = Surroundings(
            counts=self.counts,
            lock=self._lock,
            finish=self._finish,
            stopping=self._stopping,
            wake=self._wake,
            clock=self._clock,
            note=self._note,
            faults=faults,
            new_id=new_id,
            random_string=random_string,
            halt=halt,
        )
        self._writer = _writer(
            configuration, _role(configuration.role_arn, delivery_arn), context, pace, around
        )
        transform = configuration.transform
        hints = transform.hints if transform else configuration.hints
        self._batcher = Batcher(hints.size_bytes, hints.interval_seconds * pace.interval_scale)
        self._transformer = self._make_transformer(delivery_arn, new_id, pace) if transform else None
        self._copies = 2 if configuration.backup else 1
        self._readers: dict[str, Reader] = {}
        self._progress: dict[str, ShardProgress] = {}
        self._read_until: dict[str, float] = {}
        self._known: dict[str, Checkpoint] = {}
        self._finished: frozenset[str] = frozenset()
        self._created_at = created_at
        self._list_at = self._save_at = 0.0
        self._unsaved: dict[str, Checkpoint] = {}
        self._bytes_in_flight = 0
        self._has_worked = False
        self._drains_asked = self._drains_done = 0
        self._transforms = ThreadPoolExecutor(TRANSFORMS_AT_ONCE, "transform")
        self._thread = threading.Thread(target=self._run, name=f"firehose-{configuration.name}", daemon=True)

    def _open(self, delivery_arn: str, created_at: float | None) -> Source:
        if self._direct is not None:
            return DirectSource(self._direct, self._clock)
        configuration = self.configuration
        kinesis = self._context.client("kinesis", role=_role(configuration.source_role_arn, delivery_arn))
        return KinesisSource(kinesis, configuration.stream_arn, self._clock, created_at)

    def wake(self) -> None:
        """Something was put on the delivery stream itself."""
        self._wake.set()

    def start(self) -> None:
        """Begin to read, from the checkpoints where there are any."""
        self._known = self._checkpoints.load(self.configuration.name)
        self._finished = frozenset(shard for shard, known in self._known.items() if known.finished)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading and give up what is in flight, which a restart reads again; keep the checkpoints."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._transforms.shutdown(cancel_futures=True)
        self._writer.stop()
        try:
            self._save_checkpoints()
        except sqlite3.Error as error:
            logger.warning("%s: the last checkpoints are not kept: %s", self.configuration.name, error)

    def metrics(self) -> dict[str, float]:
        """What Firehose reports to CloudWatch of how far it is."""
        if self._direct is not None:
            return direct_metrics(self._direct.oldest_ms(), self._clock())
        since = self._created_at or 0.0  # unknown: as far behind as can be, until something was read
        with self._lock:
            return metrics(self._read_until, list(self._progress.values()), since, self._clock())

    def drain(self, seconds: float) -> bool:
        """Read to the end of the stream and deliver everything at once; False when time was up before."""
        deadline = time.monotonic() + seconds
        with self._lock:
            self._drains_asked += 1
            mine = self._drains_asked
        self._wake.set()
        while self._drains_done < mine and time.monotonic() < deadline and not self._stopping.is_set():
            time.sleep(0.01)
        return self._drains_done >= mine

    def _run(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._stopping.is_set():
            try:
                worked = self._step(self._clock())
            except (ClientError, BotoCoreError, sqlite3.Error) as error:
                logger.warning("%s: %s", self.configuration.name, error)
                self._list_at, worked, pause = 0.0, False, LONGEST_PAUSE
            except Exception:  # this thread must not end unseen: nothing would be delivered any more
                logger.exception("%s: the delivery worker has a defect", self.configuration.name)
                self._list_at, worked, pause = 0.0, False, LONGEST_PAUSE
            if worked:
                pause = SHORTEST_PAUSE
            else:
                self._wake.wait(DRAINING_PAUSE if self._drains_asked > self._drains_done else pause)
                self._wake.clear()
                pause = min(pause * 1.5, LONGEST_PAUSE)

    def _step(self, now: float) -> bool:
        """One round; whether anything was read."""
        asked = self._drains_asked  # before reading: whoever asks later may have put records since
        self._follow_shards(now)
        read = sum([self._read(reader, now) for reader in list(self._readers.values())])
        if read:
            self._read_at, self._has_worked = now, True
        is_quiet = 0 < self._quiet_seconds <= now - self._read_at
        drains = not read and (is_quiet or asked > self._drains_done)
        if self._batcher.is_due(now) or (drains and len(self._batcher)):
            self._submit(self._batcher.cut())
        with self._lock:
            at_rest = drains and not self.counts.transforming
            self._writer.deliver(now, everything=at_rest)
            is_done = at_rest and self._writer.is_idle and not self.counts.in_flight
        if is_done:
            if self._has_worked:
                process_memory.give_back()  # what full buffers took; reports come next, and need theirs
                self._has_worked = False
            self._drains_done = asked
        if now >= self._save_at:
            self._save_checkpoints()
            self._save_at = now + CHECKPOINT_SECONDS
        return read > 0

    def _follow_shards(self, now: float) -> None:
        if now < self._list_at:
            return
        self._list_at = now + LIST_SECONDS
        for reader in self._source.readers(self._known, self._finished):
            if reader.shard_id not in self._readers:
                self._readers[reader.shard_id] = reader
                self._progress.setdefault(reader.shard_id, ShardProgress())

    def _read(self, reader: Reader, now: float) -> int:
        if reader.closed or self._bytes_in_flight > MOST_BYTES_IN_FLIGHT:
            return 0
        if self._faults.happens("reading_pauses"):
            return 0
        asked_at = self._clock()
        places, records = reader.read()
        if not places:
            self._read_until[reader.shard_id] = asked_at
            return 0
        if self._copies > 1:
            for place in places:
                place.open *= self._copies
        with self._lock:
            self._read_until[reader.shard_id] = places[-1].arrival_ms / 1000
            self._progress[reader.shard_id].read(places)
            self.counts.stream_records += len(places)
            self.counts.read += len(records)
            self._bytes_in_flight += self._copies * sum([len(record.data) for record in records])
            self.counts.behind_ms = max(each.behind_ms for each in self._readers.values())
            self._writer.keep(records, now)
        self._note("firehose", "read", shard=reader.shard_id, records=len(places), events=len(records))
        for batch in self._batcher.add(records, now):
            self._submit(batch)
        return len(places)

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
                self._writer.add(partition, records, rows, now)
            self._writer.fail(judged.failed, now)
            self.counts.dropped += len(judged.dropped)
            self._finish(judged.dropped)
        self._note(
            "transform",
            "batch",
            events=len(batch),
            failed=len(judged.failed),
            dropped=len(judged.dropped),
            milliseconds=round(took * 1000),
        )
        self._wake.set()

    def _make_transformer(self, delivery_arn: str, new_id: Callable[[], str], pace: Pace) -> Transformer:
        configuration = self.configuration
        assert configuration.transform is not None
        return Transformer(
            self._context.client("lambda", role=_role(configuration.role_arn, delivery_arn)),
            configuration.transform,
            configuration.prefix.partition_keys,
            configuration.stream_arn,
            delivery_arn,
            self._context.region,
            self._faults,
            new_id,
            self._function_failed,
            pace.retry_seconds,
        )

    def _function_failed(self, attempt: int, why: str) -> None:
        with self._lock:
            self.counts.function_errors += 1
        self._note("transform", "function error", attempt=attempt, why=why[:300])

    def _finish(self, records: Sequence[UserRecord]) -> None:
        finish(records)
        self._bytes_in_flight -= sum([len(record.data) for record in records])

    def _save_checkpoints(self) -> None:
        moved = self._unsaved  # a full disk may have refused them
        with self._lock:
            for shard_id, progress in self._progress.items():
                reader, done = self._readers.get(shard_id), progress.advance()
                ends = reader is not None and reader.closed and progress.is_idle
                if done is not None or ends:
                    before = self._known.get(shard_id)
                    sequence = done or (before.sequence_number if before else None)
                    moved[shard_id] = self._known[shard_id] = Checkpoint(sequence, ends)
                if ends:
                    self._finished |= {shard_id}
                    self._readers.pop(shard_id)
                    self._read_until.pop(shard_id, None)
                    self._list_at = 0.0  # its children may be read now
        if moved:
            self._checkpoints.save(self.configuration.name, moved)
            self._source.done(moved)
            self._unsaved = {}

    def _note(self, stage: Any, what: str, **facts: Any) -> None:
        self._context.activity.add(stage, what, at=self._clock(), stream=self.configuration.name, **facts)


def _writer(
    configuration: Configuration, role: ServiceRole, context: LocalContext, pace: Pace, around: Surroundings
) -> Writer:
    schema, transform = configuration.schema, configuration.transform
    origin = ErrorOrigin(
        lambda_arn=transform.arn if transform else "",
        catalog_id=(schema and schema.catalog_id) or context.account_id,
        database=schema.database if schema else "",
        table=schema.table if schema else "",
        region=(schema and schema.region) or context.region,
        version=schema.version if schema else "LATEST",
    )
    glue = context.client("glue", role=role)
    maker = ParquetMaker(glue, schema, context.clock) if schema else None
    s3 = context.client("s3", role=role)
    return Writer(configuration, around, s3=s3, maker=maker, origin=origin, pace=pace)


def _role(arn: str, delivery_arn: str) -> ServiceRole:
    return ServiceRole(arn, "firehose.amazonaws.com", delivery_arn)


def _log_failure(done: "Future[None]") -> None:
    if not done.cancelled() and (error := done.exception()):
        logger.error("the delivery worker has a defect", exc_info=error)
