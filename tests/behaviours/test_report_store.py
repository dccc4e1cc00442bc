"""The report store on S3 and Glue: what a swap may and may not do."""

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from queries.store.checks import FAILED_CHECK
from queries.store.glue import RETIRED_TAG, GlueReportStore
from queries.store.port import Entry, NewerVersionError, SwapRefusedError

HOUR, NEXT = "2026-11-24-10", "2026-11-24-11"


@pytest.fixture
def clients() -> Iterator[tuple[Any, Any]]:
    with mock_aws():
        s3, glue = (boto3.client(name, region_name="us-east-1") for name in ("s3", "glue"))
        s3.create_bucket(Bucket="reporting")
        glue.create_database(DatabaseInput={"Name": "db"})
        descriptor = {
            "Columns": [{"Name": "events", "Type": "bigint"}],
            "Location": "s3://reporting/reports/sample/v1/",
        }
        keys = [{"Name": "event_hour", "Type": "string"}]
        glue.create_table(
            DatabaseName="db",
            TableInput={"Name": "sample", "StorageDescriptor": descriptor, "PartitionKeys": keys},
        )
        yield s3, glue


def store_on(clients: tuple[Any, Any]) -> GlueReportStore:
    return GlueReportStore(*clients, bucket="reporting", database="db")


def entry(hour: str, run: str, fence: int) -> Entry:
    return Entry(hour, f"reports/sample/v1/run={run}/event_hour={hour}/", {"fence": str(fence)})


def put(s3: Any, key: str, failed: list[str | None]) -> None:
    body = io.BytesIO()
    pq.write_table(pa.table({"events": [1] * len(failed), FAILED_CHECK: pa.array(failed, pa.string())}), body)
    s3.put_object(Bucket="reporting", Key=key, Body=body.getvalue())


def test_a_swap_creates_unknown_partitions_and_moves_known_ones_in_place(clients: tuple[Any, Any]) -> None:
    store = store_on(clients)
    store.swap("sample", [entry(HOUR, "a", 1)])
    store.swap("sample", [entry(HOUR, "b", 2), entry(NEXT, "b", 1)])
    served = store.served("sample", [HOUR, NEXT, "2026-11-24-12"])
    assert {hour: found.location.split("/")[3] for hour, found in served.items()} == {
        HOUR: "run=b",
        NEXT: "run=b",
    }
    stored = clients[1].get_partition(DatabaseName="db", TableName="sample", PartitionValues=[HOUR])[
        "Partition"
    ]
    assert stored["StorageDescriptor"]["Columns"] == [{"Name": "events", "Type": "bigint"}]


def test_an_older_claim_cannot_replace_a_newer_one_and_takes_nobody_with_it(clients: tuple[Any, Any]) -> None:
    store = store_on(clients)
    store.swap("sample", [entry(HOUR, "new", 5)])
    with pytest.raises(NewerVersionError):
        store.swap("sample", [entry(NEXT, "old", 1), entry(HOUR, "old", 4)])
    assert set(store.served("sample", [HOUR, NEXT])) == {HOUR}


def test_swapping_the_same_version_again_is_harmless(clients: tuple[Any, Any]) -> None:
    store = store_on(clients)
    for _ in range(2):
        store.swap("sample", [entry(HOUR, "a", 1)])
    assert store.served("sample", [HOUR])[HOUR].parameters["fence"] == "1"


def test_errors_inside_glues_success_are_noticed(
    clients: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_on(clients)
    store.swap("sample", [entry(HOUR, "a", 1)])
    detail = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "gone"}
    answer = {"Errors": [{"PartitionValueList": [HOUR], "ErrorDetail": detail}]}
    monkeypatch.setattr(clients[1], "batch_update_partition", lambda **_: answer)
    with pytest.raises(SwapRefusedError, match=HOUR):
        store.swap("sample", [entry(HOUR, "b", 2)])


