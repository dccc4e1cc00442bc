"""Notifies the query function of the objects of an import: in messages of its queue, many objects in each.

S3 itself would send a message for every object (see `IMPORTED_SUFFIX` in `transforms.contracts`).
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

MOST_OBJECTS = 400
"""Objects that one message reports: below SQS's 256 kB with the longest keys."""


def messages(bucket: str, keys: Iterable[str]) -> Iterator[str]:
    """Messages in the form of S3's notifications."""
    records = [
        {
            "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": bucket}, "object": {"key": quote(key)}},
        }
        for key in keys
    ]
    for start in range(0, len(records), MOST_OBJECTS):
        yield json.dumps({"Records": records[start : start + MOST_OBJECTS]}, separators=(",", ":"))


def send(sqs: Any, queue_url: str, bucket: str, keys: Iterable[str]) -> None:
    """Send the messages. Raises botocore's errors."""
    for body in messages(bucket, keys):
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)
