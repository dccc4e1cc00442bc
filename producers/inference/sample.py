"""The rows of a file that a contract is inferred from: a bounded number, read as sources read them."""

from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

import msgspec

from producers.inference.forms import HEAD_BYTES, Form, form_of, require_names
from producers.inference.model import InferenceError
from producers.sources.blocks import block_lines
from producers.sources.chunks import chunks
from producers.sources.definition import CsvForm, SourceDefinition
from producers.sources.files import opened, shown_path
from producers.sources.lines import LARGEST_LINE, Refused

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 500_000
MOST_BYTES = 96 << 20
"""Of the rows in memory; whichever comes first."""
MOST_COLUMNS = 400
_KEPT_REFUSED = 100
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Sample:
    """Rows of a file.

    Attributes:
        form: how the file is written.
        table: its first rows; text for CSV and NDJSON.
        refused: (number, why) of rows that cannot be read, at most a hundred.
        read: rows that were read, refused ones among them.
        is_whole: whether the file has no more rows.
    """

    form: Form
    table: "pa.Table"
    refused: list[tuple[int, str]]
    read: int
    is_whole: bool


def read_sample(path: str, most_rows: int = MOST_ROWS) -> Sample:
    """The first rows of a file, plain or gzip.

    Raises InferenceError for what no contract can be made of, SourceError for a file that cannot be read.
    """
    name = shown_path(PurePath(path).name)
    with opened(path) as content:
        form = form_of(content.peek(HEAD_BYTES)[:HEAD_BYTES], name)
        if form.format == "csv" and len(content.readline(LARGEST_LINE + 1)) > LARGEST_LINE:
            raise InferenceError(
                f"The first line of {name} is too large to name columns: over {LARGEST_LINE:,} bytes. "
                "Is it a table with a row on each line?"
            )
    wanted = _members(path, name, most_rows) if form.format == "ndjson" else ()
    definition = SourceDefinition("sample", "sample", "sample", form.format, "sample", "")
    definition = replace(definition, csv=CsvForm(delimiter=form.delimiter))
    tables: list[pa.Table] = []
    refused: list[tuple[int, str]] = []
    rows = size = unreadable = 0
    is_whole = True
    with opened(path) as content, closing(cast("Any", chunks(content, name, definition, wanted))) as found:
        for chunk in found:
            unreadable += sum(each.rows for _, each in chunk.refused)
            if not tables:
                _require_columns(chunk.table.column_names, name, form)
            refused += [(number, each.reason) for number, each in chunk.refused]
            del refused[_KEPT_REFUSED:]
            tables.append(chunk.table)
            rows, size = rows + len(chunk.table), size + chunk.table.nbytes
            if rows >= most_rows or size >= MOST_BYTES:
                is_whole = False
                break
    if not rows:
        why = f" Row {refused[0][0]}: {refused[0][1]}." if refused else ""
        raise InferenceError(f"{name} has no row that can be read.{why} A sample needs some.")
    return Sample(form, _joined(tables), refused, rows + unreadable, is_whole)


def _require_columns(columns: list[str], name: str, form: Form) -> None:
    if len(columns) > MOST_COLUMNS:
        raise InferenceError(
            f"{name} has {len(columns):,} columns, and a contract has at most {MOST_COLUMNS}. Cut it down to "
            "those that reports will read, or turn columns into rows (name, value)."
        )
    if form.format == "csv":
        require_names(columns, name)
    folded = [column.lower() for column in columns]
    twice = next((column for column in columns if folded.count(column.lower()) > 1), None)
    if twice is not None:
        raise InferenceError(
            f"{name} has the column {twice!r} more than once, capitals aside. Rename or remove one of them."
        )


def _joined(tables: "list[pa.Table]") -> "pa.Table":
    import pyarrow as pa

    return pa.concat_tables(tables)


def _members(path: str, name: str, most_rows: int) -> tuple[str, ...]:
    """The members of NDJSON's objects, in order of first use. Raises InferenceError."""
    found: dict[str, None] = {}
    with opened(path) as content:
        lines = (line for block in block_lines(content) for line in block)
        size = 0
        for line in islice(lines, most_rows):
            if isinstance(line, Refused):
                continue
            size += len(line)
            try:
                found.update(dict.fromkeys(_RAW.decode(line)))
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if len(found) > MOST_COLUMNS * 10 or size > MOST_BYTES * 4:
                break
    if not found:
        raise InferenceError(f"{name} has no JSON object in any of its lines. A sample needs some.")
    return tuple(found)
