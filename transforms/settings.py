"""Settings of the transformation, from environment variables and back."""

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct

from transforms import telemetry

Known = TypeVar("Known")

STREAM = "PENSTOCK_STREAM"
PSEUDONYM_KEYS = "PENSTOCK_PSEUDONYM_KEYS"
RUNTIME_JSON = "PENSTOCK_RUNTIME_JSON"
TRACING = "PENSTOCK_TRACING"
METRICS_SERVICE = "PENSTOCK_METRICS_SERVICE"

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_KEY_ID = _LETTERS | frozenset("_-")
_LONGEST_KEY_ID = 16
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_SHORTEST_KEY = 16


class SettingsError(ValueError):
    """An environment variable is missing or wrong."""


class Settings(Struct, frozen=True):
    """What the transformation needs to know.

    Attributes:
        stream: name of the stream whose records arrive (one that the project declares).
        pseudonym_keys: `id:key` entries joined by commas. The first one makes the pseudonyms; the others are
            kept so that older pseudonyms can still be computed. A key is an even number of at least 32
            hexadecimal digits (read as bytes), or any other text of at least 16 characters without a comma
            (read as UTF-8). So both `k1:9f86d0...` and `k1:{{resolve:secretsmanager:...}}` are right: of the
            second, CloudFormation makes the secret's text. A key id is 1 to 16 of `a-z 0-9 _ -`.
        runtime_json: True leaves request and answer to the runtime's own JSON (dict in, dict out).
        service: which service the metrics are counted under.
        tracing: True records an X-Ray segment for each invocation.
    """

    stream: str
    pseudonym_keys: str
    runtime_json: bool = False
    tracing: bool = False
    service: str = telemetry.SERVICE

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check. Raises SettingsError that names the variable."""
        settings = cls(
            stream=environ.get(STREAM, ""),
            pseudonym_keys=environ.get(PSEUDONYM_KEYS, ""),
            runtime_json=environ.get(RUNTIME_JSON, "").lower() in ("1", "true"),
            tracing=environ.get(TRACING, "").lower() in ("1", "true"),
            service=environ.get(METRICS_SERVICE, telemetry.SERVICE),
        )
        settings.keys()
        return settings

    def to_environ(self) -> dict[str, str]:
        """The same settings as environment variables; values that are templates are passed on as they are."""
        named = {} if self.service == telemetry.SERVICE else {METRICS_SERVICE: self.service}
        return {
            STREAM: self.stream,
            PSEUDONYM_KEYS: self.pseudonym_keys,
            RUNTIME_JSON: str(self.runtime_json).lower(),
            TRACING: str(self.tracing).lower(),
        } | named

    def stream_among(self, streams: Mapping[str, Known]) -> Known:
        """The stream that is named, among those of the project. Raises SettingsError."""
        if self.stream not in streams:
            raise SettingsError(f"{STREAM} is {self.stream!r}; set it to one of: {', '.join(streams)}.")
        return streams[self.stream]

    def keys(self) -> dict[str, bytes]:
        """Key id to key, the current one first. Raises SettingsError; its text never quotes a key."""
        return read_keys(self.pseudonym_keys)


def read_keys(entries: str) -> dict[str, bytes]:
    """Key id to key, the current one first, of `id:key[,oldid:oldkey]`.

    Raises SettingsError; its text never quotes a key.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(entries.split(","), start=1):
        key_id, _, text = entry.strip().partition(":")
        problem = _problem_of_key(key_id, text)
        if problem or key_id in keys:
            raise SettingsError(
                f"{PSEUDONYM_KEYS}: entry {number} {problem or 'repeats a key id'}. "
                "Write `id:key[,oldid:oldkey]`, for example `k1:` and 64 hexadecimal digits."
            )
        keys[key_id] = bytes.fromhex(text) if _is_hex(text) else text.encode()
    return keys


def _problem_of_key(key_id: str, text: str) -> str:
    if not (
        _LETTERS.issuperset(key_id[:1]) and _KEY_ID.issuperset(key_id) and 0 < len(key_id) <= _LONGEST_KEY_ID
    ):
        return "has no key id of 1 to 16 characters a-z, 0-9, _ or -"
    if text.startswith("{{"):
        return "holds a reference that was not resolved"
    if len(text) < _SHORTEST_KEY:
        return f"has a key shorter than {_SHORTEST_KEY} characters"
    return ""


def _is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and len(text) >= 2 * _SHORTEST_KEY and _HEXADECIMAL.issuperset(text)
