"""Enrichment: pure functions of one field's value.

To add one: write a function `str -> str` here, enter it in `personal` or (with what its result depends on) in
DERIVED, and name it in a field's annotation in `producers.contracts.fields`. Tables, schemas and the
validator follow from the annotation.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

Enrichment = Callable[[str], str]
_Result = TypeVar("_Result")
PSEUDONYM_SIZE = 32
_CAPACITY = 65_536
_LONGEST = 256
"""Longer values are not remembered: a memory must stay small whatever comes."""


class Memo(dict[str, _Result]):
    """A bounded memory of a pure function: ask `memo.get(value) or memo.add(value)`.

    Forgets everything when full, so that its size is bounded without bookkeeping on each hit. The results
    must be true. It has no `__missing__`: what C calls back costs twice as much as what Python calls.
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[str], _Result]) -> None:
        super().__init__()
        self._function = function

    def add(self, value: str) -> _Result:
        """The function's result, which is kept."""
        result = self._function(value)
        if len(self) >= _CAPACITY:
            self.clear()
        if len(value) <= _LONGEST:
            self[value] = result
        return result


class Derivation(NamedTuple):
    """An enrichment whose result stands beside the field.

    Attributes:
        until: the result depends only on what stands before the first of these characters in the value, so
            that values which differ behind it are remembered as one; `\\0` when it depends on all of it.
    """

    function: Enrichment
    until: str


def pseudonymizer(key: bytes) -> Enrichment:
    """HMAC-SHA256 under `key`, the first 128 bits in hex: PSEUDONYM_SIZE characters.

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
        return outer.hexdigest()[:PSEUDONYM_SIZE]

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


def is_pseudonym(column: str) -> bool:
    """Whether the lake column holds pseudonyms, all of one size: its name ends with `_key`."""
    return column.endswith("_key")


def personal(column: str, key: bytes) -> Enrichment:
    """What makes the value of a lake column that stands for personal data, under the given key.

    Raises KeyError for a column that nothing is known to make.
    """
    return pseudonymizer(key) if is_pseudonym(column) else {"user_agent_class": user_agent_class}[column]
