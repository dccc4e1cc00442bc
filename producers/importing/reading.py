"""Reads files with a source, into lines that sort by event hour."""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

import msgspec

from producers.contracts import UNREADABLE_LINE, EventType, FilePlace, LineWriter
from producers.importing.line_columns import POSSIBLE, lines_of
from producers.importing.sorting import Sorter
from producers.importing.uniqueness import IdCheck
from producers.sources.results import EventColumns, SourceBatch, SourceFailure


class Batches(Protocol):
    """Reads files as events; see `producers.sources.reader.SourceReader`."""

    def batches(self, path: str, *, in_columns: bool = False) -> Generator[SourceBatch]:
        """The rows of a file in order. With `in_columns` events may be in the batch's `columns`."""
        ...


@dataclass
class Read:
    """What has been read: events, rows that are none, that the SELECT left out, that are never delivered."""

    events: int = 0
    failures: int = 0
    left_out: int = 0
    undelivered: int = 0


class FileReader:
    """Reads files one after another: events go to `events`, rows that are none to `failures`."""

    def __init__(self, reader: Batches, source: str, events: Sorter, failures: Sorter, ids: IdCheck) -> None:
        self._reader, self._source = reader, source
        self._events, self._failures, self._ids = events, failures, ids
        self._writer, self._encode = LineWriter(), msgspec.json.Encoder().encode

    def read(self, paths: Sequence[str], progress: Callable[[Read], None], first: int = 0) -> Read:
        """Read them all; the first one has the number `first`. Raises SourceError, SourceDefinitionError."""
        found = Read()
        for number, path in enumerate(paths):
            with closing(self._reader.batches(path, in_columns=POSSIBLE)) as batches:
                for batch in batches:
                    self._take(number, first, batch, found)
                    progress(found)
        return found

    def _take(self, number: int, first: int, batch: SourceBatch, found: Read) -> None:
        line, lines = self._writer.line, []
        for row, event_id, event_us, event_type, _, data in batch.events:
            assert event_id is not None, "only a pipe gives events without an id"
            if event_type.delivered:
                lines.append(line(FilePlace(first + number, row), event_id, event_us, event_type, data))
            else:
                found.undelivered += 1
        self._events.add(lines)
        self._ids.add(
            (event_id, number, row, (event_us, data))
            for row, event_id, event_us, _, _, data in batch.events
            if event_id is not None
        )
        if batch.columns is not None:
            self._take_columns(number, first, batch.columns, found)
        self._failures.add([self._failed(first + number, batch.file, failure) for failure in batch.failures])
        found.events += len(lines)
        found.failures += len(batch.failures)
        found.left_out += batch.left_out

    def _take_columns(self, number: int, first: int, columns: EventColumns, found: Read) -> None:
        if columns.event_type.delivered:
            self._events.add(lines_of(first + number, columns))
            found.events += len(columns.rows)
        else:
            found.undelivered += len(columns.rows)
        self._ids.add_columns(number, columns)

    def _failed(self, number: int, file: str, failure: SourceFailure) -> bytes:
        assert failure.event_id is not None
        payload = self._encode(failure.payload(self._source, file))
        kind: EventType = UNREADABLE_LINE
        place = FilePlace(number, failure.row)
        return self._writer.line(place, failure.event_id, failure.event_us, kind, payload)