def test_a_partition_that_another_created_meanwhile_is_noticed(
    clients: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_on(clients)
    store.swap("sample", [entry(HOUR, "a", 1)])
    monkeypatch.setattr(clients[1], "batch_get_partition", lambda **_: {"Partitions": []})
    with pytest.raises(SwapRefusedError, match="AlreadyExists"):
        store.swap("sample", [entry(HOUR, "b", 2)])


def test_the_audit_sums_a_partitions_files_and_reads_no_hidden_ones(clients: tuple[Any, Any]) -> None:
    s3, store = clients[0], store_on(clients)
    run = "reports/sample/v1/run=a/"
    put(s3, f"{run}event_hour={HOUR}/1", [None, None])
    put(s3, f"{run}event_hour={HOUR}/2", ["events >= 1"])
    put(s3, f"{run}event_hour={NEXT}/1", [None])
    s3.put_object(Bucket="reporting", Key=f"{run}event_hour={NEXT}/_SUCCESS", Body=b"no parquet")
    found = store.outputs(run, "event_hour")
    assert (found[HOUR].rows, found[HOUR].files, found[HOUR].failed) == (3, 2, ("events >= 1",))
    assert (found[NEXT].rows, found[NEXT].failed) == (1, ())
    assert found[NEXT].columns == ("events", FAILED_CHECK)


def test_a_footer_larger_than_the_first_read_is_fetched_whole(clients: tuple[Any, Any]) -> None:
    columns = {f"a_rather_long_column_name_{number}": [number] for number in range(1500)}
    body = io.BytesIO()
    pq.write_table(pa.table({**columns, FAILED_CHECK: pa.array([None], pa.string())}), body)
    clients[0].put_object(Bucket="reporting", Key=f"r/event_hour={HOUR}/1", Body=body.getvalue())
    assert store_on(clients).outputs("r/", "event_hour")[HOUR].rows == 1


def test_retired_runs_are_tagged_and_not_deleted(clients: tuple[Any, Any]) -> None:
    s3, store = clients[0], store_on(clients)
    put(s3, f"reports/sample/v1/run=a/event_hour={HOUR}/1", [None])
    put(s3, f"reports/sample/v1/run=b/event_hour={HOUR}/1", [None])
    assert [run.location for run in store.runs("reports/sample/v1/")] == [
        "reports/sample/v1/run=a/",
        "reports/sample/v1/run=b/",
    ]
    assert store.retire("reports/sample/v1/run=a/") == 1
    tags = s3.get_object_tagging(Bucket="reporting", Key=f"reports/sample/v1/run=a/event_hour={HOUR}/1")[
        "TagSet"
    ]
    assert tags == [{"Key": RETIRED_TAG[0], "Value": RETIRED_TAG[1]}]


def test_what_glue_did_not_come_to_look_for_is_asked_for_again_and_is_not_missing(
    clients: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, hours = store_on(clients), [f"2026-11-24-{hour:02}" for hour in range(6)]
    store.swap("sample", [entry(hour, "a", 1) for hour in hours])
    ask, asked = clients[1].batch_get_partition, []

    def one_at_a_time(*, PartitionsToGet: list[Any], **names: Any) -> Any:  # noqa: N803 - boto3's name
        asked.append(len(PartitionsToGet))
        answer = ask(PartitionsToGet=PartitionsToGet[:1], **names)
        return {"Partitions": answer["Partitions"], "UnprocessedKeys": PartitionsToGet[1:]}

    monkeypatch.setattr(clients[1], "batch_get_partition", one_at_a_time)
    assert set(store.served("sample", hours)) == set(hours)
    assert asked == [6, 5, 4, 3, 2, 1]


def test_partitions_that_are_not_there_are_asked_for_once_more_and_no_further(
    clients: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def none(*, PartitionsToGet: list[Any], **_: Any) -> Any:  # noqa: N803 - boto3's name
        asked.append(len(PartitionsToGet))
        return {"Partitions": [], "UnprocessedKeys": PartitionsToGet}

    monkeypatch.setattr(clients[1], "batch_get_partition", none)
    assert store_on(clients).served("sample", [HOUR, NEXT]) == {}
    assert asked == [2, 2]


def test_a_small_object_is_read_back_and_one_that_is_not_there_is_empty(clients: tuple[Any, Any]) -> None:
    store = store_on(clients)
    store.put("reports/sample/v1/_retired.json", b"[]")
    assert store.get("reports/sample/v1/_retired.json") == b"[]"
    assert store.get("reports/another/v1/_retired.json") == b""


def test_a_file_without_statistics_is_counted_as_untold(clients: tuple[Any, Any]) -> None:
    body, run = io.BytesIO(), "reports/sample/v1/run=a/"
    table = pa.table({"events": [1, 2], FAILED_CHECK: pa.array([None, "events >= 1"], pa.string())})
    pq.write_table(table, body, write_statistics=False)
    clients[0].put_object(Bucket="reporting", Key=f"{run}event_hour={HOUR}/1", Body=body.getvalue())
    found = store_on(clients).outputs(run, "event_hour")[HOUR]
    assert (found.rows, found.untold, found.failed) == (2, 1, ())
