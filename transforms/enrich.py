"""Enrichment: pure functions of one field's value.

To add one: write a function `str -> str` here, enter it in `personal` or (with what its result depends on) in
DERIVED, and name it in a field's annotation in `producers.contracts.fields`. Tables, schemas and the judge
follow from the annotation.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

Enrichment = Callable[[str], str]
UNKNOWN_GROWTH = 10**9
"""Stands for the growth by a text that may be written with more bytes than it has characters."""
_CAPACITY = 65_536
_LONGEST = 256
"""Longer values are not remembered: a memory must stay small whatever comes."""


class Memo(dict[str, tuple[str, int]]):
    """A bounded memory of an enrichment: value -> (result, by how many bytes it makes the row longer).

    Forgets everything when full, so that its size is bounded without bookkeeping on each hit. `overhead` is
    what names and marks add to the row. Where the result `replaces` the value, it is plain ASCII.
    """

    __slots__ = ("_function", "_overhead", "_replaces")

    def __init__(self, function: Enrichment, overhead: int, replaces: bool) -> None:
        super().__init__()
        self._function = function
        self._overhead = overhead
        self._replaces = replaces

    def __missing__(self, value: str) -> tuple[str, int]:
        result = self._function(value)
        growth = len(result) + self._overhead
        if self._replaces:
            growth -= len(value)
        elif not result.isascii():
            growth = UNKNOWN_GROWTH
        answer = (result, growth)
        if len(self) >= _CAPACITY:
            self.clear()
        if len(value) <= _LONGEST:
            self[value] = answer
        return answer


class Derivation(NamedTuple):
    """An enrichment whose result stands beside the field.

    Attributes:
        until: the result depends only on what stands before the first of these characters in the value, so
            that values which differ behind it are remembered as one; `\\0` when it depends on all of it.
    """

    function: Enrichment
    until: str


def pseudonymizer(key: bytes) -> Enrichment:
    """HMAC-SHA256 under `key`, the first 128 bits in hex.

    The two padded states are made once and copied per value: the digests of `hmac` at half the cost.
    """
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner_state = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
    outer_state = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    inner_copy, outer_copy = inner_state.copy, outer_state.copy

    def pseudonym(value: str) -> str:
        inner = inner_copy()
        inner.update(value.encode())
        outer = outer_copy()
        outer.update(inner.digest())
        return outer.hexdigest()[:32]

    return pseudonym


_USER_AGENT_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "bot",
        (
            "bot",
            "crawl",
            "spider",
            "slurp",
            "scrape",
            "facebookexternalhit",
            "preview",
            "monitor",
            "feed",
            "rss",
        ),
    ),
    (
        "tool",
        (
            "curl",
            "wget",
            "python",
            "java/",
            "go-http",
            "okhttp",
            "libwww",
            "httpclient",
            "ruby",
            "perl",
            "php",
        ),
    ),
    ("tablet", ("ipad", "tablet", "kindle", "silk")),
    ("mobile", ("mobi", "iphone", "ipod", "windows phone", "blackberry", "opera mini")),
    ("tablet", ("android",)),
    ("desktop", ("windows", "macintosh", "mac os x", "x11", "linux", "cros")),
)
USER_AGENT_CLASSES = ("bot", "tool", "tablet", "mobile", "desktop", "other")


def user_agent_class(value: str) -> str:
    """What kind of client sends this `User-Agent`: one of USER_AGENT_CLASSES."""
    text = value.lower()
    for name, words in _USER_AGENT_WORDS:
        for word in words:
            if word in text:
                return name
    return "other"


def url_path(value: str) -> str:
    """The path of an absolute or relative address without query; without fragment, and at least `/`."""
    address = value.partition("#")[0]
    scheme, mark, rest = address.partition("://")
    if mark and "/" not in scheme:
        slash = rest.find("/")
        return rest[slash:] if slash >= 0 else "/"
    return address or "/"


DERIVED: Mapping[str, Derivation] = {"url_path": Derivation(url_path, until="?")}
"""What `extra={"derive": {column: name}}` of a field may name."""


def personal(key: bytes) -> Mapping[str, Enrichment]:
    """Lake column that stands for personal data -> what makes its value, under the given key."""
    pseudonym = pseudonymizer(key)
    return {"client_key": pseudonym, "user_key": pseudonym, "user_agent_class": user_agent_class}
