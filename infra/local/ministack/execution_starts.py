"""MiniStack's executions of state machines, made to begin at once.

Each one waits for 150 ms before its first state. Jobs are a state machine each, so that was most of the time
between a request and a job that runs.
"""

import time
from typing import Any

PAUSE_SECONDS = 0.15


class WithoutPause:
    """The module `time`, but for the pause. Waits that a definition asks for do not come here."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        """Wait, unless it is the pause."""
        if seconds != PAUSE_SECONDS:
            time.sleep(seconds)


def install() -> None:
    """Make MiniStack's Step Functions use it. The caller has checked the version."""
    from ministack.services import stepfunctions

    def waited(seconds: float) -> None:
        time.sleep(max(0.0, seconds * stepfunctions._SFN_WAIT_SCALE))

    stepfunctions._scaled_sleep, stepfunctions.time = waited, WithoutPause()
