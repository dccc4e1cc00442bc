"""The aggregated format, against fixed vectors and against a de-aggregator that we did not write."""

import base64
from hashlib import md5
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.packing.aggregation import (
    NotAnAggregateError,
    UserRecord,
    aggregate,
    aggregate_explicit,
    deaggregate,
    is_aggregate,
)

TWO = [b'{"x":1}', b'{"x":2}']


def by_aws(data: bytes) -> list[tuple[str, str | None, bytes]]:
    """What the de-aggregator of aws-kinesis-agg reads."""
    from aws_kinesis_agg.deaggregator import deaggregate_records

    known = {"kinesisSchemaVersion": "1.0", "sequenceNumber": "1", "approximateArrivalTimestamp": 0}
    record = {"kinesis": {**known, "partitionKey": "outer", "data": base64.b64encode(data).decode()}}
    found: list[dict[str, Any]] = [each["kinesis"] for each in deaggregate_records(record)]
    return [(u["partitionKey"], u.get("explicitHashKey"), base64.b64decode(u["data"])) for u in found]


def test_keys_a_and_b_give_the_known_bytes() -> None:
    assert aggregate(["a", "b"], TWO).hex() == (
        "f3899ac20a01610a01621a0b08001a077b2278223a317d1a0b08011a077b2278223a327d723005e8e8265dbd07441b26a34a5d08"
    )


def test_explicit_hash_keys_give_the_known_bytes() -> None:
    assert aggregate_explicit(["a", "a"], ["0", "0"], TWO).hex() == (
        "f3899ac20a01611201301a0d080010001a077b2278223a317d1a0d080010001a077b2278223a327d"
        "585a9b980e0a87ce161cbe33732a8b86"
    )


KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=127)
EVENTS = st.lists(st.tuples(KEYS, st.binary(max_size=2_000)), min_size=1, max_size=30)


@settings(deadline=None, max_examples=100)
@given(EVENTS)
def test_the_independent_reader_finds_every_event_in_order(events: list[tuple[str, bytes]]) -> None:
    data = aggregate([key for key, _ in events], [blob for _, blob in events])
    assert md5(data[4:-16]).digest() == data[-16:]
    assert [(key, blob) for key, _, blob in by_aws(data)] == events
    assert deaggregate(data) == [UserRecord(blob, key) for key, blob in events]


def test_an_event_of_three_megabytes_comes_back_whole() -> None:
    large = bytes(3 << 20)
    assert [blob for *_, blob in by_aws(aggregate(["k", "l"], [large, b"x"]))] == [large, b"x"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(KEYS, st.integers(0, 2**128 - 1), st.binary(max_size=50)), min_size=1, max_size=10))
def test_explicit_hash_keys_come_back_with_their_events(events: list[tuple[str, int, bytes]]) -> None:
    keys, hashes, blobs = zip(*[(key, str(number), blob) for key, number, blob in events], strict=True)
    data = aggregate_explicit(keys, hashes, blobs)
    assert by_aws(data) == list(zip(keys, hashes, blobs, strict=True))
    assert deaggregate(data) == [UserRecord(b, k, h) for k, h, b in zip(keys, hashes, blobs, strict=True)]


@settings(deadline=None)
@given(st.integers(0, 51), st.integers(1, 255))
def test_no_flipped_byte_passes_as_an_aggregate(place: int, flip: int) -> None:
    data = bytearray(aggregate(["a", "b"], TWO))
    data[place] ^= flip
    assert not is_aggregate(bytes(data))
    with pytest.raises(NotAnAggregateError):
        deaggregate(bytes(data))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_with_a_right_digest_are_read_or_refused(body: bytes) -> None:
    data = b"\xf3\x89\x9a\xc2" + body + md5(body).digest()
    try:
        deaggregate(data)
    except NotAnAggregateError:
        return
