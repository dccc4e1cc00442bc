"""Write keys: what one allows, how it is kept, and for how long a look at it holds (pure).

A key is random, so its SHA-256 cannot be guessed back, and only that is kept. `key_id`, its first 12 digits,
names a key to people.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from producers.collector.messages import Request
from producers.collector.problems import ProblemError

PREFIX = "pk_"
KNOWN_SECONDS = 60.0
"""A key that is disabled or changed is still served from memory for so long."""
UNKNOWN_SECONDS = 10.0
_MOST_REMEMBERED = 10_000
ID_DIGITS = 12


class WriteKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a key allows.

    Attributes:
        source: the `source` of its events; quotas are the source's.
        streams: streams that it may put events on.
        types: event types that it may send; every one when it is empty.
        origins: origins of pages that may send with it (`https://shop.example`); any or none when empty.
        rate: events a second, in each execution environment; 0 for unlimited.
        daily: events of the source in a UTC day; 0 for unlimited.
        envelopes: whether it may send whole envelopes, and thus name other producers. Not for browsers.
        disabled: refused since somebody said so.
        created_at: ISO 8601.
    """

    source: str
    streams: tuple[str, ...]
    types: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    rate: int = 0
    daily: int = 0
    envelopes: bool = False
    disabled: bool = False
    created_at: str = ""


class KeysUnavailableError(Exception):
    """The table of keys does not answer."""


class KeyTable(Protocol):
    """Where keys are kept, by their hash."""

    def find(self, digest: str) -> WriteKey | None:
        """The key of this hash. Raises KeysUnavailableError."""
        ...


def new_key(chance: bytes) -> str:
    """A key made of at least 24 random bytes."""
    if len(chance) < 24:
        raise ValueError("A write key needs at least 24 random bytes.")
    return PREFIX + base64.urlsafe_b64encode(chance).decode().rstrip("=")


def digest_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def given_key(request: Request) -> str:
    """The key of a request: header `X-Write-Key`, user of Basic authentication, or parameter `k`.

    Raises ProblemError.
    """
    if found := request.headers.get("x-write-key"):
        return found.strip()
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except ValueError:  # not base64, not UTF-8
            return ""
    if found := request.query.get("k"):
        return found
    raise ProblemError(
        "no_key", "Send a write key in the header X-Write-Key, as user of Basic authentication, or as ?k=."
    )


class Keys:
    """Looks keys up, and remembers those that are known for so many seconds."""

    def __init__(
        self, table: KeyTable, monotonic: Callable[[], float], known_seconds: float = KNOWN_SECONDS
    ) -> None:
        self._table, self._monotonic, self._known_seconds = table, monotonic, known_seconds
        self._known: dict[str, tuple[float, WriteKey | None]] = {}

    def allowed(self, request: Request) -> WriteKey:
        """What the request's key allows. Raises ProblemError."""
        digest = digest_of(given_key(request))
        key = self._find(digest)
        if key is None:
            raise ProblemError("unknown_key", "There is no such write key. See: penstock keys list.")
        if key.disabled:
            raise ProblemError("disabled_key", f"The key {digest[:ID_DIGITS]} was disabled.")
        _check_origin(key, request.headers)
        return key

    def _find(self, digest: str) -> WriteKey | None:
        now = self._monotonic()
        until, found = self._known.get(digest, (0.0, None))
        if now < until:
            return found
        try:
            found = self._table.find(digest)
        except KeysUnavailableError as error:
            raise ProblemError(
                "keys_unavailable", "Nothing was taken. Send it again later.", retry_after=2
            ) from error
        if len(self._known) >= _MOST_REMEMBERED:  # guesses must not fill the memory
            self._known.clear()
        self._known[digest] = now + (UNKNOWN_SECONDS if found is None else self._known_seconds), found
        return found


def _check_origin(key: WriteKey, headers: Mapping[str, str]) -> None:
    if key.origins and _origin(headers.get("origin", "")) not in key.origins:
        raise ProblemError(
            "origin_not_allowed", "Send from a page of an origin that the key names, or add the origin to it."
        )


def _origin(text: str) -> str:
    return text.strip().lower()


def origin_of(text: str) -> str:
    """An origin as keys hold it. Raises ValueError for what is not one."""
    parts = urlsplit(text.strip().lower())
    if (
        parts.scheme not in ("https", "http")
        or not parts.netloc
        or parts.path
        or parts.query
        or parts.fragment
    ):
        raise ValueError(f"{text!r} is not an origin. Write scheme and host, as https://shop.example.")
    return f"{parts.scheme}://{parts.netloc}"
