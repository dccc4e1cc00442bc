"""Rows that are made in columns are those of the gate, byte for byte, whatever stands in the lines."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from producers.contracts import EventType, FilePlace, LineWriter, Payload, Stream, read_imported_line
from producers.contracts.fields import Count, Identifier
from tests.producers.sources.flights import FLIGHTS
from tests.shop import WEB
from transforms.contracts import LakeTable
from transforms.failed.arrow import parquet_bytes, rows_to_table
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted, Failed, Reason
from transforms.importing.quick_rows import QuickRows
from transforms.importing.rows import Numbered, RowMaker, record
from transforms.importing.sender import Sender


class Departed(Payload, kw_only=True):
    """Plain fields alone."""

    carrier: Identifier
    flight: Count
    origin: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
    delay: Annotated[float, Meta(ge=-1440, le=10_080)] | None = None
    is_cancelled: bool | None = None
    gate: Literal["A", "B"] | None = None
    remark: str | None = None


class Landed(Payload, kw_only=True):
    """A list goes the slow way."""

    flight: Count
    stops: list[str] | None = None


class Counted(Payload, kw_only=True):
    """What is not there is filled in."""

    flight: Count
    unit: str = "seats"


DEPARTED, LANDED, COUNTED = (
    EventType(payload, version=1, partition_key="flight") for payload in (Departed, Landed, Counted)
)
TABLE = LakeTable(Stream("flights", (DEPARTED, LANDED, COUNTED), allowed_lateness=FLIGHTS.allowed_lateness))
SENDER = Sender("import-flights", 7, 1_796_000_000_000)
GATE = Gate(TABLE, key_id="k1", key=b"k" * 32)
MAKER = RowMaker(TABLE, GATE)
with pytest.MonkeyPatch.context() as _patch:
    _patch.setattr("transforms.importing.rows.find_spec", lambda name: None)
    WITHOUT_NUMPY = RowMaker(TABLE, GATE)
NUMBERS = st.one_of(st.integers(-3, 3), st.floats(-2000, 20_000), st.just(2**53), st.none())
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "carrier": st.sampled_from(["UA", "9E", "é", "", "a b"]),
    "flight": st.one_of(st.integers(0, 9_000), NUMBERS),
    "origin": st.sampled_from(["JFK", "EWR", "JFKX"]),
    "delay": NUMBERS,
    "is_cancelled": st.booleans(),
    "gate": st.sampled_from(["A", "B", "C", 1]),
    "remark": st.one_of(st.text(max_size=5), st.just("x" * 1_048_000)),
    "stops": st.lists(st.sampled_from(["ORD", "é"]), max_size=2),
    "unit": st.sampled_from(["seats", "bags"]),
}
IDS = (
    st.integers(0, 2**64)
    .map(lambda number: f"{number:032x}")
    .map(lambda text: f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")
)
TIMES = st.one_of(
    st.integers(1_356_998_400, 1_388_534_399).map(lambda second: second * 1_000_000 + 123_999),
    st.sampled_from([0, 1_796_000_000_000_000, 1_796_009_000_000_000, 4_000_000_000_000_000]),
)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line whose payload keeps its contract, or nearly."""
    kind = draw(st.sampled_from([DEPARTED, DEPARTED, DEPARTED, LANDED, COUNTED]))
    good = {"carrier": "UA", "flight": 1, "origin": "JFK"}
    names = [name for name in kind.payload.__struct_fields__ if draw(st.booleans())]
    required = {name: good[name] for name in kind.payload.__struct_fields__ if name in good}
    members = required | {name: draw(VALUES[name]) for name in names}
    if draw(st.integers(0, 9)) == 0:
        members.popitem()
    ordered = {name: members[name] for name in kind.payload.__struct_fields__ if name in members}
    event_id = draw(st.one_of(IDS, IDS, IDS, st.just("0" * 35 + "X")))
    return LineWriter().line(FilePlace(0, 1), event_id, draw(TIMES), kind, msgspec.json.encode(ordered))


def judged(groups: list[list[bytes]]) -> list[tuple[bytes, list[tuple[bytes, Reason]]]]:
    """What the gate makes of each group, one event after the other: an object, and failed records."""
    found, first = [], 1
    for group in groups:
        outcomes = [
            GATE.judge(record(read_imported_line(each), SENDER, 1), SENDER.arrival_ms) for each in group
        ]
        rows = [outcome.row for outcome in outcomes if isinstance(outcome, Accepted)]
        numbered = [
            row.replace(b'"seq":1,', b'"seq":%d,' % at, 1) for at, row in enumerate(rows, start=first)
        ]
        failed = [
            (each, outcome)
            for each, outcome in zip(group, outcomes, strict=True)
            if isinstance(outcome, Failed)
        ]
        records = [
            (record(read_imported_line(each), SENDER, seq), outcome.reason)
            for seq, (each, outcome) in enumerate(failed, start=first + len(rows))
        ]
        found.append((parquet_bytes(rows_to_table(TABLE, numbered)) if rows else b"", records))
        first += len(group)
    return found


@given(st.lists(st.lists(lines(), max_size=8), min_size=1, max_size=3))
@settings(max_examples=80, deadline=None)
def test_random_lines_become_the_objects_and_failed_records_that_the_gate_makes_of_each(
    groups: list[list[bytes]],
) -> None:
    firsts = [1 + sum(map(len, groups[:at])) for at in range(len(groups))]
    numbered = [Numbered(group, first) for group, first in zip(groups, firsts, strict=True)]
    for maker in (MAKER, WITHOUT_NUMPY):
        assert [
            (
                parquet_bytes(each.rows) if each.rows.num_rows else b"",
                [(refused.record, refused.reason) for refused in each.refused],
            )
            for each in maker.make(numbered, SENDER)
        ] == judged(groups)


def test_plain_events_are_made_in_columns_and_lists_defaults_and_personal_data_are_not() -> None:
    line = LineWriter().line
    made = [
        line(FilePlace(0, at), f"{at:08x}-0000-8000-8000-000000000001", 1_357_034_400_000_000, kind, payload)
        for at, (kind, payload) in enumerate(
            [
                (DEPARTED, b'{"carrier":"UA","flight":1,"origin":"JFK"}'),
                (LANDED, b'{"flight":1}'),
                (COUNTED, b'{"flight":1}'),
                (DEPARTED, b'{"carrier":"UA","flight":1,"origin":"JFK","remark":"\\u00e9\\n"}'),
                (DEPARTED, b'{"carrier":"UA","flight":1,"origin":"jfk"}'),
            ]
        )
    ]
    places, rows = QuickRows(TABLE, "k1").make(made, SENDER)
    assert places == [0, 3]
    assert rows.column("departed").to_pylist()[1]["remark"] == "é\n"
    viewed = WEB.latest["page_viewed"]
    personal = line(
        FilePlace(0, 1), "00000000-0000-8000-8000-000000000001", 1_357_034_400_000_000, viewed, b"{}"
    )
    assert QuickRows(LakeTable(WEB), "k1").make([personal], SENDER)[0] == []
