"""Some hours of what several sorters have spilled give the lines that one sorter of all would."""

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from producers.importing.excerpt import parts_of, sizes, together
from producers.importing.sorting import INDEX, Sorter, run_name

HOURS = [f"2013-01-01-{hour:02d}" for hour in range(6)]
LINES = st.lists(st.tuples(st.sampled_from(HOURS), st.integers(0, 99)), max_size=40)


def spilled(folder: Path, lines: list[bytes]) -> None:
    sorter = Sorter(folder, run_bytes=200)
    for line in lines:
        sorter.add([line])
    sorter.finish()


@settings(max_examples=40, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=4), st.sets(st.sampled_from(HOURS)))
def test_the_lines_of_some_hours_of_all_spills_are_sorted_together(
    files: list[list[tuple[str, int]]], hours: set[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spills, every = [], []
        for number, file in enumerate(files):
            lines = [f"{hour}\t{value:02d}\t{number}\n".encode() for hour, value in file]
            spilled(folder / str(number), lines)
            index = json.loads((folder / str(number) / INDEX).read_text())
            assert sizes(index) == {
                hour: 19 * sum(each == hour for each, _ in file) for hour in {each for each, _ in file}
            }
            spills.append((index, parts_of(index, hours)))
            every += lines
        there = folder / "together"
        there.mkdir()
        run = 0
        for number, (_, parts) in enumerate(spills):
            for part in parts:
                body = (folder / str(number) / run_name(part.run)).read_bytes()[part.start : part.end]
                (there / run_name(run)).write_bytes(body)
                run += 1
        (there / INDEX).write_text(json.dumps(together(spills, hours)))
        sorter = Sorter.reopened(there)
        wanted = sorted(line for line in every if line[:13].decode() in hours)
        assert [line for hour in sorter.hours for line in sorter.lines(hour)] == wanted
