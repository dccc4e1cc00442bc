"""The dead-letter queue: what could not be read, and sending it back."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from queries.jobs.running import MalformedMessageError, read_message
from queries.lake.notifications import MalformedNotificationError, created_objects

_BATCH = 10
_REASON = "reason"
"""Attribute that says why a delivery was refused; it goes when the delivery is sent back."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_HIDDEN_SECONDS = 60


@dataclass(frozen=True)
class DeadLetter:
    """One message: how often it was received, what it is about, why it cannot be read (empty: it can)."""

    message_id: str
    receive_count: int
    objects: tuple[str, ...]
    reason: str
    body: str


class NoQueueError(RuntimeError):
    """The deployment has no such part, and thus no queue of it."""

    def __init__(self, part: str) -> None:
        super().__init__(
            f"No {part} is deployed, so there is no queue. Leave --queue out for the queue of reports."
        )


def describe(message: dict[str, Any]) -> DeadLetter:
    """What an SQS message is, read by the function's own reader."""
    reason = ""
    objects: tuple[str, ...] = ()
    try:
        objects = tuple(f"s3://{found.bucket}/{found.key}" for found in created_objects(message["Body"]))
    except MalformedNotificationError as error:
        reason = str(error)
    count = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 0))
    return DeadLetter(message["MessageId"], count, objects, reason, message["Body"])


def unopened(message: dict[str, Any]) -> DeadLetter:
    """What a message of the collector is: a record of events, which nobody has to see to send it back."""
    count = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 0))
    body = f"a record, {len(message['Body'])} bytes as text"
    return DeadLetter(message["MessageId"], count, (), "the stream did not take it", body)


def delivery(message: dict[str, Any]) -> DeadLetter:
    """What a refused delivery of a webhook is. Its body is a provider's, and is not shown."""
    found = {
        name: str(each.get("StringValue", "")) for name, each in message.get("MessageAttributes", {}).items()
    }
    source, reason = found.get("source", "").removeprefix("="), found.get(_REASON, "")
    count = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 0))
    body = f"a delivery to {_named(source)}, {len(message['Body'])} characters"
    return DeadLetter(message["MessageId"], count, (), _named(reason, "it could not be taken in time"), body)


def waiting_job(message: dict[str, Any]) -> DeadLetter:
    """What a message of jobs is, read by the function's own reader."""
    count = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 0))
    try:
        named = read_message(message["Body"])
    except MalformedMessageError as error:
        return DeadLetter(message["MessageId"], count, (), str(error), message["Body"])
    body = f"job {named.job_id}, attempt {named.attempt}"
    return DeadLetter(message["MessageId"], count, (), "its execution could not begin", body)


def _named(text: str, otherwise: str = "no source") -> str:
    """An identifier as it is; anybody may have written anything else."""
    return text if _NAME.fullmatch(text) else otherwise


def dead_letters(
    sqs: Any, queue_url: str, limit: int, described: Callable[[dict[str, Any]], DeadLetter] = describe
) -> list[DeadLetter]:
    """Up to `limit` messages; they stay in the queue, and become visible again when all have been read."""
    found: dict[str, dict[str, Any]] = {}
    for message in _received(sqs, queue_url):
        found[message["MessageId"]] = message
        if len(found) >= limit:
            break
    for message in found.values():
        sqs.change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    return [described(message) for message in found.values()]


def redrive(
    sqs: Any,
    dead_letter_queue_url: str,
    queue_url: str,
    *,
    limit: int | None,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Send messages back to the queue; how many. A message is deleted only after it was sent.

    Sending twice does no harm: a notification is a hint, and events and deliveries have ids.
    """
    moved = 0
    for message in _received(sqs, dead_letter_queue_url):
        if limit is not None and moved >= limit:
            break
        kept = {name: each for name, each in message.get("MessageAttributes", {}).items() if name != _REASON}
        sqs.send_message(QueueUrl=queue_url, MessageBody=message["Body"], MessageAttributes=kept)
        sqs.delete_message(QueueUrl=dead_letter_queue_url, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
        progress(moved)
    return moved


def _received(sqs: Any, queue_url: str) -> Iterator[dict[str, Any]]:
    while messages := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=_BATCH,
        VisibilityTimeout=_HIDDEN_SECONDS,
        WaitTimeSeconds=1,
        AttributeNames=["ApproximateReceiveCount"],
        MessageAttributeNames=["All"],
    ).get("Messages"):
        yield from messages
