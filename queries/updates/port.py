"""The ports of live updates: who hands them on, and what the catalog serves."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from queries.store.port import Entry
from queries.updates.messages import Update


class NotPublishedError(Exception):
    """An update was not handed on; the text says why. Publishing it again is harmless."""


class Publisher(Protocol):
    """Hands updates on to whoever has subscribed to them."""

    def publish(self, update: Update) -> None:
        """Hand one on. Raises NotPublishedError."""
        ...


class Catalog(Protocol):
    """Which version of a partition readers of Athena see."""

    def served(self, table: str, values: Sequence[str]) -> Mapping[str, Entry]:
        """What the catalog says of these partitions; those that it does not know are absent."""
        ...
