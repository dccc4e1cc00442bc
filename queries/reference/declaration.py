"""What a project's reference tables are: one TOML file each, beside the file with the rows.

It has a title, an owner, the columns with their types, as reports declare them, and the key.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from queries.contracts import Report, ReportColumn, ReportDefinitionError, file_text, reference_table
from queries.contracts import report_column as read_column
from transforms.contracts import HeaderError, printable

EDITION = "edition"
"""The table's partition column: of its one partition, `current`, the location moves to each new version."""
CURRENT = "current"
PREFIX = "reference/"
"""Below it lie all versions of all reference tables, in the reporting bucket."""
MOST_COLUMNS = 100

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KEYS: Mapping[str, Any] = {"title": str, "owner": str, "keys": list, "columns": dict}


class ReferenceDefinitionError(HeaderError):
    """A reference table's declaration does not say what it must, or two tables would have one name."""


@dataclass(frozen=True)
class ReferenceTable:
    """A reference table, as declared.

    Attributes:
        name: its file's; reports name it so.
        columns: in order, with types as reports spell them.
        keys: columns that tell its rows apart and always have a value.
    """

    name: str
    title: str
    owner: str
    columns: tuple[ReportColumn, ...]
    keys: tuple[str, ...]
    file: str = ""

    @property
    def table(self) -> str:
        """Its name in SQL and in the catalog."""
        return reference_table(self.name)

    @property
    def prefix(self) -> str:
        """Prefix of its versions in the reporting bucket."""
        return f"{PREFIX}{self.name}/"


def parse_reference(text: str, file: str) -> ReferenceTable:
    """The reference table that a TOML file declares. Raises ReferenceDefinitionError."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"line (\d+)", str(error))
        line = int(where[1]) if where else 1
        raise ReferenceDefinitionError(file, line, f"This is not TOML: {error}.") from error
    name = PurePath(file).stem
    if not _NAME.fullmatch(name):
        message = (
            f"{name!r} cannot be a table. Name the file with at most 40 of a-z, 0-9 and _, a letter first."
        )
        raise ReferenceDefinitionError(file, 1, message)
    for key in said:
        if key not in _KEYS:
            message = f"Unknown key {key!r}. Use: {', '.join(_KEYS)}."
            raise ReferenceDefinitionError(file, _line(text, key), message)
    columns = _columns(_value(said, "columns", text, file), text, file)
    keys = tuple(map(str, _value(said, "keys", text, file)))
    for key in keys:
        if key not in {column.name for column in columns}:
            message = f"The key {key!r} is not one of the columns: {_listed(columns)}."
            raise ReferenceDefinitionError(file, _line(text, "keys"), message)
    return ReferenceTable(
        name=name,
        title=_value(said, "title", text, file),
        owner=_value(said, "owner", text, file),
        columns=columns,
        keys=tuple(dict.fromkeys(keys)),
        file=file,
    )


def read_references(folder: Traversable) -> Mapping[str, ReferenceTable]:
    """Every reference table of a folder by name; a folder that is not there has none.

    Raises ReferenceDefinitionError, EncodingError.
    """
    if not folder.is_dir():
        return {}
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=_file_name)
    found = [parse_reference(file_text(entry.read_bytes(), str(entry)), str(entry)) for entry in files]
    return MappingProxyType({table.name: table for table in found})


def require_known(reports: Iterable[Report], references: Mapping[str, ReferenceTable]) -> None:
    """Raises ReportDefinitionError for a report that joins a table which is not declared, and
    ReferenceDefinitionError for a table that has the name of a report.
    """
    by_table = {table.table: table for table in references.values()}
    for report in reports:
        if message := unknown_reference(report, references):
            raise ReportDefinitionError(report.file, 1, message, "reference")
        if report.name in by_table:
            file = by_table[report.name].file
            message = f"The report {report.name!r} has the name of this table. Rename one of them."
            raise ReferenceDefinitionError(file, 1, message)


def unknown_reference(report: Report, references: Mapping[str, ReferenceTable]) -> str:
    """What is wrong with the reference tables that a report names; empty when each is declared."""
    unknown = next((name for name in report.references if name not in references), None)
    if unknown is None:
        return ""
    known = ", ".join(references) or "none"
    return f"There is no reference table {unknown!r} (reference/{unknown}.toml). There are: {known}."


def _columns(said: Mapping[str, Any], text: str, file: str) -> tuple[ReportColumn, ...]:
    columns = []
    for name, kind in said.items():
        line = _line(text, name)
        column = read_column(f"{name} {kind}", line)
        if column is None:
            message = (
                f"Cannot read the column {printable(name)} of type {printable(kind)}. Use a name of a-z, "
                "0-9 and _, and varchar, bigint, integer, double, boolean, date, timestamp or decimal(p,s)."
            )
            raise ReferenceDefinitionError(file, line, message)
        if name == EDITION:
            message = (
                f"{EDITION!r} is the partition column of every reference table. Name this one otherwise."
            )
            raise ReferenceDefinitionError(file, line, message)
        columns.append(column)
    if len(columns) > MOST_COLUMNS:
        message = f"{len(columns)} columns are more than the {MOST_COLUMNS} of a reference table."
        raise ReferenceDefinitionError(file, _line(text, "columns"), message)
    return tuple(columns)


def _value(said: Mapping[str, Any], key: str, text: str, file: str) -> Any:
    kind = _KEYS[key]
    value = said.get(key)
    if isinstance(value, kind) and value:
        return value
    wanted = {str: "a text", list: 'a list of columns, ["code"]', dict: "a table of columns and types"}[kind]
    state = "is missing" if value is None else "says nothing" if not value else "is something else"
    raise ReferenceDefinitionError(file, _line(text, key), f"{key!r} {state}. It must be {wanted}.")


def _line(text: str, key: str) -> int:
    """The line that begins with this key, or with this table's header; else the first."""
    begins = re.compile(rf"\s*(?:\[\s*)?[\"']?{re.escape(key)}[\"']?\s*[=\]]")
    return next((at for at, line in enumerate(text.splitlines(), start=1) if begins.match(line)), 1)


def _listed(columns: Iterable[ReportColumn]) -> str:
    return ", ".join(column.name for column in columns)


def _file_name(entry: Traversable) -> str:
    return entry.name
