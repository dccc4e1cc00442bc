"""What refreshing a report costs: the product's way, and three usual ones with the same SELECT.

Statements are those that dbt-athena issues (`insert_overwrite`: a temporary table, its partitions, the
insert), without its DDL, which is free.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.report_lab import INVOCATION_MS, SOURCE, Lab, wall_clock
from queries.commands.cost import billed_bytes
from queries.partitions import LakeHour
from queries.refresh.catalog import ReportQuery
from queries.refresh.rendering import select
from queries.service import ReportService
from queries.store.tables import report_table_input


@dataclass(frozen=True)
class Bill:
    """One refresh: statements that are paid for, bytes scanned, bytes billed (10 MB a statement at least)."""

    statements: int
    scanned: int
    billed: int


def bill(lab: Lab, work: Callable[[], object]) -> Bill:
    """What the work costs, by the executions that the endpoint keeps."""
    before = {one["QueryExecutionId"] for one in lab.executions()}
    work()
    paid = [
        one
        for one in lab.executions()
        if one["QueryExecutionId"] not in before
        and one["SubstatementType"] in ("UNLOAD", "SELECT", "INSERT", "CREATE_TABLE_AS_SELECT")
    ]
    assert all(one["Status"]["State"] == "SUCCEEDED" for one in paid), [one["Status"] for one in paid]
    scanned = [int(one["Statistics"]["DataScannedInBytes"]) for one in paid]
    return Bill(len(paid), sum(scanned), sum(billed_bytes(one, 1) for one in scanned))


class Ways:
    """The ways of refreshing one report after an object came into the latest hour."""

    def __init__(self, lab: Lab, query: ReportQuery) -> None:
        self._lab, self._query, self._engine, self._made = lab, query, lab.engine(), 0
        self._service: ReportService = lab.service(queries={query.report.name: query})
        self._columns = ", ".join(column.name for column in query.report.columns)
        bucket = lab.settings.reporting_bucket
        self._target = f"{query.report.name}_rival"
        table = report_table_input(query.report, bucket) | {"Name": self._target}
        table["StorageDescriptor"] |= {"Location": f"s3://{bucket}/{self._target}/"}
        lab.client("glue").create_table(DatabaseName=lab.settings.database, TableInput=table)

    def recompute(self, hours: Sequence[str]) -> None:
        """The product: the stale partition, one UNLOAD, a swap."""
        self._service.notice([LakeHour(SOURCE.name, hours[-1])])
        now = wall_clock()
        done = self._service.work(stop_at=now + INVOCATION_MS, hard_end=now + INVOCATION_MS)
        assert [key.partition for key in done.published] == [hours[-1]], done

    def microbatch(self, hours: Sequence[str]) -> None:
        """dbt microbatch by the hour with a lookback of one: each batch is an `insert_overwrite`."""
        for hour in hours[-2:]:
            self._overwrite([hour])

    def insert_overwrite(self, hours: Sequence[str]) -> None:
        """dbt incremental, the last 24 hours."""
        self._overwrite(hours[-24:])

    def full(self, hours: Sequence[str]) -> None:
        """The whole table anew."""
        self._create(hours)

    def _overwrite(self, hours: Sequence[str]) -> None:
        made = self._create(hours)
        self._engine.rows(f"SELECT DISTINCT event_hour FROM {made}")
        for hour in hours:
            self._delete(f"{self._target}/event_hour={hour}/")
        self._engine.rows(f"INSERT INTO {self._target} SELECT {self._columns}, event_hour FROM {made}")

    def _create(self, hours: Sequence[str]) -> str:
        self._made += 1
        made = f"made_{self._made}"
        place = f"s3://{self._lab.settings.reporting_bucket}/made/{self._made}/"
        self._engine.rows(
            f"CREATE TABLE {made} WITH (format = 'PARQUET', external_location = '{place}') AS "
            f"SELECT {self._columns}, event_hour FROM ({select(self._query, hours)}) AS selected"
        )
        return made

    def _delete(self, prefix: str) -> None:
        s3, bucket = self._lab.client("s3"), self._lab.settings.reporting_bucket
        for found in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=found["Key"])
