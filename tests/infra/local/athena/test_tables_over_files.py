"""Files that tables are declared over: what is not read as declared is refused, and never read otherwise."""

import pyarrow as pa
import pytest

from tests.infra.local.athena.conftest import BUCKET, Endpoint


def put(endpoint: Endpoint, key: str, body: str) -> None:
    endpoint.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body.encode())


def test_text_without_a_delimiter_has_hives_own(endpoint: Endpoint) -> None:
    put(endpoint, "bare/a", "21\x01b1\n3\x01c\u2028d\n")
    endpoint.rows(f"CREATE EXTERNAL TABLE bare (n int, s string) LOCATION 's3://{BUCKET}/bare/'")
    assert endpoint.rows("SELECT n, s FROM bare ORDER BY n") == [("3", "c\u2028d"), ("21", "b1")]


def test_properties_of_a_row_format_keep_their_case_and_are_honoured(endpoint: Endpoint) -> None:
    put(endpoint, "semi/a", '1;"a;b"\n2;c\n')
    endpoint.rows(
        "CREATE EXTERNAL TABLE semi (n string, s string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
        f"WITH SERDEPROPERTIES ('separatorChar' = ';') LOCATION 's3://{BUCKET}/semi/'"
    )
    assert endpoint.rows("SELECT n, s FROM semi ORDER BY n") == [("1", "a;b"), ("2", "c")]


@pytest.mark.parametrize(
    "clause",
    [
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\'",
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LINES TERMINATED BY '|'",
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' WITH SERDEPROPERTIES ('mapping.a' = 'A-b')",
    ],
)
def test_a_property_that_is_not_honoured_is_refused_by_name(endpoint: Endpoint, clause: str) -> None:
    sql = f"CREATE EXTERNAL TABLE unread (a string) {clause} LOCATION 's3://{BUCKET}/unread/'"
    assert endpoint.failure(sql).startswith("NOT_SUPPORTED: The row format's property ")
    assert "does not exist" in endpoint.failure("SELECT * FROM unread")


def test_a_parquet_type_that_athena_does_not_read_so_is_bad_data(endpoint: Endpoint) -> None:
    endpoint.put_parquet("halves/1.parquet", pa.table({"n": [1.5, 2.5]}))
    endpoint.rows(
        f"CREATE EXTERNAL TABLE halves (n bigint) STORED AS PARQUET LOCATION 's3://{BUCKET}/halves/'"
    )
    assert endpoint.failure("SELECT n FROM halves").startswith("HIVE_BAD_DATA: Field n's type DOUBLE")


def test_a_char_column_is_as_long_as_it_is_declared(endpoint: Endpoint) -> None:
    endpoint.put_parquet("chars/1.parquet", pa.table({"c": ["College", "x"], "v": ["abcdef", "y"]}))
    endpoint.rows(
        f"CREATE EXTERNAL TABLE chars (c char(20), v varchar(3)) STORED AS PARQUET LOCATION 's3://{BUCKET}/chars/'"
    )
    assert endpoint.rows("SELECT v FROM chars WHERE c = 'College'") == [("abc",)]


def projected(endpoint: Endpoint, name: str, columns: str, **properties: str) -> None:
    listed = ", ".join(f"'{key.replace('__', '.')}' = '{value}'" for key, value in properties.items())
    endpoint.rows(
        f"CREATE EXTERNAL TABLE {name} (n int) PARTITIONED BY ({columns}) STORED AS PARQUET "
        f"LOCATION 's3://{BUCKET}/{name}/' TBLPROPERTIES ('projection.enabled' = 'true', {listed})"
    )


def test_projected_dates_may_have_slashes(endpoint: Endpoint) -> None:
    for hour in range(12):
        endpoint.put_parquet(
            f"slashes/2026/11/24/{hour:02}/a.parquet", pa.table({"n": pa.array([hour], pa.int32())})
        )
    projected(
        endpoint, "slashes", "h string", projection__h__type="date", projection__h__format="yyyy/MM/dd/HH",
        projection__h__range="2026/11/24/00,2026/11/24/23", projection__h__interval="1",
        projection__h__interval__unit="HOURS", storage__location__template=f"s3://{BUCKET}/slashes/${{h}}",
    )  # fmt: skip
    assert endpoint.rows("SELECT count(*), sum(n) FROM slashes WHERE h >= '2026/11/24/00'") == [("12", "66")]
    assert endpoint.rows("SELECT n FROM slashes WHERE h = '2026/11/24/05'") == [("5",)]


