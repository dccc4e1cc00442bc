"""200 malformed rows of 20 kinds: found with row, column and reason, and repaired by a changed source."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from producers.contracts import UNREADABLE_LINE, UnreadableLine
from producers.sources.definition import parse_source
from producers.sources.reader import SourceReader
from producers.sources.repair import SourceRepair
from producers.sources.results import SourceBatch
from tests.producers.sources.malformed import KINDS, REFUSING, REPAIRING, content, rows
from tests.shop import WEB

EVENT = WEB.latest["page_viewed"].event_class


def _read(folder: Path, text: str, *, in_columns: bool = False) -> list[SourceBatch]:
    path = folder / "visits.csv"
    path.write_text(content())
    with SourceReader(parse_source(text, "sources/visits.sql"), WEB) as reader:
        return list(reader.batches(str(path), in_columns=in_columns))


def failed_records(folder: Path) -> list[bytes]:
    """The records that are sent for the malformed rows, with places in a producer's sequence."""
    failures = [each for batch in _read(folder, REFUSING) for each in batch.failures]
    return [
        msgspec.json.encode(
            UNREADABLE_LINE.event_class(  # type: ignore[call-arg]
                event_id=each.event_id or "",
                schema_version=1,
                event_time=datetime(2024, 10, 10, tzinfo=UTC),
                source="replay",
                producer_id="replay-visits",
                epoch=1,
                seq=number,
                payload=each.payload("visits", "visits.csv"),
            )
        )
        for number, each in enumerate(failures, start=1)
    ]


@pytest.mark.parametrize("in_columns", [False, True])
def test_each_is_found_with_its_row_and_column(tmp_path: Path, in_columns: bool) -> None:
    batches = _read(tmp_path, REFUSING, in_columns=in_columns)
    expected = [(number, KINDS[kind][0]) for number, (kind, _) in enumerate(rows(), start=1) if kind]
    failures = [each for batch in batches for each in batch.failures]
    assert [(each.row, each.column) for each in failures] == expected
    assert len(failures) == 200
    assert all(each.reason for each in failures)
    events = sum(len(batch.events) for batch in batches)
    assert events + sum(len(batch.columns.rows) for batch in batches if batch.columns) == 200
    assert events == (0 if in_columns else 200)


def test_the_failed_record_names_file_row_column_and_reason(tmp_path: Path) -> None:
    payload = msgspec.json.decode(failed_records(tmp_path)[0], type=UNREADABLE_LINE.event_class).payload
    assert isinstance(payload, UnreadableLine)
    assert payload.position == "visits.csv:2"
    assert payload.column == "status"
    assert payload.reason == "status: 'OK' is not a whole number"
    assert payload.source_name == "visits"


def test_a_changed_source_repairs_all_of_them_to_the_events_that_it_reads_from_the_file(
    tmp_path: Path,
) -> None:
    records = failed_records(tmp_path)
    repair = SourceRepair(parse_source(REPAIRING, "sources/visits.sql"), WEB)
    repaired = [msgspec.json.decode(repair(each) or b"null", type=EVENT) for each in records]
    read = [each for batch in _read(tmp_path, REPAIRING) for each in batch.events]
    assert len(read) == 400
    from_file = {each.row: each for each in read}
    malformed = [number for number, (kind, _) in enumerate(rows(), start=1) if kind]
    assert [(each.event_id, each.payload) for each in repaired] == [
        (from_file[row].event_id, from_file[row].payload) for row in malformed
    ]
    assert [each.seq for each in repaired] == list(range(1, 201))
    assert len({each.event_id for each in repaired}) == 200


def test_the_source_that_refused_them_repairs_none_and_other_records_are_left(tmp_path: Path) -> None:
    unchanged = SourceRepair(parse_source(REFUSING, "sources/visits.sql"), WEB)
    records = failed_records(tmp_path)
    assert [unchanged(each) for each in records[:40]] == [None] * 40
    better = SourceRepair(parse_source(REPAIRING, "sources/visits.sql"), WEB)
    for foreign in (b"no json", b'{"a":1}', records[0].replace(b'"visits"', b'"others"')):
        assert better(foreign) is None
