"""SQL from inside the local server, as any client of Athena would ask it."""

import time
from collections.abc import Callable
from typing import Any

from infra.local.parts.context import LocalContext
from queries.engine.port import QueryFailedError, Rows

_POLL_SECONDS, _DEADLINE_SECONDS = 0.02, 60.0

_READ: dict[str, Callable[[str], Any]] = {
    "tinyint": int,
    "smallint": int,
    "integer": int,
    "bigint": int,
    "float": float,
    "double": float,
    "decimal": float,
    "boolean": lambda text: text == "true",
}


class Asking:
    """Runs one statement at a time and waits for its rows."""

    def __init__(self, context: LocalContext, *, database: str, work_group: str) -> None:
        self._context, self._database, self._work_group = context, database, work_group

    def rows(self, sql: str) -> Rows:
        """Run and wait. Raises QueryFailedError."""
        athena = self._context.client("athena")
        begun = self._context.clock()
        query = athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self._database},
            WorkGroup=self._work_group,
        )["QueryExecutionId"]
        scanned = self._wait(athena, query)
        columns: list[dict[str, Any]] = []
        rows: list[tuple[Any, ...]] = []
        for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=query):
            first = not columns
            columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            read = [_READ.get(column["Type"], str) for column in columns]
            rows += [
                tuple(_value(cell, how) for cell, how in zip(row["Data"], read, strict=True))
                for row in page["ResultSet"]["Rows"][1 if first else 0 :]  # the first row is the header
            ]
        names, types = [each["Name"] for each in columns], [each["Type"] for each in columns]
        return Rows(names, types, rows, scanned, self._context.clock() - begun)

    def _wait(self, athena: Any, query: str) -> int:
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while True:
            execution = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            status = execution["Status"]
            if status["State"] == "SUCCEEDED":
                return int(execution.get("Statistics", {}).get("DataScannedInBytes", 0))
            if status["State"] in {"FAILED", "CANCELLED"} or time.monotonic() > deadline:
                raise QueryFailedError(status.get("StateChangeReason", f"The query is {status['State']}."))
            time.sleep(_POLL_SECONDS)


def _value(cell: dict[str, str], read: Callable[[str], Any]) -> Any:
    text = cell.get("VarCharValue")
    return None if text is None else read(text)