def test_projected_numbers_may_have_digits_and_months_are_of_the_calendar(endpoint: Endpoint) -> None:
    one = pa.table({"n": pa.array([7], pa.int32())})
    endpoint.put_parquet("months/m=2026-01/h=05/a.parquet", one)
    endpoint.put_parquet("months/m=2026-03/h=05/a.parquet", one)
    projected(
        endpoint, "months", "m string, h int", projection__m__type="date", projection__m__format="yyyy-MM",
        projection__m__range="2025-11,2026-12", projection__m__interval__unit="MONTHS", projection__h__type="integer",
        projection__h__range="0,23", projection__h__digits="2",
    )  # fmt: skip
    assert endpoint.rows("SELECT m, n FROM months WHERE h = 5 ORDER BY m") == [
        ("2026-01", "7"),
        ("2026-03", "7"),
    ]
    assert endpoint.rows("SELECT count(*) FROM months WHERE m = '2026-03' AND h IN (5, 6)") == [("1",)]


def test_an_insert_of_another_type_is_refused(endpoint: Endpoint) -> None:
    endpoint.rows(f"CREATE TABLE typed WITH (external_location = 's3://{BUCKET}/typed/') AS SELECT 1 AS a")
    assert endpoint.failure("INSERT INTO typed SELECT 2.6E0").startswith(
        "TYPE_MISMATCH: Insert query has mismatched"
    )
    endpoint.rows("INSERT INTO typed SELECT SMALLINT '2'")
    assert endpoint.rows("SELECT a FROM typed ORDER BY a") == [("1",), ("2",)]


def test_ddl_takes_backticks_and_refuses_names_in_double_quotes(endpoint: Endpoint) -> None:
    endpoint.rows("CREATE SCHEMA IF NOT EXISTS `quoted`")
    endpoint.rows(f"CREATE EXTERNAL TABLE `quoted`.`of_hive` (`a` int) LOCATION 's3://{BUCKET}/of_hive/'")
    assert endpoint.rows("DESCRIBE `quoted`.`of_hive`")[0][0].split() == ["a", "int"]  # type: ignore[union-attr]
    written = "\n".join(str(row[0]) for row in endpoint.rows("SHOW CREATE TABLE quoted.of_hive"))
    endpoint.rows("DROP TABLE `quoted`.`of_hive`")
    endpoint.rows(written)
    assert endpoint.rows("SHOW TABLES IN quoted") == [("of_hive",)]
    assert "mismatched input" in endpoint.failure(
        f"CREATE EXTERNAL TABLE \"q\" (a int) LOCATION 's3://{BUCKET}/q/'"
    )
    assert "mismatched input" in endpoint.failure('DROP TABLE "quoted"."of_hive"')
    endpoint.rows("DROP DATABASE `quoted` CASCADE")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 LIMIT 1 OFFSET 1", "SELECT '1'::integer", "SELECT 1 WHERE 1 == 1", "SELECT DATE '2024-01-01' + INTERVAL 1 DAY",
        "SELECT TIMESTAMP '2024-03-31 02:30:00 Europe/Berlin'", "WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a", "SELECT 1a",
        "SELECT CAST(12345 AS varchar(3))", "SELECT cardinality(sequence(1, 10001))",
    ],
)  # fmt: skip
def test_what_trino_refuses_is_refused(endpoint: Endpoint, sql: str) -> None:
    assert endpoint.failure(sql).split(":")[0] in (
        "SYNTAX_ERROR", "DUPLICATE_NAMED_QUERY", "INVALID_CAST_ARGUMENT", "INVALID_FUNCTION_ARGUMENT",
    )  # fmt: skip
