"""What the preview is measured over: report rows in files, or the local cloud after a demo."""

import io
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dashboards.preview.server import Watch
from infra.aws.outputs import Outputs
from infra.local import cloud, processes
from infra.local.cloud import LocalCloud
from infra.local.paths import LocalPaths
from queries.store.glue import GlueReportStore
from queries.store.port import Entry
from tests.dashboards import rows
from tests.dashboards.conftest import board_over, served_at


@dataclass(frozen=True)
class Place:
    """A preview that runs.

    Attributes:
        url: where.
        what: what stands behind it, in words.
        staged: makes everything for the n-th publish of `orders_by_hour` and gives the publish itself.
    """

    url: str
    what: str
    staged: Callable[[int], Callable[[], None]]


@contextmanager
def over_rows(folder: Path, days: int) -> Iterator[Place]:
    """Over rows of some days."""
    made = rows.report_rows(days)
    rows.write(made, folder)
    file = folder / "orders_by_hour.parquet"

    def versions() -> dict[str, dict[str, str]]:
        return {each.stem: {"all": str(each.stat().st_mtime_ns)} for each in folder.glob("*.parquet")}

    def staged(number: int) -> Callable[[], None]:
        changed = [{**row, "orders": row["orders"] + number} for row in made["orders_by_hour"]]
        return partial(rows.publish, file, changed)

    with served_at(board_over(folder), Watch(versions)) as url:
        yield Place(url, f"{sum(map(len, made.values())):,} report rows", staged)


@contextmanager
def filled_cloud(folder: Path, events: int) -> Iterator[LocalCloud]:
    """The local cloud of a folder, which is started and filled by `penstock demo` when none is up."""
    environment, is_ours = _environment(), cloud.attach(LocalPaths.of(folder)) is None
    if is_ours:
        _penstock(folder, environment, "demo", "--events", str(events), "--json")
    found = cloud.attach(LocalPaths.of(folder))
    assert found is not None
    try:
        yield found
    finally:
        if is_ours:
            cloud.down(LocalPaths.of(folder), lambda _: None)


@contextmanager
def over_cloud(folder: Path, events: int) -> Iterator[Place]:
    """The preview over such a cloud."""
    environment = _environment()
    with filled_cloud(folder, events) as found:
        (port,) = processes.free_ports(1)
        command = [sys.executable, "-m", "infra.command.cli", "dashboards", "preview", "--port", str(port)]
        with subprocess.Popen(command, cwd=folder, env=environment) as serving:
            try:
                url = f"http://127.0.0.1:{port}"
                _wait(f"{url}/orders", serving)
                what = f"the local cloud with {_events(folder, environment):,} events"
                yield Place(url, what, partial(staged, found))
            finally:
                serving.terminate()


def staged(found: LocalCloud, number: int) -> Callable[[], None]:
    """A run's folder with one more order in each row; its publish is the query function's swap."""
    outputs, s3 = Outputs.from_document(found.outputs), found.context.client("s3")
    store = GlueReportStore(
        s3, found.context.client("glue"), bucket=outputs.reporting_bucket, database=outputs.database
    )
    pages = found.context.client("glue").get_partitions(
        DatabaseName=outputs.database, TableName="orders_by_hour"
    )
    hour = sorted(partition["Values"][0] for partition in pages["Partitions"])[-2]
    served = store.served("orders_by_hour", [hour])[hour]
    (key, *_) = (
        entry["Key"]
        for entry in s3.list_objects_v2(Bucket=outputs.reporting_bucket, Prefix=served.location)["Contents"]
        if entry["Size"]
    )
    body = s3.get_object(Bucket=outputs.reporting_bucket, Key=key)["Body"].read()
    before = pq.ParquetFile(io.BytesIO(body)).read()
    at = before.schema.get_field_index("orders")
    more = pc.add(before["orders"], pa.scalar(1, before.schema.field("orders").type))
    out = io.BytesIO()
    pq.write_table(before.set_column(at, before.schema.field(at), more), out)
    location = f"reports/orders_by_hour/v1/run=measured-{time.time_ns()}/event_hour={hour}/"
    s3.put_object(Bucket=outputs.reporting_bucket, Key=f"{location}{number}.parquet", Body=out.getvalue())
    return partial(store.swap, "orders_by_hour", [Entry(hour, location, dict(served.parameters))])


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PENSTOCK_"))}
    ports = processes.free_ports(2)
    root = str(Path(__file__).parents[1])
    own = {"PENSTOCK_LOCAL_PORT": str(ports[0]), "PENSTOCK_LOCAL_SERVER_PORT": str(ports[1])}
    return {**kept, **own, "PYTHONPATH": root}


def _penstock(folder: Path, environment: dict[str, str], *arguments: str) -> Any:
    command = [sys.executable, "-m", "infra.command.cli", *arguments]
    ran = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(ran.stdout)


def _events(folder: Path, environment: dict[str, str]) -> int:
    (row,) = _penstock(
        folder, environment, "query", "SELECT count(*) AS n FROM web_events WHERE event_hour > ''", "--json"
    )["rows"]
    return int(row["n"])


def _wait(url: str, serving: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            with urllib.request.urlopen(url):
                return
        except OSError:
            if serving.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
