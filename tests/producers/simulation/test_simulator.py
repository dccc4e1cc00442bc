"""The simulator: the same arguments, the same bytes; every knob does what it says and no more."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from producers.packing.codec import ContractError, decoder
from producers.simulation.damage import DAMAGES
from producers.simulation.simulator import SimulatedRecord, Simulation
from tests.shop import STREAMS

STREAM = next(iter(STREAMS.values()))
START = datetime(2026, 11, 24, tzinfo=UTC)
SPAN = timedelta(hours=6)


def records(
    count: int = 3_000, seed: int = 7, late: float = 0, duplicate: float = 0, malformed: float = 0
) -> list[SimulatedRecord]:
    return list(Simulation(STREAM, seed, count, START, SPAN, late, duplicate, malformed).records())


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others() -> None:
    one, other = (
        records(late=0.1, duplicate=0.1, malformed=0.1),
        records(late=0.1, duplicate=0.1, malformed=0.1),
    )
    assert one == other
    assert not {r.data for r in one} & {r.data for r in records(seed=8)}


def test_distinct_records_have_every_place_of_the_sequence_once() -> None:
    sound = [decoder(STREAM).decode(record.data) for record in records()]
    assert [event.seq for event in sound] == list(range(1, 3_001))
    assert len({event.event_id for event in sound}) == 3_000
    assert all(START <= event.event_time < START + SPAN for event in sound)


def test_copies_come_on_top_byte_for_byte_after_their_original() -> None:
    found = records(duplicate=0.05)
    copies = [record for record in found if record.is_copy]
    assert 90 < len(copies) < 220
    seen: Counter[bytes] = Counter()
    for record in found:
        assert seen[record.data] == int(record.is_copy)
        seen[record.data] += 1
    assert len(seen) == 3_000


def test_late_events_lie_behind_the_allowed_lateness() -> None:
    late = [record for record in records(late=0.1) if record.time_ms < START.timestamp() * 1000]
    assert 200 < len(late) < 400
    limit = (START - STREAM.allowed_lateness).timestamp() * 1000
    assert all(record.time_ms < limit for record in late)


def test_every_kind_of_damage_happens_and_each_record_stays_unique() -> None:
    found = [record for record in records(malformed=0.3) if record.damage]
    assert {record.damage for record in found} == {damage.name for damage in DAMAGES}
    assert len({record.data for record in found}) == len(found)
    assert not any(b"\n" in record.data for record in found)


def test_damaged_records_break_the_contract_unless_only_their_time_is_impossible() -> None:
    for record in records(malformed=0.3):
        if record.damage in (None, "distant_time"):
            decoder(STREAM).decode(record.data)
        else:
            with pytest.raises(ContractError):
                decoder(STREAM).decode(record.data)


def test_a_start_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Simulation(STREAM, 1, 1, datetime(2026, 1, 1), SPAN)
