"""Sends what Glue sends to EventBridge when a report's partitions move: the emulator's catalogue sends none.

It looks at the reports that the refresh function knows, and calls that function with the event that the
template's rule would hand it.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool

from dashboards.publishes import versions
from dashboards.settings import Settings
from infra.local.parts.background import Background
from infra.local.parts.context import LocalContext

logger = logging.getLogger(__name__)

SECONDS = 2.0
OUTPUT = "RefreshFunction"
"""The stack output that names the function."""


def event(database: str, report: str) -> dict[str, Any]:
    """A change of a table's partitions, as EventBridge delivers Glue's word of it."""
    return {
        "source": "aws.glue",
        "detail-type": "Glue Data Catalog Table State Change",
        "detail": {"databaseName": database, "tableName": report, "typeOfChange": "BatchUpdatePartition"},
    }


class CatalogueEvents(Background):
    """Polls the catalogue, and announces every change once."""

    def __init__(self, context: LocalContext) -> None:
        super().__init__()
        self._context = context
        self._seen: Mapping[str, str] = {}
        self._settings: tuple[str, Settings] | None = None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            await run_in_threadpool(self.look)

    def look(self) -> list[str]:
        """Notify the function of every report that was published since the last poll; which ones."""
        try:
            if (known := self._known()) is None:
                return []
            name, settings = known
            now = versions(self._context.client("glue"), settings.database, settings.data_sets)
            changed = [report for report, version in now.items() if version != self._seen.get(report, "")]
            for report in changed:
                payload = json.dumps(event(settings.database, report))
                self._context.client("lambda").invoke(
                    FunctionName=name, InvocationType="Event", Payload=payload
                )
        except (ClientError, BotoCoreError, ValueError) as error:
            logger.warning("the refresh function could not be notified of a publish: %s", error)
            return []
        self._seen = now
        return changed

    def _known(self) -> tuple[str, Settings] | None:
        """The function and what it knows, once it is deployed."""
        if self._settings is None and self._context.paths.outputs.exists():
            stacks = json.loads(self._context.paths.outputs.read_text())["stacks"].values()
            name = next((stack["outputs"][OUTPUT] for stack in stacks if OUTPUT in stack["outputs"]), None)
            if name is not None:
                found = self._context.client("lambda").get_function_configuration(FunctionName=name)
                self._settings = name, Settings.from_environ(found["Environment"]["Variables"])
        return self._settings
