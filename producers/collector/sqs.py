"""The queue of records that the stream did not take, in SQS: sending, and reading a message back."""

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from producers.collector.delivery import QueueUnavailableError
from producers.sinks.port import SinkRecord


class Spilled(msgspec.Struct):
    """A message: a record, and the stream that it is for."""

    stream: str
    partition_key: str
    hash_key: str
    data: str


_SPILLED = msgspec.json.Decoder(Spilled)


class SqsQueue:
    """A `SpillQueue`. The client is made when it is first needed: a function that is well never needs it."""

    def __init__(self, client: Callable[[], Any], url: str) -> None:
        self._client, self._url = client, url

    def send(self, stream: str, record: SinkRecord) -> None:
        """Keep the record for the stream. Raises QueueUnavailableError."""
        message = Spilled(
            stream,
            record.partition_key,
            record.explicit_hash_key or "",
            base64.b64encode(record.data).decode(),
        )
        from botocore.exceptions import BotoCoreError, ClientError  # only where boto3 is loaded anyway

        try:
            self._client().send_message(QueueUrl=self._url, MessageBody=msgspec.json.encode(message).decode())
        except (ClientError, BotoCoreError) as error:
            raise QueueUnavailableError(type(error).__name__) from error


def read_message(body: str) -> tuple[str, SinkRecord]:
    """(stream, record). Raises ValueError for what `send` did not write."""
    found = _SPILLED.decode(body)
    data = base64.b64decode(found.data, validate=True)
    return found.stream, SinkRecord(data, found.partition_key, found.hash_key or None)
