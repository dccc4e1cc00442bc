"""Reports through Athena: a query's whole result as a table."""

import io
import time
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyarrow import csv

_FIRST_WAIT, _LONGEST_WAIT, _SLOWER = 0.01, 0.5, 1.2


class QueryFailedError(ValueError):
    """Athena refused or failed a query; the message is Athena's."""


class AthenaReader:
    """Runs SQL in a workgroup and reads the result file, which is far faster than pages of 1,000 rows."""

    def __init__(
        self,
        athena: Any,
        s3: Any,
        *,
        work_group: str,
        database: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._athena, self._s3 = athena, s3
        self._work_group, self._database, self._sleep = work_group, database, sleep

    def query(self, sql: str) -> pa.Table:
        """The whole result, every column as text (null where Athena has null). Raises QueryFailedError."""
        started = self._athena.start_query_execution(
            QueryString=sql,
            WorkGroup=self._work_group,
            QueryExecutionContext={"Database": self._database, "Catalog": "AwsDataCatalog"},
        )
        location = self._finished(started["QueryExecutionId"])
        bucket, _, key = location.removeprefix("s3://").partition("/")
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return read_result(body)

    def _finished(self, execution: str) -> str:
        wait = _FIRST_WAIT
        while True:
            found = self._athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
            status = found["Status"]
            if status["State"] == "SUCCEEDED":
                return str(found["ResultConfiguration"]["OutputLocation"])
            if status["State"] in ("FAILED", "CANCELLED"):
                raise QueryFailedError(status.get("StateChangeReason", status["State"]))
            self._sleep(wait)
            wait = min(wait * _SLOWER, _LONGEST_WAIT)


def read_result(body: bytes) -> pa.Table:
    """Athena's result file as a table of text. A quoted empty string is a string, an unquoted one is null."""
    if not body.strip():
        return pa.table({})
    header = csv.read_csv(io.BytesIO(body.split(b"\n", 1)[0] + b"\n")).column_names
    return csv.read_csv(
        io.BytesIO(body),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types={name: pa.string() for name in header},
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )
