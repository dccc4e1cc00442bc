"""Queries over Glue tables on S3."""

from tests.infra.local.athena.conftest import BUCKET, DATABASE, RESULTS, Endpoint


def test_a_projected_table_is_read_by_the_hours_that_the_query_asks_for(endpoint: Endpoint) -> None:
    sql = "SELECT event_hour, count(*), sum(order_placed.total_minor) FROM web_events WHERE event_hour >= '2026-11-24' GROUP BY event_hour ORDER BY 1"
    assert endpoint.rows(sql) == [("2026-11-24-00", "100", "750000"), ("2026-11-24-10", "100", "1250000")]


def test_unload_writes_one_folder_per_partition_and_a_manifest(endpoint: Endpoint) -> None:
    target = f"s3://{RESULTS}/unloaded/one/"
    sql = f"UNLOAD (SELECT seq, event_hour FROM web_events) TO '{target}' WITH (format = 'PARQUET', partitioned_by = ARRAY['event_hour'])"
    execution = endpoint.run(sql)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    manifest = execution["Statistics"]["DataManifestLocation"]
    bucket, key = manifest.removeprefix("s3://").split("/", 1)
    lines = endpoint.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode().splitlines()
    assert sorted(line.split("/")[5] for line in lines) == [
        "event_hour=2026-11-23-23",
        "event_hour=2026-11-24-00",
        "event_hour=2026-11-24-10",
    ]
    assert "HIVE_PATH_ALREADY_EXISTS" in endpoint.failure(sql)


def test_the_path_of_an_objects_rows_is_a_column(endpoint: Endpoint) -> None:
    sql = f"SELECT DISTINCT \"$path\" FROM {DATABASE}.web_events WHERE event_hour = '2026-11-24-10'"
    assert endpoint.rows(sql) == [(f"s3://{BUCKET}/web_events/event_hour=2026-11-24-10/a.parquet",)]
