"""A part of what several sorters have spilled: the lines of some hours, to be read elsewhere (pure)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

Index = Mapping[str, Any]
"""What a sorter's `INDEX` says."""


class RunPart(NamedTuple):
    """Bytes of a run, from `start` to before `end`."""

    run: int
    start: int
    end: int


def sizes(index: Index) -> dict[str, int]:
    """Bytes of the lines of each hour."""
    return {hour: sum(length for _, _, length in slices) for hour, slices in index["hours"].items()}


def parts_of(index: Index, hours: Collection[str]) -> list[RunPart]:
    """Of each run that has lines of these hours the part that holds them: one part, since a run is sorted."""
    found: dict[int, RunPart] = {}
    for hour in hours:
        for run, offset, length in index["hours"].get(hour, ()):
            known = found.get(run, RunPart(run, offset, offset + length))
            found[run] = RunPart(run, min(known.start, offset), max(known.end, offset + length))
    return sorted(found.values())


def together(spills: Sequence[tuple[Index, Sequence[RunPart]]], hours: Collection[str]) -> dict[str, Any]:
    """The index of all parts of all spills, each a run of its own, in the order in which they are given."""
    slices: dict[str, list[tuple[int, int, int]]] = {}
    runs = 0
    for index, parts in spills:
        for number, part in enumerate(parts, start=runs):
            for hour in hours:
                for run, offset, length in index["hours"].get(hour, ()):
                    if run == part.run:
                        slices.setdefault(hour, []).append((number, offset - part.start, length))
        runs += len(parts)
    return {"runs": runs, "hours": slices}
