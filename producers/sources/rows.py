"""Rows of a file as JSON that a changed source can read again, and tables for it (pure but for Arrow)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from producers.sources.csv_chunks import read_again
from producers.sources.definition import SourceDefinition
from producers.sources.lines import Refused

if TYPE_CHECKING:
    import pyarrow as pa

UNSPLIT = ""
"""Member that holds a row which could not be split into columns. No column has this name."""


class NotARowError(ValueError):
    """The text of a failed record is not a row that a source has read, or was cut; the message says which."""


def with_nulls(table: "pa.Table", definition: SourceDefinition) -> "pa.Table":
    """The table with nothing where the source's null words stand; in CSV also where a cell is empty."""
    import pyarrow as pa
    import pyarrow.compute as pc

    words = [*definition.nulls, *([""] if definition.format == "csv" else [])]
    if not words:
        return table
    known = pa.array(words, pa.string())
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table.column(at)
            is_null = pc.is_in(column, value_set=known.cast(field.type))
            table = table.set_column(at, field, pc.if_else(is_null, pa.scalar(None, field.type), column))
    return table


def row_line(table: "pa.Table", at: int) -> str:
    """A row as JSON: column name to what stands there, as the file has it."""
    row = table.slice(at, 1).to_pylist()[0]
    return _json({name: value for name, value in row.items() if value is not None})


def refused_line(text: str, columns: Sequence[str]) -> str:
    """A row that could not be split, with the columns that it should have had."""
    return _json({UNSPLIT: {"line": text, "columns": list(columns)}})


def table_again(lines: Sequence[str], definition: SourceDefinition) -> "tuple[pa.Table, dict[int, str]]":
    """A table of rows that `row_line` or `refused_line` wrote, and why some of them (by place) are not in it.

    Every column is text: what it means is for the SELECT to say.
    """
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    wrong: dict[int, str] = {}
    for at, line in enumerate(lines):
        try:
            rows.append(_row_of(line, definition))
        except NotARowError as error:
            wrong[at] = str(error)
            rows.append({})
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in names}
    return pa.table(columns), wrong


def _row_of(line: str, definition: SourceDefinition) -> dict[str, Any]:
    try:
        row: Any = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise NotARowError("the failed record holds only the beginning of the row") from error
    if not isinstance(row, dict):
        raise NotARowError("the failed record was not read by a source")
    unsplit = row.get(UNSPLIT)
    if not isinstance(unsplit, dict):
        return row
    columns = list(unsplit.get("columns") or definition.csv.columns)
    if definition.format == "lines":
        return {"line": unsplit["line"]}
    if definition.format != "csv" or not columns:
        raise NotARowError("the row could not be split into columns")
    cells = read_again(str(unsplit["line"]), columns, definition.csv)
    if isinstance(cells, Refused):
        raise NotARowError(cells.reason)
    return dict(zip(columns, cells, strict=False))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _json(value: Any) -> str:
    def other(found: Any) -> Any:
        return str(found)

    return msgspec.json.encode(value, enc_hook=other).decode()
