"""Nothing that a query, a parameter, a table or a file says reaches DuckDB's functions, files or settings.

`make attack-athena` tries all 2,000; here are the first of them.
"""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from infra.local.athena.errors import QueryError
from infra.local.athena.footers import Footers
from infra.local.athena.glue_catalog import GlueCatalog
from infra.local.athena.objects import ObjectCache
from infra.local.athena.sandbox import Sandbox
from infra.local.athena.scans import Reader
from infra.local.athena.sql.compiler import Compiler
from infra.local.athena.sql.functions import catalog
from tests.golden.athena.ours import NoTables
from tests.infra.local.athena.attacked_tables import Bucket, HostileTable, hostile_tables
from tests.infra.local.athena.attacks import Attempt, attempts, reached
from tests.infra.local.athena.conftest import Endpoint

SEED = 18
NOW = datetime(2026, 11, 25)
assert catalog.FAMILIES


def tried(parser: duckdb.DuckDBPyConnection, attempt: Attempt) -> str:
    """What the query reaches, "" for nothing, "refused" when it does not get to DuckDB."""
    compiler = Compiler(NoTables(), "db", now=NOW, parameters=attempt.parameters)
    try:
        compiled = compiler.compile(attempt.sql)
    except QueryError:
        return "refused"
    return reached(parser, compiled.sql)


class Views(Sandbox):
    """Notes the views that are made, and makes them."""

    seen: list[str]

    def create_view(self, name: str, select: Any) -> None:
        self.seen.append(str(select))
        super().create_view(name, select)


class OneTable(GlueCatalog):
    """A catalog of one table."""

    def __init__(self, table: HostileTable) -> None:
        super().__init__(None)
        self._only = table

    def table(self, database: str, name: str) -> dict[str, Any]:
        return self._only.entry

    def partitions(self, database: str, name: str) -> list[dict[str, Any]]:
        return self._only.partitions


def read(sandbox: Views, cache: Path, table: HostileTable, parser: duckdb.DuckDBPyConnection) -> str:
    """What reading the table reaches but its own files; "refused" when it cannot be read."""
    sandbox.seen = []
    known = OneTable(table)
    try:
        compiled = Compiler(known, "db", now=NOW).compile('SELECT *, "$path" FROM t')
        reader = Reader(sandbox, ObjectCache(cache, 1 << 30), Footers(), known, Bucket(table.objects), NOW)
        for scan in compiled.scans:
            reader.place(scan, compiled.sql)
        sandbox.prepare(compiled.udfs)
        sandbox.run(compiled.sql).fetchall()
    except QueryError as error:
        if "does not exist" in str(error) or "Cannot access" in str(error) or "Permission" in str(error):
            return str(error)
        return "refused"
    finally:
        sandbox.renew()
    return next(
        (
            w
            for sql in (compiled.sql, *sandbox.seen)
            if (w := reached(parser, sql, frozenset({"read_parquet"})))
        ),
        "",
    )


def outcomes(queries: int, tables: int, folder: Path) -> Counter[str]:
    """How often what was reached."""
    parser = duckdb.connect()
    found = Counter(tried(parser, attempt) for attempt in attempts(SEED, queries))
    sandbox = Views(folder / "sandbox", threads=1, memory="500MB")
    found.update(read(sandbox, folder / "cache", table, parser) for table in hostile_tables(SEED, tables))
    sandbox.close()
    return found


def test_no_generated_attempt_reaches_anything(tmp_path: Path) -> None:
    found = outcomes(400, 40, tmp_path)
    assert set(found) == {"", "refused"}
    assert found[""] > 100, "too few get as far as DuckDB: this shows nothing"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ltrim('{1}', ' || version() || ')",
        "SELECT max_by('«max(x)»', ')» || version() || «max(')",
        "SELECT zip_with(ARRAY['a'], ARRAY[' || version() || '], (x, y) -> 'p1 p2')",
        'SELECT map_from_entries(CAST(ARRAY[ROW(1, 2)] AS array(row("a"", x := version(), z := e.""a" integer, b integer))))',
    ],
)
def test_texts_that_once_got_through_are_only_texts(sql: str) -> None:
    assert tried(duckdb.connect(), Attempt(sql)) == ""


def test_the_validator_knows_a_break_in_when_it_sees_one() -> None:
    parser = duckdb.connect()
    for sql in (
        "SELECT version()",
        "SELECT * FROM '/etc/passwd'",
        "SELECT 1; SELECT 2",
        "SELECT 'a",
        "SELECT * FROM glob('/*')",
    ):
        assert reached(parser, sql), sql
    assert reached(parser, "SELECT lower('version()') AS c0 FROM (SELECT 1)") == ""


@pytest.mark.parametrize(
    "written",
    [
        "(SELECT 1)",
        "lower('a')",
        "1 + 1",
        "'a' || 'b'",
        "1 LIMIT 1",
        "1, 2",
        "x",
        "current_date",
        "DISTINCT 1",
    ],
)
def test_a_parameter_is_a_literal_or_refused(written: str) -> None:
    with pytest.raises(QueryError):
        Compiler(NoTables(), "db", now=NOW, parameters=[written]).compile("SELECT ?")


@pytest.mark.parametrize(
    "written", ["1", "-1.5", "'a'", "true", "NULL", "DATE '2026-11-24'", "DECIMAL '1.5'"]
)
def test_every_literal_is_a_parameter(written: str) -> None:
    given = Compiler(NoTables(), "db", now=NOW, parameters=[written]).compile("SELECT ?")
    plain = Compiler(NoTables(), "db", now=NOW).compile(f"SELECT {written}")
    assert (given.sql, given.columns) == (plain.sql, plain.columns)


def test_an_attack_by_parameter_comes_back_as_it_was_sent(endpoint: Endpoint) -> None:
    attack = " || version() || "
    assert endpoint.rows("SELECT rtrim(?, ?)", ExecutionParameters=["'{1}'", f"'{attack}'"]) == [("{1}",)]
