"""The SQL that datasets are emitted with, asked of files that lie on this machine."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dashboards.board.data import Select
from dashboards.expressions.duckdb_sql import literal, quoted

_OVER_A_REPORT = re.compile(
    r"SELECT date_parse\((?P<grain>\w+), '(?P<pattern>[^']+)'\) AS (?P<time>\w+), (?P<columns>[\w, ]+) "
    r"FROM \"[^\"]+\"\.\"(?P<report>[^\"]+)\"(?: WHERE \w+ IN \((?P<partitions>['\w, -]+)\))?"
)
"""A dataset over a report, as `dashboards.emit` writes it and a board narrows it."""
_OVER_VALUES = re.compile(r"SELECT GroupName, \w+ FROM \(VALUES .+\) AS rules \(GroupName, \w+\)", re.DOTALL)
"""The rules of row-level security: they name no table, and every engine reads them alike."""


class UnknownStatementError(ValueError):
    """A dataset has SQL of another form than those that are emitted."""


@dataclass(frozen=True)
class File:
    """A file of Parquet on this machine, with rows of one partition of a report."""

    partition: str
    path: Path


class Files(Protocol):
    """The published files of reports, on this machine."""

    def of(self, report: str, partitions: Sequence[str] | None) -> Sequence[File]:
        """The files of these partitions, or of all of them. Raises what reading them raises."""
        ...


class FileTables:
    """Rows of reports as their datasets have them, from the reports' own files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def query(self, sql: str) -> Select:
        """What gives the rows. Raises UnknownStatementError, and what reading the files raises."""
        form = _form(sql)
        if form is None:
            return Select(sql)
        wanted = form["partitions"]
        partitions = None if wanted is None else [each.strip("' ") for each in wanted.split(",")]
        files = self._files.of(form["report"], partitions)
        names = form["columns"].split(", ")
        if not files:
            nothing = ", ".join(f"NULL AS {quoted(name)}" for name in (form["time"], *names))
            return Select(f"SELECT {nothing} WHERE false")
        return _over(files, form, names)


class ExtractTables:
    """Rows of datasets from the files that a publish has written of them; `path_of` says where each lies."""

    def __init__(self, path_of: Callable[[str], Path]) -> None:
        self._path_of = path_of

    def query(self, sql: str) -> Select:
        """What gives the rows. Raises UnknownStatementError, and what finding the file raises."""
        form = _form(sql)
        if form is None:
            return Select(sql)
        return Select("SELECT * FROM read_parquet(?)", [str(self._path_of(form["report"]))])


def _form(sql: str) -> re.Match[str] | None:
    """What a dataset's SQL says of its report; None for rules, which are in the SQL themselves.

    Raises UnknownStatementError.
    """
    if _OVER_VALUES.fullmatch(sql):
        return None
    form = _OVER_A_REPORT.fullmatch(sql)
    if form is None:
        raise UnknownStatementError("A dataset's SQL has a form that the site does not read.")
    return form


def _over(files: Sequence[File], form: re.Match[str], names: Sequence[str]) -> Select:
    # Files may have been written before a column was added: then it is NULL in them, as at Athena.
    missing = ", ".join(f"NULL AS {quoted(name)}" for name in names)
    columns = ", ".join(quoted(name) for name in names)
    place = "list_position(?, filename)"
    text = (
        f"SELECT strptime(list_extract(?, {place}), {literal(form['pattern'])}) AS {quoted(form['time'])}, "  # noqa: S608
        f"{columns} FROM ("
        "SELECT * FROM read_parquet(?, filename = true, union_by_name = true, hive_partitioning = false) "
        f"UNION ALL BY NAME SELECT {missing} WHERE false)"
    )
    paths = [str(file.path) for file in files]
    return Select(text, ([file.partition for file in files], paths, paths))
