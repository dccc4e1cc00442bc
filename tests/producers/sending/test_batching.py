"""The lanes: what goes into a request, what comes back, and who waits."""

from random import Random

from producers.packing.open_record import Limits
from producers.packing.packer import Packer
from producers.sending.batching import REQUEST_RECORDS, BatchLimits, Lanes
from producers.sending.retry import Backoff
from producers.sinks.memory import even_shards

STILL = Backoff(first=1.0, most=1.0, floor=1.0)


def lanes_with(count: int, in_order: bool = False, shards: int = 2, **limits: int) -> Lanes:
    lanes = Lanes(BatchLimits(in_order=in_order, linger=0.1, **limits), Random(1), STILL)
    packer = Packer("none", even_shards(shards), Limits(), lanes.append)
    for number in range(count):
        packer.add(b"%d" % number, f"key-{number}", None, lambda: 0.0)
    return lanes


def test_a_request_holds_no_more_than_500_records() -> None:
    lanes = lanes_with(1_200)
    sizes = [len(lanes.take(1.0, hurry=True)) for _ in range(3)]
    assert sizes == [REQUEST_RECORDS, REQUEST_RECORDS, 200]


def test_a_request_holds_no_more_bytes_than_allowed() -> None:
    lanes = lanes_with(100, request_bytes=64)
    while batch := lanes.take(1.0, hurry=True):
        assert sum(record.size for record in batch) <= 64


def test_a_record_that_is_not_due_waits_for_more_events() -> None:
    lanes = lanes_with(3)
    assert lanes.take(0.05, hurry=False) == []
    assert len(lanes.take(0.11, hurry=False)) == 3


def test_in_order_takes_one_record_per_shard_until_it_is_settled() -> None:
    lanes = lanes_with(50, in_order=True)
    first = lanes.take(1.0, hurry=True)
    assert len(first) == 2
    assert lanes.take(1.0, hurry=True) == []
    lanes.delivered(first)
    assert len(lanes.take(1.0, hurry=True)) == 2


def test_refused_records_come_back_first_and_their_shard_waits() -> None:
    lanes = lanes_with(40)
    batch = lanes.take(1.0, hurry=True)
    mine = [record for record in batch if record.shard == batch[0].shard]
    lanes.delivered([record for record in batch if record.shard != batch[0].shard])
    lanes.refused(mine, now=1.0)
    assert lanes.take(1.5, hurry=True) == []
    assert lanes.wake_at(1.5) == 2.0
    assert lanes.take(2.0, hurry=True) == mine


def test_every_pattern_of_partial_failure_keeps_the_order_of_a_shard() -> None:
    for pattern in range(1, 256):
        lanes = lanes_with(8, in_order=True, shards=1)
        sent: list[bytes] = []
        now, turn = 1.0, 0
        while batch := lanes.take(now, hurry=True):
            for record in batch:
                if turn < 8 and pattern >> turn & 1:
                    lanes.refused([record], now)
                else:
                    lanes.delivered([record])
                    sent.append(record.wire.data)
                turn += 1
            now += 10
        assert sent == [b"%d" % number for number in range(8)], pattern
