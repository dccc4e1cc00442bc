"""Cells of CSV, row by row, each read by itself as far as its lines allow: a quote that is never closed costs
its own row and none of those behind it.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from producers.sources.encoding import not_utf8
from producers.sources.lines import LARGEST_LINE, Refused, too_large

MOST_LINES = 1000
"""Lines of one row, as texts in quotes may have them."""
NEVER_CLOSED = (
    "a quote opens in this row and is not closed before the next one, or before the file's end; "
    "the rows behind it are read as rows of their own"
)


@dataclass(frozen=True)
class Dialect:
    """How cells are told apart. Without `quote` a quotation mark is a character like any other."""

    delimiter: str = ","
    quote: bool = True

    def split(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        """The rows of lines. Raises csv.Error for what is not CSV, with `strict` also for stray quotes."""
        if self.quote:
            return csv.reader(lines, delimiter=self.delimiter, strict=strict)
        return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=strict)


class TooLongError(Exception):
    """A row has more lines, or more characters, than one may have."""


class Lines:
    """The lines of a text, to be taken again when a row turns out to have begun with fewer of them.

    `taken` are those of the row that is being read.
    """

    def __init__(self, readline: Callable[[int], str]) -> None:
        """`readline` gives the next line, of at most so many characters, and nothing at the end."""
        self._readline = readline
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self._size = 0

    @property
    def has_again(self) -> bool:
        """Whether lines are left that were given back."""
        return bool(self._again)

    def begin(self) -> None:
        """A row begins."""
        self.taken, self._size = [], 0

    def give_back(self) -> None:
        """All lines of the row but the first are lines of rows behind it."""
        self.put_back(self.taken[1:])
        del self.taken[1:]

    def put_back(self, lines: list[str]) -> None:
        """Lines that come before all others."""
        self._again.extendleft(reversed(lines))

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._readline(LARGEST_LINE + 1)
        if not line:
            raise StopIteration
        self._size += len(line)
        self.taken.append(line)
        if self._size > LARGEST_LINE or len(self.taken) > MOST_LINES:
            raise TooLongError
        return line

    def rest_of_line(self, line: str) -> int:
        """Reads over what is left of a line that is too large; how much that is."""
        size = 0
        while line and line[-1] not in "\r\n":
            line = self._readline(LARGEST_LINE)
            size += len(line)
        return size


IsRow = Callable[[list[str], list[str]], bool]
"""Of a row of several lines and the cells of one of these lines: whether that line is, beyond reasonable
doubt, a row of its own.
"""


class Rows:
    """Reads rows one by one."""

    def __init__(self, source: Lines, dialect: Dialect, is_row: IsRow) -> None:
        self._source = source
        self._dialect = dialect
        self._is_row = is_row

    def next(self) -> list[str] | Refused | None:
        """The next row's cells, or why it is refused; empty for a line without any, None at the end."""
        source = self._source
        source.begin()
        try:
            row = next(self._dialect.split(source, strict=True), None)
        except TooLongError:
            if len(source.taken) == 1:
                size = len(source.taken[0]) + source.rest_of_line(source.taken[0])
                return too_large(as_bytes(source.taken[0][:4096]), size, LARGEST_LINE)
            return self._unclosed()
        except csv.Error as error:
            if len(source.taken) > 1:
                return self._unclosed()
            return self._of_line(source.taken[0], str(error))
        if not row:
            return row
        if len(source.taken) > 1 and any(self._is_row_of_its_own(row, line) for line in source.taken[1:]):
            return self._unclosed()
        return self._checked(row)

    def _of_line(self, line: str, strictly: str) -> list[str] | Refused:
        """A row that is one line, and not quoted as RFC 4180 has it: as lenient readers take it."""
        try:
            rows = list(self._dialect.split([line]))
        except csv.Error as error:
            return Refused(shown(line), f"not a row of CSV: {error}")
        if "unexpected end" in strictly:
            return Refused(shown(line), NEVER_CLOSED)
        return self._checked(rows[0])

    def _checked(self, row: list[str]) -> list[str] | Refused:
        wrong = foreign(row)
        return row if wrong is None else Refused(shown("".join(self._source.taken)), wrong)

    def _is_row_of_its_own(self, row: list[str], line: str) -> bool:
        try:
            cells = next(self._dialect.split([line], strict=True), [])
        except csv.Error:
            return False
        return self._is_row(row, cells)

    def _unclosed(self) -> Refused:
        first = self._source.taken[0]
        self._source.give_back()
        return Refused(shown(first), NEVER_CLOSED)


def foreign(cells: list[str]) -> str | None:
    """Why cells in another encoding than UTF-8 are refused."""
    for cell in cells:
        if not cell.isascii():
            try:
                as_bytes(cell).decode()
            except UnicodeDecodeError as error:
                return not_utf8(error)
    return None


def as_bytes(text: str) -> bytes:
    """The bytes that a text was decoded from with `surrogateescape`."""
    return text.encode("utf-8", "surrogateescape")


def shown(text: str) -> str:
    """The text with U+FFFD for bytes that are not UTF-8."""
    return as_bytes(text).decode("utf-8", "replace")
