"""Calls the query function as time passes, at the local cloud's pace.

The template's schedule ticks once a minute, which is right beside buffers of a minute. Here buffers are
seconds, so the function is called about every second for as long as it says that a report is stale.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool

from infra.local.parts.background import Background
from infra.local.parts.context import LocalContext

logger = logging.getLogger(__name__)

TICK = {"penstock": "tick"}
RESTS = 3
"""A rest lasts so many times as long as the tick before it: most of the time is left to data that are still
coming in by the million."""
LONGEST_REST_SECONDS = 4.0
"""But not longer, or a report that is due waits for the rest and not for its turn."""
MOST_SKIPPED = 1
"""While objects arrive, their notifications set the function going: so many ticks in a row are left out at
most."""
OUTPUT = "QueryFunction"
"""The stack output that names the function."""


class Ticker(Background):
    """Ticks from when `delivered` (a count of lake objects) has grown until nothing is stale any more."""

    def __init__(self, context: LocalContext, delivered: Callable[[], int], seconds: float) -> None:
        super().__init__()
        self._context, self._delivered, self._seconds = context, delivered, seconds
        self._seen, self._stale = 0, False
        self._looked, self._skipped = 0, 0

    async def start(self) -> None:
        """Begin to tick, unless the pace is 0."""
        self._stale = True  # something may have been, when the server ended
        if self._seconds > 0:
            await super().start()

    async def _run(self) -> None:
        rest = self._seconds
        while True:
            await asyncio.sleep(rest)
            began = time.monotonic()
            await run_in_threadpool(self.tick)
            rest = max(self._seconds, min(LONGEST_REST_SECONDS, RESTS * (time.monotonic() - began)))

    def tick(self) -> bool:
        """Call the function if there is a reason to; whether it was called."""
        delivered = self._delivered()
        if delivered == self._seen and not self._stale:
            return False
        if self._is_growing(delivered) and self._skipped < MOST_SKIPPED:
            self._skipped += 1
            return False
        self._skipped = 0
        name = self._function()
        if name is None:
            return False
        try:
            answer = self._context.client("lambda").invoke(FunctionName=name, Payload=json.dumps(TICK))
            told: Any = json.loads(answer["Payload"].read() or b"{}")
        except (ClientError, BotoCoreError, ValueError) as error:
            logger.warning("the query function could not be told that time has passed: %s", error)
            return False
        self._seen = delivered
        self._stale = bool(answer.get("FunctionError")) or told.get("stale", 0) > 0
        return True

    def _is_growing(self, delivered: int) -> bool:
        before, self._looked = self._looked, delivered
        return delivered != before

    def _function(self) -> str | None:
        if not self._context.paths.outputs.exists():
            return None
        stacks = json.loads(self._context.paths.outputs.read_text())["stacks"].values()
        return next((stack["outputs"][OUTPUT] for stack in stacks if OUTPUT in stack["outputs"]), None)
