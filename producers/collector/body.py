"""A request's body to the events in it, as bytes (pure).

`application/json` and `text/plain` hold `{"events": [...]}`: a browser's beacon can send the second without
asking for permission first. `application/x-ndjson` holds one event per line. Compressed bodies come as
`application/x-ndjson` or `application/octet-stream`, and are known by gzip's magic: gateways hand a body
under a text type on as text, which ends a compressed one.
"""

import zlib
from collections.abc import Sequence

import msgspec

from producers.collector.problems import ProblemError

MAX_BODY_BYTES = 1 << 20
"""Unpacked."""
MAX_EVENTS = 500
MAX_EVENT_BYTES = 32 * 1024
_GZIP = b"\x1f\x8b"
_GARBLED_GZIP = b"\x1f\xef\xbf\xbd"
"""Its magic after a gateway has read it as UTF-8."""
_DOCUMENT = frozenset({"application/json", "text/plain"})
_LINES = "application/x-ndjson"
_EITHER = "application/octet-stream"


class _Batch(msgspec.Struct):
    events: list[msgspec.Raw]


_BATCH = msgspec.json.Decoder(_Batch)


def read_events(body: bytes, content_type: str) -> Sequence[bytes]:
    """The events of a body, each as its JSON text; a line that is not JSON is still an event of its own.

    Raises ProblemError.
    """
    media = content_type.partition(";")[0].strip().lower() or "text/plain"
    if media not in _DOCUMENT | {_LINES, _EITHER}:
        raise ProblemError(
            "unsupported_media_type",
            f"Send {', '.join(sorted(_DOCUMENT))}, {_LINES} or {_EITHER} (compressed).",
        )
    if not body:
        raise ProblemError("empty_body", 'Send {"events": [{"type": ..., "payload": {...}}]}.')
    if media in _DOCUMENT and body.startswith((_GZIP, _GARBLED_GZIP)):
        raise ProblemError(
            "compressed_text", f"Send compressed bodies as {_EITHER} or {_LINES}: text types arrive damaged."
        )
    unpacked = _unpacked(body) if body.startswith(_GZIP) else body
    if len(unpacked) > MAX_BODY_BYTES:
        raise _too_large()
    events = _read(unpacked, media)
    if not events:
        raise ProblemError("no_events", "Send at least one event.")
    if len(events) > MAX_EVENTS:
        raise ProblemError("too_many_events", f"Send at most {MAX_EVENTS} events in one request.")
    for index, event in enumerate(events):
        if len(event) > MAX_EVENT_BYTES:
            raise ProblemError(
                "event_too_large",
                f"Event {index} has {len(event)} bytes; the limit is {MAX_EVENT_BYTES}. Nothing was taken.",
                more={"index": index},
            )
    return events


def _read(body: bytes, media: str) -> Sequence[bytes]:
    if media == _LINES:
        return _lines(body)
    try:
        return [_on_one_line(bytes(event)) for event in _BATCH.decode(body).events]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if media == _EITHER:
            return _lines(body)
        raise ProblemError(
            "unreadable_body", f'The body is not a JSON document {{"events": [...]}}: {_words(error)}'
        ) from error


def _on_one_line(event: bytes) -> bytes:
    """A record may hold events as lines: one that was written over several has to be one of them."""
    return msgspec.json.format(event, indent=-1) if b"\n" in event or b"\r" in event else event


def _words(error: Exception) -> str:
    """Of msgspec's own: they name the place, and quote nothing of the body."""
    return str(error) if isinstance(error, msgspec.MsgspecError) else "it is not UTF-8, or nested too deeply"


def _lines(body: bytes) -> Sequence[bytes]:
    return [line for line in (each.strip() for each in body.split(b"\n")) if line]


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacking.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise ProblemError("damaged_compression", "The body begins as gzip and is damaged.") from error
    if len(unpacked) > MAX_BODY_BYTES:
        raise _too_large()
    if not unpacking.eof or unpacking.unused_data:
        raise ProblemError("damaged_compression", "The body is not one whole gzip member.")
    if not unpacked.strip():
        raise ProblemError("no_events", "Send at least one event.")
    return unpacked


def _too_large() -> ProblemError:
    return ProblemError("body_too_large", f"Send at most {MAX_BODY_BYTES} bytes, counted after unpacking.")
