"""Times in answers are read as botocore reads them, only faster."""

from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.exceptions import ParamValidationError
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from queries.engine.aws_session import aws_session, read_time

SETTINGS: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "x",
    "aws_secret_access_key": "x",
}
LISTING = b"""<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>2</KeyCount>
<Contents><Key>a</Key><LastModified>2026-11-24T10:11:12.123Z</LastModified><Size>1</Size></Contents>
<Contents><Key>b</Key><LastModified>2026-11-24T10:11:12Z</LastModified><Size>1</Size></Contents>
</ListBucketResult>"""


@given(moment=st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), digits=st.sampled_from((0, 3, 6)))
def test_times_of_iso_8601_are_read_alike(moment: datetime, digits: int) -> None:
    fraction = f".{moment.microsecond:06d}"[: digits + 1] if digits else ""
    text = f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"
    assert read_time(text) == parse_timestamp(text)


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 29 Nov 2026 03:30:00 GMT",
        1_795_515_075.5,
        1_795_515_075,
        "1795515075",
        "20261124T101112Z",
        "2026-11-24T10:11:12+01:00",
        "2026-11-24T10:11:12.1234Z",
        "2026-11-24",
    ],
)
def test_times_of_other_forms_are_read_alike(value: Any) -> None:
    assert read_time(value) == parse_timestamp(value)


def test_what_is_not_a_time_is_botocores_error() -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        read_time("yesterday Z")


class _Lists(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(LISTING)))
        self.end_headers()
        self.wfile.write(LISTING)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_listing_has_the_times_that_boto3_gives_it() -> None:
    with HTTPServer(("127.0.0.1", 0), _Lists) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        listed = [
            session.client("s3", endpoint_url=address).list_objects_v2(Bucket="b")["Contents"]
            for session in (aws_session(**SETTINGS), boto3.Session(**SETTINGS))
        ]
        server.shutdown()
    assert listed[0] == listed[1]
    assert listed[0][0]["LastModified"] == datetime(2026, 11, 24, 10, 11, 12, 123_000, tzinfo=UTC)
    assert listed[0][0]["LastModified"].tzinfo is UTC, "so it was not botocore that read it"


class SentError(Exception):
    """The call would be sent."""


@pytest.mark.parametrize(("checks", "error"), [(True, ParamValidationError), (False, SentError)])
def test_parameters_are_checked_unless_the_caller_says_otherwise(
    checks: bool, error: type[Exception]
) -> None:
    def end(**_: Any) -> None:
        raise SentError

    glue = aws_session(checks_parameters=checks, **SETTINGS).client("glue")
    glue.meta.events.register("before-call.glue.GetTable", end)
    with pytest.raises((ParamValidationError, SentError)) as raised:
        glue.get_table()
    assert raised.type is error
