"""Enrichment: pure functions of one field's value, each remembered while the process lives.

To add one: write a function `str -> str` here, enter it in `personal` or DERIVED, and name it in a field's
annotation in `producers.contracts.fields`. Tables, schemas and the judge follow from the annotation.
"""

import hashlib
import re
from collections.abc import Callable, Mapping

import msgspec

Enrichment = Callable[[str], str]


class Memo(dict[str, tuple[str, int]]):
    """A bounded memory of an enrichment: value -> (result, growth).

    `growth` is how many bytes of JSON the result takes, less those that the replaced value took.
    Forgets everything when full, so that its size is bounded without bookkeeping on each hit.
    """

    def __init__(self, function: Enrichment, *, capacity: int, replaces: bool) -> None:
        super().__init__()
        self._function = function
        self._capacity = capacity
        self._replaces = replaces

    def __missing__(self, value: str) -> tuple[str, int]:
        result = self._function(value)
        growth = len(msgspec.json.encode(result)) - (len(value) + 2 if self._replaces else 0)
        if len(self) >= self._capacity:
            self.clear()
        self[value] = answer = (result, growth)
        return answer


def pseudonymizer(key: bytes) -> Enrichment:
    """HMAC-SHA256 under `key`, the first 128 bits in hex.

    The two padded states are made once and copied per value: the digests of `hmac` at half the cost.
    """
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner_state = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    outer_state = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def pseudonym(value: str) -> str:
        inner = inner_state.copy()
        inner.update(value.encode())
        outer = outer_state.copy()
        outer.update(inner.digest())
        return outer.hexdigest()[:32]

    return pseudonym


_USER_AGENT_CLASSES = (
    ("bot", re.compile(r"bot|crawl|spider|slurp|scrape|facebookexternalhit|preview|monitor|feed|rss", re.I)),
    ("tool", re.compile(r"curl|wget|python|java/|go-http|okhttp|libwww|httpclient|ruby|perl|php|node", re.I)),
    ("tablet", re.compile(r"ipad|tablet|kindle|silk|android(?!.*mobile)", re.I)),
    ("mobile", re.compile(r"mobi|iphone|ipod|android|windows phone|blackberry|opera mini", re.I)),
    ("desktop", re.compile(r"windows|macintosh|mac os x|x11|linux|cros", re.I)),
)
USER_AGENT_CLASSES = (*(name for name, _ in _USER_AGENT_CLASSES), "other")


def user_agent_class(value: str) -> str:
    """What kind of client sends this `User-Agent`: one of USER_AGENT_CLASSES."""
    return next((name for name, pattern in _USER_AGENT_CLASSES if pattern.search(value)), "other")


def url_path(value: str) -> str:
    """The path of an absolute or relative address, without query and fragment; at least `/`."""
    address = value.partition("#")[0].partition("?")[0]
    if not address.startswith("/") and "://" in address:
        _, slash, path = address.partition("://")[2].partition("/")
        address = slash + path
    return address or "/"


DERIVED: Mapping[str, Enrichment] = {"url_path": url_path}
"""What `extra={"derive": {column: name}}` of a field may name."""


def personal(key: bytes) -> Mapping[str, Enrichment]:
    """Lake column that stands for personal data -> what makes its value, under the given key."""
    pseudonym = pseudonymizer(key)
    return {"client_key": pseudonym, "user_key": pseudonym, "user_agent_class": user_agent_class}
