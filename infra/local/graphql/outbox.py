"""What waits to be sent to one socket: bounded, in order, and never in the way of another socket."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from infra.local.graphql.limits import Limits


class Outbox:
    """Messages for one socket. `overflowed` is called once, when more wait than may."""

    def __init__(self, limits: Limits, overflowed: Callable[[], None]) -> None:
        self._limits, self._overflowed = limits, overflowed
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._is_over = False
        self._filled = asyncio.Event()

    def put(self, message: str) -> None:
        """Send the message when those before it are sent. After an overflow nothing is taken."""
        if self._is_over:
            return
        if (
            len(self._waiting) >= self._limits.queued_messages
            or self._bytes + len(message) > self._limits.queued_bytes
        ):
            self._is_over = True
            self._waiting.clear()
            self._overflowed()
            return
        self._waiting.append(message)
        self._bytes += len(message)
        self._filled.set()

    async def send(self, one: Callable[[str], Awaitable[None]]) -> None:
        """Send with `one` whatever comes, until it raises or is cancelled."""
        while True:
            await self._filled.wait()
            while self._waiting:
                message = self._waiting[0]
                await one(message)
                if not self._waiting:
                    return  # it overflowed meanwhile
                self._waiting.popleft()
                self._bytes -= len(message)
            self._filled.clear()
