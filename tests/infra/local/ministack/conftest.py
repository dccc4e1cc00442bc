"""Clients of the local cloud, and a bucket, a stream and a queue of one's own."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.cloud import LocalCloud

QUEUE_ATTRIBUTES = {"VisibilityTimeout": "1"}


@pytest.fixture
def name() -> str:
    return f"contract-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def client(local_cloud: LocalCloud) -> Callable[[str], Any]:
    return local_cloud.context.client


@pytest.fixture
def bucket(client: Callable[[str], Any], name: str) -> str:
    client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def stream(client: Callable[[str], Any], name: str) -> Iterator[str]:
    client("kinesis").create_stream(StreamName=name, ShardCount=2)
    yield name
    client("kinesis").delete_stream(StreamName=name)


@pytest.fixture
def queue(client: Callable[[str], Any], name: str) -> str:
    return str(client("sqs").create_queue(QueueName=name, Attributes=QUEUE_ATTRIBUTES)["QueueUrl"])
