"""The text of past query executions: Athena keeps it for 45 days."""

from typing import Any

from botocore.exceptions import ClientError


class AthenaExecutions:
    """Asks Athena, which needs `athena:GetQueryExecution` on the work group that ran it."""

    def __init__(self, athena: Any) -> None:
        self._athena = athena

    def statement(self, query_execution_id: str) -> str | None:
        """What was executed; None when Athena has forgotten it or never had it."""
        if not query_execution_id:
            return None
        try:
            answer = self._athena.get_query_execution(QueryExecutionId=query_execution_id)
        except ClientError as error:
            if error.response["Error"]["Code"] == "InvalidRequestException":
                return None
            raise
        return str(answer["QueryExecution"]["Query"])
