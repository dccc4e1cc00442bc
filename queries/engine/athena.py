"""SQL through Athena, by PyAthena."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pyathena.connection import Connection
from pyathena.cursor import Cursor
from pyathena.error import DatabaseError, OperationalError, ProgrammingError
from pyathena.model import AthenaQueryExecution
from pyathena.util import RetryConfig

from queries.engine.port import (
    Failure,
    QueryFailedError,
    QueryRefusedError,
    QueryStatus,
    QueryThrottledError,
    Rows,
)

if TYPE_CHECKING:
    from boto3 import Session

_THROTTLED = ("TooManyRequestsException", "ThrottlingException")
# Athena itself failed: the same token may be tried again, and a worker that gave up would leave its leases.
_PASSING = (*_THROTTLED, "InternalServerException")
# Out of memory or time, cut off by the work group: a smaller query may pass where this one did not.
_RESOURCES = (
    "EXCEEDED_",
    "EXHAUSTED",
    "exhausted",
    "timeout",
    "Bytes scanned limit",
    "CUTOFF",
    "cancelled by user",
)


class TokenCursor(Cursor):
    """PyAthena's cursor with a client request token, and with starting and looking apart from waiting.

    It relies on private hooks of PyAthena 4.2, which is why that version is pinned.
    """

    token = ""

    def _build_start_query_execution_request(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        request = super()._build_start_query_execution_request(*args, **kwargs)
        if self.token:
            request["ClientRequestToken"] = self.token
        return request

    def start(self, sql: str, token: str) -> str:
        """Begin a query execution and return its id at once."""
        self.token = token
        return self._execute(sql)

    def look(self, query_execution_id: str) -> AthenaQueryExecution:
        """One GetQueryExecution."""
        return self._get_query_execution(query_execution_id)


class AthenaEngine:
    """A `QueryEngine`."""

    def __init__(
        self,
        session: "Session",
        *,
        database: str,
        work_group: str,
        poll_seconds: float = 0.2,
        endpoint_url: str | None = None,
    ) -> None:
        self._connection: Connection[Any] = Connection(
            session=session,
            work_group=work_group,
            schema_name=database,
            cursor_class=TokenCursor,
            poll_interval=poll_seconds,
            # The tick tries again anyway; more than this would use up the worker's time.
            retry_config=RetryConfig(attempt=4, max_delay=8),
            endpoint_url=endpoint_url,
        )

    def start(self, sql: str, token: str) -> str:
        """Begin, and return the query execution's id; the same token and SQL return the same id."""
        try:
            return self._cursor().start(sql, token)
        except DatabaseError as error:
            # PyAthena wraps what botocore raised.
            answer = error.__cause__.response["Error"] if isinstance(error.__cause__, ClientError) else {}
            if answer.get("Code") in _PASSING:
                raise QueryThrottledError(str(error)) from error
            if answer.get("Code") == "InvalidRequestException":
                # Athena has one code for every request that it does not take.
                is_token_taken = "dempotent" in answer.get("Message", "")
                raise QueryRefusedError(str(error), is_token_taken=is_token_taken) from error
            raise

    def look(self, query_execution_id: str) -> QueryStatus:
        """Its status now."""
        execution = self._cursor().look(query_execution_id)
        scanned = execution.data_scanned_in_bytes or 0
        if execution.state == AthenaQueryExecution.STATE_SUCCEEDED:
            return QueryStatus("succeeded", scanned)
        if execution.state in (AthenaQueryExecution.STATE_FAILED, AthenaQueryExecution.STATE_CANCELLED):
            reason = execution.state_change_reason or execution.error_message or str(execution.state)
            return QueryStatus("failed", scanned, _failure(execution, reason), reason)
        return QueryStatus("running", scanned)

    def stop(self, query_execution_id: str) -> None:
        """Stop it, if it still runs."""
        client: Any = self._connection.client
        client.stop_query_execution(QueryExecutionId=query_execution_id)

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        """Run and wait; `?` in WHERE takes `parameters`, written as SQL literals. Raises QueryFailedError."""
        cursor = self._cursor()
        try:
            cursor.execute(sql, list(parameters) or None, paramstyle="qmark")
            found = cursor.fetchall()
        except (OperationalError, DatabaseError, ProgrammingError) as error:
            raise QueryFailedError(str(error)) from error
        described = cursor.description or []
        return Rows(
            columns=[str(column[0]) for column in described],
            types=[str(column[1]) for column in described],
            rows=[tuple(row) for row in found if not isinstance(row, dict)],
            bytes_scanned=cursor.data_scanned_in_bytes or 0,
            seconds=(cursor.total_execution_time_in_millis or 0) / 1000,
        )

    def _cursor(self) -> TokenCursor:
        cursor = self._connection.cursor()
        assert isinstance(cursor, TokenCursor)
        return cursor


def _failure(execution: AthenaQueryExecution, reason: str) -> Failure:
    if any(sign in reason for sign in _RESOURCES):
        return "resources"
    if execution.retryable or execution.error_category == 1 or execution.state == "CANCELLED":
        return "transient"
    if "HIVE_PATH_ALREADY_EXISTS" in reason or any(code in reason for code in _THROTTLED):
        return "transient"
    return "input" if "HIVE_" in reason else "definition"
