"""An event of an import as a line of bytes that sorts by event hour, then by id, then by its place (pure).

It is what reading files hands on to whoever writes the lake.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from producers.contracts.envelope import EventType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REMEMBERED = 65_536


class FilePlace(NamedTuple):
    """Where an event stands: the number of its file in the import (from 0), and of its row in it (from 1)."""

    file: int
    row: int


class ImportedLine(NamedTuple):
    """An event, without what an import adds to it. Its parts are decoded when they are asked for: most are
    only handed on.
    """

    parts: tuple[bytes, ...]

    @property
    def hour(self) -> str:
        """Its event hour, `2013-01-01-10`."""
        return self.parts[0].decode()

    @property
    def event_id(self) -> str:
        """Its id."""
        return self.parts[1].decode()

    @property
    def place(self) -> FilePlace:
        """Where it stands in the files."""
        return FilePlace(int(self.parts[2][:4], 16), int(self.parts[2][4:], 16))

    @property
    def event_time(self) -> str:
        """UTC with milliseconds, as envelopes have it."""
        return self.parts[3].decode()

    @property
    def event_type(self) -> str:
        """The name of its type."""
        return self.parts[4].decode()

    @property
    def version(self) -> int:
        """Of its type."""
        return int(self.parts[5])

    @property
    def payload(self) -> bytes:
        """JSON."""
        return self.parts[6]

    @property
    def content(self) -> bytes:
        """Everything that the event says; two events with the same are the same."""
        return b"\t".join(self.parts[3:])


class LineWriter:
    """Writes lines; it remembers seconds, of which the events of a file have few."""

    def __init__(self) -> None:
        self._seconds: dict[int, tuple[str, str]] = {}

    def line(
        self, place: FilePlace, event_id: str, event_us: int, event_type: EventType, payload: bytes
    ) -> bytes:
        """The event's line. `event_us` is epoch microseconds, cut to milliseconds as everywhere."""
        second, rest = divmod(event_us, 1_000_000)
        known = self._seconds.get(second)
        if known is None:
            if len(self._seconds) >= _REMEMBERED:
                self._seconds.clear()
            text = (_EPOCH + timedelta(seconds=second)).isoformat()[:19]
            known = self._seconds[second] = (f"{text[:10]}-{text[11:13]}", text)
        hour, text = known
        head = (
            f"{hour}\t{event_id}\t{place[0]:04x}{place[1]:012x}\t{text}.{rest // 1000:03d}Z\t"
            f"{event_type.name}\t{event_type.version}\t"
        )
        return head.encode() + payload + b"\n"


def read_imported_line(line: bytes) -> ImportedLine:
    """The line, taken apart."""
    return ImportedLine(tuple(line.rstrip(b"\n").split(b"\t", 6)))
