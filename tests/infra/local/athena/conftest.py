"""A local cloud of its own for these tests: emulator for S3 and Glue, Athena endpoint beside it."""

import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uvicorn

from infra.local import processes
from infra.local.access.keys import Keys
from infra.local.athena import AthenaService
from infra.local.ministack import emulator
from infra.local.parts.cfn import ResourceStore
from infra.local.parts.context import LocalContext
from infra.local.paths import LocalPaths
from infra.local.server import application

BUCKET, RESULTS, DATABASE = "lake", "results", "penstock"
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


@dataclass
class Endpoint:
    """A running pair of emulator and Athena endpoint, with clients for both."""

    context: LocalContext
    url: str
    service: AthenaService

    def client(self, name: str) -> Any:
        return self.context.client(name)

    def run(self, sql: str, **more: Any) -> dict[str, Any]:
        """Run a statement to its end; returns the QueryExecution."""
        athena = self.client("athena")
        request = {
            "QueryString": sql,
            "QueryExecutionContext": {"Database": DATABASE},
            "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"},
            **more,
        }
        identifier = athena.start_query_execution(**request)["QueryExecutionId"]
        return self.wait(identifier)

    def wait(self, identifier: str, seconds: float = 30) -> dict[str, Any]:
        athena = self.client("athena")
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
            if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.01)

    def rows(self, sql: str, **more: Any) -> list[tuple[str | None, ...]]:
        """The rows of a statement that must succeed, without the header."""
        execution = self.run(sql, **more)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"].get("StateChangeReason")
        pages = (
            self.client("athena")
            .get_paginator("get_query_results")
            .paginate(QueryExecutionId=execution["QueryExecutionId"])
        )
        rows = [
            tuple(cell.get("VarCharValue") for cell in row["Data"])
            for page in pages
            for row in page["ResultSet"]["Rows"]
        ]
        return rows[1:] if execution["SubstatementType"] in ("SELECT", "EXECUTE") else rows

    def failure(self, sql: str, **more: Any) -> str:
        """The reason of a statement that must fail."""
        execution = self.run(sql, **more)
        assert execution["Status"]["State"] == "FAILED", execution["Status"]
        return str(execution["Status"]["StateChangeReason"])

    def put_parquet(self, key: str, table: pa.Table, bucket: str = BUCKET) -> None:
        out = io.BytesIO()
        pq.write_table(table, out, compression="snappy")
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=out.getvalue())


def wait_for(ready: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not start"
        time.sleep(0.02)


@contextmanager
def running_endpoint(root: Path) -> Iterator[Endpoint]:
    """Emulator and endpoint on ports of their own, with the small lake in place."""
    paths = LocalPaths(root / "cloud")
    paths.make()
    emulator_port, port = processes.free_ports(2)
    environment = emulator.environment(
        paths, emulator_port, "http://127.0.0.1:9", keys=Keys.of(paths.keys), inherited=os.environ
    )
    arguments = [str(paths.run), str(emulator_port)]
    processes.start("infra.local.ministack.emulator", arguments, environment, paths.log("ministack"))
    try:
        url = emulator.url(emulator_port)
        wait_for(lambda: emulator.is_healthy(url))
        context = LocalContext(paths, endpoint_url=url, server_url=f"http://127.0.0.1:{port}")
        with serving(context, port) as service:
            endpoint = Endpoint(context, context.server_url, service)
            fill(endpoint)
            yield endpoint
    finally:
        processes.stop(paths.run, emulator.NAME)


@contextmanager
def serving(context: LocalContext, port: int) -> Iterator[AthenaService]:
    """The endpoint behind a real socket."""
    service = AthenaService(context)
    app = application([service], ResourceStore(context.paths.database("resources")), context)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    try:
        yield service
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with running_endpoint(tmp_path_factory.mktemp("athena")) as made:
        yield made


def events(hour: str, count: int, offset: int = 0) -> pa.Table:
    """Rows of the small lake table that these tests read."""
    start = datetime.strptime(hour, "%Y-%m-%d-%H")  # noqa: DTZ007 - lake timestamps have no zone
    numbers = range(offset, offset + count)
    orders = [
        {"currency": "EUR" if n % 3 else "USD", "total_minor": n * 100} if n % 2 else None for n in numbers
    ]
    return pa.table(
        {
            "event_id": [f"id-{n}" for n in numbers],
            "event_type": ["order_placed" if n % 2 else "page_viewed" for n in numbers],
            "event_time": pa.array(
                [start + timedelta(seconds=n % 3600) for n in numbers], pa.timestamp("ms")
            ),
            "seq": pa.array(numbers, pa.int64()),
            "order_placed": pa.array(
                orders, pa.struct([("currency", pa.string()), ("total_minor", pa.int64())])
            ),
        }
    )


def fill(endpoint: Endpoint) -> None:
    s3, glue = endpoint.client("s3"), endpoint.client("glue")
    for bucket in (BUCKET, RESULTS):
        s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    create_events_table(endpoint, "web_events")
    for index, hour in enumerate(("2026-11-23-23", "2026-11-24-00", "2026-11-24-10")):
        endpoint.put_parquet(f"web_events/event_hour={hour}/a.parquet", events(hour, 100, index * 100))


def create_events_table(endpoint: Endpoint, name: str) -> None:
    """A projected lake table like the product's, with fewer columns."""
    columns = [
        ("event_id", "string"), ("event_type", "string"), ("event_time", "timestamp"), ("seq", "bigint"),
        ("order_placed", "struct<currency:string,total_minor:bigint>"),
    ]  # fmt: skip
    projection = "projection.event_hour."
    endpoint.client("glue").create_table(
        DatabaseName=DATABASE,
        TableInput={
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": [{"Name": "event_hour", "Type": "string"}],
            "Parameters": {
                "projection.enabled": "true",
                f"{projection}type": "date",
                f"{projection}format": "yyyy-MM-dd-HH",
                f"{projection}interval": "1",
                f"{projection}interval.unit": "HOURS",
                f"{projection}range": "2015-01-01-00,NOW+2HOURS",
                "storage.location.template": f"s3://{BUCKET}/{name}/event_hour=${{event_hour}}",
            },
            "StorageDescriptor": {
                "Location": f"s3://{BUCKET}/{name}/",
                "Columns": [{"Name": n, "Type": t} for n, t in columns],
                **PARQUET,
            },
        },
    )
