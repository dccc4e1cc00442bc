"""What may become of write keys, whoever asks: `penstock keys`, or the API (pure).

A key itself is kept nowhere: whoever made it sees it once.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple, Protocol

import msgspec

from producers.collector.keys import ID_DIGITS, WriteKey, digest_of, new_key, origin_of
from producers.contracts import HISTORY_SOURCES, Stream
from producers.contracts.fields import Identifier

CHANCE_BYTES = 24
_Bounded = Annotated[tuple[str, ...], msgspec.Meta(max_length=100)]
"""So many names fit into one item of the table."""


class KeysError(ValueError):
    """A key cannot be made. The message says why and what to do."""


class NoSuchKeyError(KeysError):
    """No key, or more than one, has the id."""


class Table(Protocol):
    """Where keys are kept, by their hash."""

    def put(self, digest: str, key: WriteKey, *, is_new: bool) -> bool:
        """Write a key that must not be there, or must be; False otherwise."""
        ...

    def all(self) -> Mapping[str, WriteKey]:
        """Hash to key, by source."""
        ...


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key is to allow.

    Attributes:
        source: who sends with it: the `source` of its events.
        streams: streams that it may put events on; every one that takes events over HTTP when it is empty.
        types: event types that it may send; every one when it is empty.
        origins: origins of pages that may send with it, as https://shop.example; any or none when empty.
        rate: events a second and execution environment; 0 for unlimited.
        daily: events of the source a UTC day; 0 for unlimited.
        envelopes: whether it may send whole envelopes. Not for browsers.
    """

    source: str
    streams: _Bounded = ()
    types: _Bounded = ()
    origins: _Bounded = ()
    rate: int = 0
    daily: int = 0
    envelopes: bool = False


class NewKey(NamedTuple):
    """A key that was made: the key itself, which is kept nowhere, and the id that names it."""

    key: str
    key_id: str


class Administration:
    """The keys of one deployment.

    `streams` are the project's, by name; `chance` gives so many random bytes, `now` the time as ISO 8601.
    """

    def __init__(
        self,
        table: Table,
        streams: Mapping[str, Stream],
        *,
        chance: Callable[[int], bytes],
        now: Callable[[], str],
    ) -> None:
        self._table, self._chance, self._now = table, chance, now
        self._streams = {name: each for name, each in streams.items() if not each.is_direct}

    def listed(self) -> list[dict[str, Any]]:
        """Every key: its id, and what it allows."""
        return [shown(digest, key) for digest, key in self._table.all().items()]

    def create(self, limits: Limits) -> NewKey:
        """A new key. Raises KeysError."""
        allows = WriteKey(
            source=_source(limits.source),
            streams=limits.streams or tuple(self._streams),
            types=limits.types,
            origins=tuple(map(_origin, limits.origins)),
            rate=_count("rate", limits.rate),
            daily=_count("daily", limits.daily),
            envelopes=limits.envelopes,
            created_at=self._now(),
        )
        self._check(allows)
        return self._made(allows)

    def disable(self, key_id: str) -> str:
        """Refuse a key from now on, within a minute everywhere; its id. Raises NoSuchKeyError."""
        digest, key = self._found(key_id)
        self._table.put(digest, msgspec.structs.replace(key, disabled=True), is_new=False)
        return digest[:ID_DIGITS]

    def rotate(self, key_id: str) -> NewKey:
        """Another key that allows the same; the old one stays as it is. Raises NoSuchKeyError."""
        _, key = self._found(key_id)
        return self._made(msgspec.structs.replace(key, disabled=False, created_at=self._now()))

    def _made(self, allows: WriteKey) -> NewKey:
        key = new_key(self._chance(CHANCE_BYTES))
        digest = digest_of(key)
        if not self._table.put(digest, allows, is_new=True):
            raise KeysError("The new key exists already: its bytes were not random. Nothing was changed.")
        return NewKey(key, digest[:ID_DIGITS])

    def _found(self, key_id: str) -> tuple[str, WriteKey]:
        found = [(digest, key) for digest, key in self._table.all().items() if digest[:ID_DIGITS] == key_id]
        if len(found) != 1:
            raise NoSuchKeyError(
                f"{len(found) or 'No'} key has the id {key_id[:64]!r}. See: penstock keys list"
            )
        return found[0]

    def _check(self, allows: WriteKey) -> None:
        for name in allows.streams:
            if name not in self._streams:
                raise KeysError(
                    f"No stream {name!r} takes events over HTTP. There are: {_names(self._streams)}."
                )
        declared = {each for name in allows.streams for each in self._streams[name].latest}
        for name in allows.types:
            if name not in declared:
                raise KeysError(f"No event type {name!r} is declared. There are: {_names(sorted(declared))}.")


def shown(digest: str, key: WriteKey) -> dict[str, Any]:
    """A key as people see it: its id, and what it allows."""
    return {"key_id": digest[:ID_DIGITS], **msgspec.to_builtins(key)}


def _names(found: Iterable[str]) -> str:
    return ", ".join(found)


def _source(source: str) -> str:
    try:
        found = msgspec.convert(source, Identifier)
    except msgspec.ValidationError as error:
        raise KeysError(
            f"{source[:100]!r} is not a valid source. Use up to 64 letters, digits, `.`, `_`, `:`, `-`."
        ) from error
    if found in HISTORY_SOURCES:
        raise KeysError(f"The source {source!r} is kept for history. Choose another name.")
    return str(found)


def _origin(text: str) -> str:
    try:
        return origin_of(text)
    except ValueError as error:
        raise KeysError(str(error)) from error


def _count(name: str, number: int) -> int:
    if number < 0:
        raise KeysError(f"{name} is {number}. Write a number of events, or 0 for unlimited.")
    return number
