"""Trials of the producer against the stub: order, placement, resharding, outage, fork. Each returns its
figures.
"""

import base64
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Literal

import msgspec

from benchmarks.corpus import events
from benchmarks.stub_process import Arrival, StubProcess
from producers.packing.aggregation import deaggregate, is_aggregate
from producers.producer import Producer
from producers.sending.stats import Stats
from producers.sinks.shard_map import hash_key

HASH_KEYS = 1 << 128


@dataclass(frozen=True)
class Order:
    """A run whose records are throttled at random, in strict order."""

    events: int
    lost: int
    breaks: int
    re_sent_ratio: float

    def __str__(self) -> str:
        return (
            f"{self.events:,} events, {self.lost} lost, {self.breaks} order breaks within a key, "
            f"re-sent bytes {self.re_sent_ratio:.3f}x the failed bytes"
        )


def order(folder: Path, count: int, throttle: float = 0.1, shards: int = 4) -> Order:
    """Puts numbered events of 50 keys while the stream refuses a share of the records."""
    with StubProcess(shards, throttle=throttle, dump=folder / "dump") as stub:
        with Producer(
            "stub", client=stub.client(), ordering="key", max_record_bytes=4096, linger=0.01
        ) as producer:
            for number in range(count):
                producer.put_json({"n": number, "padding": "x" * 200}, f"key-{number % 50}")
            producer.flush()
            stats = producer.stats()
        arrivals = stub.arrivals()
    numbers = [(arrival.key, _number(arrival)) for arrival in arrivals]
    return Order(count, count - len(set(numbers)), _breaks(numbers), _re_sent_ratio(stub, stats))


def _re_sent_ratio(stub: StubProcess, stats: Stats) -> float:
    """Bytes sent beyond those of the delivered records, over the bytes that were refused."""
    entries = [entry for *_, entry in stub.records(refused=True)]
    sent = sum(len(base64.b64decode(entry["Data"])) + len(entry["PartitionKey"]) for entry in entries)
    taken_once = stats.record_bytes
    return (sent - taken_once) / stats.refused_bytes if stats.refused_bytes else 1.0


def _breaks(numbers: list[tuple[str, int]]) -> int:
    highest: dict[str, int] = {}
    breaks = 0
    for key, number in numbers:
        breaks += number < highest.get(key, -1)
        highest[key] = max(number, highest.get(key, -1))
    return breaks


@dataclass(frozen=True)
class Placement:
    """Where events landed, and what it costs."""

    shards: str
    events: int
    lost: int
    foreign: int
    events_per_record: float
    billed_ratio: float
    oracle_agrees: bool

    def __str__(self) -> str:
        return (
            f"{self.shards:>8} shards: {self.events:,} events, {self.lost} lost, "
            f"{self.foreign} in a foreign shard, "
            f"{self.events_per_record:.0f} per record, billed {self.billed_ratio:.3f}x the raw JSON, "
            f"aws-kinesis-agg {'reads every aggregate identically' if self.oracle_agrees else 'DISAGREES'}"
        )


