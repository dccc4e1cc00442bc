"""Datasets in memory: what the emitted SQL gives at Athena, read once per published version, asked many
times.

This is what SPICE does with a dataset. A filter then costs no query execution, and every visual of a page
shows the
same version.
"""

import re
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import duckdb

from dashboards.column_types import Kind, of_quicksight
from dashboards.expressions.duckdb_sql import literal, quoted
from dashboards.render.colors import PALETTE, SHADES

if TYPE_CHECKING:
    import pyarrow as pa

MOST_PARTITIONS = 50
"""More of them are read as a whole: a list of all would be a longer query for the same rows."""
_OVER_A_TABLE = re.compile(
    r"SELECT date_parse\((\w+), '([^']+)'\) AS (\w+), [\w, ]+ FROM \"[^\"]+\"\.\"[^\"]+\""
)
"""A dataset's SQL over one partitioned table and nothing else: partition column, its format, time column."""
MAX_ANSWERS = 600


@dataclass(frozen=True)
class Select:
    """Rows that DuckDB reads by itself: SQL over files of this machine, and its parameters."""

    sql: str
    parameters: Sequence[Any] = ()


Incoming = Union["pa.Table", Select]
AthenaQuery = Callable[[str], Incoming]
"""Gives the rows of SQL that a dataset is emitted with: from Athena, or from the files that it would read."""


@dataclass(frozen=True)
class Part:
    """Some partitions of a dataset: SQL for their rows, and the time column with its values in them."""

    sql: str
    column: str
    times: tuple[datetime, ...]


@dataclass(frozen=True)
class Source:
    """A dataset as emitted: the SQL that Athena runs, and its columns (name, QuickSight type) in order."""

    name: str
    sql: str
    columns: tuple[tuple[str, str], ...]

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """Column -> kind."""
        return {name: of_quicksight(type_name).kind for name, type_name in self.columns}

    def part(self, partitions: Collection[str]) -> Part | None:
        """Some partitions of it; None when its SQL has no form that can be narrowed, or they are too many."""
        form = _OVER_A_TABLE.fullmatch(self.sql)
        if form is None or not 0 < len(partitions) <= MOST_PARTITIONS:
            return None
        column, pattern, time = form.groups()
        try:
            times = tuple(datetime.strptime(value, pattern) for value in sorted(partitions))  # noqa: DTZ007  as the column has them
        except ValueError:
            return None
        values = ", ".join(f"'{moment.strftime(pattern)}'" for moment in times)
        return Part(f"{self.sql} WHERE {column} IN ({values})", time, times)


def source(name: str, properties: Mapping[str, Any]) -> Source:
    """The dataset of emitted properties that have one CustomSql table. Raises ValueError for any other."""
    tables = [table["CustomSql"] for table in properties["PhysicalTableMap"].values() if "CustomSql" in table]
    if len(tables) != 1:
        raise ValueError(f"Dataset {name} has no single SQL table; the preview cannot read it.")
    columns = tuple((column["Name"], column["Type"]) for column in tables[0]["Columns"])
    return Source(name, str(tables[0]["SqlQuery"]), columns)


def _typed(given: Source) -> str:
    """The rows that came, in the types of the dataset."""
    casts = ", ".join(
        f"CAST({quoted(name)} AS {of_quicksight(type_name).duckdb}) AS {quoted(name)}"
        for name, type_name in given.columns
    )
    return f"SELECT {casts} FROM incoming"  # noqa: S608


def _offer(cursor: duckdb.DuckDBPyConnection, rows: Incoming) -> int:
    """Have the rows as `incoming`, for this cursor alone, and count them."""
    if isinstance(rows, Select):
        cursor.execute(f"CREATE TEMP TABLE incoming AS {rows.sql}", list(rows.parameters) or None)
        return int(cursor.execute("SELECT count(*) FROM incoming").fetchall()[0][0])
    if rows.num_rows:
        cursor.register("incoming", rows)
    return int(rows.num_rows)


class Snapshots:
    """Tables of one DuckDB in memory. Thread-safe: each caller gets a cursor of its own."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:", config={"threads": 2})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._lock = threading.Lock()
        self._colors: dict[str, Sequence[str]] = {}
        self._answers: dict[tuple[str, str], list[tuple[Any, ...]]] = {}

    def load(self, given: Source, rows: Incoming) -> int:
        """Replace a dataset's table in one step and return its number of rows."""
        with self._lock:
            cursor = self._connection.cursor()
            count = _offer(cursor, rows)
            cursor.execute(f"CREATE OR REPLACE TABLE {quoted(given.name)} AS {_typed(given)}")
            self._forget(given.name)
        return count

    def replace(self, given: Source, rows: Incoming, part: Part) -> int:
        """Replace the rows of some partitions in one step and return the dataset's number of rows."""
        table = quoted(given.name)
        with self._lock:
            cursor = self._connection.cursor()
            offered = _offer(cursor, rows)
            cursor.begin()
            cursor.execute(f"DELETE FROM {table} WHERE list_contains(?, {quoted(part.column)})", [part.times])  # noqa: S608
            if offered:
                cursor.execute(f"INSERT INTO {table} BY NAME {_typed(given)}")
            (count,) = cursor.execute(f"SELECT count(*) FROM {table}").fetchall()[0]  # noqa: S608
            cursor.commit()
            self._forget(given.name)
        return int(count)

    def _forget(self, name: str) -> None:
        # A new dictionary, not an emptied one: a query that still runs over the old rows keeps to the old
        # one.
        self._answers = {}
        self._colors = {key: values for key, values in self._colors.items() if not key.startswith(name)}

    def empty(self, name: str, columns: Mapping[str, str]) -> None:
        """A table without rows, for a Definition whose data is not here."""
        types = ", ".join(f"{quoted(column)} {type_name}" for column, type_name in columns.items())
        self._connection.cursor().execute(f"CREATE OR REPLACE TABLE {quoted(name)} ({types})")

    def parquet(self, name: str) -> bytes:
        """A dataset's rows as a file of Parquet."""
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            target = literal(file.name)
            self._connection.cursor().execute(f"COPY {quoted(name)} TO {target} (FORMAT parquet)")
            return Path(file.name).read_bytes()

    def run(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of a query over the tables. Raises ValueError with DuckDB's words.

        The same question over the same rows is answered from memory: most viewers open a page as it is.
        """
        key = (sql, repr(sorted(parameters.items())))
        answers = self._answers
        known = answers.get(key)
        if known is None:
            try:
                found = self._connection.cursor().execute(sql, dict(parameters) or None).fetchall()
            except duckdb.Error as error:
                raise ValueError(str(error).splitlines()[0]) from error
            if len(answers) >= MAX_ANSWERS:
                answers.clear()
            answers[key] = found
            return found
        return known

    def values(self, name: str, expression: str) -> Sequence[str]:
        """Distinct values of a text column or field: all of them, in order, when the palette has a color for
        each; otherwise the most frequent ones, most rows first.
        """
        key = f"{name}/{expression}"
        if key not in self._colors:
            found = self.run(
                f"SELECT CAST({expression} AS VARCHAR) AS v FROM {quoted(name)} WHERE v IS NOT NULL "  # noqa: S608
                f"GROUP BY v ORDER BY count(*) DESC, v LIMIT {len(SHADES)}",
                {},
            )
            values = [row[0] for row in found]
            self._colors[key] = sorted(values) if len(values) <= len(PALETTE) else values
        return self._colors[key]
