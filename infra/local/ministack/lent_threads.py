"""Threads of MiniStack's invocations, used again instead of made anew.

Each invocation makes two: one that runs it, and one that reads what the worker answers. Whoever starts a
thread waits until it runs, and here that is the event loop: on two busy cores it waits longer than for most
of what it does itself.
"""

import contextvars
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_MOST_IDLE = 16
"""Threads that are kept while nothing is to do."""


class Crew:
    """Daemon threads that do one task after another. There are as many as there are tasks at once."""

    def __init__(self, most_idle: int = _MOST_IDLE) -> None:
        self._most_idle = most_idle
        self._idle: deque[queue.SimpleQueue[Callable[[], Any]]] = deque()

    def do(self, task: Callable[[], Any]) -> None:
        """Begin the task in a thread. Raises RuntimeError when the system has no thread left."""
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = queue.SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), daemon=True, name="penstock-crew").start()
        inbox.put(task)

    def _work(self, inbox: "queue.SimpleQueue[Callable[[], Any]]") -> None:
        while True:
            self._done(inbox.get())
            if len(self._idle) >= self._most_idle:
                return
            self._idle.append(inbox)

    @staticmethod
    def _done(task: Callable[[], Any]) -> None:
        try:
            contextvars.Context().run(task)  # a new thread has an empty context too
        except BaseException:  # noqa: BLE001 - reported as a thread's own would be; the thread goes on
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


class Lent:
    """What MiniStack uses of a `threading.Thread`, done by a thread of the crew."""

    def __init__(
        self,
        crew: Crew,
        target: Callable[..., Any],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self._crew, self._target, self._args, self._kwargs = crew, target, tuple(args), dict(kwargs or {})
        self._running = threading.Lock()

    def start(self) -> None:
        """Begin. Raises RuntimeError when the system has no thread left."""
        self._running.acquire()
        try:
            self._crew.do(self._run)
        except RuntimeError:
            self._running.release()
            raise

    def _run(self) -> None:
        try:
            self._target(*self._args, **self._kwargs)
        finally:
            self._running.release()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it is done, or for so many seconds."""
        if self._running.acquire(timeout=-1 if timeout is None else timeout):
            self._running.release()

    def is_alive(self) -> bool:
        """Whether it has begun and is not done."""
        return self._running.locked()


class LendingThreads:
    """Has every name of the `threading` module; a `Thread` is lent by the crew."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew

    def __getattr__(self, name: str) -> Any:
        return getattr(threading, name)

    def Thread(  # noqa: N802 - the module's own name
        self,
        target: Callable[..., Any],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        **_named: Any,
    ) -> Lent:
        """A thread in all that MiniStack asks of one. `name` and `daemon` are the crew's."""
        return Lent(self._crew, target, args, kwargs)


def install() -> None:
    """Make MiniStack's invocations borrow theirs. The caller has checked the version."""
    from ministack.core import concurrency, lambda_runtime

    concurrency.threading = lambda_runtime.threading = LendingThreads(Crew())
