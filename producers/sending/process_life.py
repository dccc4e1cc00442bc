"""What happens to producers when their process forks or ends.

The library installs no signal handlers: those belong to the program.
"""

import atexit
import os
import weakref
from typing import Protocol

CLOSE_AT_EXIT_SECONDS = 10.0


class Living(Protocol):
    """Something that has to know of it."""

    def after_fork(self) -> None:
        """Called in the child."""
        ...

    def close(self, timeout: float | None) -> object:
        """Called when the process ends."""
        ...


_LIVING: weakref.WeakSet[Living] = weakref.WeakSet()


def enlist(living: Living) -> None:
    """From now on it is notified, for as long as somebody else holds it."""
    _LIVING.add(living)


def dismiss(living: Living) -> None:
    """It is not notified any more."""
    _LIVING.discard(living)


def _after_fork_in_child() -> None:
    for living in list(_LIVING):
        living.after_fork()


def _close_at_exit() -> None:
    for living in list(_LIVING):
        living.close(CLOSE_AT_EXIT_SECONDS)


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_close_at_exit)
