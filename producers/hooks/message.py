"""A delivery as the gateway puts it into the queue, and what of it is refused (pure).

Nothing in a message is to be believed before its signature was verified, its attributes included. Each
attribute's value begins with `=`, since the queue takes no empty ones and a header may be missing.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

MARK = "="
SOURCE, SIGNATURE, DELIVERY, KIND, RECEIVED_AT, REQUEST = (
    "source", "signature", "delivery", "kind", "received_at", "request",
)  # fmt: skip
REASON = "reason"
"""The attribute that a refused message has besides."""

Reason = Literal[
    "not_from_the_gateway", "unknown_source", "bad_signature", "no_delivery_id", "unreadable_body"
]
REASONS: Mapping[Reason, str] = {
    "not_from_the_gateway": "the message has no source: the gateway did not send it",
    "unknown_source": "no source of this name takes webhooks",
    "bad_signature": "no valid secret of the source made the signature, or it is too old",
    "no_delivery_id": "the delivery id is missing, or longer than 200 characters",
    "unreadable_body": "the signed body is not a JSON object",
}


class Message(NamedTuple):
    """One message.

    Attributes:
        message_id: the queue's.
        source: of the route that it came by.
        signature, delivery, kind: headers of the request; empty where they were missing.
        received_ms: when the gateway took it, in epoch milliseconds.
        attributes: all of them, to keep with a message that is refused.
    """

    message_id: str
    body: str
    source: str
    signature: str
    delivery: str
    kind: str
    received_ms: int
    attributes: Mapping[str, str]


class RefusedError(Exception):
    """The message can never become an event as it is."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


def read_message(record: Mapping[str, Any]) -> Message:
    """The message in a record of Lambda's event."""
    attributes = {
        name: str(each.get("stringValue", ""))
        for name, each in (record.get("messageAttributes") or {}).items()
        if each.get("dataType") == "String"
    }

    def value(name: str) -> str:
        return attributes.get(name, "").removeprefix(MARK)

    # The time of the queue changes when a refused message is sent back; the gateway's stays.
    received, sent = value(RECEIVED_AT), str(record.get("attributes", {}).get("SentTimestamp", "0"))
    return Message(
        str(record["messageId"]),
        str(record["body"]),
        value(SOURCE),
        value(SIGNATURE),
        value(DELIVERY),
        value(KIND),
        int(received) if received.isascii() and received.isdigit() and len(received) < 15 else int(sent),
        attributes,
    )
