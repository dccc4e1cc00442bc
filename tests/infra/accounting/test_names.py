"""An event's name is found in its record, as long as it stands there."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.accounting.names import names_in
from infra.accounting.reconcile import ProducerEpoch
from producers.simulation.simulator import Simulation
from tests.shop import WEB

SOUND = (
    b'{"event_type":"t","event_id":"i","producer_id":"web-1","epoch":7,"seq":42,'
    b'"payload":{"note":"{\\"producer_id\\":\\"other\\",\\"epoch\\":1,\\"seq\\":2}"}}'
)
NAME = (ProducerEpoch("web-1", 7), 42)


@pytest.mark.parametrize(
    "raw",
    [
        SOUND,
        SOUND + b",",
        b"\xef\xbb\xbf" + SOUND,
        SOUND.replace(b"note", b"no\xff\xfete"),
        SOUND[:-20],
        SOUND.replace(b'"', b"'"),
        SOUND.replace(b":42", b':"42"'),
        b"\n" + SOUND + b"\n",
    ],
)
def test_the_name_is_found_in_sound_and_in_broken_bytes(raw: bytes) -> None:
    assert names_in(raw) == [NAME]


def test_every_line_of_a_record_with_several_events_has_its_name() -> None:
    other = SOUND.replace(b":42", b":43")
    assert names_in(SOUND + b"\n" + other) == [NAME, (NAME[0], 43)]


@pytest.mark.parametrize("raw", [b"", b"\x00\xff", b"[]", b"7", SOUND[:30], SOUND.replace(b'"seq"', b'"sq"')])
def test_a_record_without_a_whole_name_has_none(raw: bytes) -> None:
    assert names_in(raw.replace(b'\\"', b"")) == []


def test_what_is_read_of_a_damaged_record_is_never_another_event() -> None:
    now = datetime(2026, 11, 25, tzinfo=UTC)
    damaged = Simulation(WEB, seed=3, count=3000, start=now, span=timedelta(hours=1), malformed=1.0)
    nameless = 0
    for seq, record in enumerate(damaged.records(), start=1):
        found = names_in(record.data)
        assert found in ([], [(ProducerEpoch(damaged.producer_id, damaged.epoch), seq)])
        nameless += not found
    assert nameless < 3000 * 0.2


@given(st.integers(0, 2**32), st.integers(0, 3))
def test_no_bytes_make_it_fail(seed: int, cuts: int) -> None:
    random = Random(seed)
    raw = bytearray(SOUND)
    for _ in range(cuts):
        raw[random.randrange(len(raw))] = random.randrange(256)
    names_in(bytes(raw))
