import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.failed.memory_bucket import MemoryObjects, error_line
from transforms.failed.error_objects import FailedRecord, UnreadableStretch, kind_of, read_error_object
from transforms.failed.records import error_objects

KEY = "failed/processing-failed/dt=2026-11-24/a"


def read(body: bytes, key: str = KEY) -> tuple[list[FailedRecord], list[UnreadableStretch]]:
    found = list(read_error_object(key, body))
    return (
        [each for each in found if isinstance(each, FailedRecord)],
        [each for each in found if isinstance(each, UnreadableStretch)],
    )


@pytest.mark.parametrize(
    "names",
    [
        {"code": "errorCode", "message": "errorMessage"},
        {"code": "ErrorCode", "message": "ErrorMessage"},
        {"code": "lastErrorCode", "message": "lastErrorMessage"},
    ],
)
def test_every_spelling_of_code_and_message_is_read(names: dict[str, str]) -> None:
    document = {
        names["code"]: "X.Y",
        names["message"]: "why",
        "RAWDATA": base64.b64encode(b"r").decode(),
        "extra": {},
    }
    (record,), unreadable = read(json.dumps(document).encode())
    assert (record.code, record.message, record.raw) == ("X.Y", "why", b"r")
    assert not unreadable


def test_documents_are_read_with_and_without_newlines_between() -> None:
    one, two = error_line(b"1", 5), error_line(b"2", 6)
    for body in (
        one + two,
        one.strip() + two.strip(),
        b"\n\n" + one + b"\r\n" + two,
        one.strip() + b" , " + two,
    ):
        records, unreadable = read(body)
        assert [(each.number, each.raw, each.arrival_ms) for each in records] == [(1, b"1", 5), (2, b"2", 6)]
        assert not unreadable


def test_an_unreadable_stretch_is_kept_and_harms_no_neighbour() -> None:
    body = (
        error_line(b"1", 5)
        + b'{"rawData": "oops\n'
        + error_line(b"2", 6)
        + b"\xff\xfe\n"
        + error_line(b"3", 7)
    )
    records, unreadable = read(body)
    assert [each.raw for each in records] == [b"1", b"2", b"3"]
    assert [each.text for each in unreadable] == [b'{"rawData": "oops', b"\xff\xfe"]


@pytest.mark.parametrize(
    "document", ["{}", '{"rawData": 7}', '{"rawData": "no base64!"}', "7", "null", '"x"', "[1]"]
)
def test_a_document_without_a_record_is_an_unreadable_stretch(document: str) -> None:
    records, unreadable = read(document.encode())
    assert not records
    assert len(unreadable) == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_exception(body: bytes) -> None:
    read(body)


@given(st.lists(st.binary(max_size=50), max_size=8))
def test_every_record_written_is_read_back(raws: list[bytes]) -> None:
    records, unreadable = read(b"".join(error_line(raw, 1) for raw in raws))
    assert [each.raw for each in records] == raws
    assert not unreadable


def test_the_kind_of_error_is_read_from_the_key() -> None:
    assert kind_of(KEY) == "processing-failed"
    assert kind_of("failed/activePartitionExceeded/dt=2026-11-24/b") == "activePartitionExceeded"


def test_what_a_writer_has_not_finished_is_not_an_error_object() -> None:
    objects = MemoryObjects()
    objects.bodies[KEY] = error_line(b"1", 5)
    for hidden in ("_temporary/0/b", ".c", "_SUCCESS"):
        objects.bodies[f"failed/processing-failed/dt=2026-11-24/{hidden}"] = error_line(b"2", 6)
    assert [record.raw for each in error_objects(objects) for record in each.records] == [b"1"]
