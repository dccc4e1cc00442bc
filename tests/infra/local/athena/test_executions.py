"""Executions: tokens, workgroups, limits, cancellation, reuse, parameters, errors, restart."""

import uuid
from shutil import copy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.athena import AthenaService, service
from infra.local.athena.service import WORKERS
from infra.local.parts.context import LocalContext
from infra.local.paths import LocalPaths
from infra.local.processes import free_ports
from tests.infra.local.athena.conftest import DATABASE, RESULTS, Endpoint, serving, wait_for

SLOW = "SELECT sum(a.n * b.n * c.n) FROM " + ", ".join(
    f"(SELECT n FROM UNNEST(sequence(1, 2000)) AS t(n)) {name}" for name in "abc"
)


def start(endpoint: Endpoint, sql: str, **more: Any) -> str:
    request = {"QueryString": sql, "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/"}, **more}
    return str(endpoint.client("athena").start_query_execution(**request)["QueryExecutionId"])


def test_the_same_token_gives_the_same_execution_and_another_query_is_refused(endpoint: Endpoint) -> None:
    token = str(uuid.uuid4())
    first = start(endpoint, "SELECT 1", ClientRequestToken=token)
    assert start(endpoint, "SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        start(endpoint, "SELECT 2", ClientRequestToken=token)


def test_an_enforcing_workgroup_decides_where_results_go(endpoint: Endpoint) -> None:
    athena = endpoint.client("athena")
    configuration = {
        "EnforceWorkGroupConfiguration": True,
        "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/enforced/"},
    }
    athena.create_work_group(Name="enforcing", Configuration=configuration)
    execution = endpoint.run("SELECT 1", WorkGroup="enforcing")
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{RESULTS}/enforced/")
    assert "enforcing" in [g["Name"] for g in athena.list_work_groups()["WorkGroups"]]


def test_without_an_output_location_nothing_starts(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError, match="No output location provided"):
        endpoint.client("athena").start_query_execution(QueryString="SELECT 1")


def test_a_query_over_the_workgroups_limit_is_cut_off(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infra.local.athena import work_groups

    monkeypatch.setattr(work_groups, "LEAST_CUTOFF", 10)
    configuration = {"BytesScannedCutoffPerQuery": 10_000_000}
    endpoint.client("athena").create_work_group(Name="limited", Configuration=configuration)
    resource = endpoint.service.resources["AWS::Athena::WorkGroup"]
    limit = {
        "EnforceWorkGroupConfiguration": "true",
        "BytesScannedCutoffPerQuery": "10",
        "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/limited/"},
    }
    resource.update("limited", {"WorkGroupConfiguration": limit})
    reason = endpoint.failure("SELECT event_id FROM web_events", WorkGroup="limited")
    assert reason.startswith("BYTES_SCANNED_LIMIT: Bytes scanned limit was exceeded")


def test_a_running_query_can_be_stopped(endpoint: Endpoint) -> None:
    athena = endpoint.client("athena")
    identifier = start(endpoint, SLOW)

    def state() -> str:
        return str(
            athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]["State"]
        )

    wait_for(lambda: state() == "RUNNING")
    athena.stop_query_execution(QueryExecutionId=identifier)
    assert endpoint.wait(identifier, 20)["Status"]["State"] == "CANCELLED"


