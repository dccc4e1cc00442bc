"""DuckDB, as sources use it: in memory, without files, network, extensions and settings, and bounded.

The rows that a source may read are given to it as a table; there is nothing else for its SQL to reach.
"""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from producers.sources.files import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

FILE = "file"
MEMORY = "512MB"
_SETTINGS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "allow_community_extensions": "false",
    "max_temp_directory_size": "0B",
    "memory_limit": MEMORY,
    "threads": "1",
}


class SqlError(Exception):
    """SQL text that is not valid, with the place of the fault in bytes from its beginning."""

    def __init__(self, message: str, at: int) -> None:
        self.at = at
        super().__init__(message)


class Engine:
    """One connection."""

    def __init__(self, *more: str) -> None:
        """`more`: settings beside the usual ones.

        Raises SourceError where DuckDB or pyarrow is not installed.
        """
        try:
            import duckdb
            import pyarrow  # noqa: F401  needed to pass rows
        except ImportError as error:
            raise SourceError(
                "Reading with a source needs duckdb and pyarrow: pip install 'penstock[local]'."
            ) from error
        self.error = duckdb.Error
        self._connection: duckdb.DuckDBPyConnection = duckdb.connect(":memory:", config=dict(_SETTINGS))
        for statement in ("SET TimeZone = 'UTC'", *more, "SET lock_configuration = true"):
            self._connection.execute(statement)

    def give(self, table: "pa.Table") -> None:
        """From now on `file` is this table."""
        self._connection.register(FILE, table)

    def table(self, sql: str) -> "pa.Table":
        """What a query answers. Raises duckdb.Error, which `error` is."""
        return self._connection.sql(sql).to_arrow_table()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query answers, as tuples. Raises duckdb.Error."""
        return self._connection.execute(sql).fetchall()

    def types(self, sql: str) -> Mapping[str, str]:
        """Column name to DuckDB type of what a query would answer. Raises duckdb.Error."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {sql}")}

    def parsed(self, sql: str) -> dict[str, Any]:
        """The one SELECT in a text, as DuckDB's tree. Raises SqlError."""
        found = json.loads(self._value("SELECT json_serialize_sql(?)", sql))
        if found["error"]:
            raise SqlError(str(found["error_message"]), int(found.get("position") or 0))
        if len(found["statements"]) != 1:
            raise SqlError(f"{len(found['statements'])} statements where one SELECT is expected", 0)
        node: dict[str, Any] = found["statements"][0]["node"]
        return node

    def text(self, expression: Mapping[str, Any]) -> str:
        """An expression's tree as SQL."""
        node = self.parsed("SELECT 1")
        node["select_list"] = [{**expression, "alias": ""}]
        document = {"error": False, "statements": [{"node": node, "named_param_map": []}]}
        sql = self._value("SELECT json_deserialize_sql(?::JSON)", json.dumps(document))
        return sql.removeprefix("SELECT ")

    def _value(self, sql: str, parameter: str) -> str:
        # All rows are fetched: DuckDB refuses other work while a result is unfinished.
        return str(self._connection.execute(sql, [parameter]).fetchall()[0][0])

    def functions(self) -> tuple[frozenset[str], frozenset[str]]:
        """Names of functions that give the same for the same arguments, and of those that combine rows."""
        scalar = self.rows(
            "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'scalar' "
            "AND stability = 'CONSISTENT'"
        )
        combining = self.rows(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            "WHERE function_type IN ('aggregate', 'window')"
        )
        return frozenset(row[0] for row in scalar), frozenset(row[0] for row in combining)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()
