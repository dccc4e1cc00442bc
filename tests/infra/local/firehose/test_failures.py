"""Records that fail: rows of docs/firehose-failures.md. The others are in `test_interrupted_delivery.py`."""

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.infra.local.firehose.answers import PROCESSING, changed, until
from tests.infra.local.firehose.harness import (
    ARRIVAL_MS,
    COLUMNS,
    FUNCTION_ARN,
    PATIENT,
    Delivery,
    accept,
    accepted,
    but,
    event,
)

CONVERSION = "format-conversion-failed"
DOCUMENT = Path(__file__).parents[4] / "docs" / "firehose-failures.md"


def test_every_row_of_the_document_names_a_test_that_exists() -> None:
    named = re.findall(r"`(test_\w+)`", DOCUMENT.read_text())
    assert len(named) >= 30
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert {name for name in named if f"def {name}(" not in tests} == set()


def test_processing_failed_goes_to_the_error_prefix_and_neighbours_are_delivered(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", changed(result="ProcessingFailed")))
    delivery.run(event("a"), event("b"), event("c"))
    assert delivery.names() == ["a", "c"]
    (error,) = delivery.errors(PROCESSING)
    assert list(error)[:-1] == [
        "rawData",
        "errorCode",
        "errorMessage",
        "attemptsMade",
        "arrivalTimestamp",
        "attemptEndingTimestamp",
        "lambdaARN",
    ]
    assert error["raw"] == event("b")
    assert error["errorCode"] == "Lambda.ProcessingFailedStatus"
    assert error["errorMessage"] == "ProcessingFailed status set for record"
    assert error["attemptsMade"] == 1
    assert error["arrivalTimestamp"] == ARRIVAL_MS
    assert error["lambdaARN"] == FUNCTION_ARN
    assert len(delivery.function.requests) == 1


def test_dropped_leaves_no_trace_and_is_counted(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", lambda a: [{"recordId": a["recordId"], "result": "Dropped"}]))
    delivery.run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    assert delivery.errors() == []
    counts = delivery.worker.counts
    assert (counts.read, counts.delivered, counts.dropped, counts.in_flight) == (2, 1, 1, 0)


def test_a_record_id_that_is_not_answered_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", lambda _: [])).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    (error,) = delivery.errors(PROCESSING)
    assert (error["errorCode"], error["attemptsMade"]) == ("Lambda.MissingRecordId", 1)


@pytest.mark.parametrize("answer", [{}, {"records": 5}, [], "text"])
def test_an_answer_without_records_fails_every_record_once(tmp_path: Path, answer: object) -> None:
    delivery = Delivery(tmp_path, lambda _: answer).run(event("a"), event("b"))
    assert [error["errorCode"] for error in delivery.errors(PROCESSING)] == ["Lambda.MissingRecordId"] * 2
    assert len(delivery.function.requests) == 1


def test_a_record_id_that_is_answered_twice_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", lambda a: [a, a])).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    (error,) = delivery.errors(PROCESSING)
    assert error["errorCode"] == "Lambda.DuplicatedRecordId"


def test_a_record_id_that_nobody_asked_for_is_ignored(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", lambda a: [a, {**a, "recordId": "nobody"}]))
    delivery.run(event("a"), event("b"))
    assert delivery.names() == ["a", "b"]
    assert delivery.errors() == []


def test_ok_without_data_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", changed(data=None))).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    assert [error["errorCode"] for error in delivery.errors(PROCESSING)] == ["Lambda.InvalidReturnFormat"]


def test_a_result_that_does_not_exist_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", changed(result="Fine"))).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    assert [error["errorCode"] for error in delivery.errors(PROCESSING)] == ["Lambda.InvalidReturnFormat"]


def _is_tried_four_times(delivery: Delivery) -> None:
    errors = delivery.errors(PROCESSING)
    assert [(e["errorCode"], e["attemptsMade"]) for e in errors] == [("Lambda.FunctionError", 4)] * 2
    requests = delivery.function.requests
    assert len(requests) == 4
    assert len({request["invocationId"] for request in requests}) == 4
    assert len({json.dumps(request["records"]) for request in requests}) == 1


def test_a_function_that_raises_is_tried_four_times_and_then_fails_the_batch(tmp_path: Path) -> None:
    _is_tried_four_times(Delivery(tmp_path, lambda _: RuntimeError("no")).run(event("a"), event("b")))


def test_data_that_is_not_base64_is_a_function_error(tmp_path: Path) -> None:
    _is_tried_four_times(Delivery(tmp_path, but("b", changed(data="%"))).run(event("a"), event("b")))


def test_an_answer_that_is_not_json_is_a_function_error(tmp_path: Path) -> None:
    _is_tried_four_times(Delivery(tmp_path, lambda _: b"{").run(event("a"), event("b")))


def test_an_answer_over_six_megabytes_is_a_function_error(tmp_path: Path) -> None:
    large = but("b", changed(data="A" * 6_400_000))
    _is_tried_four_times(Delivery(tmp_path, large).run(event("a"), event("b")))


def test_a_function_that_recovers_loses_nothing(tmp_path: Path) -> None:
    tries: list[int] = []

    def answer(request: dict[str, Any]) -> Any:
        tries.append(1)
        return RuntimeError("no") if len(tries) < 4 else accept(request)

    delivery = Delivery(tmp_path, answer).run(event("a"))
    assert delivery.names() == ["a"]
    assert delivery.errors() == []


@pytest.mark.parametrize("hour", ["", None])
def test_a_partition_key_that_is_null_or_empty_fails_alone(tmp_path: Path, hour: str | None) -> None:
    delivery = Delivery(tmp_path).run(event("a"), event("b", hour=hour))
    assert delivery.names() == ["a"]
    (error,) = delivery.errors("metadata-extraction-failed")
    assert error["errorCode"] == "DynamicPartitioning.MetadataExtractionFailed"
    assert error["errorMessage"] == "partitionKeys values must not be null or empty"


def test_a_partition_key_that_is_missing_fails_alone(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, but("b", changed(metadata={}))).run(event("a"), event("b"))
    assert delivery.names() == ["a"]
    assert len(delivery.errors("metadata-extraction-failed")) == 1


def test_partitions_beyond_the_limit_go_to_the_error_prefix_and_active_ones_go_on(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path, pace=replace(PATIENT, most_partitions=2))
    delivery.run(event("a", "1"), event("b", "2"), event("c", "3"), event("d", "1"))
    assert delivery.names() == ["a", "b", "d"]
    (error,) = delivery.errors("activePartitionExceeded")
    assert error["raw"] == event("c", "3")


def _converts(tmp_path: Path, row: bytes) -> dict[str, Any]:
    """The error of the one bad row between two good ones."""
    change = changed(data=base64.b64encode(row).decode())
    delivery = Delivery(tmp_path, but("b", change)).run(event("a"), event("b"), event("c"))
    assert delivery.names() == ["a", "c"]
    (error,) = delivery.errors(CONVERSION)
    assert error["raw"] == row
    return error


def test_a_row_that_is_not_json_fails_alone(tmp_path: Path) -> None:
    error = _converts(tmp_path, b'{"name": ')
    assert error["lastErrorCode"] == "DataFormatConversion.ParseError"
    assert error["lastErrorMessage"].startswith("Encountered malformed JSON.")
    assert list(error)[:-1] == [
        "attemptsMade",
        "arrivalTimestamp",
        "lastErrorCode",
        "lastErrorMessage",
        "attemptEndingTimestamp",
        "rawData",
        "sequenceNumber",
        "subSequenceNumber",
        "dataCatalogTable",
    ]
    assert error["dataCatalogTable"] == {
        "catalogId": "000000000000",
        "databaseName": "db",
        "tableName": "events",
        "region": "us-east-1",
        "versionId": "LATEST",
        "catalogArn": "arn:aws:glue:us-east-1:000000000000:catalog",
    }


def test_a_value_that_does_not_fit_its_column_fails_alone(tmp_path: Path) -> None:
    error = _converts(tmp_path, b'{"name": "b", "number": "oops"}')
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"
    assert error["lastErrorMessage"] == 'Data does not match the schema. For input string: "oops"'


@pytest.mark.parametrize("row", [b" ", b"\n", b"\t\n"])
def test_an_empty_row_fails_alone(tmp_path: Path, row: bytes) -> None:
    error = _converts(tmp_path, row)
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"
    assert error["lastErrorMessage"] == "The record was empty or contained only whitespace."


def test_a_number_out_of_its_columns_range_fails_alone(tmp_path: Path) -> None:
    error = _converts(tmp_path, b'{"name": "b", "inner": {"a": 2147483648}}')
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"


def test_a_time_with_an_offset_fails_alone(tmp_path: Path) -> None:
    error = _converts(tmp_path, b'{"name": "b", "at": "2026-11-24T10:00:00+00:00"}')
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"


def test_a_list_of_documents_fails_and_documents_in_a_row_are_rows(tmp_path: Path) -> None:
    _converts(tmp_path, b'[{"name": "b"}]')
    other = tmp_path / "other"
    other.mkdir()
    two = base64.b64encode(b'{"name": "b1"}{"name": "b2"}').decode()
    delivery = Delivery(other, but("b", changed(data=two))).run(event("a"), event("b"))
    assert delivery.names() == ["a", "b1", "b2"]


def test_two_halves_of_a_document_in_two_records_never_become_one_row(tmp_path: Path) -> None:
    halves = {"b": b'{"name": "b", "number": 1', "c": b', "at": null}'}

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        records = []
        for record in request["records"]:
            name = json.loads(base64.b64decode(record["data"]))["name"]
            made = accepted(record)
            if name in halves:
                made["data"] = base64.b64encode(halves[name]).decode()
            records.append(made)
        return {"records": records}

    delivery = Delivery(tmp_path, answer).run(event("a"), event("b"), event("c"), event("d"))
    assert delivery.names() == ["a", "d"]
    assert len(delivery.errors(CONVERSION)) == 2


def test_a_missing_table_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.catalog.columns = None
    delivery.stream.put(event("a"))
    delivery.worker.start()
    delivery.worker.drain(0.3)
    assert delivery.worker.counts.failed_puts > 0
    delivery.catalog.columns = dict(COLUMNS)
    assert delivery.worker.drain(10)
    delivery.worker.stop()
    assert delivery.names() == ["a"]


def test_a_new_column_is_delivered_without_a_restart(tmp_path: Path) -> None:
    delivery = Delivery(tmp_path)
    delivery.stream.put(event("a", more="1"))
    delivery.worker.start()
    assert delivery.worker.drain(10)
    delivery.catalog.columns = {**COLUMNS, "more": "string"}
    delivery.catalog.version += 1

    def put_and_see() -> bool:
        delivery.stream.put(event("b", more="2"))
        assert delivery.worker.drain(10)
        return any(row.get("more") == "2" for row in delivery.rows())

    until(put_and_see)
    delivery.worker.stop()