def test_a_result_is_reused_only_when_asked_and_young_enough(endpoint: Endpoint) -> None:
    sql = "SELECT count(*) AS reused FROM web_events"
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    first = endpoint.run(sql)
    second = endpoint.run(sql, ResultReuseConfiguration=reuse)
    assert second["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
    assert second["ResultConfiguration"]["OutputLocation"] == first["ResultConfiguration"]["OutputLocation"]
    assert endpoint.rows(sql, ResultReuseConfiguration=reuse) == [("300",)]
    assert not endpoint.run(sql)["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]


@pytest.mark.parametrize("value", ["it''s", "a'' OR 1=1 --", "?", "100%", "snow ☃"])
def test_a_parameter_is_one_literal_whatever_it_holds(endpoint: Endpoint, value: str) -> None:
    found = endpoint.rows("SELECT ?, '?' WHERE ? = ?", ExecutionParameters=[f"'{value}'", "1", "1"])
    assert found == [(value.replace("''", "'"), "?")]


@pytest.mark.parametrize(
    "written", ["1); DROP TABLE web_events", "(SELECT 1 FROM web_events)", "x", "'a' 'b"]
)
def test_a_parameter_that_is_not_a_literal_is_refused(endpoint: Endpoint, written: str) -> None:
    assert endpoint.run("SELECT ?", ExecutionParameters=[written])["Status"]["State"] == "FAILED"


def test_a_prepared_statement_runs_with_its_parameters(endpoint: Endpoint) -> None:
    endpoint.run(
        "PREPARE by_type FROM SELECT count(*) FROM web_events WHERE event_type = ? AND event_hour = ?"
    )
    assert endpoint.rows("EXECUTE by_type USING 'page_viewed', '2026-11-24-10'") == [("50",)]
    athena = endpoint.client("athena")
    listed = athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]
    assert "by_type" in [s["StatementName"] for s in listed]
    endpoint.rows("DEALLOCATE PREPARE by_type")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        athena.get_prepared_statement(WorkGroup="primary", StatementName="by_type")


def test_named_queries_are_kept_and_paged(endpoint: Endpoint) -> None:
    athena = endpoint.client("athena")
    ids = [
        athena.create_named_query(Name=f"n{i}", Database=DATABASE, QueryString=f"SELECT {i}")["NamedQueryId"]
        for i in range(3)
    ]
    page = athena.list_named_queries(MaxResults=2)
    assert len(page["NamedQueryIds"]) == 2 and page["NextToken"]
    assert athena.get_named_query(NamedQueryId=ids[2])["NamedQuery"]["QueryString"] == "SELECT 2"
    athena.delete_named_query(NamedQueryId=ids[0])
    missing = athena.batch_get_named_query(NamedQueryIds=ids)["UnprocessedNamedQueryIds"]
    assert [m["NamedQueryId"] for m in missing] == ids[:1]


@pytest.mark.parametrize(
    ("sql", "begins"),
    [
        (
            "SELECT * FROM nosuch",
            "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.penstock.nosuch' does not exist",
        ),
        ("SELECT nosuch FROM web_events", "COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' cannot be resolved"),
        ("SELECT * FROM nodb.t", "SCHEMA_NOT_FOUND"),
        ("SELECT nosuch(1)", "FUNCTION_NOT_FOUND"),
        ("SELECT list_sort(ARRAY[1])", "FUNCTION_NOT_FOUND"),
        (
            "SELECT approx_set(seq) FROM web_events",
            "NOT_SUPPORTED: line 1:19: Function 'approx_set' is not supported by the local",
        ),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO"),
        ("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT: Cannot cast 'x' to integer"),
        ("SELECT 'a' = 1", "TYPE_MISMATCH"),
        ("MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE", "NOT_SUPPORTED"),
    ],
)
def test_errors_have_trinos_names_and_are_the_users(endpoint: Endpoint, sql: str, begins: str) -> None:
    execution = endpoint.run(sql)
    assert execution["Status"]["StateChangeReason"].startswith(begins)
    assert execution["Status"]["AthenaError"]["ErrorCategory"] == 2
    assert execution["Status"]["AthenaError"]["Retryable"] is False


def test_text_that_is_not_a_statement_is_refused_at_once(endpoint: Endpoint) -> None:
    with pytest.raises(ClientError, match="InvalidRequestException"):
        start(endpoint, "SELEKT 1")


def test_results_of_a_failed_query_are_refused(endpoint: Endpoint) -> None:
    execution = endpoint.run("SELECT 1 / 0")
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        endpoint.client("athena").get_query_results(QueryExecutionId=execution["QueryExecutionId"])


def test_null_and_the_empty_string_differ_in_pages_and_in_the_file(endpoint: Endpoint) -> None:
    execution = endpoint.run("SELECT NULL AS a, '' AS b, 'say \"x\"' AS c, ARRAY[1, NULL] AS d")
    assert endpoint.rows("SELECT NULL AS a, '' AS b") == [(None, "")]
    bucket, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").split("/", 1)
    text = endpoint.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert text == '"a","b","c","d"\n,"","say ""x""","[1, null]"\n'


def test_bytes_scanned_are_those_of_the_columns_that_the_query_needs(endpoint: Endpoint) -> None:
    def scanned(columns: str) -> int:
        sql = f"SELECT {columns} FROM (SELECT * FROM web_events) WHERE event_hour = '2026-11-24-10'"
        execution = endpoint.run(sql)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return int(execution["Statistics"]["DataScannedInBytes"])

    assert scanned("count(*)") == 0
    assert 0 < scanned("max(order_placed.total_minor)") < scanned("max(event_id)") < scanned("*")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM read_parquet('x')",
        "SELECT getenv('HOME')",
        "COPY (SELECT 1) TO '/tmp/x'",
        "ATTACH '/tmp/x'",
        "SET enable_external_access = true",
        "SELECT * FROM duckdb_settings()",
        "INSTALL httpfs",
    ],
)
def test_no_sql_reaches_files_or_settings(endpoint: Endpoint, sql: str) -> None:
    try:
        execution = endpoint.run(sql)
    except ClientError:
        return
    assert execution["Status"]["State"] == "FAILED", sql


