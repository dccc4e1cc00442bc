"""A producer whose buffer is full, whose stream refuses or is gone, and that is closed meanwhile."""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from producers import (
    BufferFullError,
    ClosedError,
    DeadLetterFile,
    Producer,
    Spool,
    StreamRefusedError,
)
from producers.errors import StreamUnavailableError
from producers.sinks.memory import even_shards
from producers.sinks.port import Answer, SinkRecord, StreamFacts
from tests.producers.kept import Kept, beat


def test_with_a_dead_letter_file_bad_events_are_kept_and_counted(tmp_path: Path) -> None:
    letters = DeadLetterFile(tmp_path / "dead.ndjson")
    with Producer(sink=Kept(), dead_letter=letters) as producer:
        producer.put(beat(uptime_seconds=-1))
        producer.put(beat())
    (line,) = letters.path.read_text().splitlines()
    assert "uptime_seconds" in json.loads(line)["reason"]
    assert json.loads(json.loads(line)["data"])["payload"]["uptime_seconds"] == -1
    assert producer.stats().dead_lettered == 1


def test_a_full_buffer_raises_when_asked_to() -> None:
    sink = Kept()
    sink.is_down = True
    producer = Producer(sink=sink, when_full="raise", max_buffer_bytes=5_000)
    with pytest.raises(BufferFullError, match="the buffer holds 5,000"):
        for number in range(1_000):
            producer.put(beat(uptime_seconds=number))
    assert producer.close(0.1).pending == producer.last_seq + 1


def test_a_full_buffer_makes_put_wait_until_there_is_room() -> None:
    sink = Kept()
    sink.is_down = True
    producer = Producer(sink=sink, max_buffer_bytes=5_000)
    with pytest.raises(BufferFullError):
        for number in range(1_000):
            producer.put(beat(uptime_seconds=number), timeout=0.05)
    sink.is_down = False
    producer.put(beat(), timeout=20)
    assert producer.close(20).pending == 0


def test_a_full_buffer_goes_to_the_spool_and_is_sent_in_the_end(tmp_path: Path) -> None:
    sink = Kept()
    sink.is_down = True
    producer = Producer(sink=sink, max_buffer_bytes=5_000, when_full="spool", spool=Spool(tmp_path))
    for number in range(500):
        producer.put(beat(uptime_seconds=number))
    stats = producer.stats()
    assert stats.spooled > 400
    assert stats.accepted == stats.spooled + stats.pending
    sink.is_down = False
    assert producer.flush(30) == 0
    assert producer.close(10).delivered == 502
    assert sorted(e["payload"]["uptime_seconds"] for e in sink.events() if e["seq"]) == list(range(500))


def test_what_is_left_at_close_is_sent_by_the_next_process(tmp_path: Path) -> None:
    sink = Kept()
    sink.is_down = True
    first = Producer(sink=sink, spool=Spool(tmp_path), producer_id="p", epoch=1)
    for number in range(100):
        first.put(beat(uptime_seconds=number))
    stats = first.close(0.1)
    assert (stats.pending, stats.spooled) == (0, 101)
    sink.is_down = False
    with Producer(sink=sink, spool=Spool(tmp_path), producer_id="p", epoch=2) as second:
        assert second.flush(20) == 0
        assert second.stats().recovered == 101
    assert len({event["seq"] for event in sink.events() if event["epoch"] == 1}) == 101


@pytest.mark.parametrize("patience", [0.0, 0.5])
def test_close_returns_in_time_with_true_counts_when_nothing_answers(patience: float) -> None:
    class Hanging(Kept):
        def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
            threading.Event().wait(30)
            raise StreamUnavailableError("too late")

    producer = Producer(sink=Hanging(), linger=0.01)
    for _ in range(100):
        producer.put(beat())
    began = time.monotonic()
    stats = producer.close(patience)
    assert time.monotonic() - began < patience + 1
    assert (stats.accepted, stats.pending) == (101, 101)
    with pytest.raises(ClosedError):
        producer.put(beat())


class Refusing(Kept):
    """A stream that refuses everything until somebody has fixed it."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at: str | None = at

    def describe(self) -> StreamFacts:
        if self.at == "describe":
            raise StreamRefusedError("There is no stream x.")
        return super().describe()

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        if self.at == "put":
            raise StreamRefusedError("AccessDeniedException 1.")
        return super().put_records(records)


@pytest.mark.parametrize("at", ["describe", "put"])
def test_what_a_person_fixes_is_reported_once_and_the_events_are_sent_then(
    at: str, caplog: pytest.LogCaptureFixture
) -> None:
    sink = Refusing(at)
    producer = Producer(sink=sink, linger=0.01)
    producer.put(beat())
    for _ in range(2):
        with pytest.raises(StreamRefusedError, match=r"no stream x|AccessDenied"):
            producer.flush(30)
        assert isinstance(producer.failure, StreamRefusedError)
        producer.put(beat())
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "Events are kept" in caplog.text
    sink.at = None
    assert producer.flush(30) == 0
    assert producer.failure is None
    assert "takes records again" in caplog.text
    assert producer.close(30).pending == 0
    assert len([event for event in sink.events() if event["seq"]]) == 3


def test_a_producer_that_is_to_fail_fast_says_so_at_once() -> None:
    producer = Producer(sink=Refusing("describe"), fail_fast=True)
    producer.put(beat())
    with pytest.raises(StreamRefusedError, match="no stream x"):
        producer.flush(30)
    with pytest.raises(StreamRefusedError):
        producer.put(beat())
    began = time.monotonic()
    assert producer.close(30).pending > 0
    assert time.monotonic() - began < 20


def test_no_error_ends_a_sender() -> None:
    class Broken(Kept):
        answers = 0

        def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
            self.answers += 1
            if self.answers == 1:
                raise ZeroDivisionError
            if self.answers == 2:
                return []
            return super().put_records(records)

    sink = Broken()
    producer = Producer(sink=sink, linger=0.01, max_in_flight=1)
    producer.put_json({"n": 1}, "key")
    with pytest.raises(StreamRefusedError, match="unexpected ZeroDivisionError"):
        producer.flush(30)
    assert producer.flush(30) == 0
    producer.close(30)
    assert sink.answers == 3


def test_waiting_calls_can_be_interrupted_from_a_signals_handler() -> None:
    sink = Kept()
    sink.is_down = True
    producer = Producer(sink=sink, max_buffer_bytes=2_000)
    with pytest.raises(BufferFullError):
        for number in range(100):
            producer.put_json({"n": number}, "key", timeout=0)
    timer = threading.Timer(0.1, producer.interrupt)
    timer.start()
    with pytest.raises(BufferFullError):
        producer.put_json({"n": -1}, "key")
    timer.join()
    timer = threading.Timer(0.1, producer.interrupt)
    timer.start()
    assert producer.flush() > 0
    timer.join()
    producer.close(0)


def test_aggregates_are_refused_for_a_stream_that_ignores_keys() -> None:
    class Auto(Kept):
        def describe(self) -> StreamFacts:
            return StreamFacts(even_shards(2), ignores_keys=True)

    producer = Producer(sink=Auto())
    producer.put(beat())
    with pytest.raises(StreamRefusedError, match="framing='lines'"):
        producer.flush(10)
    producer.close(0)
