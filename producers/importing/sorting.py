"""Lines in order of event hour, however many: sorted in memory, spilled as runs, read back by hour."""

import json
from collections.abc import Iterable, Iterator
from heapq import merge
from pathlib import Path
from typing import NamedTuple

RUN_BYTES = 48 << 20
"""Lines that are held in memory before they are spilled as one sorted run."""
HOUR_BYTES = 96 << 20
"""An hour with more than this is merged from its runs line by line, and not sorted in memory."""
HOUR_CHARACTERS = len("2013-01-01-10")
INDEX = "index.json"
"""Says where in the runs the lines of each hour lie."""
_LINE_OVERHEAD = 60
_READ_BYTES = 1 << 18


class _Slice(NamedTuple):
    run: int
    offset: int
    length: int


class Sorter:
    """Takes lines in any order, and gives those of each hour in order. A line begins with its hour.

    Memory is bounded by `run_bytes` and `hour_bytes`; what is more lies in `folder`, from where `reopened`
    goes on in another process once everything has been added.
    """

    def __init__(self, folder: Path, *, run_bytes: int = RUN_BYTES, hour_bytes: int = HOUR_BYTES) -> None:
        self._folder, self._run_bytes, self._hour_bytes = folder, run_bytes, hour_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._held: list[bytes] = []
        self._size = 0
        self._runs = 0
        self._slices: dict[str, list[_Slice]] = {}

    @classmethod
    def reopened(cls, folder: Path, *, hour_bytes: int = HOUR_BYTES) -> "Sorter":
        """What an earlier process has sorted and finished."""
        sorter = cls(folder, hour_bytes=hour_bytes)
        found = json.loads((folder / INDEX).read_text())
        sorter._runs = found["runs"]
        sorter._slices = {
            hour: [_Slice(*each) for each in each_of] for hour, each_of in found["hours"].items()
        }
        return sorter

    def add(self, lines: Iterable[bytes]) -> None:
        """Take these lines."""
        before = len(self._held)
        self._held.extend(lines)
        self._size += sum(map(len, self._held[before:])) + _LINE_OVERHEAD * (len(self._held) - before)
        if self._size >= self._run_bytes:
            self._spill()

    def finish(self) -> None:
        """Everything has been added: it can be read now, and by `reopened` later."""
        self._spill()
        draft = self._folder / "index.new"
        draft.write_text(json.dumps({"runs": self._runs, "hours": self._slices}))
        draft.replace(self._folder / INDEX)

    @property
    def hours(self) -> list[str]:
        """The hours that have lines, in order."""
        return sorted(self._slices)

    def lines(self, hour: str) -> Iterator[bytes]:
        """The lines of the hour in order."""
        slices = self._slices[hour]
        if len(slices) == 1:
            return self._read(slices[0])
        if sum(each.length for each in slices) <= self._hour_bytes:
            return iter(sorted(line for each in slices for line in self._read(each)))
        return merge(*map(self._read, slices))

    def _spill(self) -> None:
        if not self._held:
            return
        self._held.sort()
        offset = 0
        with self._path(self._runs).open("wb") as file:
            for hour, lines in _by_hour(self._held):
                body = b"".join(lines)
                file.write(body)
                self._slices.setdefault(hour, []).append(_Slice(self._runs, offset, len(body)))
                offset += len(body)
        self._runs += 1
        self._held, self._size = [], 0

    def _read(self, wanted: _Slice) -> Iterator[bytes]:
        with self._path(wanted.run).open("rb") as file:
            file.seek(wanted.offset)
            left, rest = wanted.length, b""
            while left:
                part = file.read(min(_READ_BYTES, left))
                if not part:
                    raise EOFError(f"{self._path(wanted.run)} is shorter than it was. Import again.")
                left -= len(part)
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    yield line + b"\n"

    def _path(self, run: int) -> Path:
        return self._folder / run_name(run)


def run_name(run: int) -> str:
    """The name of the file with a sorted run."""
    return f"run-{run:05d}"


def _by_hour(lines: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    start = 0
    while start < len(lines):
        hour = lines[start][:HOUR_CHARACTERS]
        end = _end_of(lines, start, hour)
        yield hour.decode(), lines[start:end]
        start = end


def _end_of(lines: list[bytes], start: int, hour: bytes) -> int:
    """Where the lines of the hour end."""
    low, high = start, len(lines)
    while low < high:
        middle = (low + high) // 2
        if lines[middle][:HOUR_CHARACTERS] <= hour:
            low = middle + 1
        else:
            high = middle
    return low
