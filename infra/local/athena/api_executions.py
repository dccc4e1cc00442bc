"""API operations about query executions and their results."""

import uuid
from collections.abc import Callable
from typing import Any

from infra.local.athena.errors import ApiError, QueryError
from infra.local.athena.execution import TERMINAL, Execution, described
from infra.local.athena.executions import KIND, Executions
from infra.local.athena.results import ResultPages, column_info, result_row
from infra.local.athena.sql.type_names import parse_type
from infra.local.athena.statements import Statement, statement
from infra.local.athena.store import Store
from infra.local.athena.work_groups import PRIMARY, WorkGroups

REQUEST = "request"
MOST_ROWS = 1000
LONGEST_QUERY = 262_144


class ExecutionApi:
    """StartQueryExecution and what follows it."""

    def __init__(
        self,
        store: Store,
        groups: WorkGroups,
        executions: Executions,
        results: ResultPages,
        clock: Callable[[], float],
    ) -> None:
        self._store, self._groups, self._executions, self._results, self._clock = (
            store,
            groups,
            executions,
            results,
            clock,
        )

    def start(self, body: dict[str, Any]) -> dict[str, Any]:
        """StartQueryExecution: the same token gives the same execution."""
        query = body.get("QueryString") or ""
        if not query.strip():
            raise ApiError("QueryString must not be empty.")
        if len(query.encode()) > LONGEST_QUERY:
            raise ApiError(f"QueryString must be shorter than {LONGEST_QUERY} bytes.")
        token = body.get("ClientRequestToken") or ""
        same = {k: v for k, v in body.items() if k != "ClientRequestToken"}
        if token and (earlier := self._store.get(REQUEST, "", token)) is not None:
            if earlier["request"] != same:
                raise ApiError(
                    "Idempotent parameters do not match", athena_error_code="IDEMPOTENT_PARAMETERS_MISMATCH"
                )
            return {"QueryExecutionId": earlier["id"]}
        execution = self._execution(query, body, same)
        if token:
            self._store.put(REQUEST, "", token, {"id": execution.id, "request": same})
        earlier_result = self._reusable(execution, body)
        if earlier_result is not None:
            self._executions.record(_reused(execution, earlier_result, self._clock()))
        else:
            self._executions.submit(execution)
        return {"QueryExecutionId": execution.id}

    def _execution(self, query: str, body: dict[str, Any], request: dict[str, Any]) -> Execution:
        group = body.get("WorkGroup") or PRIMARY
        asked = (body.get("ResultConfiguration") or {}).get("OutputLocation")
        location, cutoff = self._groups.settle(group, asked)
        try:
            kind = statement(query)
        except QueryError as error:
            if error.name == "SYNTAX_ERROR":
                raise ApiError(str(error), athena_error_code="MALFORMED_QUERY") from error
            kind = Statement(query, "UNSUPPORTED", "DML")
        context = body.get("QueryExecutionContext") or {}
        identifier = str(uuid.uuid4())
        suffix = ".csv" if kind.kind in ("SELECT", "EXECUTE") else "" if kind.kind == "UNLOAD" else ".txt"
        return Execution(
            id=identifier,
            query=query,
            kind=kind.kind,
            family=kind.family,
            database=(context.get("Database") or "").lower(),
            catalog=(context.get("Catalog") or "awsdatacatalog").lower(),
            work_group=group,
            output_location=f"{location}{identifier}{suffix}",
            submitted=self._clock(),
            request=request,
            parameters=list(body.get("ExecutionParameters") or []),
            cutoff=cutoff,
        )

    def _reusable(self, execution: Execution, body: dict[str, Any]) -> Execution | None:
        rule = (body.get("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration") or {}
        if not rule.get("Enabled") or execution.kind != "SELECT":
            return None
        oldest = execution.submitted - 60 * int(rule.get("MaxAgeInMinutes", 60))
        for _, known in self._store.page(KIND, execution.work_group, before=None, limit=1000):
            other = Execution(**known)
            same = (other.query, other.database, other.parameters) == (
                execution.query,
                execution.database,
                execution.parameters,
            )
            if (
                same
                and other.state == "SUCCEEDED"
                and not other.reused_from
                and (other.completed or 0) >= oldest
            ):
                return other
        return None

    def get(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetQueryExecution."""
        return {"QueryExecution": described(self._executions.get(body["QueryExecutionId"]))}

    def batch_get(self, body: dict[str, Any]) -> dict[str, Any]:
        """BatchGetQueryExecution."""
        found, missing = [], []
        for identifier in body["QueryExecutionIds"]:
            try:
                found.append(described(self._executions.get(identifier)))
            except ApiError as error:
                missing.append(
                    {
                        "QueryExecutionId": identifier,
                        "ErrorCode": error.athena_error_code,
                        "ErrorMessage": error.message,
                    }
                )
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def list(self, body: dict[str, Any]) -> dict[str, Any]:
        """ListQueryExecutions: newest first."""
        group = body.get("WorkGroup") or PRIMARY
        self._groups.get(group)
        limit = int(body.get("MaxResults") or 50)
        before = int(body["NextToken"]) if body.get("NextToken") else None
        found = self._store.page(KIND, group, before=before, limit=limit)
        answer: dict[str, Any] = {"QueryExecutionIds": [known["id"] for _, known in found]}
        if len(found) == limit:
            answer["NextToken"] = str(found[-1][0])
        return answer

    def stop(self, body: dict[str, Any]) -> dict[str, Any]:
        """StopQueryExecution."""
        self._executions.stop(body["QueryExecutionId"])
        return {}

    def runtime(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetQueryRuntimeStatistics: timeline and rows."""
        execution = self._executions.get(body["QueryExecutionId"])
        timeline = {k: v for k, v in described(execution)["Statistics"].items() if k.endswith("InMillis")}
        rows = {"OutputRows": execution.rows, "InputBytes": execution.bytes_scanned}
        return {"QueryRuntimeStatistics": {"Timeline": timeline, "Rows": rows}}

    def results(self, body: dict[str, Any]) -> dict[str, Any]:
        """GetQueryResults: the first row of a SELECT's first page holds the column names."""
        execution = self._executions.get(body["QueryExecutionId"])
        if execution.state != "SUCCEEDED":
            done = execution.state in TERMINAL
            message = (
                "Query did not finish successfully. Final query state: "
                if done
                else "Query has not yet finished. Current state: "
            )
            raise ApiError(message + execution.state, athena_error_code="INVALID_QUERY_EXECUTION_STATE")
        limit = int(body.get("MaxResults") or MOST_ROWS)
        if not 1 <= limit <= MOST_ROWS:
            raise ApiError(f"MaxResults must be between 1 and {MOST_ROWS}, and is {limit}.")
        try:
            start = int(body.get("NextToken") or 0)
        except ValueError as error:
            raise ApiError("Bad NextToken.") from error
        header = execution.header and execution.kind in ("SELECT", "EXECUTE") and bool(execution.columns)
        rows: list[list[str | None]] = []
        if start == 0 and header:
            rows.append([name for name, _ in execution.columns])
        skip = 1 if header else 0
        more, total = self._results.page(
            execution.reused_from or execution.id, max(0, start - skip), limit - len(rows)
        )
        rows += more
        columns = [(name, parse_type(of)) for name, of in execution.columns]
        answer: dict[str, Any] = {
            "ResultSet": {
                "Rows": [result_row(row) for row in rows],
                "ResultSetMetadata": {"ColumnInfo": column_info(columns)},
            }
        }
        answer["UpdateCount"] = execution.update_count or 0
        if start + len(rows) < total + skip:
            answer["NextToken"] = str(start + len(rows))
        return answer


def _reused(execution: Execution, earlier: Execution, now: float) -> Execution:
    execution.state, execution.started, execution.completed = "SUCCEEDED", now, now
    execution.columns, execution.rows, execution.header = earlier.columns, earlier.rows, earlier.header
    execution.reused_from, execution.output_location = earlier.id, earlier.output_location
    return execution
