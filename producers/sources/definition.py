"""A source: one SQL file that says how the rows of a team's files become events (pure).

The header says what the files are and which events they hold; the SELECT below it says what each payload
field is, over the file's columns. `SourceDefinition` is what the header says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

from producers.contracts import HeadedSql, HeaderError, Stream, headed_sql
from producers.sources.encoding import marked
from producers.sources.webhook import DELIVERY, Webhook, webhook_of
from producers.sources.webhook import NAMES as WEBHOOK_NAMES

SourceFormat = Literal["csv", "ndjson", "parquet", "access-log", "lines"]
SOURCE_FORMATS: tuple[SourceFormat, ...] = get_args(SourceFormat)
Ambiguous = Literal["refuse", "earlier", "later"]
Nonexistent = Literal["refuse", "shift"]
_NAMES = frozenset(
    {
        "source", "title", "owner", "stream", "event", "format", "key", "key_space", "event_time", "zone",
        "nulls", "ambiguous", "nonexistent", "delimiter", "quote", "columns", "comment", "extra_cells",
        "short_rows", *WEBHOOK_NAMES,
    }
)  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|", "space": " "}


class SourceDefinitionError(HeaderError):
    """A source's file does not say what it must, or its SELECT cannot be used."""


class UnknownSourceError(LookupError):
    """No source has this name; the text lists those there are."""


@dataclass(frozen=True)
class CsvForm:
    """How a CSV file is written.

    Attributes:
        columns: names of the columns when the file's first line does not have them.
        comment: lines that begin with this are not rows; empty for none.
        extra_cells: what becomes of a row with more cells than columns.
        short_rows: what becomes of one with fewer.
    """

    delimiter: str = ","
    quote: bool = True
    columns: tuple[str, ...] = ()
    comment: str = ""
    extra_cells: Literal["refuse", "ignore"] = "refuse"
    short_rows: Literal["refuse", "fill"] = "refuse"


@dataclass(frozen=True)
class SourceDefinition:
    """What a source file declares.

    Attributes:
        name: the source's and its file's name.
        stream: name of the stream that the events are of.
        event: an event type's name, or a SQL expression for it.
        event_time: a column of the SELECT or of the file, or a SQL expression: when the event happened.
        key: columns of the SELECT or of the file, or SQL expressions, that name an event; empty for none.
        key_space: what keys are unique in. Sources that share it and a stream give a key the same event id.
        zone: IANA name of the zone of times that have none; empty when all of them have one.
        nulls: cells that stand for nothing, besides empty ones.
        ambiguous, nonexistent: what becomes of a local time that a clock showed twice, or never.
        webhook: how deliveries over HTTP are signed, for a source of which there are any.
        statement: the SELECT; `line` is where it begins.
    """

    name: str
    stream: str
    event: str
    format: SourceFormat
    event_time: str
    statement: str
    line: int = 1
    key: tuple[str, ...] = ()
    key_space: str = ""
    zone: str = ""
    nulls: tuple[str, ...] = ()
    ambiguous: Ambiguous = "refuse"
    nonexistent: Nonexistent = "refuse"
    csv: CsvForm = CsvForm()
    webhook: Webhook | None = None
    file: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    version: str = ""

    def line_of(self, name: str) -> int:
        """The line on which the header says this; the first one when it does not."""
        return dict(self.lines).get(name, 1)

    def contract(self, streams: Mapping[str, Stream], asked: str | None = None) -> Stream:
        """The stream that the events are of.

        Raises SourceDefinitionError where there is none of the name, or another one was `asked` for.
        """
        if asked not in (None, self.stream):
            raise self.error(
                f"The source is of stream {self.stream!r}; --stream names {asked!r}.", self.line_of("stream")
            )
        if self.stream not in streams:
            known = ", ".join(streams)
            raise self.error(
                f"There is no stream {self.stream!r}. There are: {known}.", self.line_of("stream")
            )
        return streams[self.stream]

    def error(self, message: str, line: int | None = None) -> SourceDefinitionError:
        """An error about this file: at a line, or at the beginning of the SELECT."""
        return SourceDefinitionError(self.file, self.line if line is None else line, message)


def parse_source(text: str, file: str) -> SourceDefinition:
    """The source that a SQL file declares. Raises SourceDefinitionError."""
    headed = headed_sql(text, file, SourceDefinitionError)
    return _definition(headed, sha256(text.encode()).hexdigest()[:16])


def read_sources(folder: Path | Traversable) -> Mapping[str, SourceDefinition]:
    """The sources of a folder by name, in order of name; none when there is no such folder.

    Raises SourceDefinitionError.
    """
    found: dict[str, SourceDefinition] = {}
    if not folder.is_dir():
        return found
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not path.name.endswith(".sql"):
            continue
        shown = f"{folder.name}/{path.name}"
        definition = parse_source(_text(path.read_bytes(), shown), shown)
        if f"{definition.name}.sql" != path.name:
            raise SourceDefinitionError(
                shown, definition.line_of("source"),
                f"Source {definition.name!r} must be in {definition.name}.sql.",
            )  # fmt: skip
        found[definition.name] = definition
    return found


