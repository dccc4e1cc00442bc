"""The clients' own ways in: each as its documentation shows it, with nothing but an endpoint set."""

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.infra.local.athena.conftest import DATABASE, RESULTS, Endpoint

# What pandas tells the clients, not us.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

SQL = "SELECT event_hour, count(*) AS events, max(event_time) AS last FROM web_events GROUP BY event_hour ORDER BY event_hour"
HOURS = ["2026-11-23-23", "2026-11-24-00", "2026-11-24-10"]
STAGING = f"s3://{RESULTS}/staging/"


@pytest.fixture
def environment(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint.context.endpoint_url,
        "AWS_ENDPOINT_URL_ATHENA": endpoint.url,
        "AWS_ACCESS_KEY_ID": endpoint.context.keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.context.keys.secret_access_key,
        "AWS_DEFAULT_REGION": endpoint.context.region,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        if name in os.environ:
            monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # another test's keys may be in it
    yield endpoint


def connect(**more: Any) -> Any:
    from pyathena import connect as connect_

    settings = {
        "s3_staging_dir": STAGING,
        "region_name": "us-east-1",
        "schema_name": DATABASE,
        "poll_interval": 0.02,
    }
    return connect_(**{**settings, **more})


def test_pyathena_cursor(environment: Endpoint) -> None:
    with connect() as connection, connection.cursor() as cursor:
        rows = cursor.execute(SQL).fetchall()
        assert [(row[0], row[1]) for row in rows] == [(hour, 100) for hour in HOURS]
        assert cursor.description[1][:2] == ("events", "bigint")
        assert cursor.data_scanned_in_bytes > 0


def test_pyathena_cursor_binds_parameters_as_values(environment: Endpoint) -> None:
    with connect() as connection, connection.cursor() as cursor:
        sql = "SELECT count(*) FROM web_events WHERE event_type = ? AND event_hour = ? AND '?' <> event_id"
        rows = cursor.execute(sql, ["'order_placed'", "'2026-11-24-10'"], paramstyle="qmark").fetchall()
        assert rows == [(50,)]


def test_pyathena_async_cursor(environment: Endpoint) -> None:
    from pyathena.async_cursor import AsyncCursor

    with connect(cursor_class=AsyncCursor) as connection, connection.cursor() as cursor:
        _, future = cursor.execute(SQL)
        assert [row[0] for row in future.result().fetchall()] == HOURS


@pytest.mark.parametrize("unload", [False, True])
def test_pyathena_arrow_cursor(environment: Endpoint, unload: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import fs
    from pyathena.arrow import result_set
    from pyathena.arrow.cursor import ArrowCursor

    # This cursor reads results through pyarrow, which knows no endpoint but one that it is given.
    def file_system(_: object) -> fs.S3FileSystem:
        return fs.S3FileSystem(
            access_key=environment.context.keys.access_key_id,
            secret_key=environment.context.keys.secret_access_key,
            region="us-east-1",
            endpoint_override=environment.context.endpoint_url,
        )

    reader = result_set.AthenaArrowResultSetMetadataReader
    owner = next(c for c in (reader, result_set.AthenaArrowResultSet) if hasattr(c, "_create_s3_file_system"))
    monkeypatch.setattr(owner, "_create_s3_file_system", file_system)
    with connect(cursor_class=ArrowCursor) as connection, connection.cursor(unload=unload) as cursor:
        table = cursor.execute(SQL).as_arrow()
        assert sorted(table["event_hour"].to_pylist()) == HOURS
        assert table["events"].to_pylist() == [100, 100, 100]


@pytest.mark.parametrize("unload", [False, True])
def test_pyathena_pandas_cursor(environment: Endpoint, unload: bool) -> None:
    from pyathena.pandas.cursor import PandasCursor

    with connect(cursor_class=PandasCursor) as connection, connection.cursor(unload=unload) as cursor:
        frame = cursor.execute(SQL).as_pandas()
        assert sorted(frame["event_hour"]) == HOURS
        assert list(frame["events"]) == [100, 100, 100]


def test_sqlalchemy(environment: Endpoint) -> None:
    from sqlalchemy import create_engine, inspect, text

    port = environment.url.rsplit(":", 1)[1]
    url = f"awsathena+rest://@athena.us-east-1.amazonaws.com:443/{DATABASE}?s3_staging_dir={STAGING}"
    engine = create_engine(url, connect_args={"endpoint_url": f"http://127.0.0.1:{port}"})
    with engine.connect() as connection:
        assert [row[0] for row in connection.execute(text(SQL))] == HOURS
        inspector = inspect(connection)
        assert "web_events" in inspector.get_table_names(schema=DATABASE)
        columns = {
            column["name"]: str(column["type"])
            for column in inspector.get_columns("web_events", schema=DATABASE)
        }
        assert {"event_id", "event_hour"} <= set(columns)
    engine.dispose()


@pytest.mark.parametrize(
    "mode",
    [
        {"ctas_approach": True, "unload_approach": False},
        {"ctas_approach": False, "unload_approach": True},
        {"ctas_approach": False, "unload_approach": False},
    ],
)
def test_awswrangler_reads_in_all_modes(environment: Endpoint, mode: Any) -> None:
    import awswrangler

    frame = awswrangler.athena.read_sql_query(
        SQL,
        database=DATABASE,
        s3_output=f"s3://{RESULTS}/wrangler-{sum(mode.values())}-{mode['ctas_approach']}/",
        **mode,
    )
    assert sorted(frame["event_hour"]) == HOURS
    assert list(frame["events"]) == [100, 100, 100]


def test_awswrangler_unloads(environment: Endpoint) -> None:
    import awswrangler

    target = f"s3://{RESULTS}/wrangler-unload/"
    answer = awswrangler.athena.unload(SQL, path=target, database=DATABASE)
    assert answer.raw_payload["Statistics"]["DataManifestLocation"]
    # The manifest lies beside the files, because this call makes the target the output location too.
    frame = awswrangler.s3.read_parquet(target, path_ignore_suffix=["-manifest.csv", ".metadata"])
    assert sorted(frame["event_hour"]) == HOURS


def test_awswrangler_reads_the_catalog(environment: Endpoint) -> None:
    import awswrangler

    assert DATABASE in list(awswrangler.catalog.databases()["Database"])
    assert awswrangler.catalog.does_table_exist(DATABASE, "web_events")
    assert (awswrangler.catalog.get_table_types(DATABASE, "web_events") or {})["seq"] == "bigint"


def test_boto3_paginators(environment: Endpoint) -> None:
    athena = boto3.client("athena")
    execution = environment.run("SELECT seq FROM web_events ORDER BY seq")
    pages = athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=execution["QueryExecutionId"], PaginationConfig={"PageSize": 50}
    )
    values = [row["Data"][0]["VarCharValue"] for page in pages for row in page["ResultSet"]["Rows"]]
    assert values == ["seq", *map(str, range(300))]
    tables = athena.get_paginator("list_table_metadata").paginate(
        CatalogName="AwsDataCatalog", DatabaseName=DATABASE
    )
    assert "web_events" in [t["Name"] for page in tables for t in page["TableMetadataList"]]
    ids = athena.get_paginator("list_query_executions").paginate(
        PaginationConfig={"PageSize": 2, "MaxItems": 6}
    )
    assert execution["QueryExecutionId"] in [i for page in ids for i in page["QueryExecutionIds"]]
    assert "AwsDataCatalog" in [
        c["CatalogName"]
        for page in athena.get_paginator("list_data_catalogs").paginate()
        for c in page["DataCatalogsSummary"]
    ]
