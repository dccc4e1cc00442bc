"""The producer for asyncio: the same core, whose calls suspend only where they would wait."""

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from producers.contracts import Event, Payload
from producers.errors import BufferFullError
from producers.producer import Producer
from producers.sending.stats import Stats

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class AsyncProducer:
    """`Producer` for coroutines; takes the same arguments."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self._waits = settings.get("when_full", "block") == "block"
        self.producer = Producer(*args, **settings)

    async def put(
        self,
        event: Payload | Event,
        event_time: datetime | None = None,
        *,
        event_id: str | None = None,
        source: str | None = None,
        timeout: float | None = None,
    ) -> str:
        """As `Producer.put`. Suspends only while the buffer is full."""
        try:
            return self.producer.put(event, event_time, event_id=event_id, source=source, timeout=0)
        except BufferFullError:
            if not self._waits or timeout == 0:
                raise
        return await _in_thread(
            self.producer.put, event, event_time, event_id=event_id, source=source, timeout=timeout
        )

    async def put_many(self, events: list[Payload | Event]) -> int:
        """As `Producer.put_many`."""
        for event in events:
            await self.put(event)
        return len(events)

    async def flush(self, timeout: float | None = None) -> int:
        """As `Producer.flush`."""
        return await _in_thread(self.producer.flush, timeout)

    async def close(self, timeout: float | None = 30.0) -> Stats:
        """As `Producer.close`."""
        return await _in_thread(self.producer.close, timeout)

    def stats(self) -> Stats:
        """As `Producer.stats`."""
        return self.producer.stats()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def _in_thread(
    function: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
) -> _Result:
    # Whoever awaits this has loaded asyncio. Users of the plain Producer, who load this module too, have not.
    from asyncio import to_thread

    return await to_thread(function, *args, **kwargs)
