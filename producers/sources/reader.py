"""Reads files with a source: rows as events, and rows that cannot be one, each with its place and reason."""

from collections.abc import Generator
from contextlib import closing
from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec

from producers.contracts import Stream
from producers.identity import KeyedIds
from producers.sources.chunks import Chunk, chunks, text_table
from producers.sources.columns import ColumnReader
from producers.sources.definition import SourceDefinition
from producers.sources.engine import Engine
from producers.sources.files import DAMAGED_GZIP, STDIN, Share, content_identity, opened, shown_path
from producers.sources.lines import Refused
from producers.sources.making import Making, Tools
from producers.sources.plan import ROW, Plan, plan
from producers.sources.read import short_name
from producers.sources.results import SourceBatch
from producers.sources.statement import Statement
from producers.sources.times import Times

if TYPE_CHECKING:
    import pyarrow as pa


class SourceReader:
    """Reads files with one source. Its SQL runs in an engine of its own, which `close` ends."""

    def __init__(self, definition: SourceDefinition, stream: Stream) -> None:
        """Raises SourceDefinitionError, and SourceError where DuckDB is not installed."""
        if definition.stream != stream.name:
            raise definition.error(
                f"The source is of stream {definition.stream!r}, and is read for {stream.name!r}.",
                definition.line_of("stream"),
            )
        self.definition = definition
        self._stream = stream
        self._engine = Engine()
        self._statement = Statement(definition, self._engine)
        self._plans: dict[tuple[str, ...], Plan] = {}
        kinds = {kind.name: kind for kind in stream.event_types}  # the newest version comes last
        kinds.update({name: kind for name, kind in stream.latest.items() if name in kinds})
        times = Times(definition, stream)
        ids = KeyedIds(stream.name.encode(), definition.key_space.encode())
        self._tools = Tools(
            definition,
            self._engine,
            times,
            {name: (kind, msgspec.json.Decoder(kind.payload)) for name, kind in kinds.items()},
            msgspec.json.Encoder().encode,
            ids,
            self._plan_of,
            ColumnReader(times, ids),
        )
        self._floor_us = int(stream.history_floor.timestamp()) * 1_000_000

    def close(self) -> None:
        """Ends the engine."""
        self._engine.close()

    def __enter__(self) -> "SourceReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def batches(
        self, path: str, share: Share | None = None, *, in_columns: bool = False
    ) -> Generator[SourceBatch]:
        """The rows of a file (`-`: standard input), in order. `share` tells how far it got.

        With `in_columns`, for files only, events that can be made quickly are in the batch's `columns`.

        Raises SourceDefinitionError where the source does not fit the file's columns, SourceError where the
        file as a whole cannot be read.
        """
        name = "stdin" if path == STDIN else short_name(shown_path(PurePath(path).name))
        content_id = None if self.definition.key else content_identity(path)
        last_us = self._floor_us
        with closing(self._chunks(path, share)) as found:
            for chunk in found:
                making = Making(self._tools, chunk, content_id, last_us, in_columns=in_columns)
                yield making.batch(name)
                last_us = making.last_us

    def again(self, table: "pa.Table") -> SourceBatch:
        """Rows that were read before, read as the source is now; numbered from 1."""
        return Making(self._tools, Chunk(range(1, len(table) + 1), table, ()), None, self._floor_us).batch("")

    def _chunks(self, path: str, share: Share | None) -> Generator[Chunk]:
        wanted = self.wanted() if self.definition.format == "ndjson" else ()
        with opened(path, share) as content:
            number = 0
            try:
                for chunk in chunks(content, shown_path(path), self.definition, wanted):
                    number = max([number, *chunk.numbers[-1:], *(at for at, _ in chunk.refused[-1:])])
                    yield chunk
            except DAMAGED_GZIP as error:
                if not number:
                    raise
                reason = f"the gzip data ends early or is damaged ({error}): what follows cannot be read"
                yield Chunk((), text_table((), ()), [(number + 1, Refused("", reason))])

    def wanted(self) -> tuple[str, ...]:
        """The members that NDJSON is searched for: those that SELECT and header name.

        Raises SourceDefinitionError.
        """
        definition = self.definition
        header = [definition.event_time, *definition.key]
        if definition.event not in self._tools.kinds:
            header.append(definition.event)
        return self._statement.wanted(header)

    def _plan_of(self, table: "pa.Table") -> Plan:
        signature = tuple(f"{field.name}:{field.type}" for field in table.schema)
        if signature not in self._plans:
            columns = [name for name in table.schema.names if name != ROW]
            self._plans[signature] = plan(
                self.definition, self._stream, self._statement, self._engine, columns
            )
        return self._plans[signature]
