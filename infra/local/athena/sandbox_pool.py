"""Sandboxes from one execution to the next: making one takes longer than many queries."""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from infra.local.athena.sandbox import Sandbox

MOST_USES = 200
"""After these a sandbox is replaced, so that what DuckDB holds on to does not add up."""

LONG_SECONDS = 0.2
"""After such an execution, too: it pays for a new one, and an idle sandbox would keep its memory, up to 200 MB."""

logger = logging.getLogger(__name__)


class SandboxPool:
    """Lends each sandbox to one execution at a time. Thread-safe.

    One comes back only from a short execution that ended well. Any other is thrown away with all it knows,
    and replaced. Clearing and making happen in the background: no answer waits for them.
    """

    def __init__(self, folder: Path, *, threads: int, memory: str, kept: int) -> None:
        self._folder, self._threads, self._memory, self._kept = folder, threads, memory, kept
        self._idle: list[Sandbox] = []
        self._count, self._lock = 0, threading.Lock()
        self._background = ThreadPoolExecutor(1, thread_name_prefix="athena-sandbox")

    def warm(self) -> None:
        """Make one where none is idle."""
        self._background.submit(self._refill)

    def settle(self) -> None:
        """Return when what goes on in the background is done."""
        self._background.submit(lambda: None).result()

    @contextmanager
    def lent(self) -> Iterator[Sandbox]:
        """A sandbox without views or files; the caller must have read its result to the end."""
        with self._lock:
            sandbox = self._idle.pop() if self._idle else None
        sandbox = sandbox or self._make()
        begun, is_good = time.monotonic(), False
        try:
            yield sandbox
            is_good = time.monotonic() - begun <= LONG_SECONDS
        finally:
            if is_good:
                self._background.submit(self._take_back, sandbox)
            else:
                sandbox.close()  # at once: the next execution may need the memory
                self._background.submit(self._refill)

    def _take_back(self, sandbox: Sandbox) -> None:
        try:
            sandbox.renew()
        except Exception:
            logger.exception("A sandbox could not be cleared, and is replaced.")
            sandbox.close()
        else:
            self._put_back(sandbox)
        self._refill()

    def _refill(self) -> None:
        with self._lock:
            is_wanted = not self._idle
        if is_wanted:
            self._put_back(self._make())

    def _make(self) -> Sandbox:
        with self._lock:
            self._count += 1
            number = self._count
        return Sandbox(self._folder / f"sandbox-{number}", threads=self._threads, memory=self._memory)

    def _put_back(self, sandbox: Sandbox) -> None:
        with self._lock:
            if len(self._idle) < self._kept and sandbox.uses < MOST_USES:
                self._idle.append(sandbox)
                return
        sandbox.close()

    def close(self) -> None:
        """Free them all. No execution may run any more."""
        self._background.shutdown()
        while self._idle:
            self._idle.pop().close()
