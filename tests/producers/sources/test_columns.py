"""Rows that are made events in columns are what the slow way makes of each, and none of them is left out."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.sources.definition import parse_source
from producers.sources.files import SourceError
from producers.sources.reader import SourceReader
from producers.sources.results import EventColumns, SourceBatch, SourceEvent
from tests.producers.sources import columns as strategies
from tests.producers.sources.flights import CSV, reader, source
from tests.shop import WEB


def rows_of(batch: SourceBatch) -> list[SourceEvent]:
    """The batch's events, those in columns as well, in order of their rows and without their payloads."""
    events = [each._replace(payload=None) for each in batch.events]  # type: ignore[arg-type]
    if batch.columns is not None:
        events += in_rows(batch.columns)
    return sorted(events, key=lambda each: each.row)


def in_rows(columns: EventColumns) -> list[SourceEvent]:
    """Columns as rows without payloads."""
    rows = zip(
        columns.rows.to_pylist(),
        columns.event_ids,
        columns.event_us.to_pylist(),
        columns.data.to_pylist(),
        strict=True,
    )
    return [SourceEvent(row, each, us, columns.event_type, None, data) for row, each, us, data in rows]  # type: ignore[arg-type]


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_random_rows_of_random_contracts_are_the_same_events_and_failures_either_way(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    payload = data.draw(strategies.payloads())
    key = data.draw(st.sampled_from(["key", "key, at", ""]))
    definition = strategies.source_of(payload, key, data.draw(st.sampled_from(strategies.ZONES)))
    path = tmp_path_factory.mktemp("rows") / "measured.csv"
    path.write_text(data.draw(strategies.files(len(payload.__struct_fields__))))
    with SourceReader(definition, strategies.stream_of(payload)) as made:
        slow = list(made.batches(str(path)))
        quick = list(made.batches(str(path), in_columns=True))
    assert [rows_of(batch) for batch in quick] == [rows_of(batch) for batch in slow]
    assert [batch._replace(events=(), columns=None) for batch in quick] == [
        batch._replace(events=()) for batch in slow
    ]


def test_good_rows_of_plain_fields_are_all_in_columns(tmp_path: Path) -> None:
    header = "-- source: views\n-- stream: web\n-- event: page_viewed\n-- format: csv\n-- key: n\n-- event_time: at\n"
    select = "SELECT url, status, client AS client_address FROM file"
    path = tmp_path / "views.csv"
    path.write_text(
        "n,at,url,status,client\n"
        + "".join(f"{n},2013-01-01T10:{n:02d}:00Z,/page/{n},{200 + n},198.51.100.{n}\n" for n in range(60))
    )
    with SourceReader(parse_source(header + select, "sources/views.sql"), WEB) as made:
        (batch,) = made.batches(str(path), in_columns=True)
    assert batch.columns is not None
    assert (len(batch.columns.rows), batch.events, batch.failures) == (60, [], [])


@pytest.mark.parametrize("fields", [1, 2])
def test_a_row_in_which_nothing_is_given_is_an_event_too(tmp_path: Path, fields: int) -> None:
    payload = strategies.payload_of([(f"f{number}", int | None, None) for number in range(fields)])
    path = tmp_path / "measured.csv"
    path.write_text("key,at,c0,c1\n1,2013-01-01T10:00:00Z,,\n2,2013-01-01T10:00:00Z,5,\n")
    definition = strategies.source_of(payload, "key", "")
    with SourceReader(definition, strategies.stream_of(payload)) as made:
        (batch,) = made.batches(str(path), in_columns=True)
    assert batch.columns is not None
    assert batch.columns.data.to_pylist() == [b"{}", b'{"f0":5}']


def test_a_type_with_a_list_or_a_time_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "flights.csv"
    path.write_text(CSV)
    with reader(source()) as made:
        (batch,) = made.batches(str(path), in_columns=True)
    assert batch.columns is None
    assert len(batch.events) == CSV.count("\n") - 1


def test_a_failure_without_a_time_stands_at_the_time_of_the_event_before_it(tmp_path: Path) -> None:
    header = "-- source: views\n-- stream: web\n-- event: page_viewed\n-- format: csv\n-- key: n\n-- event_time: at\n"
    path = tmp_path / "views.csv"
    path.write_text(
        "n,at,url,status,client\n"
        "1,2013-01-01T10:00:00Z,/a,200,198.51.100.1\n"
        "2,,/a,200,198.51.100.1\n"
        '3,2013-01-01T11:00:00Z,"/a\tb",200,198.51.100.1\n'
        "4,,/a,200,198.51.100.1\n"
        "5,2013-01-01T12:00:00Z,/a,200,198.51.100.1\n"
    )
    text = header + "SELECT url, status, client AS client_address FROM file"
    with SourceReader(parse_source(text, "sources/views.sql"), WEB) as made:
        (slow,) = made.batches(str(path))
        (quick,) = made.batches(str(path), in_columns=True)
    assert quick.columns is not None
    assert [each.row for each in quick.events] == [3], "a text that JSON escapes goes the slow way"
    assert quick.failures == slow.failures
    assert [failure.event_us - slow.events[0].event_us for failure in quick.failures] == [0, 3_600_000_000]


def test_a_file_that_is_damaged_is_refused_either_way(tmp_path: Path) -> None:
    path = tmp_path / "flights.csv"
    path.write_text("")
    with reader(source()) as made, pytest.raises(SourceError, match="is empty"):
        list(made.batches(str(path), in_columns=True))
