"""Calls the function of jobs while there are any: the template's schedule does once a minute, on AWS."""

import asyncio
import json
import logging

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool

from infra.local.parts.background import Background
from infra.local.parts.context import LocalContext
from queries.jobs.dynamodb import DynamoDbJobs

logger = logging.getLogger(__name__)
TICK = {"penstock": "tick"}
SCALE = 3
"""A tick of jobs for so many of the reports'."""


class JobsTicker(Background):
    """Ticks for as long as some job is not over. `seconds` is the pace of the reports' ticks; 0 for never."""

    def __init__(self, context: LocalContext, seconds: float) -> None:
        super().__init__()
        self._context, self._seconds = context, seconds * SCALE

    async def start(self) -> None:
        """Begin to tick, unless the pace is 0."""
        if self._seconds > 0:
            await super().start()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await run_in_threadpool(self.tick)

    def tick(self) -> bool:
        """Call the function if there is a reason to; whether it was called."""
        found = self._deployed()
        if found is None:
            return False
        function, table = found
        try:
            if not DynamoDbJobs(self._context.client("dynamodb"), table).active().jobs:
                return False
            self._context.client("lambda").invoke(FunctionName=function, Payload=json.dumps(TICK))
        except (ClientError, BotoCoreError) as error:
            logger.warning("the function of jobs could not be told that time has passed: %s", error)
            return False
        return True

    def _deployed(self) -> tuple[str, str] | None:
        if not self._context.paths.outputs.exists():
            return None
        for stack in json.loads(self._context.paths.outputs.read_text())["stacks"].values():
            if "JobsFunction" in stack["outputs"]:
                return stack["outputs"]["JobsFunction"], stack["outputs"]["JobsTable"]
        return None
