"""What of an event hour has to be written: its events once each, without those that the lake holds (pure)."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from producers.contracts import FilePlace
from transforms.contracts import LakeTable
from transforms.importing.lake_objects import digest_of, object_key

PART_EVENTS = 50_000
"""Events of one object at most."""
_ID = slice(14, 50)
_PLACE = slice(51, 67)
_CONTENT = 67
"""A line begins with hour, id and place, each of a fixed width, with a tab behind it."""


class Planned(NamedTuple):
    """A part of an hour, in order of the ids.

    Attributes:
        number: counts the parts of the hour from 0.
        key: the object to write; empty when the lake holds all of these events.
        fresh, known: lines of events that the lake does not hold, and of those that it holds in `known_in`.
        settled: how many events are in an object of the lake that holds just them.
    """

    hour: str
    number: int
    key: str
    fresh: Sequence[bytes]
    known: Sequence[bytes] = ()
    known_in: Sequence[str] = ()
    settled: int = 0


@dataclass
class Repeats:
    """Events that were given more than once: their copies, and (place, first place) of those that differ."""

    copies: int = 0
    differing: list[tuple[FilePlace, FilePlace]] = field(default_factory=list)


Ids = Callable[[Collection[str]], Set[bytes]]
"""The ids of the events in these objects."""


class Planner:
    """Plans the hours of one table. `held` are the keys of the lake's objects by hour.

    `replaced` are hours with objects whose rows are no more what they are named for; with `keep_last` the
    last of several rows with one id is the event, not the first.
    """

    def __init__(
        self,
        table: LakeTable,
        held: Mapping[str, Sequence[str]],
        ids: Ids,
        *,
        part_events: int = PART_EVENTS,
        replaced: Set[str] = frozenset(),
        keep_last: bool = False,
    ) -> None:
        self._replaced, self._keep_last = replaced, keep_last
        self._table, self._held, self._ids, self._part_events = table, held, ids, part_events
        self.repeats = Repeats()

    def parts(self, hour: str, lines: Iterable[bytes], own: Mapping[int, str]) -> Iterator[Planned]:
        """The parts of an hour. `own` are keys that this import has given to parts of the hour before.

        An object of `own` may be there or not: it is the part's, and its events count as fresh.
        """
        held = [key for key in self._held.get(hour, ()) if key not in set(own.values())]
        known: Set[bytes] | None = None
        left = self._unique(lines)
        number = 0
        while part := list(islice(left, self._part_events)):
            key = object_key(self._table, hour, digest_of(map(_content, part)))
            if number not in own and key in held and hour not in self._replaced:
                yield Planned(hour, number, "", (), settled=len(part))
            else:
                if held and known is None:
                    known = self._ids(held)
                yield self._part(hour, number, key, part, known or frozenset(), held)
            number += 1

    def _part(
        self, hour: str, number: int, key: str, part: list[bytes], known: Set[bytes], held: Sequence[str]
    ) -> Planned:
        """`key` is the object of all of the part."""
        if not known:
            return Planned(hour, number, key, part)
        fresh = [line for line in part if line[_ID] not in known]
        there = [line for line in part if line[_ID] in known]
        key = object_key(self._table, hour, digest_of(map(_content, fresh))) if fresh else ""
        return Planned(hour, number, key, fresh, there, held if there else ())

    def _unique(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """One line of each event. Lines with one id follow one another, in order of file and row."""
        kept = b""
        for line in lines:
            if not kept or line[_ID] != kept[_ID]:
                if kept:
                    yield kept
                kept = line
                continue
            self.repeats.copies += 1
            if line[_CONTENT:] != kept[_CONTENT:]:
                self.repeats.differing.append((_place(line), _place(kept)))
                if self._keep_last:
                    kept = line
        if kept:
            yield kept


def _content(line: bytes) -> bytes:
    return line[_ID] + line[_CONTENT:]


def _place(line: bytes) -> FilePlace:
    place = line[_PLACE]
    return FilePlace(int(place[:4], 16), int(place[4:], 16))
