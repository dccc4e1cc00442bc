"""Aggregated records are taken apart exactly when they are whole."""

from hypothesis import given
from hypothesis import strategies as st

from infra.local.firehose.deaggregation import unpack
from producers.packing.aggregation import aggregate, aggregate_explicit

TWO_KEYS = bytes.fromhex(
    "f3899ac20a01610a01621a0b08001a077b2278223a317d1a0b08011a077b2278223a327d723005e8e8265dbd07441b26a34a5d08"
)


def test_the_published_example_is_two_records() -> None:
    assert list(unpack("outer", TWO_KEYS)) == [("a", b'{"x":1}'), ("b", b'{"x":2}')]


def test_explicit_hash_keys_are_passed_over() -> None:
    packed = aggregate_explicit(["a", "a"], ["0", "0"], [b"1", b"2"])
    assert list(unpack("outer", packed)) == [("a", b"1"), ("a", b"2")]


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=300)), min_size=1, max_size=30)
)
def test_what_a_producer_packs_comes_out_again(records: list[tuple[str, bytes]]) -> None:
    keys, data = [key for key, _ in records], [blob for _, blob in records]
    assert list(unpack("outer", aggregate(keys, data))) == records


@given(st.integers(0, len(TWO_KEYS) - 1), st.integers(1, 255))
def test_a_changed_byte_makes_it_a_plain_record(place: int, change: int) -> None:
    broken = bytearray(TWO_KEYS)
    broken[place] ^= change
    assert list(unpack("outer", bytes(broken))) == [("outer", bytes(broken))]


@given(st.binary(max_size=200))
def test_other_bytes_are_a_plain_record(data: bytes) -> None:
    assert list(unpack("outer", data)) == [("outer", data)]
