"""A lake in memory that the local Athena's own compiler and DuckDB read: objects of events, one by one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from infra.local.athena.sandbox import Sandbox
from infra.local.athena.sql.compiler import Compiler
from infra.local.athena.sql.functions import catalog
from infra.local.athena.sql.tables import Table, TableColumn
from infra.local.athena.sql.type_names import parse_type
from infra.local.athena.sql.types import VARCHAR
from queries.engine.port import Rows
from transforms.contracts import LakeTable
from transforms.failed.arrow import rows_to_table
from transforms.gate.gate import Gate
from transforms.gate.outcome import Accepted

NOW = datetime(2026, 11, 25, 12)
BUCKET = "s3://lake"


@dataclass
class Lake:
    """Lake tables in memory, and statements over them. `objects` are rows by the key of their object."""

    sandbox: Sandbox
    tables: Mapping[str, LakeTable]
    objects: dict[str, Any] = field(default_factory=dict)
    statements: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, folder: Path, tables: Mapping[str, LakeTable]) -> "Lake":
        return cls(Sandbox(folder, threads=2, memory="1GB"), tables)

    def put(
        self, table: LakeTable, name: str, events: Iterable[dict[str, Any]], *, arrival_ms: int
    ) -> list[str]:
        """Objects named `name`, one in each hour of these events; their keys."""
        gate, by_hour = Gate(table, key_id="k1", key=bytes(32)), dict[str, list[bytes]]()
        for event in events:
            for _, outcome in gate.each(json.dumps(event).encode(), arrival_ms):
                assert isinstance(outcome, Accepted), outcome
                by_hour.setdefault(outcome.event_hour, []).append(outcome.row)
        keys = []
        for hour, rows in by_hour.items():
            key = f"{table.name}/event_hour={hour}/{name}.parquet"
            self.put_rows(table, key, rows_to_table(table, rows))
            keys.append(key)
        return keys

    def put_rows(self, table: LakeTable, key: str, rows: Any) -> None:
        """An object with these rows."""
        hour = key.partition("event_hour=")[2].partition("/")[0]
        kinds = [pa.timestamp("us") if pa.types.is_timestamp(of.type) else of.type for of in rows.schema]
        rows = rows.cast(pa.schema(list(zip(rows.schema.names, kinds, strict=True))))
        rows = rows.append_column("event_hour", pa.array([hour] * rows.num_rows, pa.string()))
        self.objects[key] = rows.append_column(
            "$path", pa.array([f"{BUCKET}/{key}"] * rows.num_rows, pa.string())
        )

    def find(self, parts: Sequence[str], database: str, place: tuple[int, int]) -> Table:
        """The catalog's answer."""
        lake = self.tables[parts[-1]]
        columns = [TableColumn(each.name, parse_type(each.type)) for each in lake.columns]
        hour = TableColumn("event_hour", VARCHAR, partition=True)
        return Table(
            "awsdatacatalog",
            database,
            lake.name,
            (*columns, hour, TableColumn("$path", VARCHAR, hidden=True)),
        )

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        """What the statement gives."""
        assert catalog.FAMILIES
        self.statements.append(sql)
        compiled = Compiler(self, "penstock", now=NOW, parameters=parameters).compile(sql)
        self.sandbox.prepare(compiled.udfs)
        connection = self.sandbox.connection
        for scan in compiled.scans:
            prefix = f"{scan.table.name}/"
            found = [rows for key, rows in self.objects.items() if key.startswith(prefix)]
            connection.register(scan.name, pa.concat_tables(found))
        types = [of for _, of in compiled.columns]
        found = [
            row
            for batch in self.sandbox.batches(compiled.sql, types)
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]
        return Rows([name for name, _ in compiled.columns], [str(of) for of in types], found, 0, 0.0)

    def records(self, sql: str) -> list[dict[str, Any]]:
        found = self.rows(sql)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]
