"""Publishes a drawing: data, then the pointer, then the word of it (pure, over a port).

Readers follow the pointer, and what it names lies in the bucket before it is named. So whoever looks sees the
old version or the new one, wherever a publish ends.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from dashboards.site import pointer
from dashboards.site.pointer import Latest, Published

MOST_TRIES = 20
"""Of moving the pointer, when others move it at the same time."""


class MovedError(Exception):
    """The pointer is not what it was when it was read."""


class BusyError(Exception):
    """Others moved the pointer so often that this one gave up. The next publish or tick publishes again."""


class Store(Protocol):
    """The site's bucket."""

    def put(self, objects: Mapping[str, bytes]) -> None:
        """Write objects that nobody changes afterwards, in any order; all are there when it returns."""
        ...

    def latest(self) -> tuple[bytes | None, str]:
        """The pointer, or None before the first publish; and its tag."""
        ...

    def move(self, body: bytes, tag: str) -> None:
        """Write the pointer if its tag is still this one. Raises MovedError."""
        ...


Tell = Callable[[str, str], None]
"""Announces a dashboard and its new version."""


def publish(store: Store, name: str, found: Published, objects: Mapping[str, bytes], tell: Tell) -> bool:
    """Publish a dashboard's drawing; False when a newer one, or the same, is published already.

    Raises BusyError, and what the store raises: then what was published before still is.
    """
    if _moved(store, name, found) is None:
        return False
    store.put(objects)
    for _ in range(MOST_TRIES):
        step = _moved(store, name, found)
        if step is None:
            return False
        try:
            store.move(*step)
        except MovedError:
            continue
        tell(name, found.version)
        return True
    raise BusyError(f"The pointer was moved {MOST_TRIES} times while {name} was published.")


def forget_others(store: Store, names: frozenset[str]) -> None:
    """Take dashboards out of the pointer that are declared no longer, unless it moves meanwhile."""
    body, tag = store.latest()
    after = read_latest(body).without_others(names)
    if after is not None:
        with suppress(MovedError):  # the next tick does it
            store.move(pointer.written(after), tag)


def _moved(store: Store, name: str, found: Published) -> tuple[bytes, str] | None:
    """The pointer with this version, and the tag of the one that it follows; None when it need not move."""
    body, tag = store.latest()
    after = read_latest(body).with_newer(name, found)
    return None if after is None else (pointer.written(after), tag)


def read_latest(body: bytes | None) -> Latest:
    """The pointer, or the one before the first publish. Raises PointerError."""
    return Latest() if body is None else pointer.read(body)
