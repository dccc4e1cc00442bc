"""Runs one statement: compiles it, puts its tables in place, and hands over rows or writes files."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from infra.local.athena.errors import QueryError
from infra.local.athena.footers import Footers
from infra.local.athena.glue_catalog import GlueCatalog
from infra.local.athena.objects import Local, ObjectCache
from infra.local.athena.sandbox import Sandbox
from infra.local.athena.scans import Reader
from infra.local.athena.sql.compiler import CompiledQuery, Compiler
from infra.local.athena.sql.functions import catalog as function_catalog
from infra.local.athena.sql.functions.registry import Udf
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.tree import build
from infra.local.athena.sql.types import Type
from infra.local.athena.writer import FileWriter, Output, Written, check_empty, check_output

assert function_catalog.FAMILIES  # the table of functions is filled by importing them


@dataclass
class Run:
    """One execution as the engine sees it.

    Attributes:
        cutoff: bytes that the query may scan at most, or None.
        parameters: texts of the literals for `?`.
        submitted: what current_timestamp is, in UTC and without a zone.
    """

    identifier: str
    database: str
    submitted: datetime
    parameters: Sequence[str] = ()
    cutoff: int | None = None
    bytes_scanned: int = 0
    planning_ms: int = 0

    def guard(self, scanned: int) -> None:
        """Note the bytes; raise QueryError when the workgroup allows fewer."""
        self.bytes_scanned = scanned
        if self.cutoff is not None and scanned > self.cutoff:
            message = f"Bytes scanned limit was exceeded: {scanned} > {self.cutoff}. Narrow the partitions or raise the workgroup's limit."
            raise QueryError("BYTES_SCANNED_LIMIT", message)


Rows = tuple[tuple[tuple[str, Type], ...], Iterator[pa.RecordBatch]]


class Engine:
    """DuckDB behind Trino's words, for one execution at a time."""

    def __init__(
        self,
        glue: Any,
        s3: Any,
        *,
        sandbox: Sandbox,
        cache: ObjectCache,
        local: Local,
        new_name: Callable[[], str],
    ) -> None:
        self.glue, self.s3, self._sandbox, self._cache, self._new_name = glue, s3, sandbox, cache, new_name
        self._local = local
        self._footers = Footers()

    def catalog(self) -> GlueCatalog:
        """A view of the data catalog for one execution."""
        return GlueCatalog(self.glue)

    def compile(self, sql: str, run: Run, catalog: GlueCatalog) -> CompiledQuery:
        """Compile a query in the run's database. Raises QueryError."""
        compiler = Compiler(
            catalog, run.database, now=run.submitted, parameters=run.parameters, fold=self._fold
        )
        return compiler.compile(sql)

    def _fold(self, value: Typed, udfs: Sequence[Udf]) -> Any:
        try:
            self._sandbox.prepare(udfs)
            found = self._sandbox.run(build("SELECT {}", value.sql)).fetchone()
        except QueryError:
            return None
        return found[0] if found else None

    def rows(self, sql: str, run: Run) -> Rows:
        """The query's columns and its rows as they are computed. Raises QueryError, also while rows are read."""
        started, catalog = time.monotonic(), self.catalog()
        compiled = self.compile(sql, run, catalog)
        self._place(compiled, run, catalog)
        run.planning_ms = round((time.monotonic() - started) * 1000)
        return compiled.columns, self._sandbox.batches(compiled.sql, [of for _, of in compiled.columns])

    def _place(self, compiled: CompiledQuery, run: Run, catalog: GlueCatalog) -> None:
        found = self._sandbox, self._cache, self._footers, catalog, self.s3
        reader = Reader(*found, run.submitted, run.guard, self._local)
        for scan in compiled.scans:
            reader.place(scan, compiled.sql)
        self._sandbox.prepare(compiled.udfs)

    def write(
        self, sql: str, run: Run, output: Output, *, fresh: bool = True
    ) -> tuple[Written, tuple[tuple[str, Type], ...]]:
        """Write the query's rows as files; `fresh` asks for an empty destination. Raises QueryError."""
        if fresh:
            check_empty(self.s3, output.location)
        named, batches = self.rows(sql, run)
        columns = tuple((name.lower(), of) for name, of in named)  # Hive's names are lower case
        check_output(output, columns)
        writer = FileWriter(output, columns, self._sandbox.folder / "out", self._new_name)
        writer.write(batches)
        return writer.finish(self.s3), columns
