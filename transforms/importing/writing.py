"""Writes a part of an event hour to the lake."""

from collections.abc import Sequence
from typing import NamedTuple

from producers.contracts import FilePlace, ImportedLine, read_imported_line
from transforms.contracts import LakeTable
from transforms.failed.arrow import parquet_bytes
from transforms.failed.bucket import Objects
from transforms.importing.existing import changed_ids
from transforms.importing.rows import Refused, RowMaker, Sender


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
    """Writes parts."""

    def __init__(self, objects: Objects, table: LakeTable, maker: RowMaker, sender: Sender) -> None:
        self._objects, self._table, self._maker, self._sender = objects, table, maker, sender

    def write(self, part: Part) -> Written:
        """Make the rows of the part and put them as one object; none when no event has a row."""
        made = self._maker.make(map(read_imported_line, part.fresh), self._sender, part.first_seq)
        body = b""
        if made.rows.num_rows:
            body = parquet_bytes(made.rows)
            self._objects.put(part.key, body)
        return Written(made.rows.num_rows, len(body), made.refused, self.changed(part))

    def changed(self, part: Part) -> list[FilePlace]:
        """The places of events that the lake holds with another content."""
        if not part.known:
            return []
        lines: list[ImportedLine] = [read_imported_line(line) for line in part.known]
        made = self._maker.make(lines, self._sender, 1)
        refused = {refused.line.event_id for refused in made.refused}
        bodies = (self._objects.get(key) or b"" for key in part.known_in)
        ids = changed_ids(made.rows, filter(None, bodies), self._table) | refused
        return [line.place for line in lines if line.event_id in ids]
