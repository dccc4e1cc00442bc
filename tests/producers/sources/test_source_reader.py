"""Rows as events, by a source file: values, times, nulls, rows at fault, and ids from the key."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers.sources.engine import Engine
from tests.producers.sources.flights import CSV, HEADER, SELECT, FlightDeparted, read, reader, source


def _us(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * 1_000_000


def test_rows_become_events_with_their_time_and_payload(tmp_path: Path) -> None:
    events, failures = read(source(), tmp_path, CSV)
    assert failures == []
    assert [each.row for each in events] == [1, 2, 3]
    assert [each.event_us for each in events] == [
        _us("2013-01-01T10:00:00Z"),
        _us("2013-01-01T10:00:00Z"),
        _us("2013-01-01T11:00:00Z"),
    ]
    assert [each.payload for each in events] == [
        FlightDeparted(carrier="UA", flight=1545, origin="EWR", delay=2.0),
        FlightDeparted(carrier="UA", flight=1714, origin="LGA", delay=-4.5),
        FlightDeparted(carrier="B6", flight=461, origin="JFK"),
    ]
    assert [each.data for each in events] == [msgspec.json.encode(each.payload) for each in events]


def test_the_same_rows_as_ndjson_parquet_and_gzip_are_the_same_events(tmp_path: Path) -> None:
    expected, _ = read(source(), tmp_path, CSV)
    ndjson = "\n".join(
        [
            '{"time_hour": "2013-01-01T10:00:00Z", "carrier": "UA", "flight": 1545, "origin": "EWR", "dep_delay": 2}',
            '{"time_hour":"2013-01-01T10:00:00Z","carrier":"UA","flight":1714,"origin":"LGA","dep_delay":-4.50}',
            '{"time_hour":"2013-01-01T11:00:00Z","carrier":"B6","flight":"0461","origin":"JFK","dep_delay":null}',
        ]
    )
    hours = [datetime(2013, 1, 1, hour, tzinfo=UTC) for hour in (10, 10, 11)]
    table = pa.table(
        {
            "time_hour": pa.array(hours, pa.timestamp("ns", "America/New_York")),
            "carrier": ["UA", "UA", "B6"],
            "flight": pa.array([1545, 1714, 461], pa.int16()),
            "origin": pa.array(["EWR", "LGA", "JFK"]).dictionary_encode(),
            "dep_delay": [2.0, -4.5, float("nan")],
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    parquet = sink.getvalue().to_pybytes()
    for form, content in (("csv", gzip.compress(CSV.encode())), ("ndjson", ndjson), ("parquet", parquet)):
        definition = source(HEADER.replace("csv", form))
        assert read(definition, tmp_path, content) == (expected, [])


def test_ids_follow_from_the_key_whatever_the_file_holds_beside(tmp_path: Path) -> None:
    lines = CSV.splitlines(keepends=True)
    by_key = {each.data: each.event_id for each in read(source(), tmp_path, CSV)[0]}
    shuffled = lines[1:]
    Random(1).shuffle(shuffled)
    for content in ("".join(lines[:2]), "".join([lines[0], *shuffled]), "".join([lines[0], *lines[2:]])):
        for each in read(source(), tmp_path, content, "other.csv")[0]:
            assert by_key[each.data] == each.event_id
    assert len(set(by_key.values())) == 3
    other_space = source(HEADER + "-- key_space: elsewhere\n")
    assert not {each.event_id for each in read(other_space, tmp_path, CSV)[0]} & set(by_key.values())


def test_an_id_stays_when_other_columns_change(tmp_path: Path) -> None:
    before, _ = read(source(), tmp_path, CSV)
    after, _ = read(source(), tmp_path, CSV.replace("EWR,2", "EWR,3"))
    assert [each.event_id for each in after] == [each.event_id for each in before]
    assert after[0].data != before[0].data


def test_without_a_key_ids_follow_from_content_and_row(tmp_path: Path) -> None:
    definition = source(HEADER.replace("-- key:         time_hour, carrier, flight\n", ""))
    twice = CSV + CSV.splitlines(keepends=True)[-1]
    events, _ = read(definition, tmp_path, twice)
    again, _ = read(definition, tmp_path, twice, "copy.csv")
    assert len({each.event_id for each in events}) == 4
    assert [each.event_id for each in again] == [each.event_id for each in events]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("2013-01-01T10:00:00Z,UA,15x,EWR,2", "flight", "'15x' is not a whole number"),
        ("2013-01-01T10:00:00Z,UA,1.5,EWR,2", "flight", "'1.5' is not a whole number"),
        ("2013-01-01T10:00:00Z,UA,-3,EWR,2", "flight", "-3"),
        ("2013-01-01T10:00:00Z,,3,EWR,2", "time_hour, carrier, flight", "a part of the key is missing"),
        ("2013-01-01T10:00:00Z,UA,3,EW,2", "origin", "'EW': Expected `str` matching regex"),
        ("2013-01-01T10:00:00Z,UA,3,EWR,2 minutes", "delay", "'2 minutes' is not a number"),
        ("2013-01-01T10:00:00Z,UA,3,EWR,inf", "delay", "'inf' is not a number"),
        ("2013-01-01T10:00:00Z,UA,3,EWR,20000", "delay", "20000.0"),
        ("2013-02-30T10:00:00Z,UA,3,EWR,2", "time_hour", "'2013-02-30T10:00:00Z' is not a time"),
        ("yesterday,UA,3,EWR,2", "time_hour", "'yesterday' is not a time"),
        ("2013-01-01T10:00:00,UA,3,EWR,2", "time_hour", "has no zone"),
        ("1999-01-01T10:00:00Z,UA,3,EWR,2", "time_hour", "is before 2000-01-01"),
        (",UA,3,EWR,2", "time_hour", "is missing"),
        ("2013-01-01T10:00:00Z,UA,3,EWR,2,more", "", "6 cells where there are 5 columns"),
        ("2013-01-01T10:00:00Z,UA,3,EWR", "", "4 cells where there are 5 columns"),
        ('2013-01-01T10:00:00Z,"UA,3,EWR,2', "", "a quote opens in this row"),
    ],
)
def test_a_bad_row_fails_alone_with_its_column_and_reason(
    tmp_path: Path, row: str, column: str, reason: str
) -> None:
    lines = CSV.splitlines(keepends=True)
    events, failures = read(source(), tmp_path, "".join([*lines[:2], row + "\n", *lines[2:]]))
    assert [each.row for each in events] == [1, 3, 4]
    assert [(each.row, each.column) for each in failures] == [(2, column)]
    assert reason in failures[0].reason


def test_a_failure_of_every_row_is_found_too(tmp_path: Path) -> None:
    content = CSV.splitlines(keepends=True)[0] + "2013-01-01T10:00:00Z,UA,x,EWR,2\n" * 5_000
    events, failures = read(source(), tmp_path, content)
    assert events == []
    assert [each.row for each in failures] == list(range(1, 5_001))
    assert {each.column for each in failures} == {"flight"}


def test_what_where_leaves_out_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "flights.csv"
    path.write_text(CSV)
    with reader(source(select=SELECT + "WHERE origin <> 'LGA'\n")) as made:
        batches = list(made.batches(str(path)))
    assert [each.row for batch in batches for each in batch.events] == [1, 3]
    assert sum(batch.left_out for batch in batches) == 1


def test_the_last_rows_number_covers_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "flights.csv"
    path.write_text(CSV + "2013-01-01T10:00:00Z,UA\n")
    with reader(source()) as made:
        assert [batch.last_row for batch in made.batches(str(path))] == [4]


def test_rows_may_be_of_several_event_types(tmp_path: Path) -> None:
    header = HEADER.replace("flight_departed", "'flight_' || lower(kind)").replace(
        "carrier, flight", "kind, flight"
    )
    select = "SELECT carrier, flight, origin, gate, stops FROM file"
    content = (
        "time_hour,kind,carrier,flight,origin,gate,stops\n"
        '2013-01-01T10:00:00Z,Departed,UA,1,EWR,,"[""BOS"",""ORD""]"\n'
        "2013-01-01T11:00:00Z,Landed,UA,1,,A,\n"
        "2013-01-01T12:00:00Z,Landed,UA,2,,C,\n"
        "2013-01-01T13:00:00Z,Diverted,UA,3,,,\n"
        "2013-01-01T14:00:00Z,Landed,UA,4,EW,B,not a list\n"
    )
    events, failures = read(source(header, select), tmp_path, content)
    assert [(each.event_type.name, each.data) for each in events] == [
        ("flight_departed", b'{"carrier":"UA","flight":1,"origin":"EWR","stops":["BOS","ORD"]}'),
        ("flight_landed", b'{"carrier":"UA","flight":1,"gate":"A"}'),
        # What only another type has is not asked of this one.
        ("flight_landed", b'{"carrier":"UA","flight":4,"gate":"B"}'),
    ]
    assert [(each.row, each.column) for each in failures] == [(3, "gate"), (4, "event")]
    assert failures[1].reason == "'flight_diverted' is not an event type of the stream"


def test_sql_of_a_source_reaches_no_file_setting_or_extension(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("carrier\nsecret\n")
    engine = Engine()
    for sql in (
        f"SELECT * FROM '{secret}'",
        f"SELECT * FROM read_csv('{secret}')",
        f"SELECT * FROM glob('{tmp_path}/*')",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        f"ATTACH '{tmp_path}/other.db'",
        "SET enable_external_access = true",
        "SET memory_limit = '100GB'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM tmp_path",
    ):
        with pytest.raises(engine.error):
            engine.rows(sql)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv"]
