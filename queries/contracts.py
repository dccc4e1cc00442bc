"""What queries promise: the reports. A report is declared in the header of its SQL file and nowhere else.

The header is the run of `-- name: value` lines at the top of `<report>.sql`; `Report` is what it says.
Dashboards, Glue tables and docs derive their columns from here.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import PurePath
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

# Handed on: infra makes alarms and dashboards of these names.
from queries import telemetry as telemetry  # noqa: PLC0414

# Handed on: what a command is given, and how values are printed, is the same on every floor.
from transforms.contracts import CommandTarget as CommandTarget  # noqa: PLC0414
from transforms.contracts import HeaderError, headed_sql, type_parts
from transforms.contracts import echo as echo  # noqa: PLC0414
from transforms.contracts import message as message  # noqa: PLC0414
from transforms.contracts import printable as printable  # noqa: PLC0414

Grain = Literal["event_hour", "event_date"]
GRAINS: tuple[Grain, ...] = ("event_hour", "event_date")
Mode = Literal["recompute", "keyed"]

_COLUMN = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)\s+(?P<type>varchar|bigint|integer|double|boolean|date|timestamp|decimal\(\d+,\s*\d+\))$"
)
_REFRESH = re.compile(r"(?:debounce (?P<debounce>\S+), )?at most every (?P<at_most>\S+)")
_DEFAULT_REFRESH: Mapping[str, str] = {"event_hour": "at most every 1m", "event_date": "at most every 5m"}
_DURATION = re.compile(r"(\d+)(s|m|h|d)$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class ReportDefinitionError(HeaderError):
    """A report's file does not say what it must: `rule` names it."""

    def __init__(self, file: str, line: int, message: str, rule: str = "header") -> None:
        super().__init__(file, line, message)
        self.rule = rule


class EncodingError(ValueError):
    """A text file is in an encoding that is not read; the message names it and says what to do."""


_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def file_text(content: bytes, file: str) -> str:
    """The text of a file that people write, such as a report: UTF-8, or UTF-16 with its byte-order mark.

    Raises EncodingError.
    """
    mark, encoding = next((each for each in _MARKS if content.startswith(each[0])), (b"", "utf-8"))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        wrong = f"byte 0x{content[len(mark) + error.start]:02x} at {len(mark) + error.start:,}"
        guess = f"not {encoding.upper()} ({wrong})"
        if not mark:
            guess += "; it looks like Latin-1 or Windows-1252. Convert it: iconv -f WINDOWS-1252 -t UTF-8"
        raise EncodingError(f"{file} is {guess}.") from error
    if "\0" in text:
        raise EncodingError(
            f"{file} looks like UTF-16 without a byte-order mark. Convert it: iconv -f UTF-16LE -t UTF-8"
        )
    return text


@dataclass(frozen=True)
class ReportColumn:
    """One column of a report, its type in Athena's (Trino's) spelling; `line` is where it is declared."""

    name: str
    type: str
    line: int = 0


@dataclass(frozen=True)
class Report:
    """A report: rows per grain partition in the reporting bucket.

    Attributes:
        name: the report's, its table's and its file's name.
        sources: the lake tables that it reads.
        references: the reference tables that it joins, by name, without `reference_` in front.
        grain: the partition column; also the unit of atomicity.
        zone: IANA name of the zone whose days the partitions are; empty for UTC. Only of `event_date`.
        columns: without the grain column, which is the table's partition column (a string).
        keys: columns that are unique together within one partition; empty when a partition has one row.
        dedupe: whether the source is reduced to one row per event_id before the SQL sees it.
        lateness_seconds: input older than this is considered complete.
        context_seconds: how much input before and after the partition the SQL sees as well.
        debounce_seconds, max_delay_seconds: when a partition that input has changed is computed. Without a
            debounce: at once, and then not again before `max_delay_seconds` have passed. With one: when that
            long nothing more has come, at the latest `max_delay_seconds` after the first change.
        checks: what must be true of a run before it is published, as written.
        version: schema version, part of the path.
        folder: first part of the path in the reporting bucket.
    """

    name: str
    owner: str
    title: str
    sources: tuple[str, ...]
    grain: Grain
    columns: tuple[ReportColumn, ...]
    keys: tuple[str, ...] = ()
    dedupe: bool = True
    lateness_seconds: int = 6 * 3600
    context_seconds: int = 0
    debounce_seconds: int = 0
    max_delay_seconds: int = 60
    checks: tuple[str, ...] = ()
    mode: Mode = "recompute"
    version: int = 1
    file: str = ""
    folder: str = "reports"
    zone: str = ""
    references: tuple[str, ...] = ()

    @property
    def reference_tables(self) -> tuple[str, ...]:
        """The reference tables that it joins, as its SQL and the catalog name them."""
        return tuple(map(reference_table, self.references))

    @property
    def prefix(self) -> str:
        """Prefix of the report's objects in the reporting bucket."""
        return f"{self.folder}/{self.name}/v{self.version}/"


def reference_table(name: str) -> str:
    """What the table of the reference data of this name is called."""
    return f"reference_{name}"


