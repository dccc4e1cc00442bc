"""Requests with the exact status and problem that they get, or the codes of the events that are kept."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

PAGE = {"type": "page_viewed", "payload": {"url": "/", "client_address": "10.1.2.3", "status": 200}}
JSON, TEXT, LINES, BYTES = (
    "application/json",
    "text/plain",
    "application/x-ndjson",
    "application/octet-stream",
)
V7, V4 = "019ad3d1-8100-7000-8000-000000000001", "0b7a1c2d-0000-4000-8000-000000000001"
ENVELOPE = {
    "event_type": "page_viewed", "event_id": V7, "schema_version": 1, "event_time": "2025-11-30T10:00:00Z",
    "source": "app", "producer_id": "till-7", "epoch": 5, "seq": 42, "payload": PAGE["payload"],
}  # fmt: skip
OUT_OF_ORDER = b'{"payload":{"status":200,"client_address":"10.1.2.3"},"type":"page_viewed"}'


@dataclass(frozen=True)
class Body:
    """A request. `code` is of the problem, `kept` of the events that break their contract, by index."""

    name: str
    body: bytes
    status: int
    code: str = ""
    kept: dict[int, str] = field(default_factory=dict)
    media: str = JSON
    allows: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


def events(*given: Any) -> bytes:
    return json.dumps({"events": list(given)}).encode()


def one(**changes: Any) -> bytes:
    return events({**PAGE, **changes})


def paid(**changes: Any) -> dict[str, Any]:
    """The page with another payload."""
    return {**PAGE, "payload": {**PAGE["payload"], **changes}}  # type: ignore[dict-item]


def kept(name: str, body: bytes, code: str, **options: Any) -> Body:
    return Body(name, body, 422, "nothing_valid", {0: code}, **options)


TAKEN = [
    Body("one event", events(PAGE), 200),
    Body("five hundred events", events(*[PAGE] * 500), 200),
    Body("text as a beacon sends it", events(PAGE), 200, media="text/plain;charset=UTF-8"),
    Body("no content type", events(PAGE), 200, media=""),
    Body("content type in capitals", events(PAGE), 200, media="Application/JSON; charset=utf-8"),
    Body("blanks around the document", b" \n" + events(PAGE) + b"\n ", 200),
    Body("other members beside the events", b'{"sent_at": 1, "events": [' + OUT_OF_ORDER + b"]}", 200),
    Body("members in another order", b'{"events": [' + OUT_OF_ORDER + b"]}", 200),
    Body("two lines", json.dumps(PAGE).encode() + b"\n" + OUT_OF_ORDER, 200, media=LINES),
    Body("lines with Windows ends and blank lines", OUT_OF_ORDER + b"\r\n\r\n" + OUT_OF_ORDER, 200, media=LINES),
    Body("compressed lines", gzip.compress(OUT_OF_ORDER), 200, media=LINES),
    Body("a compressed document", gzip.compress(events(PAGE)), 200, media=BYTES),
    Body("lines as bytes", OUT_OF_ORDER + b"\n" + OUT_OF_ORDER, 200, media=BYTES),
    Body("a document as bytes", events(PAGE), 200, media=BYTES),
    Body("an id of version 7", one(event_id=V7), 200),
    Body("an id of version 4 with a time", one(event_id=V4, event_time="2025-11-30T10:00:00Z"), 200),
    Body("a time with an offset", one(event_time="2025-11-30T12:00:00.123456+02:00"), 200),
    Body("a version that is declared", one(schema_version=1), 200),
    Body("an unknown member of the payload", events(paid(colour="red")), 200),
    Body("text beyond ASCII", events(paid(url="/Zürich/日本/😀")), 200),
    Body("escaped text", b'{"events":[{"type":"page\\u005fviewed","payload":{"client_address":"a.example","status":200}}]}', 200),
    Body("an envelope by a key that may", events(ENVELOPE), 200, allows={"envelopes": True}),
    Body("both kinds by a key that may", events(ENVELOPE, PAGE), 200, allows={"envelopes": True}),
    Body("a stream that is named", events(PAGE), 200, query={"stream": "web"}),
    Body("a type that the key names", events(PAGE), 200, allows={"types": ("page_viewed",)}),
    Body("an origin that the key names", events(PAGE), 200, allows={"origins": ("https://a.example",)}, headers={"origin": "https://A.example"}),
]  # fmt: skip
REFUSED = [
    Body("nothing", b"", 400, "empty_body"),
    Body("nothing as lines", b"", 400, "empty_body", media=LINES),
    Body("no JSON", b"hello", 400, "unreadable_body"),
    Body("half a document", events(PAGE)[:-3], 400, "unreadable_body"),
    Body("two documents", events(PAGE) * 2, 400, "unreadable_body"),
    Body("a list", b"[]", 400, "unreadable_body"),
    Body("null", b"null", 400, "unreadable_body"),
    Body("no events member", b"{}", 400, "unreadable_body"),
    Body("events that are no list", b'{"events": {}}', 400, "unreadable_body"),
    Body("events that are null", b'{"events": null}', 400, "unreadable_body"),
    Body("a lone event", json.dumps(PAGE).encode(), 400, "unreadable_body"),
    Body("a trailing comma", b'{"events": [1,]}', 400, "unreadable_body"),
    Body("single quotes", b"{'events': []}", 400, "unreadable_body"),
    Body("NaN", b'{"events": [NaN]}', 400, "unreadable_body"),
    Body("a comment", b'{"events": [] /* none */}', 400, "unreadable_body"),
    Body("UTF-16", '{"events": []}'.encode("utf-16"), 400, "unreadable_body"),
    Body("a byte that is not UTF-8", b'{"events": "\xff"}', 400, "unreadable_body"),
    Body("brackets without end", b'{"events": [' + b"[" * 100_000, 400, "unreadable_body"),
    Body("no event", events(), 400, "no_events"),
    Body("blank lines", b"\n \n\r\n", 400, "no_events", media=LINES),
    Body("compressed nothing", gzip.compress(b""), 400, "no_events", media=BYTES),
    Body("compressed blanks", gzip.compress(b" \n"), 400, "no_events", media=LINES),
    Body("half of gzip", gzip.compress(events(PAGE))[:-9], 400, "damaged_compression", media=BYTES),
    Body("gzip with a wrong checksum", gzip.compress(events(PAGE))[:-8] + b"\0" * 8, 400, "damaged_compression", media=BYTES),
    Body("gzip and more", gzip.compress(events(PAGE)) + b"more", 400, "damaged_compression", media=BYTES),
    Body("gzip twice in a row", gzip.compress(OUT_OF_ORDER) * 2, 400, "damaged_compression", media=LINES),
    Body("gzip's magic alone", b"\x1f\x8b", 400, "damaged_compression", media=LINES),
    Body("a stream of nobody", events(PAGE), 400, "no_stream", query={"stream": "rides"}),
    Body("a stream with a path", events(PAGE), 400, "no_stream", query={"stream": "../web"}),
    Body("a key for streams that are gone", events(PAGE), 400, "no_stream", allows={"streams": ("old",)}),
    Body("no key", events(PAGE), 401, "no_key", headers={"x-write-key": ""}),
    Body("an unknown key", events(PAGE), 401, "unknown_key", headers={"x-write-key": "pk_x"}),
    Body("a key that is not text", events(PAGE), 401, "unknown_key", headers={"x-write-key": "\udc80"}),
    Body("Basic without base64", events(PAGE), 401, "unknown_key", headers={"x-write-key": "", "authorization": "Basic ?"}),
    Body("a token of another scheme", events(PAGE), 401, "no_key", headers={"x-write-key": "", "authorization": "Bearer x"}),
    Body("a disabled key", events(PAGE), 403, "disabled_key", allows={"disabled": True}),
    Body("another origin", events(PAGE), 403, "origin_not_allowed", allows={"origins": ("https://a.example",)}, headers={"origin": "https://b.example"}),
    Body("no origin where one is needed", events(PAGE), 403, "origin_not_allowed", allows={"origins": ("https://a.example",)}),
    Body("an envelope by a key that may not", events(ENVELOPE), 403, "envelopes_not_allowed"),
    Body("another type than the key's", events(PAGE), 403, "type_not_allowed", allows={"types": ("heartbeat",)}),
    Body("another type in an envelope", events(ENVELOPE), 403, "type_not_allowed", allows={"types": ("heartbeat",), "envelopes": True}),
    Body("501 events", events(*[PAGE] * 501), 413, "too_many_events"),
    Body("501 lines", b"\n".join([OUT_OF_ORDER] * 501), 413, "too_many_events", media=LINES),
    Body("an event over 32 KiB", events(paid(url="/" + "a" * 33_000)), 413, "event_too_large"),
    Body("a line over 32 KiB", b"a" * 33_000, 413, "event_too_large", media=LINES),
    Body("over 1 MiB", b" " * (1 << 20) + events(PAGE), 413, "body_too_large"),
    Body("over 1 MiB unpacked", gzip.compress(b" " * (1 << 20) + events(PAGE)), 413, "body_too_large", media=BYTES),
    Body("a form", b"events=1", 415, "unsupported_media_type", media="application/x-www-form-urlencoded"),
    Body("XML", b"<events/>", 415, "unsupported_media_type", media="application/xml"),
    Body("a type that only begins alike", events(PAGE), 415, "unsupported_media_type", media="application/json-seq"),
    Body("gzip as JSON", gzip.compress(events(PAGE)), 415, "compressed_text"),
    Body("gzip as text, as a gateway hands it on", gzip.compress(events(PAGE)).decode("utf-8", "replace").encode(), 415, "compressed_text", media=TEXT),
    Body("more than a rate lets through twice", events(*[PAGE] * 3), 200, allows={"rate": 2}),
    Body("more than a quota", events(*[PAGE] * 3), 429, "quota_exceeded", allows={"daily": 2}),
]  # fmt: skip
KEPT = [
    kept("a number", events(5), "unreadable"),
    kept("a text", events("page_viewed"), "unreadable"),
    kept("null", events(None), "unreadable"),
    kept("a list", events([PAGE]), "unreadable"),
    kept("a line that is not JSON", b"hello", "unreadable", media=LINES),
    kept("a line that is cut", OUT_OF_ORDER[:-4], "unreadable", media=LINES),
    kept("a line that is not UTF-8", b'{"type": "\xff"}', "no_type", media=LINES),
    kept("half a document as bytes, which may be lines", events(PAGE, PAGE)[:-3], "unreadable", media=BYTES),
    kept("no type", events({"payload": {}}), "no_type"),
    kept("a type that is a number", one(type=5), "no_type"),
    kept("a type that nobody declares", one(type="page_view"), "unknown_type"),
    kept("a type with markup", one(type='"><script>'), "unknown_type"),
    kept("the audit's type", one(type="producer_audited"), "unknown_type"),
    kept("a version that nobody declares", one(schema_version=2), "unknown_type"),
    kept("a version that is text", one(schema_version="1"), "bad_version"),
    kept("a version below one", one(schema_version=0), "bad_version"),
    kept("a misspelt member", one(eventTime="2025-11-30T10:00:00Z"), "unknown_member"),
    kept("a place in a sequence", one(seq=1), "unknown_member"),
    kept("an id that is not a UUID", one(event_id="1"), "bad_id"),
    kept("an id in capitals", one(event_id=V7.upper()), "bad_id"),
    kept("an id that is a number", one(event_id=7), "bad_id"),
    kept("an id with a newline", one(event_id=V7 + "\n"), "bad_id"),
    kept("an id of version 4 without a time", one(event_id=V4), "no_time"),
    kept("an id of the year 10889", one(event_id="ffffffff-ffff-7fff-8fff-ffffffffffff"), "bad_id"),
    kept("a time without an offset", one(event_time="2025-11-30T10:00:00"), "bad_time"),
    kept("a time that is a number", one(event_time=1764496800), "bad_time"),
    kept("a day that is not there", one(event_time="2025-02-30T10:00:00Z"), "bad_time"),
    kept("a time at the end of time", one(event_time="9999-12-31T23:59:59-14:00"), "bad_time"),
    kept("tomorrow", one(event_time="2025-12-01T12:00:00Z"), "time_in_future"),
    kept("two months ago", one(event_time="2025-09-30T12:00:00Z"), "time_too_old"),
    kept("before history", one(event_time="0001-01-01T00:00:00Z"), "time_too_old"),
    kept("no payload", events({"type": "page_viewed"}), "invalid"),
    kept("a payload that is null", one(payload=None), "invalid"),
    kept("a payload that is a list", one(payload=[]), "invalid"),
    kept("a missing field", one(payload={"url": "/"}), "invalid"),
    kept("a status out of bounds", events(paid(status=600)), "invalid"),
    kept("a status that is text", events(paid(status="200")), "invalid"),
    kept("a number that is too large", events(paid(bytes_sent=2**53)), "invalid"),
    kept("an address that is null", events(paid(client_address=None)), "invalid"),
    kept("an envelope of no type", events({**ENVELOPE, "event_type": 5}), "invalid", allows={"envelopes": True}),
    kept("an envelope with a broken payload", events({**ENVELOPE, "payload": {}}), "invalid", allows={"envelopes": True}),
    Body("some of them", events(PAGE, 5, PAGE, paid(status=1)), 207, "", {1: "unreadable", 3: "invalid"}),
    Body("a line among lines", OUT_OF_ORDER + b"\nhello\n" + OUT_OF_ORDER, 207, "", {1: "unreadable"}, media=LINES),
]  # fmt: skip
CASES = [*TAKEN, *REFUSED, *KEPT]
