"""What the verbs of `penstock produce` have in common: a producer for the target, feeding it, telling the
result.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import dropwhile
from pathlib import Path
from typing import Any, Literal

from producers.commands.bill import Forecast
from producers.commands.by_source import BySource
from producers.commands.checkpoint import Checkpoint
from producers.commands.checkpointing import Checkpointing
from producers.commands.feeding import TOGETHER, Fed, feed_simulation, feed_source
from producers.commands.hour_guard import HourGuard
from producers.commands.interruption import Interruption
from producers.commands.pacing import AsItHappened, AtRate, Pace
from producers.commands.progress import progress
from producers.commands.streams import declared_stream
from producers.commands.target import Environment, Target, UnorderedStreamError, sink_of
from producers.commands.unreadable_reasons import UnreadableReasons, reason_lines
from producers.contracts import Stream, printable
from producers.identity import next_epoch, producer_id
from producers.packing.record import Framing
from producers.producer import Producer
from producers.sending.dead_letters import DeadLetterFile
from producers.sending.stats import Stats
from producers.simulation.simulator import Simulation
from producers.sinks.memory import MemorySink, even_shards
from producers.sinks.port import RecordSink
from producers.sources.definition import find_source
from producers.sources.files import STDIN, Format, Share, content_identity
from producers.sources.read import SourceItem, read
from producers.spool.folder import Spool

CLOSE_SECONDS = 60.0
INTERRUPTED_CLOSE_SECONDS = 5.0
LINGER = 0.1
PACED_LINGER = 0.002  # a paced event leaves when it is due, not when a batch is full
SWITCH_SECONDS = 0.001
FORECAST_SHARDS = 4


class Run:
    """One run of a verb."""

    def __init__(
        self,
        target: Target,
        stream_name: str | None,
        framing: Framing,
        ordering: Literal["key", "none"],
        dry_run: bool = False,
        out: Path | None = None,
        spool: Path | None = None,
        dead_letter: Path | None = None,
        interruption: Interruption | None = None,
        hour_pacing: bool = True,
        stream: str | None = None,
    ) -> None:
        self.target = target
        self._declared = stream
        self._interruption = interruption or Interruption()
        self._stream_name = stream_name
        self._framing: Framing = framing
        self._ordering = ordering
        self._dry_run = dry_run
        self._out = out
        self._spool = spool
        self._dead_letter = dead_letter
        self._paces_hours = hour_pacing
        self._forecast = Forecast()
        self._by_source: BySource | None = None

    def read_with(self, source: str, paths: Sequence[str]) -> None:
        """From now on files are read with this source; these, which come first, are looked through.

        Raises UnknownSourceError, SourceDefinitionError, NotUniqueError and SourceError.
        """
        definition = find_source(self.target.sources, source)
        stream = definition.contract(self.target.streams, self._declared)
        self._declared = stream.name
        self._by_source = BySource(definition, stream)
        self._by_source.prepare(paths, lambda: self.target.delivery)

    def simulate(self, simulation: Simulation, rate: float | None) -> dict[str, Any]:
        """Sends a simulation; returns the summary."""
        if self._dry_run and self._out is not None:
            return self._write(simulation)
        pace = AtRate(rate, time.monotonic, time.sleep) if rate else None
        total = simulation.count * (1 + simulation.duplicate)
        hours = self._hours().over(simulation.span)
        summary = self._feed(
            simulation.producer_id,
            simulation.epoch,
            pace is not None,
            lambda producer, fed: feed_simulation(
                producer,
                simulation.records(),
                hours.pace(producer.flush, pace, self._interruption),
                progress("events", lambda: fed.put / total),
                fed,
                self._interruption,
            ),
        )
        return summary | hours.as_dict()

    def replay(
        self, path: str, form: Format | None, speed: float | None, rate: float | None, resume: Path | None
    ) -> dict[str, Any]:
        """Sends what is in a file or a pipe; returns the summary."""
        identity, by_source = content_identity(path), self._by_source
        checkpoint = None
        if resume is not None and identity is not None:
            reading = by_source.reading if by_source is not None else form or ""
            checkpoint = Checkpoint(resume, identity, self._stream, Path(path).name, reading)
        keeping = checkpoint if not self._dry_run else None
        name = identity.hex()[:12] if identity is not None else f"{os.getpid()}"
        pace = _pace(speed, rate)
        hours = self._hours()
        if by_source is None:
            hours.of_file(path, self.stream, form)
        else:
            hours.of_plan(path, by_source.plan_of(path))
        reasons = UnreadableReasons(checkpoint.line if checkpoint is not None else 0)
        share = Share()

        def feed(producer: Producer, fed: Fed) -> Fed:
            found = (
                read(path, self.stream, form, share=share, noted=reasons.add)
                if by_source is None
                else by_source.items(path, share, reasons.add)
            )
            items: Iterator[SourceItem] = found
            if checkpoint is not None:
                items = dropwhile(lambda item: item.number <= checkpoint.line, found)
                fed.last_line = checkpoint.line
            noting = Checkpointing(keeping, producer, time.monotonic) if keeping is not None else None
            if noting is not None:
                noting.begin()
            with closing(found):  # an error in the middle leaves no file open
                return feed_source(
                    producer,
                    items,
                    hours.pace(producer.flush, pace, self._interruption),
                    progress("lines", None if path == STDIN else share),
                    fed,
                    1 if path == STDIN else TOGETHER,
                    self._interruption,
                    noting.handed if noting is not None else None,
                )

        epoch = next_epoch(time.time_ns() // 1_000_000, None)
        before = 0
        if keeping is not None and keeping.epoch is not None:
            epoch, before = keeping.epoch, keeping.seq
        summary = self._feed(
            producer_id("replay" if path != STDIN else "tail", name), epoch, pace is not None, feed, before
        )
        if keeping is not None and not summary["pending"]:
            keeping.save(summary["last_line"], before + summary["produced"])
        summary |= by_source.as_dict() if by_source is not None else {}
        return summary | hours.as_dict() | reasons.as_dict()

    def drain(self, folder: Path) -> dict[str, Any]:
        """Sends what lies in a spool folder; returns the summary."""
        producer = Producer(sink=self._sink(), framing=self._framing, spool=Spool(folder))
        self._interruption.watch(producer.interrupt)
        with self._interruption.closing():
            stats = producer.close(CLOSE_SECONDS)
        _raise_if_nothing_went(producer, stats)
        return {"folder": str(folder), **stats.as_dict(), "pending": stats.pending + stats.spooled}

    def _feed(
        self,
        name: str,
        epoch: int,
        is_paced: bool,
        feed: Callable[[Producer, Fed], Fed],
        before: int = 0,
    ) -> dict[str, Any]:
        interruption = self._interruption
        producer = self._producer(name, epoch, is_paced, before)
        interruption.watch(producer.interrupt)
        started, fed, stats = time.monotonic(), Fed(), None
        try:
            with _senders_get_turns():
                feed(producer, fed)
        except KeyboardInterrupt:
            pass
        finally:
            # Whatever ended the feeding: what was taken is delivered or spooled first.
            with interruption.closing():
                stopped = interruption.signal_number is not None
                stats = producer.close(INTERRUPTED_CLOSE_SECONDS if stopped else CLOSE_SECONDS)
        seconds = time.monotonic() - started
        _raise_if_nothing_went(producer, stats)
        summary: dict[str, Any] = {
            "producer_id": name,
            "epoch": epoch,
            "produced": producer.last_seq - before,
            **asdict(fed),
            **stats.as_dict(),
            "seconds": round(seconds, 3),
            "events_per_second": round(fed.put / seconds) if seconds else 0,
        }
        if interruption.signal_number is not None:
            summary["interrupted_at"] = datetime.now(UTC).isoformat()
        return summary | (self._forecast.as_dict() if self._dry_run else {})

    def _hours(self) -> HourGuard:
        return HourGuard(self.target, is_paced=self._paces_hours, is_dry_run=self._dry_run)

    def _producer(self, name: str, epoch: int, is_paced: bool, before: int) -> Producer:
        if self.stream.is_direct and self._ordering == "key":
            raise UnorderedStreamError(
                f"The stream {self.stream.name!r} goes straight to Firehose, which keeps no order. "
                "Leave --ordering key out, or give the stream ingest = 'kinesis'."
            )
        return Producer(
            sink=self._sink(),
            framing=self._framing,
            ordering="key" if self._ordering == "key" else None,
            producer_id=name,
            epoch=epoch,
            last_seq=before,
            linger=PACED_LINGER if is_paced else LINGER,
            spool=Spool(self._spool) if self._spool is not None else None,
            when_full="spool" if self._spool is not None else "block",
            fail_fast=self._spool is None,
            dead_letter=DeadLetterFile(self._dead_letter) if self._dead_letter is not None else None,
        )

    def _sink(self) -> RecordSink:
        if self._dry_run:
            return MemorySink(
                even_shards(FORECAST_SHARDS), self._forecast.add, takes_aggregates=not self.stream.is_direct
            )
        return sink_of(
            self.stream, self._stream, self.target.client, renews=isinstance(self.target, Environment)
        )

    @property
    def stream(self) -> Stream:
        """The contract of the stream: the one that is named, or the first. Raises UnknownStreamError."""
        return declared_stream(self.target.streams, self._declared)

    @property
    def _stream(self) -> str:
        return self._stream_name or self.target.entrance(self.stream.name)

    def _write(self, simulation: Simulation) -> dict[str, Any]:
        """The records as they would be sent, one per line, in their order."""
        assert self._out is not None
        fed = Fed()
        with self._out.open("wb") as file:
            for record in simulation.records():
                file.write(record.data + b"\n")
                fed.put += 1
                fed.copies += record.is_copy
                fed.malformed += record.damage is not None
        told = {
            "producer_id": simulation.producer_id,
            "epoch": simulation.epoch,
            "produced": simulation.count,
        }
        return told | asdict(fed) | {"pending": 0, "dead_lettered": 0, "file": str(self._out)}


def told(target: Target, summary: dict[str, Any]) -> str:
    """A summary as the caller wants it: JSON, or a line per figure and per reason."""
    if target.json:
        return json.dumps(summary)
    width = max(map(len, summary), default=0)
    return "\n".join(
        f"{name}\n{reason_lines(value)}"
        if name == "unreadable_reasons"
        else f"{printable(name):<{width}}  {_shown(value)}"
        for name, value in summary.items()
    )


@contextmanager
def _senders_get_turns() -> Iterator[None]:
    """While events are made without a pause: Python's 5 ms per turn would be a sender's wait for each of the
    dozen system calls of a request.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _raise_if_nothing_went(producer: Producer, stats: Stats) -> None:
    """A stream that took nothing, for a reason that somebody has to see to: the reason is the result."""
    if producer.failure is not None and not stats.delivered:
        raise producer.failure


def _pace(speed: float | None, rate: float | None) -> Pace | None:
    if rate is not None:
        return AtRate(rate, time.monotonic, time.sleep)
    return AsItHappened(speed, time.monotonic, time.sleep) if speed is not None else None


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else printable(value)
