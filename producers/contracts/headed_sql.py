"""SQL files that declare something in their first lines, as sources and reports do (pure).

The header is the run of `-- name: value` lines at the top. A comment line without a name continues the value
before it. What stands below is the statement.
"""

import re
from collections.abc import Mapping
from itertools import takewhile

from msgspec import Struct

_LINE = re.compile(r"--\s*(?P<name>[a-z_]+):\s*(?P<value>.*?)\s*$")


class HeaderError(ValueError):
    """A file's header does not say what it must. `file` and `line` (from 1) say where."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


class HeadedSql(Struct, frozen=True):
    """A SQL file taken apart.

    Attributes:
        fields: name to (line, value), lines from 1.
        statement: what stands below the header.
        line: the line on which the statement begins.
        refusal: the error that says what is wrong with a file of its kind.
    """

    file: str
    fields: Mapping[str, tuple[int, str]]
    statement: str
    line: int
    refusal: type[HeaderError] = HeaderError

    def value(self, name: str, default: str | None = None) -> str:
        """The value of a name. Raises `refusal` when the header must have it and does not."""
        if name in self.fields:
            return self.fields[name][1]
        if default is None:
            raise self.refusal(self.file, 1, f"The header has no line '-- {name}: ...'. Add it.")
        return default

    def line_of(self, name: str) -> int:
        """The line on which a name stands; the first one when it is not there."""
        return self.fields[name][0] if name in self.fields else 1

    def error(self, name: str, message: str) -> HeaderError:
        """An error about what the header says of a name."""
        return self.refusal(self.file, self.line_of(name), message)


def headed_sql(text: str, file: str, refusal: type[HeaderError] = HeaderError) -> HeadedSql:
    """The file's header and statement. Raises `refusal` for a name that stands there twice."""
    fields: dict[str, tuple[int, str]] = {}
    last = ""
    lines = text.splitlines()
    comments = list(takewhile(lambda line: line.startswith("--"), lines))
    for number, line in enumerate(comments, start=1):
        if match := _LINE.match(line):
            last = match["name"]
            if last in fields:
                raise refusal(file, number, f"The header says {last!r} twice. Remove one.")
            fields[last] = (number, match["value"])
        elif last:
            at, value = fields[last]
            fields[last] = (at, f"{value} {line.removeprefix('--').strip()}".strip())
    return HeadedSql(file, fields, "\n".join(lines[len(comments) :]), len(comments) + 1, refusal)
