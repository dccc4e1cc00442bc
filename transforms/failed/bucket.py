"""The port to a bucket: what reading failed records and replaying them needs of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ObjectName:
    """One object: its key, the tag that changes with its content, and its bytes."""

    key: str
    tag: str
    size: int = 0


class Objects(Protocol):
    """The objects of one bucket. May be used by several threads at once."""

    def names(self, prefix: str) -> Iterator[ObjectName]:
        """Every object below the prefix, in key order."""
        ...

    def get(self, key: str) -> bytes | None:
        """The object's bytes; None when there is no such object."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Write the object, whole."""
        ...
