"""From a message of the queue to the lake objects that it reports. It is a hint: what to check."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus


class MalformedNotificationError(ValueError):
    """The message is not a notification of S3; it goes to the dead-letter queue."""


@dataclass(frozen=True)
class CreatedObject:
    """One object, as S3 or EventBridge reported it: `key` decoded, `size` in bytes or None when not given."""

    bucket: str
    key: str
    size: int | None = None


def created_objects(body: str) -> list[CreatedObject]:
    """The objects that the message says were created; none for S3's test message and for other events.

    Accepts S3's own notifications (keys URL-encoded, decoded here exactly once) and EventBridge's form of
    them (keys as they are), with unknown fields and of any 2.x version. Raises MalformedNotificationError.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedNotificationError(f"The message is not JSON ({type(error).__name__}).") from error
    if not isinstance(message, dict):
        raise MalformedNotificationError("The message is JSON, but not an object.")
    if message.get("Event") == "s3:TestEvent":
        return []
    if "detail-type" in message:
        return _from_event_bridge(message)
    records = message.get("Records")
    if not isinstance(records, list):
        raise MalformedNotificationError("The message has no list 'Records', so S3 did not write it.")
    found = [_from_record(record) for record in records]
    return [created for created in found if created is not None]


def _from_record(record: Any) -> CreatedObject | None:
    try:
        name, s3 = str(record["eventName"]), record["s3"]
        bucket, described = s3["bucket"]["name"], s3["object"]
        key, size = described["key"], described.get("size")
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedNotificationError(f"A record lacks {error}.") from error
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        return None
    if not isinstance(bucket, str) or not isinstance(key, str):
        raise MalformedNotificationError("A record's bucket name or key is not text.")
    return CreatedObject(bucket, unquote_plus(key), size if isinstance(size, int) else None)


def _from_event_bridge(message: dict[str, Any]) -> list[CreatedObject]:
    if message["detail-type"] != "Object Created":
        return []
    try:
        bucket, described = message["detail"]["bucket"]["name"], message["detail"]["object"]
        key, size = described["key"], described.get("size")
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedNotificationError(f"The event's detail lacks {error}.") from error
    if not isinstance(bucket, str) or not isinstance(key, str):
        raise MalformedNotificationError("The event's bucket name or key is not text.")
    return [CreatedObject(bucket, key, size if isinstance(size, int) else None)]
