"""What the collector refuses, as problems of RFC 9457."""

from collections.abc import Mapping
from typing import Any

import msgspec

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[str, tuple[int, str]] = {
    "empty_body": (400, "The body is empty"),
    "unreadable_body": (400, "The body cannot be read"),
    "no_events": (400, "The body holds no events"),
    "damaged_compression": (400, "The compressed body cannot be unpacked"),
    "no_stream": (400, "The stream is not named, or not one of the key's"),
    "no_key": (401, "No write key was given"),
    "unknown_key": (401, "The write key is unknown"),
    "disabled_key": (403, "The write key is disabled"),
    "origin_not_allowed": (403, "The key is not for pages of this origin"),
    "envelopes_not_allowed": (403, "The key may not send whole envelopes"),
    "type_not_allowed": (403, "The key may not send events of this type"),
    "not_found": (404, "There is nothing here"),
    "no_such_key": (404, "No write key has this id"),
    "method_not_allowed": (405, "This method is not answered here"),
    "body_too_large": (413, "The body is too large"),
    "too_many_events": (413, "There are too many events in one request"),
    "event_too_large": (413, "An event is too large"),
    "unsupported_media_type": (415, "The content type is not one that is read here"),
    "compressed_text": (415, "The body is compressed under a content type for text"),
    "nothing_valid": (422, "No event kept its contract"),
    "invalid_key": (422, "Such a write key cannot be made"),
    "rate_exceeded": (429, "The key sends faster than it may"),
    "quota_exceeded": (429, "The source's quota of the day is used up"),
    "keys_unavailable": (503, "Keys cannot be looked up or changed at the moment"),
    "unavailable": (503, "Neither the stream nor the queue took the events"),
}
"""Code to status and title. A code is never used again for something else: clients switch on it."""


class ProblemError(Exception):
    """A request that is not served.

    Attributes:
        code: a key of `TITLES`.
        detail: what is wrong with this request and what to do. Never quotes a key, an address or a payload.
        retry_after: seconds until trying again makes sense; None where it does not.
        more: further members of the problem.
    """

    def __init__(
        self, code: str, detail: str, *, retry_after: int | None = None, more: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.code, self.detail, self.retry_after, self.more = code, detail, retry_after, dict(more or {})
        self.status, self.title = TITLES[code]

    def body(self, request_id: str) -> bytes:
        """The problem's JSON document."""
        return msgspec.json.encode(
            {
                "type": f"urn:penstock:problem:{self.code}",
                "title": self.title,
                "status": self.status,
                "code": self.code,
                "detail": self.detail,
                "request_id": request_id,
                **self.more,
            }
        )