def placement(folder: Path, count: int, shards: int, reshard_to: tuple[int, ...] = ()) -> Placement:
    """Puts events on a stream of so many shards, which is resharded meanwhile if asked."""
    corpus = events(20_000)
    steps = [shards, *reshard_to]
    with StubProcess(shards, dump=folder / "dump") as stub:
        with Producer("stub", client=stub.client()) as producer:
            for place, step in enumerate(steps):
                if place:
                    stub.control(shards=step)
                for number in range(place * count // len(steps), (place + 1) * count // len(steps)):
                    event = corpus[number % len(corpus)]
                    producer.put_json({**event, "n": number}, event["user_id"])
                producer.flush(30)
            stats = producer.stats()
        arrivals = stub.arrivals()
        last_shards = {arrival.shard for arrival in arrivals if arrival.shard_count == steps[-1]}
        agrees = all(_oracle_agrees(entry) for *_, entry in stub.records())
    # What was delivered again after a stray is validated by where it finally is.
    final = {_number(arrival): arrival for arrival in arrivals}
    raw = sum(len(arrival.data) for arrival in final.values())
    assert last_shards
    return Placement(
        shards=">".join(map(str, steps)),
        events=count,
        lost=count - len(final),
        foreign=sum(map(_is_foreign, final.values())),
        events_per_record=stats.delivered / stats.records,
        billed_ratio=stats.billed_kib * 1024 / raw,
        oracle_agrees=agrees,
    )


def _is_foreign(arrival: Arrival) -> bool:
    place = min(hash_key(arrival.key) * arrival.shard_count // HASH_KEYS, arrival.shard_count - 1)
    return arrival.place != place


def _oracle_agrees(entry: dict[str, str]) -> bool:
    """Whether the de-aggregator of aws-kinesis-agg finds in the record what ours finds."""
    from aws_kinesis_agg.deaggregator import deaggregate_records

    data = base64.b64decode(entry["Data"])
    known = {"kinesisSchemaVersion": "1.0", "sequenceNumber": "1", "approximateArrivalTimestamp": 0}
    record = {"kinesis": {**known, "data": entry["Data"], "partitionKey": entry["PartitionKey"]}}
    theirs = [found["kinesis"] for found in deaggregate_records(record)]
    found = [(user["partitionKey"], base64.b64decode(user["data"])) for user in theirs]
    if not is_aggregate(data):
        return found == [(entry["PartitionKey"], data)]
    return found == [(user.partition_key, user.data) for user in deaggregate(data)]


@dataclass(frozen=True)
class Outage:
    """A stream that does not answer for a while, under load."""

    seconds: float
    accepted: int
    lost: int
    attempts_per_second: float
    base_mib: float
    peak_mib: float
    buffer_mib: float
    recovery_seconds: float
    spooled_at_most: int

    def __str__(self) -> str:
        return (
            f"down for {self.seconds:g} s: {self.accepted:,} events accepted, {self.lost} lost, "
            f"{self.attempts_per_second:.2f} connection attempts per second in all, "
            f"memory {self.base_mib:.0f} -> {self.peak_mib:.0f} MiB, buffer {self.buffer_mib:.0f} MiB, "
            f"{self.spooled_at_most:,} spooled at most, "
            f"all delivered {self.recovery_seconds:.1f} s after its end"
        )


def outage(
    folder: Path, seconds: float, when_full: Literal["block", "spool"], buffer_mib: int = 16
) -> Outage:
    """Puts events as fast as they are taken while the stream is down, then waits until all have arrived."""
    from producers.spool.folder import Spool

    spool = Spool(folder / "spool", "outage", segment_bytes=4 << 20) if when_full == "spool" else None
    with StubProcess(4, dump=folder / "dump") as stub:
        producer = Producer(
            "stub", client=stub.client(), when_full=when_full, spool=spool, max_buffer_bytes=buffer_mib << 20
        )
        number = _put_for(producer, 0.5, 0)
        producer.flush(20)
        base = _memory_mib()
        stub.control(is_down=True)
        before = stub.control()
        began = time.monotonic()
        number, peak, spooled = _load(producer, began + seconds, number)
        after = stub.control(is_down=False)
        ended = time.monotonic()
        assert producer.flush(120) == 0
        recovery = time.monotonic() - ended
        stats = producer.close(10)
        arrived = {_number(arrival) for arrival in stub.arrivals()}
    assert stats.pending == 0
    attempts = after.get("connections_while_down", 0) - before.get("connections_while_down", 0)
    return Outage(
        seconds=seconds,
        accepted=number,
        lost=number - len(arrived),
        attempts_per_second=attempts / seconds,
        base_mib=base,
        peak_mib=peak,
        buffer_mib=buffer_mib,
        recovery_seconds=recovery,
        spooled_at_most=spooled,
    )


def _load(producer: Producer, until: float, number: int) -> tuple[int, float, int]:
    from producers.errors import BufferFullError

    peak, spooled = 0.0, 0
    while time.monotonic() < until:
        for _ in range(200):
            try:
                producer.put_json({"n": number, "padding": "x" * 280}, f"key-{number % 1000}", timeout=0.05)
            except BufferFullError:
                break
            number += 1
        peak = max(peak, _memory_mib())
        spooled = max(spooled, producer.stats().spooled)
        # Full input for the caller, without burning a core for a minute.
        time.sleep(0.005)
    return number, peak, spooled


def _put_for(producer: Producer, seconds: float, number: int) -> int:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        producer.put_json({"n": number, "padding": "x" * 280}, f"key-{number % 1000}")
        number += 1
    return number


def _memory_mib() -> float:
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


def fork_loses(folder: Path, each: int, children: int = 3) -> int:
    """Puts events, forks in the middle of it, puts in every process; returns how many did not arrive."""
    with StubProcess(4, delay=0.01, dump=folder / "dump") as stub:
        producer = Producer("stub", client=stub.client())
        for number in range(each):
            producer.put_json({"n": number}, f"key-{number % 100}")
        started = [_fork_and_put(producer, child, each) for child in range(1, children + 1)]
        for number in range(each):
            producer.put_json({"n": -1 - number}, f"key-{number % 100}")
        for child in started:
            os.waitpid(child, 0)
        producer.close(30)
        arrived = Counter(map(_number, stub.arrivals()))
    expected = each * (children + 2)
    return expected - len(arrived)


def _fork_and_put(producer: Producer, child: int, each: int) -> int:
    started = os.fork()
    if started == 0:
        try:
            for number in range(each):
                producer.put_json({"n": child * each + number}, f"key-{number % 100}")
            producer.close(30)
        finally:
            os._exit(0)
    return started


def strict_order_rate(shards: int, delay: float, count: int) -> float:
    """Events per second in strict order at a given service time."""
    corpus = events(20_000)
    random = Random(7)
    with (
        StubProcess(shards, delay=delay) as stub,
        Producer("stub", client=stub.client(), ordering="key") as producer,
    ):
        keys = [f"user-{random.randrange(10_000)}" for _ in range(20_000)]
        began = time.monotonic()
        for number in range(count):
            producer.put_json(corpus[number % 20_000], keys[number % 20_000])
        producer.flush()
        return count / (time.monotonic() - began)


def _number(arrival: Arrival) -> int:
    found: dict[str, Any] = msgspec.json.decode(arrival.data)
    return int(found["n"])
