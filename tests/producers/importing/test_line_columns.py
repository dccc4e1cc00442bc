"""Events in columns become the lines, and are compared by the ids, that events in rows do."""

from pathlib import Path

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.contracts import FilePlace, LineWriter
from producers.importing.line_columns import lines_of
from producers.importing.uniqueness import IdCheck
from producers.sources.results import EventColumns
from tests.producers.importing.events import VIEWED

IDS = [f"{number:08x}-0000-8000-8000-00000000000{number:x}" for number in range(5)]


def columns(events: list[tuple[int, str, int, bytes]]) -> EventColumns:
    """Columns of (row, id, time, payload)."""
    rows, ids, times, data = zip(*events, strict=True)
    return EventColumns(
        pa.array(rows, pa.int64()),
        list(ids),
        pa.array(times, pa.int64()),
        VIEWED,
        pa.array(data, pa.binary()),
    )


EVENTS = st.lists(
    st.tuples(
        st.integers(1, 2**48 - 1),
        st.sampled_from(IDS),
        st.integers(946_684_800_000_000, 253_402_214_400_000_000),
        st.sampled_from([b"{}", b'{"url":"/a"}', '{"url":"/é"}'.encode()]),
    ),
    min_size=1,
    max_size=20,
)


@given(EVENTS, st.integers(0, 2**16 - 1))
@settings(max_examples=60, deadline=None)
def test_lines_of_columns_are_the_lines_of_their_events(
    events: list[tuple[int, str, int, bytes]], file: int
) -> None:
    line = LineWriter().line
    expected = [line(FilePlace(file, row), each, us, VIEWED, data) for row, each, us, data in events]
    assert lines_of(file, columns(events)) == expected


def test_one_key_of_different_rows_is_found_whichever_way_the_rows_came(tmp_path: Path) -> None:
    first, other = b'{"url":"/a"}', b'{"url":"/b"}'
    rows = [(7, IDS[0], 5, first), (8, IDS[1], 5, first), (9, IDS[1], 5, other), (10, IDS[2], 5, first)]
    again = [(11, IDS[0], 5, first), (12, IDS[2], 6, first), (13, IDS[3], 5, first)]
    check = IdCheck(tmp_path)
    check.add_columns(0, columns(rows))
    check.add((each, 0, row, (us, data)) for row, each, us, data in again)
    check.add_columns(1, columns([(1, IDS[3], 5, other)]))
    found = check.duplicates()
    assert [(group.file, group.rows) for group in found.groups] == [(0, (8, 9)), (0, (10, 12))]
