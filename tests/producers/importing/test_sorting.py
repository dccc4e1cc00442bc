"""Lines come back by hour and in order, whatever order they came in and however little memory there is."""

import random
from pathlib import Path

import pytest

from producers.contracts import FilePlace, LineWriter, read_imported_line
from producers.importing.sorting import Sorter
from tests.producers.importing.events import VIEWED


def made(count: int) -> list[bytes]:
    chance, writer = random.Random(7), LineWriter()
    return [
        writer.line(
            FilePlace(0, row),
            f"{chance.getrandbits(64):036x}",
            1_357_000_000_000_000 + chance.randrange(40) * 3_600_000_000 + row,
            VIEWED,
            b'{"row":%d}' % row,
        )
        for row in range(1, count + 1)
    ]


@pytest.mark.parametrize("run_bytes", [1, 5_000, 10_000_000])
@pytest.mark.parametrize("hour_bytes", [1, 10_000_000])
def test_every_line_comes_back_in_its_hour_and_in_order(
    tmp_path: Path, run_bytes: int, hour_bytes: int
) -> None:
    lines = made(500)
    sorter = Sorter(tmp_path, run_bytes=run_bytes, hour_bytes=hour_bytes)
    for start in range(0, len(lines), 7):
        sorter.add(lines[start : start + 7])
    sorter.finish()
    again = Sorter.reopened(tmp_path, hour_bytes=hour_bytes)
    assert [line for hour in sorter.hours for line in sorter.lines(hour)] == sorted(lines)
    assert [line for hour in again.hours for line in again.lines(hour)] == sorted(lines)
    assert all(read_imported_line(line).hour == hour for hour in again.hours for line in again.lines(hour))


def test_a_run_that_was_cut_off_is_not_taken_for_a_shorter_one(tmp_path: Path) -> None:
    sorter = Sorter(tmp_path)
    sorter.add(made(10))
    sorter.finish()
    run = tmp_path / "run-00000"
    run.write_bytes(run.read_bytes()[:-5])
    with pytest.raises(EOFError, match="shorter than it was"):
        [line for hour in sorter.hours for line in sorter.lines(hour)]


def test_a_line_gives_back_what_it_was_made_of() -> None:
    payload = b'{"url":"/a\\tb\\n","status":200}'
    line = LineWriter().line(
        FilePlace(3, 77), "00000000-0000-8000-8000-000000000001", 1_357_034_400_123_999, VIEWED, payload
    )
    found = read_imported_line(line)
    assert found.hour == "2013-01-01-10"
    assert found.event_time == "2013-01-01T10:00:00.123Z"
    assert (found.place, found.event_type, found.version, found.payload) == (
        FilePlace(3, 77),
        "page_viewed",
        1,
        payload,
    )
