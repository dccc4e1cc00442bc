"""Pipes between MiniStack and its function workers, as large as the system lets them be.

A batch of the transformation has 1.5 MB. Through pipes of 64 KB it takes dozens of turns of both processes.
"""

import contextlib
import fcntl
from typing import Any

_PIPE_BYTES = 1 << 20
_SET_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux only


def widen(process: Any) -> None:
    """Enlarge the pipes to and from a worker, where that is possible."""
    if _SET_SIZE is None:
        return
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):  # beyond what this user may have in pipes
            fcntl.fcntl(pipe.fileno(), _SET_SIZE, _PIPE_BYTES)


def install() -> None:
    """Make MiniStack's workers start so. The caller has checked the version."""
    from ministack.core.lambda_runtime import Worker

    spawn = Worker._spawn

    def spawned(worker: Any) -> None:
        spawn(worker)
        widen(worker._proc)

    Worker._spawn = spawned