def test_records_survive_a_restart_and_what_ran_is_failed(endpoint: Endpoint, tmp_path: Any) -> None:
    (port,) = free_ports(1)
    paths = LocalPaths(tmp_path)
    copy(endpoint.context.paths.keys, paths.keys)
    context = LocalContext(
        paths, endpoint_url=endpoint.context.endpoint_url, server_url=f"http://127.0.0.1:{port}"
    )
    with serving(context, port) as service:
        second = Endpoint(context, context.server_url, service)
        done = second.run("SELECT 42 AS x")["QueryExecutionId"]
        record = service._store.find("execution", done) or {}
        service._store.put("execution", "primary", "gone", {**record, "id": "gone", "state": "RUNNING"})
        ended = ["gone", *(start(second, SLOW) for _ in range(WORKERS + 1))]  # one more than run at a time
    with serving(context, port) as service:
        second = Endpoint(context, context.server_url, service)
        athena = context.client("athena")
        rows = athena.get_query_results(QueryExecutionId=done)["ResultSet"]["Rows"]
        assert rows[1]["Data"] == [{"VarCharValue": "42"}]
        for each in ended:
            status = athena.get_query_execution(QueryExecutionId=each)["QueryExecution"]["Status"]
            assert (status["State"], status["AthenaError"]["Retryable"]) == ("FAILED", True)
    assert isinstance(service, AthenaService)


def test_who_asks_for_a_running_execution_is_answered_at_its_end(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PATIENCE_SECONDS", 30.0)
    identifier = start(
        endpoint, "SELECT count(*) FROM UNNEST(sequence(1, 10000)) a(n), UNNEST(sequence(1, 1000)) b(m)"
    )
    asked = endpoint.client("athena").get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
    assert asked["Status"]["State"] == "SUCCEEDED"


def test_nobody_waits_longer_than_a_call_to_aws_takes(endpoint: Endpoint) -> None:
    identifier = start(endpoint, SLOW)
    asked = endpoint.client("athena").get_query_execution(QueryExecutionId=identifier)["QueryExecution"]
    endpoint.client("athena").stop_query_execution(QueryExecutionId=identifier)
    assert asked["Status"]["State"] in ("QUEUED", "RUNNING")
    assert endpoint.wait(identifier)["Status"]["State"] == "CANCELLED"
