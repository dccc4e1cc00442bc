"""What a transformation answers in tests, and waiting for what a delivery does by itself."""

import time
from collections.abc import Callable
from typing import Any

PROCESSING = "processing-failed"


def changed(**members: Any) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """A record's answer with other members."""
    return lambda answer: [{**answer, **members}]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until the condition is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)
