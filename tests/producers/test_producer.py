"""The producer as programs use it: what it takes, refuses, counts, and what its calls promise."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from producers import (
    AsyncProducer,
    BadKeyError,
    DeadLetterFile,
    NotEncodableError,
    Producer,
    SchemaViolationError,
    Settled,
    TooLargeError,
)
from producers.packing.aggregation import deaggregate, is_aggregate
from producers.packing.codec import decoder
from producers.sinks.port import Answer, NotTaken, SinkRecord, StreamFacts
from tests.producers.kept import STREAM, Kept, beat


def test_every_event_has_its_place_in_a_sequence_without_gaps() -> None:
    sink = Kept()
    with Producer(sink=sink, producer_id="p-1", epoch=7) as producer:
        ids = [producer.put(beat(uptime_seconds=number)) for number in range(1_000)]
    events = [event for event in sink.events() if event["seq"]]
    assert [event["seq"] for event in events] == list(range(1, 1_001))
    assert {(event["producer_id"], event["epoch"]) for event in events} == {("p-1", 7)}
    assert [event["event_id"] for event in events] == ids == sorted(set(ids))
    for record in sink.events():
        decoder(STREAM).decode(json.dumps(record))


def test_the_last_event_says_how_far_the_sequence_went() -> None:
    sink = Kept()
    with Producer(sink=sink, producer_id="p-1") as producer:
        producer.put(beat())
        producer.put_raw(b"{broken", "some-key")
        producer.put_raw(b'{"a":"copy"}', "some-key", counted=False)
        producer.flush()
    told = [json.loads(line) for line in _raw(sink) if b"producer_audited" in line]
    assert [event["payload"]["last_seq"] for event in told] == [2, 2]
    assert [event["payload"].get("closed", False) for event in told] == [False, True]
    assert {event["seq"] for event in told} == {0}


def _raw(sink: Kept) -> list[bytes]:
    found = []
    for record in sink.records:
        found += (
            [user.data for user in deaggregate(record.data)] if is_aggregate(record.data) else [record.data]
        )
    return found


def test_a_whole_event_keeps_its_id_and_gets_a_place_of_its_own() -> None:
    sink = Kept()
    with Producer(sink=sink) as producer:
        first = producer.put(beat(), datetime(2026, 11, 24, tzinfo=UTC), source="elsewhere")
        producer.flush()
        (data,) = [data for data in _raw(sink) if first.encode() in data]
        event = decoder(STREAM).decode(data)
        assert producer.put(event) == first
    copies = [event for event in sink.events() if event["event_id"] == first]
    assert [copy["seq"] for copy in copies] == [1, 2]
    assert {copy["source"] for copy in copies} == {"elsewhere"}


def test_a_bad_event_is_refused_by_field_and_reason_and_takes_no_place() -> None:
    sink = Kept()
    with Producer(sink=sink) as producer:
        with pytest.raises(
            SchemaViolationError, match=r"payload\.uptime_seconds: Expected `int` >= 0"
        ) as caught:
            producer.put(beat(uptime_seconds=-1))
        assert caught.value.field == "payload.uptime_seconds"
        with pytest.raises(NotEncodableError, match="object"):
            producer.put(beat(uptime_seconds=object()))
        with pytest.raises(BadKeyError, match="300 characters"):
            producer.put_raw(b"x", "k" * 300)
        with pytest.raises(TooLargeError, match="holds 1,048,576"):
            producer.put_raw(bytes(1 << 20), "key")
        producer.put(beat())
        assert producer.last_seq == 1
    assert producer.stats().accepted == producer.stats().delivered == 2


def test_what_came_before_the_stream_was_known_is_packed_in_its_order() -> None:
    is_known = threading.Event()

    class Slow(Kept):
        def describe(self) -> StreamFacts:
            is_known.wait(10)
            return super().describe()

    sink = Slow()
    with Producer(sink=sink) as producer:
        producer.put_many_raw([b'{"n":%d}' % number for number in range(1_200)], ["a", "b"] * 600)
        producer.put_json({"n": 1_200}, "a")
        with pytest.raises(BadKeyError):
            producer.put_many_raw([b'{"n":-1}', b'{"n":-2}'], ["a", ""])
        producer.put_many_raw([b'{"n":1201}'], ["b"])
        assert not sink.records
        is_known.set()
        assert producer.flush(10) == 0
    numbers = [event["n"] for event in sink.events() if "n" in event]
    assert sorted(numbers) == list(range(1_202))
    of_a = {1_200, *range(0, 1_200, 2)}
    assert [number for number in numbers if number in of_a] == sorted(of_a)
    assert len(sink.records) < 20


@pytest.mark.parametrize("is_known", [False, True])
def test_several_events_with_a_key_too_few_or_one_that_no_byte_can_hold_are_refused_whole(
    is_known: bool,
) -> None:
    sink = Kept()
    with Producer(sink=sink) as producer:
        if is_known:
            producer.put_json({"n": 0}, "a")
            assert producer.flush(10) == 0
        before = producer.stats()
        with pytest.raises(ValueError, match="2 events and 1 partition keys"):
            producer.put_many_raw([b'{"n":1}', b'{"n":2}'], ["a"])
        with pytest.raises(BadKeyError):
            producer.put_many_raw([b'{"n":1}', b'{"n":2}'], ["a", "\ud800"])
        with pytest.raises(BadKeyError):
            producer.put_raw(b'{"n":1}', "\ud800")
        after = producer.stats()
        assert (after.accepted, after.buffered_bytes) == (before.accepted, before.buffered_bytes)
        producer.put_json({"n": 3}, "a")
        assert producer.flush(10) == 0
    assert [event["n"] for event in sink.events() if "n" in event][is_known:] == [3]


def test_only_refused_records_are_sent_again() -> None:
    class Refusing(Kept):
        turn = 0

        def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
            self.turn += 1
            if self.turn > 1:
                return super().put_records(records)
            taken = super().put_records(records[::2])
            refused = NotTaken("ProvisionedThroughputExceededException", "")
            return [taken[place // 2] if place % 2 == 0 else refused for place in range(len(records))]

    sink = Refusing()
    with Producer(sink=sink, framing="none") as producer:
        for number in range(101):
            producer.put(beat(uptime_seconds=number))
    seqs = [event["seq"] for event in sink.events() if event["seq"]]
    assert sorted(seqs) == list(range(1, 102))
    assert producer.stats().throttled == 51


def test_a_record_refused_for_its_content_poisons_no_neighbour(tmp_path: Path) -> None:
    from producers.errors import RequestRefusedError

    class Picky(Kept):
        def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
            if any(b"poison" in record.data for record in records):
                raise RequestRefusedError("ValidationException")
            return super().put_records(records)

    letters = DeadLetterFile(tmp_path / "dead.ndjson")
    sink = Picky()
    with Producer(sink=sink, framing="none", dead_letter=letters) as producer:
        producer.put(beat())
        producer.flush()
        for number in range(20):
            producer.put_json({"n": number, "seq": 0, "what": "poison" if number == 7 else "food"}, "key")
    assert sorted(e["n"] for e in sink.events() if "n" in e) == [n for n in range(20) if n != 7]
    assert "poison" in letters.path.read_text()
    assert producer.stats().dead_lettered == 1


def test_an_event_that_waited_too_long_is_given_up_and_counted() -> None:
    sink, ahead = Kept(), [0.0]
    with Producer(sink=sink, record_ttl=60.0, monotonic=lambda: time.monotonic() + ahead[0]) as producer:
        sink.is_down = True
        producer.put_json({"n": 0}, "key")
        assert producer.flush(timeout=0.1) == 1
        sink.is_down, ahead[0] = False, 61.0
        assert producer.flush() == 0
        producer.put_json({"n": 1}, "key")
    assert producer.stats().expired == 1
    assert [event["n"] for event in sink.events() if "n" in event] == [1]


def test_callbacks_tell_every_event_once_and_their_errors_end_nothing() -> None:
    told: list[bytes] = []

    def tell(settled: Settled) -> None:
        assert settled.error is None
        told.extend(settled.events)
        raise RuntimeError("the caller's own")

    sink = Kept()
    with Producer(sink=sink, on_delivery=tell) as producer:
        for number in range(100):
            producer.put_json({"n": number}, f"key-{number}")
        producer.flush()
    deadline = time.monotonic() + 5
    while len(told) < 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sorted(told) == sorted(_raw(sink))
    assert producer.stats().callback_errors > 0


def test_threads_share_a_producer_and_its_sequence() -> None:
    sink = Kept()
    with Producer(sink=sink) as producer:
        threads = [
            threading.Thread(target=lambda: [producer.put(beat()) for _ in range(300)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(event["seq"] for event in sink.events() if event["seq"]) == list(range(1, 1_201))


def test_the_last_epoch_is_remembered_before_it_is_used(tmp_path: Path) -> None:
    early = [Producer(sink=Kept(), state=tmp_path, clock=lambda: 1_000.0).epoch for _ in range(3)]
    assert early == [1_000_000, 1_000_001, 1_000_002]
    assert (tmp_path / "epoch").read_text() == "1000002\n"


def test_coroutines_use_the_same_core() -> None:
    sink = Kept()

    async def put_all() -> None:
        async with AsyncProducer(sink=sink, max_buffer_bytes=20_000) as producer:
            for number in range(500):
                await producer.put(beat(uptime_seconds=number))
            assert await producer.flush(10) == 0

    asyncio.run(put_all())
    assert sorted(event["seq"] for event in sink.events() if event["seq"]) == list(range(1, 501))


def test_importing_the_producer_loads_no_command_and_no_analytics() -> None:
    code = (
        "import sys, producers.producer, producers.async_producer, producers.sources.read, producers.simulation.simulator;"
        "print([name for name in ('typer', 'rich', 'pyarrow', 'pandas', 'boto3') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_reading_the_contracts_does_not_load_the_producer() -> None:
    code = "import sys, producers.contracts; print('producers.producer' in sys.modules, 'botocore' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]
