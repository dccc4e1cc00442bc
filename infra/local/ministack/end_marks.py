"""Knows when a function's log lines are all there, where MiniStack waits to see whether one more arrives.

MiniStack reads a worker's log through a pipe of its own and cannot tell from the answer whether lines are
still under way: it waits 50 ms for a first line, and 5 ms after each. Our worker script ends the log of an
invocation with a mark (`infra.local.ministack.worker_runtime`), and here the lines are read up to it.
"""

import queue
import time
from collections.abc import Callable
from typing import Any

MARK = "\x1eend of invocation\x1e"
"""Ends a line that nobody sees: a handler would have to write it on purpose, to be cut off in its own log."""
_SECONDS = 2.0
"""For a mark that is on its way on a busy machine; a handler that closed its standard error waits so long."""
_POLL_SECONDS = 0.01


def lines_to_mark(
    lines: "queue.Queue[str]", is_open: Callable[[], bool], *, monotonic: Callable[[], float] = time.monotonic
) -> str:
    """The log of one invocation: what `lines` holds or will hold before the mark, joined by newlines.

    Ends early when the worker has closed its side (`is_open` is false) and nothing is left to read.
    """
    found, deadline = list[str](), monotonic() + _SECONDS
    while True:
        was_open = is_open()
        try:
            line = lines.get(timeout=_POLL_SECONDS if was_open else 0.0)
        except queue.Empty:
            if not was_open or monotonic() >= deadline:
                return "\n".join(found)
            continue
        if line.endswith(MARK):
            if rest := line.removesuffix(MARK):  # a last line without its newline
                found.append(rest)
            return "\n".join(found)
        found.append(line)


def install() -> None:
    """Make MiniStack's Python workers read so. The caller has checked the version."""
    from ministack.core.lambda_runtime import Worker

    stock = Worker._drain_stderr_bounded

    def drained(worker: Any, *arguments: Any, **named: Any) -> str:
        if type(worker) is not Worker or not str(worker.config.get("Runtime", "")).startswith("python"):
            text: str = stock(worker, *arguments, **named)
            return text
        return lines_to_mark(worker._stderr_queue, worker._stderr_thread.is_alive)

    Worker._drain_stderr_bounded = drained
