"""Statements about the catalog: CREATE, DROP, ALTER, MSCK, SHOW, DESCRIBE; and tables made from queries."""

import re
from dataclasses import dataclass, field

from infra.local.athena import ddl_partitions, ddl_show, ddl_tables
from infra.local.athena.ddl_write import create_table_as, insert
from infra.local.athena.engine import Engine, Run
from infra.local.athena.sql.types import Type
from infra.local.athena.statements import Reader, Statement

__all__ = ["Listing", "create_table_as", "insert", "run"]


@dataclass
class Listing:
    """A short table of texts."""

    columns: list[tuple[str, Type]] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)


def run(engine: Engine, statement: Statement, run_: Run) -> Listing:
    """Run a statement that is not a query. Raises QueryError."""
    handler = {
        "CREATE": ddl_tables.create,
        "DROP": ddl_tables.drop,
        "ALTER": ddl_partitions.alter,
        "MSCK": ddl_partitions.repair,
        "SHOW": ddl_show.show,
        "DESCRIBE": ddl_show.describe,
    }[statement.kind]
    hive = re.match(r"\w+\s+(OR\s+REPLACE\s+)?(CREATE\s+)?VIEW", statement.sql, re.IGNORECASE) is None
    names, rows = handler(engine, Reader(statement.sql, hive=hive), run_)
    return Listing([(name, Type("varchar")) for name in names], rows)
