"""Writes a part of an event hour to the lake."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from producers.contracts import FilePlace, ImportedLine, read_imported_line
from transforms.contracts import LakeTable
from transforms.failed.arrow import parquet_bytes
from transforms.failed.bucket import Objects
from transforms.importing.existing import changed_ids, replaced
from transforms.importing.lake_objects import replaced_key
from transforms.importing.rows import Made, Numbered, Refused, RowMaker
from transforms.importing.sender import Sender


class Part(NamedTuple):
    """Events of one hour, sorted by id, each once.

    Attributes:
        key: the object that they become.
        first_seq: number of the first one.
        fresh: lines of events that the lake does not hold.
        known: lines of events that it holds, in the objects `known_in`.
    """

    key: str
    first_seq: int
    fresh: Sequence[bytes]
    known: Sequence[bytes] = ()
    known_in: Sequence[str] = ()


class Written(NamedTuple):
    """What became of a part: rows and bytes of its object, refused events, places of corrections."""

    rows: int
    bytes: int
    refused: Sequence[Refused]
    changed: Sequence[FilePlace]


class PartWriter:
    """Writes parts. `puts` are objects that are put at a time: most of one is waiting for the answer."""

    def __init__(
        self, objects: Objects, table: LakeTable, maker: RowMaker, sender: Sender, *, puts: int = 1
    ) -> None:
        self._objects, self._table, self._maker, self._sender = objects, table, maker, sender
        self._puts = puts

    def write(self, parts: Sequence[Part]) -> list[Written]:
        """Make the rows of these parts and put each as one object; none when no event of it has a row."""
        events = [Numbered(part.fresh, part.first_seq) for part in parts]
        made = self._maker.make(events, self._sender)
        if self._puts == 1:
            sizes = [*map(self._put, parts, made)]
        else:
            with ThreadPoolExecutor(self._puts) as pool:
                sizes = [*pool.map(self._put, parts, made)]
        return [
            Written(each.rows.num_rows, size, each.refused, self._changed(part))
            for part, each, size in zip(parts, made, sizes, strict=True)
        ]

    def _put(self, part: Part, made: Made) -> int:
        """The bytes of the part's object; none when no event of it has a row."""
        if not made.rows.num_rows:
            return 0
        body = parquet_bytes(made.rows)
        self._objects.put(part.key, body)
        return len(body)

    def _changed(self, part: Part) -> list[FilePlace]:
        """The places of events that the lake holds with another content."""
        if not part.known:
            return []
        (made,) = self._maker.make([Numbered(part.known, 1)], self._sender)
        refused = {refused.line.event_id for refused in made.refused}
        bodies = (self._objects.get(key) or b"" for key in part.known_in)
        ids = changed_ids(made.rows, filter(None, bodies), self._table) | refused
        lines: list[ImportedLine] = [read_imported_line(line) for line in part.known]
        return [line.place for line in lines if line.event_id in ids]

    def replace(self, part: Part, places: Sequence[FilePlace]) -> None:
        """Give the lake's objects the events of the part that stood in these places, where the gate accepts
        them. The object keeps its key and its other rows, and the row its sender and number.
        """
        wanted = set(places)
        lines = [line for line in part.known if read_imported_line(line).place in wanted]
        (made,) = self._maker.make([Numbered(lines, 1)], self._sender)
        for key in part.known_in:
            body = self._objects.get(key)
            after = replaced(body, made.rows, self._table) if body else None
            if after is not None:
                # First the note: with one, an hour is compared by what its objects hold, not by their names.
                self._objects.put(replaced_key(key), b"1")
                self._objects.put(key, after)
