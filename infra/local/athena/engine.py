"""Runs one statement: compiles it, puts its tables in place, and hands over rows or writes files."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from infra.local.athena.errors import QueryError
from infra.local.athena.footers import Footers
from infra.local.athena.glue_catalog import GlueCatalog
from infra.local.athena.objects import ObjectCache
from infra.local.athena.sandbox import Sandbox
from infra.local.athena.sandbox_pool import SandboxPool
from infra.local.athena.scans import Reader
from infra.local.athena.sql.compiler import CompiledQuery, Compiler
from infra.local.athena.sql.functions import catalog as function_catalog
from infra.local.athena.sql.functions.registry import Udf
from infra.local.athena.sql.scope import Typed
from infra.local.athena.sql.types import Type
from infra.local.athena.writer import FileWriter, Output, Written, check_empty, check_output

assert function_catalog.FAMILIES  # the table of functions is filled by importing them


@dataclass
class Run:
    """One execution as the engine sees it.

    Attributes:
        cutoff: most bytes that the query may scan, or None.
        parameters: texts of the literals for `?`.
        submitted: what current_timestamp is.
    """

    identifier: str
    database: str
    submitted: datetime
    parameters: Sequence[str] = ()
    cutoff: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)
    sandbox: Sandbox | None = None
    bytes_scanned: int = 0
    planning_ms: int = 0

    def cancel(self) -> None:
        """Stop at the next opportunity."""
        self.cancelled.set()
        threading.Thread(target=self._interrupt, name="athena-cancel", daemon=True).start()

    def _interrupt(self) -> None:
        # DuckDB forgets an interrupt that comes just before a statement starts, so one is not enough.
        while not self.finished.wait(0.05):
            if (sandbox := self.sandbox) is not None:
                sandbox.interrupt()

    def check(self) -> None:
        """Raise QueryError USER_CANCELED once the execution is cancelled."""
        if self.cancelled.is_set():
            raise QueryError("USER_CANCELED", "Query was cancelled")

    def guard(self, scanned: int) -> None:
        """Note the bytes; raise QueryError when the workgroup allows fewer."""
        self.bytes_scanned = scanned
        self.check()
        if self.cutoff is not None and scanned > self.cutoff:
            message = f"Bytes scanned limit was exceeded: {scanned} > {self.cutoff}. Narrow the partitions or raise the workgroup's limit."
            raise QueryError("BYTES_SCANNED_LIMIT", message)


Rows = tuple[tuple[tuple[str, Type], ...], Iterator[pa.RecordBatch]]


class Engine:
    """DuckDB behind Trino's words. Thread-safe: each run has a sandbox of its own."""

    def __init__(
        self, glue: Any, s3: Any, *, pool: SandboxPool, cache: ObjectCache, new_name: Callable[[], str]
    ) -> None:
        self.glue, self.s3, self._pool, self._cache, self._new_name = glue, s3, pool, cache, new_name
        self._footers = Footers()

    def catalog(self) -> GlueCatalog:
        """A view of the data catalog for one execution."""
        return GlueCatalog(self.glue)

    def compile(
        self, sql: str, run: Run, catalog: GlueCatalog, sandbox: Sandbox | None = None
    ) -> CompiledQuery:
        """Compile a query in the run's database. Raises QueryError."""

        def fold(value: Typed, udfs: Sequence[Udf]) -> Any:
            if sandbox is None:
                return None
            try:
                sandbox.prepare(udfs)
                found = sandbox.run(f"SELECT {value.sql}").fetchone()
            except QueryError:
                return None
            return found[0] if found else None

        compiler = Compiler(catalog, run.database, now=run.submitted, parameters=run.parameters, fold=fold)
        return compiler.compile(sql)

    @contextmanager
    def rows(self, sql: str, run: Run, catalog: GlueCatalog | None = None) -> Iterator[Rows]:
        """The query's columns and its rows as they are computed. Raises QueryError, also while rows are read."""
        catalog = catalog or self.catalog()
        started = time.monotonic()
        with self._pool.lent() as sandbox:
            run.sandbox = sandbox
            try:
                run.check()
                compiled = self.compile(sql, run, catalog, sandbox)
                self._place(compiled, run, catalog, sandbox)
                run.planning_ms = round((time.monotonic() - started) * 1000)
                run.check()
                yield compiled.columns, sandbox.batches(compiled.sql, [of for _, of in compiled.columns])
            finally:
                run.sandbox = None
            # After the sandbox is let go: whoever cancels later no longer finds it to interrupt.
            run.check()

    def _place(self, compiled: CompiledQuery, run: Run, catalog: GlueCatalog, sandbox: Sandbox) -> None:
        zoned = run.submitted.tzinfo is not None
        now = run.submitted.astimezone(UTC).replace(tzinfo=None) if zoned else run.submitted
        reader = Reader(sandbox, self._cache, self._footers, catalog, self.s3, now, run.guard)
        for scan in compiled.scans:
            reader.place(scan, compiled.sql)
        sandbox.prepare(compiled.udfs)

    def write(
        self, sql: str, run: Run, output: Output, *, fresh: bool = True
    ) -> tuple[Written, tuple[tuple[str, Type], ...]]:
        """Write the query's rows as files; `fresh` asks for an empty destination. Raises QueryError."""
        if fresh:
            check_empty(self.s3, output.location)
        with self.rows(sql, run) as (named, batches):
            columns = tuple((name.lower(), of) for name, of in named)  # Hive's names are lower case
            check_output(output, columns)
            scratch = run.sandbox.folder / "out" if run.sandbox is not None else None
            assert scratch is not None
            writer = FileWriter(output, columns, scratch, self._new_name)
            writer.write(batches)
            run.check()
            return writer.finish(self.s3), columns
