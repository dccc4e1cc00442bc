"""Sends what Glue sends to EventBridge when a report's partitions move: the emulator's catalogue sends none.

It looks at the reports that the functions of dashboards know, and calls them with the event that the
template's rules would hand them.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool

from dashboards.publishes import versions
from dashboards.settings import Settings
from infra.local.parts.background import Background
from infra.local.parts.context import LocalContext
from infra.site.function.settings import variable

logger = logging.getLogger(__name__)

SECONDS = 2.0
OUTPUT, EXTRACTS = "RefreshFunction", "ExtractFunction"
"""The stack outputs that name the functions: of copies in QuickSight, and of the site's extracts."""


def event(database: str, report: str) -> dict[str, Any]:
    """A change of a table's partitions, as EventBridge delivers Glue's word of it."""
    return {
        "source": "aws.glue",
        "detail-type": "Glue Data Catalog Table State Change",
        "detail": {"databaseName": database, "tableName": report, "typeOfChange": "BatchUpdatePartition"},
    }


class Listener(NamedTuple):
    """A function that is told of publishes, and the reports that it is told of."""

    function: str
    database: str
    reports: tuple[str, ...]


class CatalogueEvents(Background):
    """Polls the catalogue, and announces every change once."""

    def __init__(self, context: LocalContext) -> None:
        super().__init__()
        self._context = context
        self._seen: Mapping[str, str] = {}
        self._known: tuple[Listener, ...] = ()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            await run_in_threadpool(self.look)

    def look(self) -> list[str]:
        """Notify the functions of every report that was published since the last poll; which ones."""
        try:
            if not (known := self._listeners()):
                return []
            reports = sorted({report for each in known for report in each.reports})
            now = versions(self._context.client("glue"), known[0].database, reports)
            changed = [report for report, version in now.items() if version != self._seen.get(report, "")]
            for report in changed:
                for each in known:
                    if report in each.reports:
                        self._tell(each, report)
        except (ClientError, BotoCoreError, ValueError) as error:
            logger.warning("the functions that keep dashboards fresh could not be notified: %s", error)
            return []
        self._seen = now
        return changed

    def _tell(self, listener: Listener, report: str) -> None:
        payload = json.dumps(event(listener.database, report))
        self._context.client("lambda").invoke(
            FunctionName=listener.function, InvocationType="Event", Payload=payload
        )

    def _listeners(self) -> tuple[Listener, ...]:
        """The functions and what they are told of, once they are deployed."""
        if not self._known and self._context.paths.outputs.exists():
            stacks = json.loads(self._context.paths.outputs.read_text())["stacks"].values()
            found = {name: value for stack in stacks for name, value in stack["outputs"].items()}
            if OUTPUT in found:
                settings = Settings.from_environ(self._environment(found[OUTPUT]))
                reports = tuple(settings.data_sets)
                self._known = (Listener(found[OUTPUT], settings.database, reports),)
                if EXTRACTS in found:
                    shown = self._environment(found[EXTRACTS])[variable("reports")].split()
                    self._known += (Listener(found[EXTRACTS], settings.database, tuple(shown)),)
        return self._known

    def _environment(self, function: str) -> Mapping[str, str]:
        found = self._context.client("lambda").get_function_configuration(FunctionName=function)
        variables: Mapping[str, str] = found["Environment"]["Variables"]
        return variables
