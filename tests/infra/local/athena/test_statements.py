"""Statements about the catalog, and tables made from queries."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pytest

from infra.local.athena.glue_catalog import GlueCatalog
from infra.local.athena.layout import layout_of
from infra.local.athena.partitions import find_objects
from infra.local.athena.sql.compiler import Compiler
from infra.local.athena.sql.functions import catalog
from infra.local.athena.sql.scope import Domain
from infra.local.athena.sql.tables import Table, TableColumn, View
from infra.local.athena.sql.type_names import parse_type
from tests.golden.athena.ours import NOW
from tests.infra.local.athena.conftest import BUCKET, DATABASE, PARQUET, RESULTS, Endpoint
from tests.shop import REPORTS, TABLES


def test_a_swapped_partition_shows_its_new_location_and_nothing_else(endpoint: Endpoint) -> None:
    for run, value in (("run=1", 1), ("run=2", 2)):
        endpoint.put_parquet(f"report/event_hour=h/{run}/x", pa.table({"n": pa.array([value], pa.int64())}))
    sql = f"CREATE EXTERNAL TABLE report (n bigint) PARTITIONED BY (event_hour string) STORED AS PARQUET LOCATION 's3://{BUCKET}/report/'"
    endpoint.rows(sql)
    endpoint.rows(
        f"ALTER TABLE report ADD PARTITION (event_hour = 'h') LOCATION 's3://{BUCKET}/report/event_hour=h/run=1/'"
    )
    assert endpoint.rows("SELECT n, event_hour FROM report") == [("1", "h")]
    endpoint.rows(
        f"ALTER TABLE report PARTITION (event_hour = 'h') SET LOCATION 's3://{BUCKET}/report/event_hour=h/run=2/'"
    )
    assert endpoint.rows("SELECT n FROM report WHERE event_hour = 'h'") == [("2",)]
    assert endpoint.rows("SHOW PARTITIONS report") == [("event_hour=h",)]


def test_create_table_as_then_insert_then_drop(endpoint: Endpoint) -> None:
    made = endpoint.run(
        "CREATE TABLE made WITH (format = 'PARQUET', partitioned_by = ARRAY['kind']) AS "
        "SELECT seq, event_type AS kind FROM web_events WHERE event_hour = '2026-11-24-10'"
    )
    assert made["Status"]["State"] == "SUCCEEDED", made["Status"]
    assert made["Statistics"]["DataManifestLocation"]
    assert endpoint.rows("SELECT kind, count(*) FROM made GROUP BY kind ORDER BY 1") == [
        ("order_placed", "50"),
        ("page_viewed", "50"),
    ]
    endpoint.rows("INSERT INTO made SELECT 7, 'other'")
    endpoint.rows("INSERT INTO made (kind, seq) VALUES ('other', 8)")
    assert endpoint.rows("SELECT sum(seq) FROM made WHERE kind = 'other'") == [("15",)]
    assert "TABLE_ALREADY_EXISTS" in endpoint.failure("CREATE TABLE made AS SELECT 1 AS x")
    endpoint.rows("DROP TABLE made")
    assert "TABLE_NOT_FOUND" in endpoint.failure("SELECT * FROM made")


def test_a_view_hands_the_hours_of_its_reader_down_to_the_table(endpoint: Endpoint) -> None:
    endpoint.rows(
        "CREATE OR REPLACE VIEW orders AS SELECT event_hour, substr(event_hour, 1, 10) AS event_date, "
        "order_placed.currency AS currency, order_placed.total_minor AS total FROM web_events WHERE event_type = 'order_placed'"
    )
    assert endpoint.rows("SELECT count(*) FROM orders WHERE event_date = '2026-11-24'") == [("100",)]
    whole = endpoint.run("SELECT sum(total) FROM orders")["Statistics"]["DataScannedInBytes"]
    hour = endpoint.run("SELECT sum(total) FROM orders WHERE event_hour = '2026-11-24-10'")["Statistics"][
        "DataScannedInBytes"
    ]
    day = endpoint.run("SELECT sum(total) FROM orders WHERE event_date = '2026-11-24'")["Statistics"][
        "DataScannedInBytes"
    ]
    assert 0 < hour < day < whole
    assert endpoint.rows("SHOW VIEWS") == [("orders",)]
    assert endpoint.rows("SHOW CREATE VIEW orders")[0][0] == "CREATE VIEW orders AS "
    endpoint.rows("DROP VIEW orders")


def test_pruning_lists_the_bucket_once_however_many_years_are_projected(endpoint: Endpoint) -> None:
    calls: list[str] = []
    # A client of its own: executions run in other processes, which cannot be watched from here.
    context = replace(endpoint.context, _clients={})
    s3, glue = context.client("s3"), context.client("glue")
    s3.meta.events.register("before-call.s3.ListObjectsV2", lambda **_: calls.append("list"))
    layout = layout_of(glue.get_table(DatabaseName=DATABASE, Name="web_events")["Table"])
    before = {"event_hour": Domain(None, None, "2026-11-24")}
    found = find_objects(layout, before, GlueCatalog(glue), s3, datetime(2026, 11, 25))
    assert [partition.values for partition in found] == [{"event_hour": "2026-11-23-23"}]
    assert len(calls) == 1


def test_msck_finds_the_folders_that_are_named_like_partitions(endpoint: Endpoint) -> None:
    for day in ("2026-01-01", "2026-01-02"):
        endpoint.put_parquet(f"repair/d={day}/x.parquet", pa.table({"n": pa.array([1], pa.int64())}))
    endpoint.rows(
        f"CREATE EXTERNAL TABLE repaired (n bigint) PARTITIONED BY (d date) STORED AS PARQUET LOCATION 's3://{BUCKET}/repair/'"
    )
    endpoint.rows("MSCK REPAIR TABLE repaired")
    assert endpoint.rows("SELECT d, n FROM repaired WHERE d > DATE '2026-01-01'") == [("2026-01-02", "1")]


def test_json_lines_and_delimited_text_are_tables_too(endpoint: Endpoint) -> None:
    s3 = endpoint.client("s3")
    s3.put_object(Bucket=BUCKET, Key="lines/a", Body=b'{"Id": 1, "tags": ["x"]}\n{"id": "2", "more": {}}\n')
    endpoint.rows(
        "CREATE EXTERNAL TABLE json_lines (id bigint, tags array<string>) "
        f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{BUCKET}/lines/'"
    )
    assert endpoint.rows("SELECT id, tags FROM json_lines ORDER BY id") == [("1", "[x]"), ("2", None)]
    s3.put_object(Bucket=BUCKET, Key="text/a", Body=b"n;name\n1;one\n\\N;none\n")
    endpoint.rows(
        "CREATE EXTERNAL TABLE delimited (n int, name string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ';' "
        f"LOCATION 's3://{BUCKET}/text/' TBLPROPERTIES ('skip.header.line.count' = '1')"
    )
    assert endpoint.rows("SELECT n, name FROM delimited ORDER BY name") == [(None, "none"), ("1", "one")]


def test_a_column_that_a_file_lacks_is_null_and_a_struct_may_grow(endpoint: Endpoint) -> None:
    old = pa.table({"s": pa.array([{"a": 1}], pa.struct([("a", pa.int64())]))})
    new = pa.table(
        {
            "s": pa.array([{"b": "x", "a": 2}], pa.struct([("b", pa.string()), ("a", pa.int64())])),
            "n": pa.array([5], pa.int32()),
        }
    )
    endpoint.put_parquet("grown/1.parquet", old)
    endpoint.put_parquet("grown/2.parquet", new)
    endpoint.client("glue").create_table(
        DatabaseName=DATABASE,
        TableInput={
            "Name": "grown",
            "StorageDescriptor": {
                "Location": f"s3://{BUCKET}/grown/",
                "Columns": [
                    {"Name": "s", "Type": "struct<a:bigint,b:string>"},
                    {"Name": "n", "Type": "bigint"},
                ],
                **PARQUET,
            },
        },
    )
    assert endpoint.rows("SELECT s.a, s.b, n FROM grown ORDER BY 1") == [("1", None, None), ("2", "x", "5")]


def test_show_describe_and_explain(endpoint: Endpoint) -> None:
    assert (DATABASE,) in endpoint.rows("SHOW DATABASES")
    assert ("web_events",) in endpoint.rows("SHOW TABLES LIKE 'web*'")
    assert [row[0].strip() for row in endpoint.rows("SHOW COLUMNS IN web_events") if row[0]][:2] == [
        "event_id",
        "event_type",
    ]
    assert (endpoint.rows("DESCRIBE web_events")[0][0] or "").split() == ["event_id", "string"]
    assert any("event_hour" in (line or "") for (line,) in endpoint.rows("SHOW CREATE TABLE web_events"))
    assert endpoint.rows("EXPLAIN (TYPE VALIDATE) SELECT count(*) FROM web_events") == [("true",)]
    assert "COLUMN_NOT_FOUND" in endpoint.failure("EXPLAIN (TYPE VALIDATE) SELECT x FROM web_events")
    plan = [line for (line,) in endpoint.rows("EXPLAIN SELECT seq FROM web_events WHERE event_hour = 'h'")]
    assert any("web_events [seq, event_hour]" in (line or "") for line in plan)


def test_databases_come_and_go(endpoint: Endpoint) -> None:
    endpoint.rows("CREATE DATABASE IF NOT EXISTS passing")
    assert "SCHEMA_ALREADY_EXISTS" in endpoint.failure("CREATE DATABASE passing")
    endpoint.rows("DROP DATABASE passing")
    assert "SCHEMA_NOT_FOUND" in endpoint.failure("DROP DATABASE passing")


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE nowhere AS SELECT 1 AS n", "INSERT INTO nowhere SELECT 1", "SELECT * FROM nowhere"],
)
def test_a_table_without_a_database_is_refused_as_athena_refuses_it(
    endpoint: Endpoint, statement: str
) -> None:
    assert "MISSING_SCHEMA_NAME" in endpoint.failure(statement, QueryExecutionContext={})


def test_unload_refuses_what_it_cannot_write(endpoint: Endpoint) -> None:
    head = f"UNLOAD (SELECT seq, event_type FROM web_events) TO 's3://{RESULTS}/refused/' WITH "
    assert "ORC is not supported by the local endpoint" in endpoint.failure(head + "(format = 'ORC')")
    assert "HIVE_COLUMN_ORDER_MISMATCH" in endpoint.failure(
        head + "(format = 'PARQUET', partitioned_by = ARRAY['seq'])"
    )
    assert "HIVE_TOO_MANY_OPEN_PARTITIONS" in endpoint.failure(
        f"UNLOAD (SELECT event_type, seq FROM web_events) TO 's3://{RESULTS}/many/' WITH (format = 'PARQUET', partitioned_by = ARRAY['seq'])"
    )


class _Lake:
    """The product's lake tables, as the contracts declare them."""

    def find(self, parts: Sequence[str], database: str, place: tuple[int, int]) -> Table | View:
        lake = TABLES[parts[-1]]
        columns = [TableColumn(c.name, parse_type(c.type)) for c in lake.columns]
        extra = [TableColumn(n, parse_type("string"), partition=True) for n in ("event_hour", "event_date")]
        return Table("awsdatacatalog", database, lake.name, (*columns, *extra))


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_report_compiles_to_the_types_that_it_declares(name: str) -> None:
    from importlib.resources import files

    assert catalog.FAMILIES
    report = REPORTS[name]
    text = files("queries").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    columns = dict(Compiler(_Lake(), "db", now=NOW).compile(text).columns)
    for column in report.columns:
        assert columns[column.name].name == parse_type(column.type).name, column.name
