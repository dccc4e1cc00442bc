"""The secrets of a source: all that are valid now, remembered for a while (pure).

A secret of Secrets Manager is a JSON object of name to secret, and each of them is valid: that is how a
secret is replaced without a delivery being refused.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

REMEMBERED_SECONDS = 300.0
AGAIN_SECONDS = 10.0
"""After a signature that none of them made, they are read again, at most so often."""
_OBJECT = msgspec.json.Decoder(dict[str, str])


class SecretsUnavailableError(Exception):
    """The secrets cannot be read at the moment, or are not an object of texts."""


class SecretStore(Protocol):
    """Where secrets are kept."""

    def read(self, source: str) -> str:
        """The text of a source's secret. Raises SecretsUnavailableError."""
        ...


def secrets_in(text: str) -> Mapping[str, str]:
    """Name to secret. Raises SecretsUnavailableError for what is not an object of texts."""
    try:
        return _OBJECT.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SecretsUnavailableError("the secret is not a JSON object of texts") from error


class Secrets:
    """The secrets of every source. `clock` is monotonic, in seconds."""

    def __init__(self, store: SecretStore, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}

    def of(self, source: str, *, at_most: float = REMEMBERED_SECONDS) -> tuple[str, ...]:
        """All that are valid, read at most so many seconds ago. Raises SecretsUnavailableError."""
        now = self._clock()
        known = self._known.get(source)
        if known is None or now - known[0] >= at_most:
            known = now, tuple(secrets_in(self._store.read(source)).values())
            self._known[source] = known
        return known[1]