def parse_header(text: str, file: str) -> Report:
    """The report that the SQL file's header declares. Raises ReportDefinitionError."""
    header = headed_sql(text, file, ReportDefinitionError)
    value, line = header.value, header.line_of
    grain, zone = _grain(value("grain"), file, line("grain"))
    mode = value("mode", "recompute")
    if mode not in ("recompute", "keyed"):
        raise ReportDefinitionError(file, line("mode"), f"Unknown mode {mode!r}. Use recompute or keyed.")
    dedupe = value("dedupe", "event_id")
    if dedupe not in ("event_id", "none"):
        raise ReportDefinitionError(file, line("dedupe"), f"Unknown dedupe {dedupe!r}. Use event_id or none.")
    columns = _columns(value("columns"), file, line("columns"))
    keys = _words(value("keys", ""))
    for key in keys:
        if key not in {column.name for column in columns}:
            raise ReportDefinitionError(
                file, line("keys"), f"Key {key!r} is not one of the report's columns."
            )
    debounce, at_most = _refresh(value("refresh", _DEFAULT_REFRESH[grain]), file, line("refresh"))
    return Report(
        name=value("report"),
        owner=value("owner"),
        title=value("title"),
        sources=_sources(value("source"), file, line("source")),
        grain=grain,
        columns=columns,
        keys=keys,
        dedupe=dedupe == "event_id",
        lateness_seconds=_seconds(value("lateness", "6h"), file, line("lateness")),
        context_seconds=_seconds(value("context", "0s"), file, line("context")),
        debounce_seconds=debounce,
        max_delay_seconds=at_most,
        checks=_declared_parts(value("checks", "")),
        mode="keyed" if mode == "keyed" else "recompute",
        version=_version(value("version", "1"), file, line("version")),
        file=file,
        zone=zone,
        references=_references(value("reference", ""), file, line("reference")),
    )


def _sources(text: str, file: str, line: int) -> tuple[str, ...]:
    sources = _words(text)
    if not sources:
        raise ReportDefinitionError(
            file, line, "The source names no lake table. Name one, or several with ','."
        )
    if twice := next((name for name in sources if sources.count(name) > 1), None):
        raise ReportDefinitionError(file, line, f"The source names {twice!r} twice. Remove one.", "source")
    return sources


def _references(text: str, file: str, line: int) -> tuple[str, ...]:
    names = _words(text)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ReportDefinitionError(file, line, f"The header names {twice!r} twice. Remove one.", "reference")
    return names


def _grain(text: str, file: str, line: int) -> tuple[Grain, str]:
    """Grain and zone of `event_date in America/New_York`; the zone is empty for UTC."""
    name, _, zone = text.partition(" in ")
    grain = next((each for each in GRAINS if each == name.strip()), None)
    if grain is None:
        raise ReportDefinitionError(
            file, line, f"Unknown grain {name!r}. Use one of: {', '.join(GRAINS)}, event_date in ZONE."
        )
    zone = zone.strip()
    if zone and grain != "event_date":
        raise ReportDefinitionError(
            file, line, f"Hours are of UTC in every zone. Write {grain}, or event_date in {zone}."
        )
    if zone:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ReportDefinitionError(
                file,
                line,
                f"There is no time zone {zone!r}. Use a name of the IANA database, for example "
                "America/New_York.",
            ) from error
    return grain, "" if zone == "UTC" else zone


def report_texts(folder: Traversable) -> Mapping[str, str]:
    """File -> text of every SQL file of a folder, in order of name. A folder that is not there has none.

    Raises EncodingError.
    """
    if not folder.is_dir():
        return {}
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=_name)
    return {str(entry): file_text(entry.read_bytes(), str(entry)) for entry in found}


def _name(entry: Traversable) -> str:
    return entry.name


def read_reports(folder: Traversable) -> Mapping[str, Report]:
    """Every report of a folder by name, in order of name. Raises ReportDefinitionError, EncodingError."""
    found = [parse_header(text, file) for file, text in report_texts(folder).items()]
    return MappingProxyType({in_its_file(report).name: report for report in found})


def in_its_file(report: Report) -> Report:
    """The report, if its file has its name. Raises ReportDefinitionError."""
    if PurePath(report.file).name != f"{report.name}.sql":
        raise ReportDefinitionError(report.file, 1, f"Report {report.name!r} must be in {report.name}.sql.")
    return report


def report_column(text: str, line: int) -> ReportColumn | None:
    """The column that `name type` declares; None where it cannot be read."""
    match = _COLUMN.match(text)
    return None if match is None else ReportColumn(match["name"], match["type"].replace(" ", ""), line)


def _columns(text: str, file: str, line: int) -> tuple[ReportColumn, ...]:
    columns = []
    for part in _declared_parts(text):
        column = report_column(part, line)
        if column is None:
            raise ReportDefinitionError(
                file,
                line,
                f"Cannot read the column {part!r}. Write a name and a type, for example 'orders bigint'.",
            )
        columns.append(column)
    return tuple(columns)


def _version(text: str, file: str, line: int) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise ReportDefinitionError(file, line, f"Cannot read the version {text!r}. Write a number from 1.")
    return int(text)


def _refresh(text: str, file: str, line: int) -> tuple[int, int]:
    match = _REFRESH.fullmatch(text)
    if match is None:
        raise ReportDefinitionError(
            file,
            line,
            f"Cannot read {text!r}. Write 'at most every 5m', or 'debounce 60s, at most every 5m' to wait "
            "until 60 s have passed without a change.",
        )
    return _seconds(match["debounce"] or "0s", file, line), _seconds(match["at_most"], file, line)


def _seconds(text: str, file: str, line: int) -> int:
    match = _DURATION.match(text)
    if match is None:
        raise ReportDefinitionError(
            file, line, f"Cannot read the duration {text!r}. Write 90s, 5m, 6h or 2d."
        )
    return int(match[1]) * _SECONDS[match[2]]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _declared_parts(text: str) -> tuple[str, ...]:
    return tuple(filter(None, type_parts(text, "()")))
