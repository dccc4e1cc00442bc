"""MiniStack's mappings from SQS, made to collect: they ignore the batching window and take ten at most.

On AWS a mapping waits up to its window for a batch. Here it takes what is there, and then nothing more until
the window, at the local cloud's pace, has passed: the first message is delivered at once, a flood in few
calls."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SCALE = "PENSTOCK_LOCAL_INTERVAL_SCALE"
"""Variable with the factor of every window."""
MOST_MESSAGES = 1000
"""Messages of one batch: more of S3's notifications could outgrow an invocation."""
MOST_AT_ONCE = 10
"""Messages of one batch of a mapping without a window, as on AWS."""
Receive = Callable[[str, int], list[dict[str, Any]]]


@dataclass
class Collecting:
    """Receives for mappings. `windows` gives (queue's arn, seconds) of every mapping that has a window.

    `take` receives without regard to windows: (queue url, messages at most).
    """

    take: Receive
    arn_of: Callable[[str], str]
    windows: Callable[[], Iterable[tuple[str, float]]]
    scale: float
    clock: Callable[[], float] = time.monotonic
    _taken_at: dict[str, float] = field(default_factory=dict)

    def __call__(self, queue_url: str, most: int) -> list[dict[str, Any]]:
        """As MiniStack's own, but for the window and the size."""
        now, arn = self.clock(), self.arn_of(queue_url)
        window = max((seconds for queue, seconds in self.windows() if queue == arn), default=0.0) * self.scale
        taken_at = self._taken_at.get(queue_url)
        if window and taken_at is not None and now - taken_at < window:
            return []
        messages = self.take(queue_url, min(int(most or 1), MOST_MESSAGES if window else MOST_AT_ONCE))
        if messages:
            self._taken_at[queue_url] = now
        return messages


def windows_of(mappings: Iterable[Mapping[str, Any]]) -> list[tuple[str, float]]:
    """(queue's arn, seconds) of the mappings that have a window."""
    named = [
        (str(each.get("EventSourceArn")), each.get("MaximumBatchingWindowInSeconds")) for each in mappings
    ]
    return [(arn, float(seconds)) for arn, seconds in named if seconds]


def install() -> None:
    """Make MiniStack use it. The caller has checked the version."""
    from ministack.services import lambda_svc, sqs

    def take(queue_url: str, most: int) -> list[dict[str, Any]]:
        with sqs._queues_lock:
            queue = sqs._get_q(queue_url)
            hidden = int(queue["attributes"].get("VisibilityTimeout", "30"))
            sqs._expire_retained(queue)
            sqs._dlq_sweep(queue)
            found: list[dict[str, Any]] = sqs._collect_msgs(queue, most, hidden)
            return found

    sqs._receive_messages_for_esm = Collecting(
        take=take,
        arn_of=lambda url: str(sqs._queues[url]["attributes"].get("QueueArn")),
        windows=lambda: windows_of(esm for _, _, esm in lambda_svc._iter_all_esms()),
        scale=float(os.environ.get(SCALE, "1")),
    )
