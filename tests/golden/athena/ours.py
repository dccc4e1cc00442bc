"""Runs one query through the compiler and a sandbox, without S3 or a catalog."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.local.athena.errors import QueryError
from infra.local.athena.sandbox import Sandbox
from infra.local.athena.sql.compiler import Compiler
from infra.local.athena.sql.functions import catalog
from infra.local.athena.sql.tables import Table, View
from tests.golden.athena.wire import wire

NOW = datetime(2026, 11, 25, 12)


class NoTables:
    """A catalog without tables: every corpus query brings its rows."""

    def find(self, parts: Any, database: str, place: tuple[int, int]) -> Table | View:
        raise QueryError("TABLE_NOT_FOUND", ".".join(parts), *place)


@dataclass(frozen=True)
class Answer:
    """Columns as (name, type) and rows in Trino's JSON, or the error."""

    columns: list[tuple[str, str]]
    rows: list[list[Any]]
    error: str = ""


def answer(sandbox: Sandbox, sql: str) -> Answer:
    """What the endpoint's engine says."""
    assert catalog.FAMILIES
    try:
        compiled = Compiler(NoTables(), "db", now=NOW).compile(sql)
        sandbox.prepare(compiled.udfs)
        types = [of for _, of in compiled.columns]
        convert = [wire(of) for of in types]
        rows = [
            [f(v) for f, v in zip(convert, row, strict=True)]
            for batch in sandbox.batches(compiled.sql, types)
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]
    except QueryError as error:
        return Answer([], [], str(error))
    return Answer([(name, str(of)) for name, of in compiled.columns], rows)


def sandbox_in(folder: Path) -> Sandbox:
    """A sandbox for many queries."""
    return Sandbox(folder, threads=2, memory="1GB")
