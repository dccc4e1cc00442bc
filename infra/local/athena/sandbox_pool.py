"""Sandboxes from one execution to the next: making one takes longer than many queries."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from infra.local.athena.sandbox import Sandbox

MOST_USES = 200
"""After these a sandbox is replaced, so that what DuckDB holds on to does not add up."""


class SandboxPool:
    """Lends each sandbox to one execution at a time. Thread-safe.

    One comes back only from an execution that ended well. Any other is thrown away with all it knows.
    """

    def __init__(self, folder: Path, *, threads: int, memory: str, kept: int) -> None:
        self._folder, self._threads, self._memory, self._kept = folder, threads, memory, kept
        self._idle: list[Sandbox] = []
        self._count, self._lock, self._closed = 0, threading.Lock(), False
        self.after = ThreadPoolExecutor(1, thread_name_prefix="athena-sandbox")

    def warm(self) -> None:
        """Make the first one, in the background."""
        self.after.submit(lambda: self._put_back(self._make()))

    @contextmanager
    def lent(self) -> Iterator[Sandbox]:
        """A sandbox without views or files; the caller must have read its result to the end."""
        with self._lock:
            sandbox = self._idle.pop() if self._idle else None
        sandbox = sandbox or self._make()
        try:
            yield sandbox
        except BaseException:
            sandbox.close()
            raise
        self.after.submit(self._renew, sandbox)  # the answer does not wait for the tidying

    def _renew(self, sandbox: Sandbox) -> None:
        sandbox.renew()
        self._put_back(sandbox)

    def _make(self) -> Sandbox:
        with self._lock:
            self._count += 1
            number = self._count
        return Sandbox(self._folder / f"sandbox-{number}", threads=self._threads, memory=self._memory)

    def _put_back(self, sandbox: Sandbox) -> None:
        with self._lock:
            if not self._closed and len(self._idle) < self._kept and sandbox.uses < MOST_USES:
                self._idle.append(sandbox)
                return
        sandbox.close()

    def close(self) -> None:
        """Free them all. No execution may run any more."""
        with self._lock:
            self._closed, idle = True, self._idle
            self._idle = []
        self.after.shutdown()
        for sandbox in idle:
            sandbox.close()
