"""Lets a function's invocations come to their end when its code or settings are changed, as they do on AWS.

MiniStack kills every worker of a function at once when the function changes: an invocation under way fails,
although nobody did anything wrong, and one that is only starting says that its worker "exited immediately".
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet


class Ends:
    """Which workers end when their invocation does."""

    def __init__(self, kill: Callable[[list[Any]], None]) -> None:
        self._kill = kill
        self._doomed: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()

    def end(self, workers: Iterable[Any]) -> None:
        """Kill those that are idle now, and the others when they are."""
        idle = []
        with self._lock:
            for worker in filter(None, workers):
                if worker.in_use:  # also one that was leased for an invocation and has not begun it
                    self._doomed.add(worker)
                if not worker._lock.locked():  # held for as long as an invocation takes
                    idle.append(worker)
        self._kill(idle)

    def ended(self, worker: Any) -> None:
        """An invocation of the worker is over."""
        with self._lock:
            is_doomed = worker in self._doomed
            self._doomed.discard(worker)
        if is_doomed:
            self._kill([worker])


def install() -> None:
    """Make MiniStack's updates and deletions of functions do so. The caller has checked the version."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    kill, invalidate, invoke = (
        lambda_runtime.kill_workers,
        lambda_runtime.invalidate_worker,
        lambda_runtime.Worker.invoke,
    )
    ends, changing = Ends(kill), threading.local()

    def killed(workers: Any) -> None:
        if getattr(changing, "is_on", False):
            ends.end(workers)
        else:  # the emulator ends, or is reset
            kill(workers)

    def invalidated(*arguments: Any, **named: Any) -> None:
        changing.is_on = True
        try:
            invalidate(*arguments, **named)
        finally:
            changing.is_on = False

    def invoked(worker: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return invoke(worker, *arguments, **named)
        finally:
            ends.ended(worker)

    lambda_runtime.kill_workers, lambda_runtime.Worker.invoke = killed, invoked
    lambda_runtime.invalidate_worker = lambda_svc.invalidate_worker = invalidated
