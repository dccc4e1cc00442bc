"""Messages of the queue."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from hypothesis import given
from hypothesis import strategies as st

from queries.handler import read_batch
from queries.lake.notifications import CreatedObject, MalformedNotificationError, created_objects
from queries.partitions import Key, LakeHour, stale_partitions
from tests.shop import REPORTS, TABLES


def notification(key: str, *, bucket: str = "lake", event: str = "ObjectCreated:Put", **more: Any) -> str:
    described = {"key": quote_plus(key), "size": 10, "eTag": "e", "sequencer": "0A", **more}
    s3 = {"bucket": {"name": bucket}, "object": described}
    return json.dumps({"Records": [{"eventVersion": "2.6", "eventName": event, "s3": s3, "unknown": {}}]})


def message(name: str, body: str) -> SQSRecord:
    return SQSRecord({"messageId": name, "body": body})


@given(
    st.text(min_size=1).filter(
        lambda key: "\x00" not in key and not any(0xD800 <= ord(c) <= 0xDFFF for c in key)
    )
)
def test_a_key_is_decoded_exactly_once(key: str) -> None:
    assert created_objects(notification(key)) == [CreatedObject("lake", key, 10)]


@pytest.mark.parametrize("key", ["a=b", "a+b", "a%2Bb", "a b", "é/ü", "100%"])
def test_awkward_keys_are_read_as_they_were_written(key: str) -> None:
    assert created_objects(notification(key))[0].key == key


def test_the_test_message_of_s3_reports_nothing() -> None:
    assert created_objects('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"lake"}') == []


def test_copies_and_multipart_uploads_count_and_removals_do_not() -> None:
    assert created_objects(notification("k", event="ObjectCreated:Copy"))
    assert created_objects(notification("k", event="s3:ObjectCreated:CompleteMultipartUpload"))
    assert created_objects(notification("k", event="ObjectRemoved:Delete")) == []


def test_the_form_of_eventbridge_is_read_without_decoding() -> None:
    body = {
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "lake"}, "object": {"key": "a+b", "size": 1}},
    }
    assert created_objects(json.dumps(body)) == [CreatedObject("lake", "a+b", 1)]


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", '{"Records": {}}', '{"Records": [{}]}', "[" * 100_000, '{"Records": [1]}'],
)
def test_anything_else_is_malformed(body: str) -> None:
    with pytest.raises(MalformedNotificationError):
        created_objects(body)


@given(st.text())
def test_no_text_raises_anything_but_malformed(body: str) -> None:
    with suppress(MalformedNotificationError):
        created_objects(body)


def test_a_notification_of_64_kilobytes_is_read() -> None:
    body = notification("web_events/event_hour=2026-11-24-10/a.parquet", padding="x" * 64_000)
    assert len(body) > 64_000
    assert len(created_objects(body)) == 1


def test_one_bad_message_does_not_keep_the_others_from_being_read() -> None:
    good = [f"web_events/event_hour=2026-11-24-{hour:02d}/a.parquet" for hour in range(9)]
    records = [message(str(number), notification(key)) for number, key in enumerate(good)]
    records.insert(4, message("bad", "{not json"))
    found = read_batch(records, "lake", TABLES)
    assert set(found.malformed) == {"bad"}
    assert found.hours == {LakeHour("web_events", f"2026-11-24-{hour:02d}") for hour in range(9)}


@pytest.mark.parametrize(
    "key",
    [
        "failed/processing-failed/dt=2026-11-24/x",
        "web_events/event_hour=2026-11-24-10/_temporary/x.parquet",
        "web_events/event_hour=2026-11-24-10/.hidden",
        "web_events/event_hour=2026-11-24-10/",
        "web_events/event_hour=2026-13-24-10/x.parquet",
        "web_events/event_hour=2026-11-24-24/x.parquet",
        "web_events/event_hour=2026-11-00-10/x.parquet",
        "web_events/event_hour=9999-12-31-23/x.parquet",
        "web_events/event_hour=0001-01-01-00/x.parquet",
        "web_events/event_hour=\u0662\u0660\u0662\u0666-11-24-10/x.parquet",
        "web_events/event_hour=../x.parquet",
        "web_events/_temporary/0/event_hour=2026-11-24-10/x.parquet",
        "web_events/event_hour=2026-11-24-10/_spark_metadata/0",
        "web_events/event_hour=2026-11-24-10/a/.staging/b/x.parquet",
        "web_events/event_hour=2026-11-24-10/_SUCCESS",
        "other/event_hour=2026-11-24-10/x.parquet",
    ],
)
def test_what_is_not_lake_data_makes_nothing_stale(key: str) -> None:
    assert not read_batch([message("m", notification(key))], "lake", TABLES).hours


@pytest.mark.parametrize(
    "hour",
    ["9999-12-31-23", "0001-01-01-00", "2026-13-01-00", "2026-11-24-24", "8999-12-31-23", "1970-01-01-00"],
)
def test_an_odd_hour_does_not_keep_the_rest_of_its_batch_from_being_marked(hour: str) -> None:
    keys = [f"web_events/event_hour={name}/x.parquet" for name in (hour, "2026-11-24-10")]
    found = read_batch([message(key, notification(key)) for key in keys], "lake", TABLES)
    marked = stale_partitions(
        found.hours, [*REPORTS.values(), replace(REPORTS["traffic_by_hour"], context_seconds=86_400)]
    )
    assert Key("traffic_by_hour", "2026-11-24-10") in marked
    assert not found.malformed


def test_objects_of_another_bucket_and_empty_objects_make_nothing_stale() -> None:
    key = "web_events/event_hour=2026-11-24-10/x.parquet"
    assert not read_batch([message("m", notification(key, bucket="reports"))], "lake", TABLES).hours
    assert not read_batch([message("m", notification(key, size=0))], "lake", TABLES).hours


def test_duplicates_in_a_batch_name_one_hour() -> None:
    key = "web_events/event_hour=2026-11-24-10/x.parquet"
    found = read_batch([message(str(number), notification(key)) for number in range(1000)], "lake", TABLES)
    assert len(found.hours) == 1
    assert found.objects == 1000
