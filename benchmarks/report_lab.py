"""A place to run the reports' own code on a local cloud: buckets, catalog, ledger and work group of its own.

The deployed function knows nothing of it, so every query execution in the work group was asked for by the
code under test, and the catalog may hold reports that are not deployed. Athena, S3, Glue and DynamoDB are
those of the local cloud, over its sockets.
"""

import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.shop import SHOP, TABLES
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from queries.engine.athena import AthenaEngine
from queries.ledger.dynamodb import table_definition
from queries.refresh.catalog import ReportQuery
from queries.refresh.summary import Summary
from queries.requests import Request
from queries.service import ReportService, build_service
from queries.settings import Settings
from queries.store.tables import lake_table_input, report_table_input
from transforms.contracts import EVENT_HOUR
from transforms.failed.arrow import arrow_schema

SOURCE = TABLES["web_events"]
INVOCATION_MS = 300_000
"""How long one worker may live, as the deployed function's time-out says."""


def wall_clock() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000


def parquet(rows: list[dict[str, Any]]) -> bytes:
    """A lake object: these rows with the lake table's whole schema; members left out are NULL."""
    body = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, arrow_schema(SOURCE)), body, compression="snappy")
    return body.getvalue()


@dataclass(frozen=True)
class Lab:
    """The resources of one laboratory, named in `settings`, and the reports in its catalog."""

    cloud: LocalCloud
    settings: Settings
    queries: Mapping[str, ReportQuery]

    @classmethod
    def on(cls, cloud: LocalCloud, name: str, queries: Mapping[str, ReportQuery]) -> "Lab":
        """Make the resources. `name` tells laboratories in one cloud apart."""
        settings = Settings(
            database=name,
            work_group=name,
            lake_bucket=f"{name}-lake",
            reporting_bucket=f"{name}-reporting",
            ledger_table=name,
            debounce_scale=0.0,
            retry_seconds=1.0,
        )
        lab = cls(cloud, settings, queries)
        for bucket in (settings.lake_bucket, settings.reporting_bucket):
            lab.client("s3").create_bucket(Bucket=bucket)
        glue = lab.client("glue")
        glue.create_database(DatabaseInput={"Name": name})
        tables = [report_table_input(query.report, settings.reporting_bucket) for query in queries.values()]
        for table in (lake_table_input(SOURCE, settings.lake_bucket), *tables):
            glue.create_table(DatabaseName=name, TableInput=table)
        lab.client("dynamodb").create_table(TableName=name, **table_definition())
        location = {"OutputLocation": f"s3://{settings.reporting_bucket}/results/"}
        lab.client("athena").create_work_group(Name=name, Configuration={"ResultConfiguration": location})
        return lab

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return self.cloud.context.client(service)

    @contextmanager
    def environment(self) -> Iterator[None]:
        """Within it every AWS client that is made talks to this cloud."""
        with patch.dict(os.environ, self.cloud.environment()):
            yield

    def engine(self) -> AthenaEngine:
        """A query engine with connections of its own."""
        with self.environment():
            return AthenaEngine(
                boto3.Session(),
                database=self.settings.database,
                work_group=self.settings.work_group,
                poll_seconds=0.01,
            )

    def service(
        self, clock: Callable[[], int] = wall_clock, queries: Mapping[str, ReportQuery] | None = None
    ) -> ReportService:
        """The product's service on clients of this cloud, with that clock; for all its reports, or some."""
        with self.environment():
            return service_on(self.settings, queries or self.queries, boto3.Session(), clock)

    def put(self, hour: str, name: str, rows: list[dict[str, Any]]) -> None:
        """Write a lake object."""
        self.put_bytes(hour, name, parquet(rows))

    def put_bytes(self, hour: str, name: str, body: bytes) -> None:
        """Write a lake object, given its bytes."""
        key = f"{SOURCE.prefix}{EVENT_HOUR}={hour}/{name}.parquet"
        self.client("s3").put_object(Bucket=self.settings.lake_bucket, Key=key, Body=body)

    def remove(self, hour: str) -> None:
        """Delete the lake objects of an hour."""
        s3, bucket = self.client("s3"), self.settings.lake_bucket
        prefix = f"{SOURCE.prefix}{EVENT_HOUR}={hour}/"
        for found in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=found["Key"])

    def executions(self) -> list[dict[str, Any]]:
        """Every query execution in the work group, as the endpoint keeps it; the latest first."""
        athena = self.client("athena")
        pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=self.settings.work_group)
        names = [name for page in pages for name in page["QueryExecutionIds"]]
        found: list[dict[str, Any]] = []
        for start in range(0, len(names), 50):
            answer = athena.batch_get_query_execution(QueryExecutionIds=names[start : start + 50])
            found += answer["QueryExecutions"]
        return found


def service_on(
    settings: Settings, queries: Mapping[str, ReportQuery], session: Any, clock: Callable[[], int]
) -> ReportService:
    """The product's service with other reports and another clock; its waits are cut short."""
    return build_service(
        settings,
        session,
        tables=TABLES,
        queries=queries,
        clock=clock,
        sleep=lambda milliseconds: time.sleep(min(milliseconds, 20) / 1000),
    )


def tick(service: ReportService, clock: Callable[[], int] = wall_clock) -> Summary:
    """What the query function does at a tick; what it does once an hour is done at each."""
    service.prepare(Request("tick", everything=True, housekeeping=True))
    now = clock()
    return service.work(stop_at=now + INVOCATION_MS - 45_000, hard_end=now + INVOCATION_MS)


@contextmanager
def a_cloud(folder: Path | None = None, **settings: Any) -> Iterator[LocalCloud]:
    """A local cloud on free ports, with its state in a folder of its own; ended at the end."""
    with TemporaryDirectory() as temporary:
        paths = LocalPaths.of(folder or Path(temporary))
        port, server_port = processes.free_ports(2)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        try:
            yield cloud.up(
                paths,
                LocalSettings(port=port, server_port=server_port, **settings),
                lambda _: None,
                project=SHOP,
                environ=environ,
            )
        finally:
            cloud.down(paths, lambda _: None)
