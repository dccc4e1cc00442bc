"""Rows of a team's CSV files, a block at a time.

A block in which every line is one row, which nearly all are, is split at once: by Arrow where nothing in it
is quoted, else by the csv module. In another one each row is read by itself.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from producers.sources.blocks import blocks
from producers.sources.csv_blocks import table_at_once
from producers.sources.csv_cells import Dialect, Lines, Rows, shown
from producers.sources.csv_rows import header_of, refuse_twice
from producers.sources.definition import CsvForm
from producers.sources.files import SourceError
from producers.sources.lines import LARGEST_LINE, Refused

if TYPE_CHECKING:
    import pyarrow as pa

Cells = Sequence[str | None]
Found = tuple[list[int], "list[Cells] | pa.Table", list[tuple[int, Refused]]]
"""Numbers of rows, their cells (as rows, or as columns), and what is refused with its number."""


def csv_chunks(content: io.BufferedReader, name: str, form: CsvForm) -> Iterator[tuple[Sequence[str], Found]]:
    """The columns and, block by block, the rows. Raises SourceError."""
    feed = _Feed(content, form.comment)
    source = Lines(feed.readline)
    header = list(form.columns) or _header(source, name, form)
    found = _Blocks(feed, source, header, form)
    while (block := found.next()) is not None:
        yield header, block


def read_again(line: str, columns: Sequence[str], form: CsvForm) -> Cells | Refused:
    """The cells of one row's text, as `form` has it now."""
    text = iter([line])
    source = Lines(lambda _limit: next(text, ""))
    row = Rows(source, Dialect(form.delimiter, form.quote), lambda _row, _cells: False).next()
    if isinstance(row, list) and row:
        return _fitted(row, columns, form, line)
    return row if isinstance(row, Refused) else Refused(line, "the row is empty")


class _Feed:
    """Lines of a file, block by block or one by one. A line that is too large ends them until it is taken."""

    def __init__(self, content: io.BufferedReader, comment: str) -> None:
        self._blocks = blocks(content)
        self._comment = comment
        self._ready: deque[str] = deque()
        self._refused: Refused | None = None

    def block(self) -> list[str] | Refused | None:
        """The lines that are there, or what is refused; None at the end."""
        if self._ready:
            lines = list(self._ready)
            self._ready.clear()
            return lines
        if self._refused is not None:
            refused, self._refused = self._refused, None
            return refused
        return self._fetched()

    def readline(self, _limit: int) -> str:
        """One line; nothing at an end."""
        while not self._ready:
            if self._refused is not None:
                return ""
            found = self._fetched()
            if found is None:
                return ""
            if isinstance(found, Refused):
                self._refused = found
                return ""
            self._ready.extend(found)
        return self._ready.popleft()

    def _fetched(self) -> list[str] | Refused | None:
        found = next(self._blocks, None)
        if not isinstance(found, bytes):
            return found
        lines = io.StringIO(found.decode("utf-8", "surrogateescape"), newline="").readlines()
        if self._comment:
            return [line for line in lines if not line.startswith(self._comment)]
        return lines


class _Blocks:
    def __init__(self, feed: _Feed, source: Lines, header: list[str], form: CsvForm) -> None:
        self._feed = feed
        self._source = source
        self._header = header
        self._form = form
        self._dialect = Dialect(form.delimiter, form.quote)
        self._shape: list[str] = []
        self._rows = Rows(source, self._dialect, self._is_row)
        self._number = 0

    def next(self) -> Found | None:
        """The rows of the next block; None at the end."""
        lines = self._feed.block()
        if lines is None:
            return None
        if isinstance(lines, Refused):
            self._number += 1
            return [], [], [(self._number, lines)]
        table = table_at_once(lines, self._header, self._form)
        if table is not None:
            first = self._number + 1
            self._number += len(table)
            self._shape = [_kind(column[-1].as_py()) for column in table.columns]
            return list(range(first, first + len(table))), table, []
        rows = self._at_once(lines)
        if rows is None:
            self._source.put_back(lines)
            return self._one_by_one()
        first = self._number + 1
        self._number += len(rows)
        if rows:
            self._shape = list(map(_kind, rows[-1]))
        return list(range(first, first + len(rows))), rows, []

    def _at_once(self, lines: list[str]) -> list[Cells] | None:
        """The rows, if every line is one and has as many cells as there are columns."""
        text = "".join(lines)
        if self._form.quote and '"' in text and any(line.count('"') & 1 for line in lines):
            return None
        if len(text) > LARGEST_LINE and max(map(len, lines)) > LARGEST_LINE:
            return None
        try:
            if not text.isascii():
                text.encode()
            found = list(self._dialect.split(lines, strict=True))
        except (csv.Error, UnicodeEncodeError):
            return None
        if len(found) != len(lines):
            return None
        rows: list[Cells] = [row for row in found if row]
        return rows if set(map(len, rows)) <= {len(self._header)} else None

    def _one_by_one(self) -> Found:
        numbers: list[int] = []
        rows: list[Cells] = []
        refused: list[tuple[int, Refused]] = []
        while self._source.has_again:
            row = self._rows.next()
            if row is None:
                break
            if not row:
                continue
            self._number += 1
            fitted: Cells | Refused = row
            if not isinstance(row, Refused):
                text = shown("".join(self._source.taken))
                fitted = _fitted(row, self._header, self._form, text)
            if isinstance(fitted, Refused):
                refused.append((self._number, fitted))
            else:
                numbers.append(self._number)
                rows.append(fitted)
                self._shape = list(map(_kind, fitted))
        return numbers, rows, refused

    def _is_row(self, _row: list[str], cells: list[str]) -> bool:
        """A line with as many cells as there are columns, most of them of the kind of the row before."""
        if len(cells) != len(self._header) or len(cells) < 2:
            return False
        same = sum(map(str.__eq__, map(_kind, cells), self._shape))
        return same * 3 >= len(cells) * 2


def _fitted(row: list[str], header: Sequence[str], form: CsvForm, text: str) -> Cells | Refused:
    extra = len(row) - len(header)
    if extra > 0 and form.extra_cells == "ignore":
        return row[: len(header)]
    if extra < 0 and form.short_rows == "fill":
        return [*row, *[None] * -extra]
    if extra:
        return Refused(text, f"{len(row)} cells where there are {len(header)} columns")
    return row


def _kind(cell: str | None) -> str:
    """What a cell looks like: nothing, a number or a time, or a text."""
    if not cell:
        return ""
    return "9" if cell[0] in "0123456789+-." and any(map(str.isdigit, cell)) else "a"


def _header(source: Lines, name: str, form: CsvForm) -> list[str]:
    header = header_of(source, name, Dialect(form.delimiter, form.quote))
    if not header:
        raise SourceError(f"{name} is empty: it has no line that names the columns.")
    refuse_twice(header, name)
    return [column or f"column{number}" for number, column in enumerate(header, start=1)]
