"""What has lately happened in the local cloud, for the live page: a bounded list that any part adds to."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Stage = Literal["stream", "firehose", "transform", "lake", "queue", "query", "report", "dashboard", "fault"]


@dataclass(frozen=True)
class Happening:
    """One thing that happened: its number in order, when (epoch seconds), where, what, and its facts."""

    number: int
    at: float
    stage: Stage
    what: str
    facts: dict[str, Any] = field(default_factory=dict)


class Activity:
    """The latest happenings. Thread-safe; the oldest are forgotten."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._kept: deque[Happening] = deque(maxlen=capacity)
        self._count = 0
        self._lock = threading.Lock()

    def add(self, stage: Stage, what: str, *, at: float, **facts: Any) -> None:
        """Note that `what` happened at `stage`; `facts` must be JSON values."""
        with self._lock:
            self._count += 1
            self._kept.append(Happening(self._count, at, stage, what, facts))

    def since(self, number: int) -> Sequence[Happening]:
        """Everything still kept that came after happening `number`, oldest first."""
        with self._lock:
            newest_first = []
            for happening in reversed(self._kept):
                if happening.number <= number:
                    break
                newest_first.append(happening)
        return newest_first[::-1]
