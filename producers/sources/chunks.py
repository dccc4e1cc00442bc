"""The rows of a team's files as Arrow tables, a chunk at a time, with their numbers.

CSV, NDJSON and log lines come as text, whatever is in them: what a text means is the source's SELECT to say,
so that a bad value costs its row. Parquet comes with its own types.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from producers.sources.access_log import UnreadableLogLineError, parse_line
from producers.sources.blocks import block_lines
from producers.sources.csv_chunks import csv_chunks
from producers.sources.definition import SourceDefinition
from producers.sources.encoding import not_utf8
from producers.sources.lines import Refused

if TYPE_CHECKING:
    import pyarrow as pa

ACCESS_LOG_COLUMNS = (
    "client_address", "user", "time", "method", "target", "status", "bytes_sent", "referrer", "user_agent",
)  # fmt: skip
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PARQUET_ROWS = 20_000


class Chunk(NamedTuple):
    """Rows of a file. Every number from `first` to `last` is in `numbers` or in `refused`.

    Attributes:
        numbers: of the rows of `table`; the first row of a file, below a header, is 1.
        table: the columns as the file has them.
        refused: rows that cannot be read at all: (number, why). One may stand for several.
    """

    numbers: Sequence[int]
    table: "pa.Table"
    refused: Sequence[tuple[int, Refused]]


def chunks(
    content: io.BufferedReader, name: str, definition: SourceDefinition, wanted: Sequence[str]
) -> Iterator[Chunk]:
    """The rows of an opened file. `wanted` are the columns that the SELECT names; NDJSON has no others.

    Raises SourceError when the file as a whole cannot be read.
    """
    match definition.format:
        case "csv":
            for header, found in csv_chunks(content, name, definition.csv):
                numbers, rows, refused = found
                yield Chunk(numbers, text_table(header, rows) if isinstance(rows, list) else rows, refused)
        case "ndjson":
            yield from _of_lines(content, wanted, lambda line: _json_cells(line, wanted))
        case "access-log":
            yield from _of_lines(content, ACCESS_LOG_COLUMNS, _log_cells)
        case "lines":
            yield from _of_lines(content, ("line",), _line_cells)
        case "parquet":
            yield from _parquet(content, name)


class _BadRowError(ValueError):
    """The line is not a row; the text says why."""


def _of_lines(
    content: io.BufferedReader, columns: Sequence[str], cells: Callable[[bytes], Sequence[str | None]]
) -> Iterator[Chunk]:
    number = 0
    for lines in block_lines(content):
        numbers: list[int] = []
        rows: list[Sequence[str | None]] = []
        refused: list[tuple[int, Refused]] = []
        for line in lines:
            number += 1
            if isinstance(line, Refused):
                refused.append((number, line))
                continue
            if not line.strip():
                continue
            try:
                rows.append(cells(line))
                numbers.append(number)
            except (_BadRowError, UnreadableLogLineError) as error:
                refused.append((number, Refused(line.decode("utf-8", "replace"), str(error))))
        yield _text_chunk(columns, numbers, rows, refused)


def _json_cells(line: bytes, wanted: Sequence[str]) -> list[str | None]:
    try:
        found: Mapping[str, Any] = _RAW.decode(line)
        return [json_text(found[name]) if name in found else None for name in wanted]
    except UnicodeDecodeError as error:
        raise _BadRowError(not_utf8(error)) from error
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _BadRowError(f"not a JSON object: {error}") from error


def json_text(raw: msgspec.Raw) -> str | None:
    """A text as it is meant; null as nothing; numbers, lists and objects as they are written."""
    data = bytes(raw)
    if data[:1] == b'"':
        text: str = msgspec.json.decode(data, type=str)
        return text
    return None if data == b"null" else data.decode()


def _log_cells(line: bytes) -> list[str | None]:
    parsed = parse_line(line)
    return [
        parsed.client_address,
        parsed.user,
        parsed.time.isoformat(),
        parsed.method,
        parsed.target,
        str(parsed.status),
        None if parsed.bytes_sent is None else str(parsed.bytes_sent),
        parsed.referrer,
        parsed.user_agent,
    ]


def _line_cells(line: bytes) -> list[str | None]:
    try:
        return [line.rstrip(b"\r").decode()]
    except UnicodeDecodeError as error:
        raise _BadRowError(not_utf8(error)) from error


def _text_chunk(
    columns: Sequence[str],
    numbers: Sequence[int],
    rows: Sequence[Sequence[str | None]],
    refused: Sequence[tuple[int, Refused]],
) -> Chunk:
    return Chunk(numbers, text_table(columns, rows), refused)


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> "pa.Table":
    """A table of text columns."""
    import pyarrow as pa

    by_column = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [pa.array(cells, pa.string()) for cells in by_column]
    return pa.Table.from_arrays(arrays, names=list(columns))


def _parquet(content: io.BufferedReader, name: str) -> Iterator[Chunk]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from producers.sources.tables import one_line, parquet_file

    source: pq.ParquetFile = parquet_file(content, name)
    number = 0
    for group in range(source.num_row_groups):
        expected, found, why = source.metadata.row_group(group).num_rows, 0, "they are not there"
        try:
            for batch in source.iter_batches(batch_size=_PARQUET_ROWS, row_groups=[group]):
                for table, reason in _readable_rows(pa.Table.from_batches([batch])):
                    bad = [(number + 1, Refused("", reason))] if reason else []
                    yield Chunk(range(number + 1, number + 1 + len(table)), table, bad)
                    number += len(table) + len(bad)
                found += batch.num_rows
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            why = one_line(error)
        if found < expected:
            missing = expected - found
            reason = f"the Parquet file is damaged: {missing:,} rows cannot be read from here on ({why})"
            yield Chunk((), source.schema_arrow.empty_table(), [(number + 1, Refused("", reason, missing))])
            number += missing


def _readable_rows(table: "pa.Table") -> Iterator[tuple["pa.Table", str]]:
    """The rows with types that contracts have too; in place of one with a value that fits none, why."""
    import pyarrow as pa

    from producers.sources.tables import one_line, readable

    schema = pa.schema([field.with_type(readable(field.type)) for field in table.schema])
    try:
        yield table.cast(schema, safe=False), ""
    except (pa.ArrowException, ValueError, OverflowError) as error:
        if len(table) > 1:
            half = len(table) // 2
            yield from _readable_rows(table.slice(0, half))
            yield from _readable_rows(table.slice(half))
        else:
            yield schema.empty_table(), f"a value that cannot be read: {one_line(error)}"
