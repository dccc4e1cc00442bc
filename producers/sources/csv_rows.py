"""Rows of CSV, each read by itself as far as its lines allow: a quote that is never closed costs its own row
and none of those behind it.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from producers.sources.encoding import not_utf8
from producers.sources.files import SourceError
from producers.sources.lines import LARGEST_LINE, Refused, too_large

MOST_LINES = 1000
"""Lines of one row, as texts in quotes may have them."""
_KIND = "event_type"


def csv_rows(content: io.BufferedReader, name: str) -> Iterator[Mapping[str, Any] | Refused]:
    """The rows in order, empty cells left out; in place of one that cannot be read, why. Raises SourceError
    when the first line does not name the columns.
    """
    text = io.TextIOWrapper(content, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        source = _Lines(text)
        header = _header(source, name)
        kinds: set[str] = set()
        while (row := _row(source, header, kinds)) is not None:
            if row:
                yield row if isinstance(row, Refused) else _document(header, row)
    finally:
        text.detach()  # the file is closed by whoever opened it


class _Lines:
    """The lines of a text, to be taken again when a row turns out to have begun with fewer of them.

    `taken` are those of the row that is being read; `too_long` says why it takes no more of them.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self._size = 0

    def begin(self) -> None:
        """A row begins."""
        self.taken, self._size = [], 0

    def give_back(self) -> None:
        """All lines of the row but the first are lines of rows behind it."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(LARGEST_LINE + 1)
        if not line:
            raise StopIteration
        self._size += len(line)
        self.taken.append(line)
        if self._size > LARGEST_LINE or len(self.taken) > MOST_LINES:
            raise _TooLongError
        return line

    def rest_of_line(self, line: str) -> int:
        """Reads over what is left of a line that is too large; how much that is."""
        size = 0
        while line and line[-1] not in "\r\n":
            line = self._text.readline(LARGEST_LINE)
            size += len(line)
        return size


class _TooLongError(Exception):
    """A row has more lines, or more characters, than one may have."""


def _header(source: _Lines, name: str) -> list[str]:
    try:
        header = next(csv.reader(source), [])
    except (csv.Error, _TooLongError) as error:
        raise SourceError(
            f"The first line of {name} does not name columns: {error or 'too long'}."
        ) from error
    if _foreign(header) is not None:
        raise SourceError(f"{name} is {_foreign(header)}.")
    if _KIND not in header:
        raise SourceError(f"{name} has no column {_KIND} (its first line: {str(header)[:200]}).")
    twice = next((column for column in header if column and header.count(column) > 1), None)
    if twice is not None:
        raise SourceError(f"{name} has the column {twice} more than once. Rename or remove one of them.")
    return header


def _row(source: _Lines, header: list[str], kinds: set[str]) -> list[str] | Refused | None:
    """The next row's cells, or why it is refused; empty for a line without any, None at the end."""
    source.begin()
    try:
        row = next(csv.reader(source, strict=True), None)
    except _TooLongError:
        if len(source.taken) == 1:
            size = len(source.taken[0]) + source.rest_of_line(source.taken[0])
            return too_large(_bytes(source.taken[0][:4096]), size, LARGEST_LINE)
        return _unclosed(source)
    except csv.Error as error:
        if len(source.taken) > 1:
            return _unclosed(source)
        return _row_of_line(source.taken[0], str(error), header)
    if row is None or not row:
        return row
    at = header.index(_KIND)
    if len(row) > at:
        kinds.add(row[at])
    if len(source.taken) > 1 and any(_is_row(line, header, kinds) for line in source.taken[1:]):
        return _unclosed(source)
    return _checked(row, source.taken, header)


def _row_of_line(line: str, strictly: str, header: list[str]) -> list[str] | Refused:
    """A row that is one line, and not quoted as RFC 4180 has it: as lenient readers take it."""
    try:
        rows = list(csv.reader([line]))
    except csv.Error as error:
        return Refused(_shown(line), f"not a row of CSV: {error}")
    if "unexpected end" in strictly:
        return Refused(_shown(line), _NEVER_CLOSED)
    return _checked(rows[0], [line], header)


def _checked(row: list[str], taken: list[str], header: list[str]) -> list[str] | Refused:
    wrong = _foreign(row)
    if wrong is None and len(row) > len(header):
        wrong = f"{len(row)} cells where the first line names {len(header)} columns"
    return row if wrong is None else Refused(_shown("".join(taken)), wrong)


def _is_row(line: str, header: list[str], kinds: set[str]) -> bool:
    """Whether a line inside a quoted text is, beyond reasonable doubt, a row of its own."""
    try:
        cells = next(csv.reader([line], strict=True), [])
    except csv.Error:
        return False
    return len(cells) == len(header) and cells[header.index(_KIND)] in kinds


_NEVER_CLOSED = (
    "a quote opens in this row and is not closed before the next one, or before the file's end; "
    "the rows behind it are read as rows of their own"
)


def _unclosed(source: _Lines) -> Refused:
    first = source.taken[0]
    source.give_back()
    return Refused(_shown(first), _NEVER_CLOSED)


def _foreign(cells: list[str]) -> str | None:
    """Why cells in another encoding than UTF-8 are refused."""
    for cell in cells:
        if not cell.isascii():
            try:
                _bytes(cell).decode()
            except UnicodeDecodeError as error:
                return not_utf8(error)
    return None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _shown(text: str) -> str:
    return _bytes(text).decode("utf-8", "replace")


def _document(header: list[str], row: list[str]) -> dict[str, Any]:
    return {column: _cell(value) for column, value in zip(header, row, strict=False) if value}


def _cell(value: str) -> Any:
    # Lists and objects stand in a cell as JSON.
    if value[0] in "[{":
        with suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.decode(value)
    return value
