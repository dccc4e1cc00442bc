"""Rows of published Parquet by DuckDB: a version's files are fetched once and kept in memory.

A version never changes, so what was read of it holds for as long as the process lives. Values of requests
and of events are parameters of statements; names in them are those of the report's own columns.
"""

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from queries.api.reading.errors import RowsMissingError, TooLargeError
from queries.api.reading.port import Object, Objects, Row, Selection, Version
from queries.api.reading.s3 import PARALLEL_READS
from queries.contracts import Report

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LARGEST_PARTITION = 64 * 2**20
KEPT_BYTES = 128 * 2**20
"""Of Parquet, a partition at most, and all that is kept; DuckDB needs some times as much."""
_PLACE, _PARTITION = '"~location"', '"~partition"'
"""Columns beside the report's own; no report can have one of these names."""


class DuckDbRows:
    """`RowReader`. The library is loaded for the first row: what is answered without rows starts sooner."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._connection: DuckDBPyConnection | None = None
        self._kept: dict[str, set[str]] = {}
        self._bytes = 0

    def rows(
        self, selection: Selection, versions: Sequence[Version], *, skip: int, limit: int
    ) -> Sequence[Row]:
        """`limit` rows behind the first `skip`. Raises RowsMissingError, TooLargeError."""
        report, database = selection.report, self._database()
        self._keep(database, report, versions)
        names = [f'"{column.name}"' for column in report.columns]
        conditions = [f"{_PLACE} IN ({_marks(versions)})"]
        values: list[object] = [version.published.location for version in versions]
        for column, wanted in selection.conditions.items():
            conditions.append(f'"{column}" IN ({_marks(wanted)})')
            values += wanted
        # Rows with equal keys are told apart by all else: pages neither repeat nor lack any.
        keys = [f'"{key}"' for key in report.keys]
        order = [_PARTITION, *keys, *(name for name in names if name not in keys)]
        found = database.execute(
            f"SELECT {_PARTITION}, {', '.join(names)} FROM {_table(report)} "  # noqa: S608 - names of ours
            f"WHERE {' AND '.join(conditions)} ORDER BY {', '.join(order)} LIMIT {limit:d} OFFSET {skip:d}",
            values,
        ).fetchall()
        return [Row(partition, tuple(rest)) for partition, *rest in found]

    def _keep(self, database: "DuckDBPyConnection", report: Report, versions: Sequence[Version]) -> None:
        """Have these versions in the report's table."""
        wanted = [one for one in versions if one.published.location not in self._kept.get(report.name, ())]
        if not wanted:
            return
        with ThreadPoolExecutor(min(PARALLEL_READS, len(wanted))) as pool:
            listed = list(pool.map(lambda one: self._objects.below(one.published.location), wanted))
        sizes = [sum(found.size for found in files) for files in listed]
        for version, size in zip(wanted, sizes, strict=True):
            if size > LARGEST_PARTITION:
                raise TooLargeError(
                    f"Partition {version.partition} has {size // 2**20} MB of Parquet, and a request reads "
                    f"{LARGEST_PARTITION // 2**20} at most. Read its files, or ask Athena."
                )
        if self._bytes + sum(sizes) > KEPT_BYTES:
            self._forget(database)
            wanted, listed = list(versions), [self._objects.below(one.published.location) for one in versions]
            sizes = [sum(found.size for found in files) for files in listed]
        database.begin()
        try:
            database.execute(f"CREATE TABLE IF NOT EXISTS {_table(report)} ({_declared(report)})")
            self._load(database, report, wanted, listed)
            database.commit()
        except BaseException:
            database.rollback()
            raise
        self._kept.setdefault(report.name, set()).update(one.published.location for one in wanted)
        self._bytes += sum(sizes)

    def _load(
        self,
        database: "DuckDBPyConnection",
        report: Report,
        versions: Sequence[Version],
        listed: Sequence[Sequence[Object]],
    ) -> None:
        """Have all rows of these versions in the report's table. Raises RowsMissingError."""
        import duckdb

        contents = self._objects.read([found.key for files in listed for found in files])
        owners = [number for number, files in enumerate(listed) for _ in files]
        with tempfile.TemporaryDirectory(prefix="penstock-rows-") as folder:
            paths = [str(Path(folder, f"{number}.parquet")) for number in range(len(contents))]
            for path, content in zip(paths, contents, strict=True):
                Path(path).write_bytes(content)
            try:
                if paths:
                    _insert(database, report, paths, [versions[number] for number in owners])
            except duckdb.Error as error:
                names = [version.partition for version in versions]
                raise RowsMissingError(
                    f"A file of the partitions {min(names)} to {max(names)} cannot be read. {_remedy(report)}"
                ) from error
        locations = [version.published.location for version in versions]
        counted = database.execute(
            f"SELECT {_PLACE}, count(*) FROM {_table(report)} "  # noqa: S608 - names of ours
            f"WHERE {_PLACE} IN ({_marks(locations)}) GROUP BY 1",
            locations,
        ).fetchall()
        rows = dict(counted)
        for partition, published in versions:
            if (found := rows.get(published.location, 0)) != published.rows:
                raise RowsMissingError(
                    f"Partition {partition} was published with {published.rows} rows, and its files have "
                    f"{found}. {_remedy(report)}"
                )

    def _database(self) -> "DuckDBPyConnection":
        if self._connection is None:
            import duckdb

            self._connection = duckdb.connect(
                ":memory:",
                config={
                    "threads": 1,
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                },
            )
            # Else a timestamp that is marked as UTC would come in the zone of this machine.
            self._connection.execute("SET TimeZone = 'UTC'")
        return self._connection

    def _forget(self, database: "DuckDBPyConnection") -> None:
        for name in self._kept:
            database.execute(f'DROP TABLE "{name}"')
        self._kept, self._bytes = {}, 0


def _insert(
    database: "DuckDBPyConnection", report: Report, paths: Sequence[str], owners: Sequence[Version]
) -> None:
    """Have the rows of these files in the report's table, each file those of one version."""
    # A column that was added to the report later is not in its older files.
    named = database.execute("SELECT DISTINCT name FROM parquet_schema(?)", [paths]).fetchall()
    read = [
        f'CAST("{column.name}" AS {column.type})' if (column.name,) in named else "NULL"
        for column in report.columns
    ]
    number = "CAST(parse_filename(filename, true) AS integer) + 1"
    database.execute(
        f"INSERT INTO {_table(report)} "  # noqa: S608 - names of ours
        f"SELECT list_extract(?, {number}), list_extract(?, {number}), {', '.join(read)} "
        "FROM read_parquet(?, filename = true, union_by_name = true, hive_partitioning = false)",
        [
            [version.published.location for version in owners],
            [version.partition for version in owners],
            list(paths),
        ],
    )


def _remedy(report: Report) -> str:
    return f"An operator can publish it again: penstock reports backfill {report.name} --force."


def _table(report: Report) -> str:
    return f'"{report.name}"'


def _declared(report: Report) -> str:
    own = [f'"{column.name}" {column.type}' for column in report.columns]
    return ", ".join([f"{_PLACE} varchar", f"{_PARTITION} varchar", *own])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)
