"""Rows of CSV with a column `event_type`, as documents of column name to value."""

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from producers.sources.csv_cells import Dialect, Lines, Rows, TooLongError, foreign, shown
from producers.sources.files import SourceError
from producers.sources.lines import Refused

_KIND = "event_type"


def csv_rows(content: io.BufferedReader, name: str) -> Iterator[Mapping[str, Any] | Refused]:
    """The rows in order, empty cells left out; in place of one that cannot be read, why. Raises SourceError
    when the first line does not name the columns.
    """
    text = io.TextIOWrapper(content, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        source = Lines(text.readline)
        header = _header(source, name)
        at, kinds = header.index(_KIND), set[str]()

        def is_row(row: list[str], cells: list[str]) -> bool:
            kinds.update(row[at : at + 1])
            return len(cells) == len(header) and cells[at] in kinds

        rows = Rows(source, Dialect(), is_row)
        while (row := rows.next()) is not None:
            if isinstance(row, Refused):
                yield row
            elif len(row) > len(header):
                wrong = f"{len(row)} cells where the first line names {len(header)} columns"
                yield Refused(shown("".join(source.taken)), wrong)
            elif row:
                if len(row) > at:
                    kinds.add(row[at])
                yield _document(header, row)
    finally:
        text.detach()  # the file is closed by whoever opened it


def header_of(source: Lines, name: str, dialect: Dialect) -> list[str]:
    """The names of the columns, which the first line has. Raises SourceError."""
    source.begin()
    try:
        header = next(dialect.split(source), [])
    except (csv.Error, TooLongError) as error:
        raise SourceError(
            f"The first line of {name} does not name columns: {error or 'too long'}."
        ) from error
    if foreign(header) is not None:
        raise SourceError(f"{name} is {foreign(header)}.")
    return header


def refuse_twice(header: list[str], name: str) -> None:
    """Raises SourceError for a column that is there twice."""
    twice = next((column for column in header if column and header.count(column) > 1), None)
    if twice is not None:
        raise SourceError(f"{name} has the column {twice} more than once. Rename or remove one of them.")


def _header(source: Lines, name: str) -> list[str]:
    header = header_of(source, name, Dialect())
    if _KIND not in header:
        raise SourceError(f"{name} has no column {_KIND} (its first line: {str(header)[:200]}).")
    refuse_twice(header, name)
    return header


def _document(header: list[str], row: list[str]) -> dict[str, Any]:
    return {column: _cell(value) for column, value in zip(header, row, strict=False) if value}


def _cell(value: str) -> Any:
    # Lists and objects stand in a cell as JSON.
    if value[0] in "[{":
        with suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.decode(value)
    return value
