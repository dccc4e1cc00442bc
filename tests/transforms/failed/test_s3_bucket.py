"""An object that is gone is told from one that may not be read, also for whoever may list a prefix only."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from transforms.failed.s3_bucket import S3Objects

KEY = "failed/processing-failed/dt=2026-03-01/a"
LISTED = {"Bucket": "lake", "Prefix": KEY}


@pytest.fixture
def s3() -> Iterator[tuple[S3Objects, Stubber]]:
    client: Any = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(client) as answers:
        yield S3Objects(client, "lake"), answers
        answers.assert_no_pending_responses()


def refused(answers: Stubber, code: str, status: int = 403) -> None:
    answers.add_client_error(
        "get_object", code, http_status_code=status, expected_params={"Bucket": "lake", "Key": KEY}
    )


def test_what_expired_is_not_there(s3: tuple[S3Objects, Stubber]) -> None:
    objects, answers = s3
    refused(answers, "AccessDenied")
    beside = {"Key": f"{KEY}b", "ETag": '"x"', "Size": 1}
    answers.add_response("list_objects_v2", {"Contents": [beside]}, LISTED)
    assert objects.get(KEY) is None


def test_what_may_not_be_read_is_an_error(s3: tuple[S3Objects, Stubber]) -> None:
    objects, answers = s3
    refused(answers, "AccessDenied")
    answers.add_response("list_objects_v2", {"Contents": [{"Key": KEY, "ETag": '"x"', "Size": 1}]}, LISTED)
    with pytest.raises(ClientError, match="AccessDenied"):
        objects.get(KEY)


def test_every_other_error_is_one(s3: tuple[S3Objects, Stubber]) -> None:
    objects, answers = s3
    refused(answers, "SlowDown", 503)
    with pytest.raises(ClientError, match="SlowDown"):
        objects.get(KEY)


def test_a_missing_key_is_not_there(s3: tuple[S3Objects, Stubber]) -> None:
    objects, answers = s3
    refused(answers, "NoSuchKey", 404)
    assert objects.get(KEY) is None
