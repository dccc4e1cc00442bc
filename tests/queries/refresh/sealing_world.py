"""The reports' own service over S3, Glue and DynamoDB in memory, with an engine that seals hours of event ids."""

import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq

from queries.engine.port import QueryStatus, Rows
from queries.lake.s3 import S3LakeIndex
from queries.ledger.dynamodb import DynamoDbLedger, table_definition
from queries.partitions import LakeHour
from queries.refresh.sealing import sealing_queries
from queries.refresh.summary import Summary
from queries.requests import Request
from queries.service import ReportService
from queries.settings import Settings
from queries.store.checks import FAILED_CHECK
from queries.store.glue import GlueReportStore
from queries.store.glue_definitions import GlueDefinitions
from tests.shop import TABLES

TABLE = "web_events_hours"
SETTINGS = Settings(
    database="db", work_group="w", lake_bucket="lake", reporting_bucket="reporting", ledger_table="ledger"
)
HOUR_MS = 3_600_000


def lake_object(events: Sequence[str]) -> bytes:
    """A Parquet file with the lake table's columns."""
    columns: dict[str, Any] = {column.name: [None] * len(events) for column in TABLES["web_events"].columns}
    body = io.BytesIO()
    pq.write_table(pa.table(columns | {"event_id": list(events)}), body)
    return body.getvalue()


class KilledError(Exception):
    """The worker died here."""


class World:
    """One deployment. `now` is in epoch milliseconds; `kill_at` counts down calls to AWS, and kills at 0.

    `ends` is how every query execution ends.
    """

    def __init__(self) -> None:
        self.now = int(datetime(2026, 11, 24, 11, tzinfo=UTC).timestamp() * 1000)
        self.kill_at: int | None = None
        self.statements = 0
        self.started: set[str] = set()
        self.during_query: Callable[[], None] = lambda: None
        self.ends = QueryStatus("succeeded", 100)
        self.s3, self.glue, self.dynamodb = (
            boto3.client(name, region_name="us-east-1") for name in ("s3", "glue", "dynamodb")
        )
        for bucket in ("lake", "reporting"):
            self.s3.create_bucket(Bucket=bucket)
        self.dynamodb.create_table(TableName="ledger", **table_definition())
        self.glue.create_database(DatabaseInput={"Name": "db"})
        self.glue.create_table(
            DatabaseName="db",
            TableInput={
                "Name": TABLE,
                "StorageDescriptor": {"Columns": [{"Name": "event_id", "Type": "string"}]},
                "PartitionKeys": [{"Name": "event_hour", "Type": "string"}],
            },
        )

    def service(self) -> ReportService:
        """A worker: a process of its own."""
        clients = [Mortal(client, self.call) for client in (self.s3, self.glue, self.dynamodb)]
        s3, glue, dynamodb = clients
        return ReportService(
            SETTINGS,
            ledger=DynamoDbLedger(dynamodb, "ledger"),
            lake=S3LakeIndex(s3, "lake"),
            engine=Engine(self),
            tables=TABLES,
            store=GlueReportStore(s3, glue, bucket="reporting", database="db"),
            definitions=GlueDefinitions(glue, "db"),
            queries=sealing_queries(TABLES),
            clock=lambda: self.now,
            sleep=self.pass_time,
        )

    def call(self) -> None:
        """Every call to AWS of a worker goes through here."""
        if self.kill_at is not None:
            self.kill_at -= 1
            if self.kill_at < 0:
                raise KilledError

    def pass_time(self, milliseconds: int) -> None:
        """Later."""
        self.now += milliseconds

    def put(self, hour: str, name: str, *events: str) -> None:
        """A lake object of these events."""
        key = f"web_events/event_hour={hour}/{name}.parquet"
        self.s3.put_object(Bucket="lake", Key=key, Body=lake_object(events))

    def notify(self, *hours: str) -> None:
        """What a batch of notifications does."""
        self.service().notice(LakeHour("web_events", hour) for hour in hours)

    def tick(self, *, everything: bool = False) -> Summary:
        """What the minute's tick does."""
        worker = self.service()
        worker.prepare(Request("tick", everything=everything))
        return worker.work(stop_at=self.now + 60_000, hard_end=self.now + 120_000)

    def location(self, hour: str) -> str:
        """Where the catalog says that the hour lies."""
        found = self.glue.get_partition(DatabaseName="db", TableName=TABLE, PartitionValues=[hour])
        return str(found["Partition"]["StorageDescriptor"]["Location"])

    def is_sealed(self, hour: str) -> bool:
        """Whether readers see a sealed hour."""
        return self.location(hour).startswith("s3://reporting/sealed/")

    def seen(self, hour: str) -> Counter[str]:
        """The events that a reader of the hour sees, with copies."""
        bucket, _, prefix = self.location(hour).removeprefix("s3://").partition("/")
        found: Counter[str] = Counter()
        for key in self._keys(bucket, prefix):
            body = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            found.update(pq.read_table(io.BytesIO(body))["event_id"].to_pylist())
        return found

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        answer = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for found in answer.get("Contents", [])]

    def write_sealed(self, sql: str) -> None:
        """What the statement of a sealing run writes: each event of its hours once."""
        target = sql.rpartition("TO 's3://reporting/")[2].partition("'")[0]
        hours = re.findall(r"'([^']+)'", sql.rpartition("WHERE event_hour IN (")[2].partition(")")[0])
        for hour in hours:
            events: set[str] = set()
            for key in self._keys("lake", f"web_events/event_hour={hour}/"):
                body = self.s3.get_object(Bucket="lake", Key=key)["Body"].read()
                events |= set(pq.read_table(io.BytesIO(body))["event_id"].to_pylist())
            columns: dict[str, Any] = {
                column.name: [None] * len(events) for column in TABLES["web_events"].columns
            }
            columns |= {"event_id": sorted(events), FAILED_CHECK: pa.array([None] * len(events), pa.string())}
            written = io.BytesIO()
            pq.write_table(pa.table(columns), written)
            key = f"{target}event_hour={hour}/0.parquet"
            self.s3.put_object(Bucket="reporting", Key=key, Body=written.getvalue())


class Mortal:
    """A client whose every call may be a worker's last."""

    def __init__(self, client: Any, call: Callable[[], None]) -> None:
        self._client, self._call = client, call

    def __getattr__(self, name: str) -> Any:
        self._call()
        return getattr(self._client, name)


class Engine:
    """A `QueryEngine` that has finished before anybody looks."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, sql: str, token: str) -> str:
        self._world.call()
        if token not in self._world.started:
            self._world.statements += 1
            self._world.write_sealed(sql)
            self._world.started.add(token)
        return token

    def look(self, query_execution_id: str) -> QueryStatus:
        self._world.call()
        self._world.during_query()
        return self._world.ends

    def stop(self, query_execution_id: str) -> None:
        raise AssertionError("nothing is stopped here")

    def rows(self, sql: str, parameters: Sequence[str] = ()) -> Rows:
        raise AssertionError("nothing is read here")
