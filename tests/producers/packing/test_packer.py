"""Packing: whatever comes in goes out once, in its key's order, in its shard, within the limits."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.errors import BadKeyError
from producers.packing.aggregation import deaggregate, is_aggregate
from producers.packing.open_record import Limits
from producers.packing.packer import Packer
from producers.packing.record import Framing, Record
from producers.sinks.memory import even_shards
from producers.sinks.shard_map import Shard, ShardMap, hash_key

Event = tuple[str, bytes]
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([f"key-{n}" for n in range(20)] + ["ключ", "k" * 256]), st.binary(max_size=900)
    ),
    max_size=200,
)


def packed(
    events: list[Event], framing: Framing, shards: ShardMap | None, limits: Limits, many: bool
) -> list[Record]:
    records: list[Record] = []
    packer = Packer(framing, shards, limits, records.append)
    if many:
        packer.add_many([blob for _, blob in events], [key for key, _ in events], lambda: 0.0)
    else:
        for key, blob in events:
            packer.add(blob, key, None, lambda: 0.0)
    packer.close_all()
    return records


@settings(deadline=None, max_examples=60)
@given(EVENTS, st.sampled_from([1, 2, 5, 16]), st.booleans())
def test_aggregates_hold_every_event_once_in_order_in_its_shard(
    events: list[Event], count: int, many: bool
) -> None:
    shards = even_shards(count)
    limits = Limits(record_bytes=2_000, events=10)
    found: dict[str, list[bytes]] = {}
    for record in packed(events, "kpl", shards, limits, many):
        wire = record.wire
        users = deaggregate(wire.data) if is_aggregate(wire.data) else None
        pairs = [(u.partition_key, u.data) for u in users] if users else [(wire.partition_key, wire.data)]
        assert len(wire.data) + len(wire.partition_key) <= 2_000 or len(pairs) == 1
        assert len(pairs) <= 10
        assert {shards.find(hash_key(key)) for key, _ in pairs} == {record.shard}
        assert [event[1::-1] for event in record.events()] == pairs
        for key, blob in pairs:
            found.setdefault(key, []).append(blob)
    expected: dict[str, list[bytes]] = {}
    for key, blob in events:
        expected.setdefault(key, []).append(blob)
    assert found == expected


@settings(deadline=None, max_examples=30)
@given(EVENTS)
def test_many_at_once_pack_as_one_by_one(events: list[Event]) -> None:
    limits = Limits(record_bytes=2_000, events=10)
    one, many = (packed(events, "kpl", even_shards(4), limits, each) for each in (False, True))
    assert sorted(r.wire for r in one) == sorted(r.wire for r in many)


def test_lines_join_events_by_newlines_under_the_first_key() -> None:
    (record,) = packed([("a", b"1"), ("b", b"2"), ("a", b"3")], "lines", even_shards(1), Limits(), many=False)
    assert record.wire == (b"1\n2\n3", "a", None)


@pytest.mark.parametrize("framing", ["kpl", "lines", "none"])
def test_a_record_gives_its_events_back_whatever_is_in_them(framing: Framing) -> None:
    events = [("a", b"1\n2"), ("ключ", b""), ("a", b"\xf3\x89\x9a\xc2"), ("k" * 256, b"\n")]
    records = packed(events, framing, even_shards(1), Limits(), many=True)
    found = [(event.key, event.data) for record in records for event in record.events()]
    assert found == events
    assert sum(record.held_bytes for record in records) == sum(len(data) + 64 for _, data in events)


def test_explicit_hash_keys_come_back_out_of_a_record() -> None:
    records: list[Record] = []
    packer = Packer("kpl", even_shards(1), Limits(), records.append)
    given = [(b"1", "a", "5"), (b"2", "b", "7"), (b"3", "a", "7")]
    for place, (data, key, explicit) in enumerate(given):
        packer.add_explicit(data, key, explicit, place, lambda: 0.0)
    packer.close_all()
    (record,) = records
    assert list(record.events()) == [(*event, place) for place, event in enumerate(given)]
    assert list(record.every_hash_key()) == [5, 7, 7]


def test_many_events_of_which_one_has_no_key_are_all_refused() -> None:
    records: list[Record] = []
    packer = Packer("kpl", even_shards(1), Limits(), records.append)
    for bad in ("", "k" * 257, None, ["a"]):
        with pytest.raises(BadKeyError):
            packer.add_many([b"1", b"2"], ["a", bad], lambda: 0.0)  # type: ignore[list-item]
    packer.close_all()
    assert records == []


def test_a_single_event_goes_as_it_is() -> None:
    (record,) = packed([("a", b"1")], "kpl", even_shards(1), Limits(), many=False)
    assert record.wire == (b"1", "a", None)


def test_without_a_shard_map_no_aggregate_is_made() -> None:
    records = packed([("a", b"1"), ("a", b"2")], "kpl", None, Limits(), many=False)
    assert [record.wire.data for record in records] == [b"1", b"2"]


def test_a_key_in_a_gap_of_the_map_goes_alone() -> None:
    everything = 1 << 128
    gap = ShardMap([Shard("low", 0, 0), Shard("high", everything - 1, everything - 1)])
    records = packed([("a", b"1"), ("b", b"2")], "kpl", gap, Limits(), many=False)
    assert [record.wire.data for record in records] == [b"1", b"2"]
    assert all(record.shard is None for record in records)


def test_an_event_larger_than_a_record_does_not_overtake() -> None:
    events = [("a", b"1"), ("a", b"2" * 3_000), ("a", b"3")]
    records = packed(events, "kpl", even_shards(1), Limits(record_bytes=2_000), many=False)
    assert [record.wire.data[:1] for record in records] == [b"1", b"2", b"3"]


@pytest.mark.parametrize("framing", ["kpl", "none"])
def test_explicit_hash_keys_choose_the_shard(framing: Framing) -> None:
    records: list[Record] = []
    shards = even_shards(4)
    packer = Packer(framing, shards, Limits(), records.append)
    now: Callable[[], float] = lambda: 0.0  # noqa: E731
    for shard in shards.shards:
        packer.add_explicit(b"first", "k", str(shard.start), None, now)
        packer.add_explicit(b"last", "k", str(shard.end), None, now)
    packer.close_all()
    for record in records:
        explicit = record.wire.explicit_hash_key
        assert explicit is not None
        assert shards.find(int(explicit)) == record.shard


def test_keyless_events_move_to_the_next_shard_when_one_is_full() -> None:
    records: list[Record] = []
    packer = Packer("kpl", even_shards(3), Limits(record_bytes=1_000), records.append)
    for _ in range(40):
        packer.add_explicit(b"x" * 90, "-", packer.keyless_hash_key(), None, lambda: 0.0)
    packer.close_all()
    assert {record.shard.shard_id for record in records if record.shard} == {
        shard.shard_id for shard in even_shards(3).shards
    }
