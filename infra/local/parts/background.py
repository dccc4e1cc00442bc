"""A part of the local server that answers no call: a loop beside the others, from start to stop."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from starlette.routing import BaseRoute

from infra.local.parts.service import ResourceHandler, Target


class Background(ABC):
    """Runs `_run` in the server's event loop until it is stopped."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self.targets: Mapping[str, Target] = {}
        self.resources: Mapping[str, ResourceHandler] = {}
        self.routes: Sequence[BaseRoute] = ()

    @abstractmethod
    async def _run(self) -> None:
        """The loop; cancelled by `stop`."""

    async def start(self) -> None:
        """Begin the loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Cancel the loop, and wait until it has ended."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