def find_source(sources: Mapping[str, SourceDefinition], name: str) -> SourceDefinition:
    """The source of this name. Raises UnknownSourceError."""
    if name not in sources:
        known = ", ".join(sources) or "none"
        raise UnknownSourceError(f"There is no source {name!r}. There are: {known}.")
    return sources[name]


def _text(content: bytes, file: str) -> str:
    mark, encoding = marked(content) or (b"", "utf-8")
    try:
        return content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SourceDefinitionError(
            file, line, f"The file is not {encoding.upper()}. Convert it: iconv -f WINDOWS-1252 -t UTF-8"
        ) from error


def _definition(headed: HeadedSql, version: str) -> SourceDefinition:
    file = headed.file
    for name in headed.fields:
        if name not in _NAMES:
            raise headed.error(name, f"The header has no {name!r}. It has: {', '.join(sorted(_NAMES))}.")
    name = headed.value("source")
    if not _NAME.fullmatch(name):
        raise headed.error(
            "source",
            f"{name!r} is not a valid source name. Use a lower-case letter, then letters, digits and _.",
        )
    zone = headed.value("zone", "")
    if zone:
        _check_zone(headed, zone)
    webhook = webhook_of(headed)
    return SourceDefinition(
        name=name,
        stream=headed.value("stream"),
        event=_said(headed, "event"),
        format=cast("SourceFormat", _one_of(headed, "format", SOURCE_FORMATS)),
        event_time=_said(headed, "event_time"),
        statement=headed.statement,
        line=headed.line,
        key=split_outside_brackets(headed.value("key", DELIVERY if webhook else "")),
        key_space=headed.value("key_space", name),
        zone=zone,
        nulls=tuple(word.strip() for word in headed.value("nulls", "").split(",") if word.strip()),
        ambiguous=cast("Ambiguous", _one_of(headed, "ambiguous", get_args(Ambiguous), "refuse")),
        nonexistent=cast("Nonexistent", _one_of(headed, "nonexistent", get_args(Nonexistent), "refuse")),
        csv=_csv_form(headed),
        webhook=webhook,
        file=file,
        lines=tuple((name, line) for name, (line, _) in headed.fields.items()),
        version=version,
    )


def _said(headed: HeadedSql, name: str) -> str:
    value = headed.value(name)
    if not value:
        raise headed.error(name, f"{name} says nothing. Write what it is.")
    return value


def _one_of(headed: HeadedSql, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
    value = headed.value(name, default)
    if value not in choices:
        raise headed.error(name, f"Unknown {name} {value!r}. Use one of: {', '.join(choices)}.")
    return value


def _check_zone(headed: HeadedSql, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise headed.error(
            "zone",
            f"There is no time zone {zone!r}. Use a name of the IANA database, such as America/New_York.",
        ) from error


def _csv_form(headed: HeadedSql) -> CsvForm:
    given = [name for name in _CSV_ONLY if name in headed.fields]
    form = headed.value("format")
    if given and form != "csv":
        raise headed.error(given[0], f"{given[0]} is about CSV; the format is {form}.")
    delimiter = headed.value("delimiter", "comma")
    delimiter = _DELIMITERS.get(delimiter, delimiter)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise headed.error(
            "delimiter",
            f"{delimiter!r} is not a delimiter. Use one character, or one of: {', '.join(_DELIMITERS)}.",
        )
    columns = tuple(word.strip() for word in headed.value("columns", "").split(",") if word.strip())
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise headed.error("columns", f"The column {twice!r} is named twice.")
    return CsvForm(
        delimiter=delimiter,
        quote=_one_of(headed, "quote", ("double", "none"), "double") == "double",
        columns=columns,
        comment=headed.value("comment", ""),
        extra_cells=cast(
            'Literal["refuse", "ignore"]', _one_of(headed, "extra_cells", ("refuse", "ignore"), "refuse")
        ),
        short_rows=cast(
            'Literal["refuse", "fill"]', _one_of(headed, "short_rows", ("refuse", "fill"), "refuse")
        ),
    )


_CSV_ONLY = ("delimiter", "quote", "columns", "comment", "extra_cells", "short_rows")


def split_outside_brackets(text: str) -> tuple[str, ...]:
    """The parts between commas that stand neither in brackets nor in quotes, without blanks around them."""
    parts, depth, quote, start = [], 0, "", 0
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth <= 0:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return tuple(part.strip() for part in parts if part.strip())
