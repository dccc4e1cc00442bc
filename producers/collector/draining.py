"""Takes spilled records from the queue to the stream; what is still not taken stays in the queue (pure)."""

from collections.abc import Callable, Mapping
from typing import Any

from producers.errors import ProducerError
from producers.sinks.port import RecordSink, SinkRecord, Taken


def drained(
    event: Mapping[str, Any],
    sinks: Callable[[str], RecordSink],
    read: Callable[[str], tuple[str, SinkRecord]],
) -> dict[str, Any]:
    """Lambda's answer to a batch of messages: those that must be delivered again."""
    failed = [
        message["messageId"] for message in event["Records"] if not _is_taken(message["body"], sinks, read)
    ]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _is_taken(
    body: str, sinks: Callable[[str], RecordSink], read: Callable[[str], tuple[str, SinkRecord]]
) -> bool:
    try:
        stream, record = read(body)
        return isinstance(sinks(stream).put_records([record])[0], Taken)
    except (ProducerError, LookupError, ValueError):
        return False
