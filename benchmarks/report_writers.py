"""How a report's partitions can be written anew: the product's way, and the usual ones beside it."""

from collections.abc import Sequence
from typing import Any, Protocol

from benchmarks.report_lab import INVOCATION_MS, SOURCE, Lab, wall_clock
from queries.contracts import Report
from queries.partitions import LakeHour
from queries.refresh.housekeeping import Housekeeping
from queries.store.glue import RETIRED_TAG
from queries.store.tables import report_table_input

KEEP_MS = 30_000
"""Retired runs go after this, where the deployed function waits a day: longer than any query here takes."""


class Writer(Protocol):
    """Publishes all partitions when asked. `deleted` counts objects that were removed meanwhile."""

    table: str
    published: int
    deleted: int

    def publish(self) -> None: ...


class Product:
    """Mark, claim, UNLOAD into a run's folder, audit, swap; then the product's own housekeeping."""

    keep_ms = KEEP_MS

    def __init__(self, lab: Lab, report: Report, partitions: Sequence[str]) -> None:
        self._lab, self._service, self._partitions = lab, lab.service(), partitions
        self._housekeeping = Housekeeping(self._service.ledger, self._service.store, lab.queries)
        self.table, self.published, self.deleted = report.name, 0, 0
        self._prefix = report.prefix

    def publish(self) -> None:
        """Everything that the query function does when notifications of these hours arrive."""
        self._service.notice(LakeHour(SOURCE.name, partition) for partition in self._partitions)
        now = wall_clock()
        summary = self._service.work(stop_at=now + INVOCATION_MS - 45_000, hard_end=now + INVOCATION_MS)
        assert len(summary.published) == len(self._partitions), summary
        self.published += 1
        self.collect()

    def collect(self) -> None:
        """Retire runs that nobody refers to, and delete what is tagged, as the bucket's lifecycle does."""
        for location in self._housekeeping.retire(now=wall_clock(), keep_ms=self.keep_ms):
            self.deleted += expire(self._lab, location)


class SwapAndDelete(Product):
    """The product's swap, but what is not served any more is deleted at once."""

    def collect(self) -> None:
        served = self._service.store.served(self.table, self._partitions).values()
        current = {entry.location.split("run=")[1].split("/")[0] for entry in served}
        for run in self._service.store.runs(self._prefix):
            if run.location.split("run=")[1].rstrip("/") not in current:
                self._service.store.retire(run.location)
                self.deleted += expire(self._lab, run.location)


class Insert:
    """Files of the partitions are deleted and inserted: one INSERT INTO the table itself."""

    def __init__(self, lab: Lab, report: Report, partitions: Sequence[str]) -> None:
        self._lab, self._partitions = lab, partitions
        self.table, self.published, self.deleted = f"{report.name}_inserted", 0, 0
        bucket = lab.settings.reporting_bucket
        self._prefix = f"{self.table}/"
        table = report_table_input(report, bucket) | {"Name": self.table}
        table["StorageDescriptor"] |= {"Location": f"s3://{bucket}/{self._prefix}"}
        lab.client("glue").create_table(DatabaseName=lab.settings.database, TableInput=table)
        self._engine = lab.engine()
        named = ", ".join(f"'{partition}'" for partition in partitions)
        self._sql = (
            f"INSERT INTO {self.table} "
            "SELECT order_placed.currency, max(order_placed.total_minor), event_hour "
            f"FROM {SOURCE.name} WHERE event_hour IN ({named}) GROUP BY event_hour, order_placed.currency"
        )

    def publish(self) -> None:
        """Delete, then insert: dbt-athena's `insert_overwrite`, SQLMesh on Hive tables."""
        self._delete(self._objects())
        self._engine.rows(self._sql)
        self.published += 1

    def _objects(self) -> list[str]:
        pages = (
            self._lab.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self._lab.settings.reporting_bucket, Prefix=self._prefix)
        )
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def _delete(self, keys: Sequence[str]) -> None:
        if keys:
            self._lab.client("s3").delete_objects(
                Bucket=self._lab.settings.reporting_bucket,
                Delete={"Objects": [{"Key": key} for key in keys]},
            )
        self.deleted += len(keys)


class InsertThenDelete(Insert):
    """The new files come before the old ones go."""

    def publish(self) -> None:
        old = self._objects()
        self._engine.rows(self._sql)
        self._delete(old)
        self.published += 1


STRATEGIES: dict[str, Any] = {
    "swap": Product,
    "swap, files deleted at once": SwapAndDelete,
    "delete, then insert": Insert,
    "insert, then delete": InsertThenDelete,
}


def expire(lab: Lab, location: str) -> int:
    """Delete a run's objects, which must carry the tag of the bucket's lifecycle rule; their number."""
    s3, bucket = lab.client("s3"), lab.settings.reporting_bucket
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=location)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    wanted = {"Key": RETIRED_TAG[0], "Value": RETIRED_TAG[1]}
    for key in keys:
        assert wanted in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"], key
        s3.delete_object(Bucket=bucket, Key=key)
    return len(keys)
