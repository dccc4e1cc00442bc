"""A process's DuckDB, which can read the folder of the present execution and nothing else."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any

import duckdb
import pyarrow as pa

from infra.local.athena.arrow_types import arrow_type
from infra.local.athena.errors import SYSTEM, QueryError, exhausted
from infra.local.athena.sql.functions.registry import Udf
from infra.local.athena.sql.prelude import HELPERS, MACROS
from infra.local.athena.sql.tree import Sql, build, quoted
from infra.local.athena.sql.types import Type

DISK = "4GB"
"""What DuckDB may spill to disk."""
_MARK = "TRINO"
_MARKED = re.compile(rf"{_MARK}\[(\w+)\]: (.*)", re.DOTALL)


class Sandbox:
    """One DuckDB in memory with Trino's macros, closed to the file system but for what is below `root`.

    Settings are locked: no SQL can open it again. Not for use from several threads.

    Attributes:
        folder: where the present execution's files are; another one after each `renew`.
        uses: executions that it has served.
    """

    def __init__(self, root: Path, *, threads: int, memory: str) -> None:
        self._root, self.uses = root, 0
        self._views: list[str] = []
        self._open_folder()
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "threads": threads,
                "memory_limit": memory,
                "temp_directory": str(root / "spill"),
                "max_temp_directory_size": DISK,
                "autoload_known_extensions": False,
                "autoinstall_known_extensions": False,
                "allow_community_extensions": False,
                "allow_unsigned_extensions": False,
                "allow_persistent_secrets": False,
                "python_enable_replacements": False,  # or a table could be a variable of ours
            },
        )
        self.connection.execute("SET TimeZone = 'UTC'")
        for udf in HELPERS:
            self.register(udf)
        for macro in MACROS:
            self.connection.execute(macro)
        self.connection.execute(f"SET allowed_directories = ['{root}/']")
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")
        self._registered = {udf.name for udf in HELPERS}

    def _open_folder(self) -> None:
        self.folder = self._root / str(self.uses)
        self.folder.mkdir(parents=True)

    def register(self, udf: Udf) -> None:
        """Make a Python function known to the connection, one Arrow batch at a time."""
        self.connection.create_function(  # type: ignore[call-overload]
            udf.name,
            _batched(udf),
            [str(of.duck) for of in udf.arguments],
            str(udf.result.duck),
            type="arrow",
            null_handling="special",
        )

    def prepare(self, udfs: Iterable[Udf]) -> None:
        """Register what a query needs and the connection lacks."""
        for udf in udfs:
            if udf.name not in self._registered:
                self.register(udf)
                self._registered.add(udf.name)

    def create_view(self, name: str, select: Sql) -> None:
        """Make a view that `renew` drops. Raises QueryError in Trino's words."""
        self.run(build("CREATE VIEW {} AS {}", quoted(name), select))
        self._views.append(name)

    def run(self, sql: Sql | str) -> "duckdb.DuckDBPyConnection":
        """Execute; raises QueryError in Trino's words."""
        try:
            return self.connection.execute(str(sql))
        except duckdb.Error as error:
            raise translated(error) from error

    def batches(self, sql: str, types: Sequence[Type], rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """The result as Arrow batches of the declared types, as it is computed. Raises QueryError.

        A result whose types are not the declared ones is a defect of the compiler: it fails, it is not converted.
        """
        try:
            relation = self.connection.sql(sql)
            for index, (of, duck) in enumerate(zip(types, map(str, relation.types), strict=True)):
                if _normal(duck) != _normal(str(of.duck)):
                    message = (
                        f"Column {index + 1} is {duck} where {of} was promised. Please report the query."
                    )
                    raise QueryError("GENERIC_INTERNAL_ERROR", message, category=SYSTEM)
            yield from relation.to_arrow_reader(rows)
        except (duckdb.Error, pa.ArrowException, RuntimeError, MemoryError) as error:
            raise translated(error) from error

    def renew(self) -> None:
        """Forget the execution: its views, and its files. Only after one that ended well."""
        for name in self._views:
            self.connection.execute(str(build("DROP VIEW {}", quoted(name))))
        self._views.clear()
        rmtree(self.folder)
        self.uses += 1
        self._open_folder()

    def close(self) -> None:
        """Free everything."""
        try:
            self.connection.close()
        finally:
            rmtree(self._root, ignore_errors=True)


def _normal(duck: str) -> str:
    plain = duck.replace(" ", "").replace('"', "").upper().replace("TIMESTAMPWITHTIMEZONE", "TIMESTAMPTZ")
    return re.sub(r"\bNULL\b", "INTEGER", plain)


def _batched(udf: Udf) -> Callable[..., Any]:
    result = arrow_type(udf.result)

    def run(*columns: pa.ChunkedArray) -> pa.Array:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        try:
            if udf.takes_null:
                return pa.array([udf.function(*row) for row in rows], type=result)
            return pa.array([None if None in row else udf.function(*row) for row in rows], type=result)
        except QueryError as error:
            raise ValueError(f"{_MARK}[{error.name}]: {error.text}") from error
        except pa.ArrowInvalid as error:
            raise ValueError(f"{_MARK}[NUMERIC_VALUE_OUT_OF_RANGE]: {error}") from error

    # DuckDB counts the parameters of the signature.
    parameters = [
        inspect.Parameter(f"a{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(udf.arguments))
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


_MEANINGS: tuple[tuple[str, str], ...] = (
    ("Division by zero", "DIVISION_BY_ZERO"),
    ("more than one row", "SUBQUERY_MULTIPLE_ROWS"),
    ("must appear in the GROUP BY", "EXPRESSION_NOT_AGGREGATE"),
    ("WHERE clause cannot contain aggregates", "EXPRESSION_NOT_SCALAR"),
    ("cannot contain window functions", "NESTED_WINDOW"),
    ("Map keys must be unique", "INVALID_FUNCTION_ARGUMENT"),
    ("Overflow", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("Out of Range", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("out of range", "NUMERIC_VALUE_OUT_OF_RANGE"),
    ("Conversion Error", "INVALID_CAST_ARGUMENT"),
    ("Invalid Input Error: Invalid regular expression", "INVALID_FUNCTION_ARGUMENT"),
)


_EXHAUSTED = (
    "Out of Memory", "bad_alloc", "bad allocation", "MemoryError", "RecursionError", "malloc of size", "realloc of size",
    "No space left", "File too large", "Max expression depth", "recursion depth",
)  # fmt: skip


def translated(error: Exception) -> QueryError:
    """DuckDB's error as the one that Trino gives, as far as there is one."""
    message = str(error)
    if match := _MARKED.search(message):
        return QueryError(match[1], match[2].strip())
    if any(sign in message for sign in _EXHAUSTED):
        return exhausted()
    for part, name in _MEANINGS:
        if part in message:
            return QueryError(
                name, "Division by zero" if name == "DIVISION_BY_ZERO" else _first_line(message)
            )
    return QueryError("GENERIC_INTERNAL_ERROR", _first_line(message), category=SYSTEM)


def _first_line(message: str) -> str:
    return message.splitlines()[0] if message else ""
