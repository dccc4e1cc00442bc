"""Parquet files as tools write them, and damaged ones."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from tests.producers.sources.field import payloads, read_all, reasons

PARQUET_ROW = {"event_type": "page_viewed", "url": "/a", "client_address": "192.0.2.1", "status": 200}


def _written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_parquet_columns_are_read_in_the_types_that_tools_write(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    at = datetime(2024, 11, 24, 10, 0, 1, 5, tzinfo=UTC)
    nanoseconds = int(at.timestamp()) * 10**9 + 5_000 + 1
    times = {
        "ns": pa.array([nanoseconds], pa.timestamp("ns", "UTC")),
        "ns without zone": pa.array([nanoseconds], pa.timestamp("ns")),
        "us without zone": pa.array([nanoseconds // 1000], pa.timestamp("us")),
    }
    columns = {name: pa.array([value]) for name, value in PARQUET_ROW.items()}
    for name, times_column in times.items():
        pq.write_table(pa.table({**columns, "event_time": times_column}), tmp_path / "t.parquet")
        (event,) = read_all(str(tmp_path / "t.parquet"))
        assert (name, event.event_time) == (name, at)
    int96 = pa.table({**columns, "event_time": times["ns"]})
    pq.write_table(int96, tmp_path / "t.parquet", use_deprecated_int96_timestamps=True)
    assert read_all(str(tmp_path / "t.parquet"))[0].event_time == at
    others = {
        "event_type": pa.array([b"page_viewed"], pa.binary()),
        "url": pa.array(["/a"]).dictionary_encode(),
        "status": pa.array([Decimal("200.00")], pa.decimal128(10, 2)),
        "bytes_sent": pa.array([float("nan")]),
        "duration_ms": pa.array([7.0]),
    }
    pq.write_table(pa.table({**columns, **others, "event_time": times["ns"]}), tmp_path / "t.parquet")
    (page,) = payloads(read_all(str(tmp_path / "t.parquet")))
    assert (page["url"], page["status"], page["bytes_sent"], page["duration_ms"]) == ("/a", 200, None, 7)


def test_a_value_that_python_has_no_form_for_costs_its_row_only(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: pa.array([value] * 5) for name, value in PARQUET_ROW.items()}
    times = pa.array([0, 1, 2**62, 3, 4], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({**columns, "event_time": times}), tmp_path / "t.parquet")
    events = read_all(str(tmp_path / "t.parquet"))
    assert [*reasons(events)] == [3]
    assert len(events) == 5


def test_a_damaged_part_of_a_parquet_file_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        PARQUET_ROW | {"event_time": datetime(2024, 11, 24, 10, tzinfo=UTC), "url": f"/{n}"}
        for n in range(300)
    ]
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=100, compression="snappy")
    column = pq.ParquetFile(path).metadata.row_group(1).column(1)
    content = bytearray(path.read_bytes())
    start = column.data_page_offset + 30
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
    events = read_all(str(path))
    (number,) = reasons(events)
    assert number == 101
    assert "100 rows cannot be read" in reasons(events)[number]
    assert [event.number for event in events][-1] == 300
