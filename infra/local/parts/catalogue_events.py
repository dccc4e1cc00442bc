"""Sends what Glue sends to EventBridge when a report's partitions move: the emulator's catalogue sends none.

It calls the functions that the templates' rules would hand the event to: the one that refreshes copies; while
a page of the report site is open the one that draws it, of all that came meanwhile; and while somebody
listens the one that publishes live updates.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.concurrency import run_in_threadpool

from dashboards.publishes import versions
from dashboards.settings import Settings
from infra.local.parts.background import Background
from infra.local.parts.context import LocalContext
from infra.site.function.settings import Settings as SiteSettings
from queries.updates.settings import Settings as UpdatesSettings

logger = logging.getLogger(__name__)

SECONDS, LISTENED_SECONDS = 2.0, 0.2
"""Between polls, and while somebody listens to live updates."""
REFRESH, EXTRACTS, UPDATES = "RefreshFunction", "ExtractFunction", "UpdatesFunction"
"""The stack outputs that name the functions."""


@dataclass(frozen=True)
class Called:
    """A function that hears of publishes, and of which reports."""

    function: str
    database: str
    reports: frozenset[str]


def event(database: str, report: str) -> dict[str, Any]:
    """A change of a table's partitions, as EventBridge delivers Glue's word of it."""
    return {
        "source": "aws.glue",
        "detail-type": "Glue Data Catalog Table State Change",
        "detail": {"databaseName": database, "tableName": report, "typeOfChange": "BatchUpdatePartition"},
    }


class CatalogueEvents(Background):
    """Polls the catalogue, and announces every change once.

    `reports` are those of the project; `listening` says whether somebody has subscribed to live updates, and
    `looking` whether somebody has the report site open.
    """

    def __init__(
        self,
        context: LocalContext,
        reports: Iterable[str] = (),
        listening: Callable[[], bool] = lambda: False,
        looking: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__()
        self._context, self._reports = context, frozenset(reports)
        self._listening, self._looking = listening, looking
        self._undrawn: set[str] = set()
        self._seen: Mapping[str, str] = {}
        self._known: dict[str, Called] = {}

    async def _run(self) -> None:
        while True:
            for _ in range(round(SECONDS / LISTENED_SECONDS)):
                await asyncio.sleep(LISTENED_SECONDS)
                if self._listening() or self._looking():
                    break
            await run_in_threadpool(self.look)

    def look(self) -> list[str]:
        """Notify the functions of every report that was published since the last poll; which ones."""
        try:
            called = self._called()
            changed, now = self._changed(called)
            self._undrawn.update(changed)
            for report in changed:
                self._announce(report, called)
            self._have_drawn(called.get(EXTRACTS))
        except (ClientError, BotoCoreError, ValueError) as error:
            logger.warning("no function could be notified of a publish: %s", error)
            return []
        self._seen = now
        return changed

    def _changed(self, called: Mapping[str, Called]) -> tuple[list[str], Mapping[str, str]]:
        """Reports that were published, and the version of each report that somebody wants to hear of."""
        wanted = sorted({report for each in called.values() for report in each.reports})
        if not wanted:
            return [], self._seen
        database = next(iter(called.values())).database
        now = versions(self._context.client("glue"), database, wanted)
        return [report for report, version in now.items() if version != self._seen.get(report, "")], now

    def _announce(self, report: str, called: Mapping[str, Called]) -> None:
        for output, each in called.items():
            if report in each.reports and output != EXTRACTS and (output != UPDATES or self._listening()):
                self._call(each, report)

    def _have_drawn(self, extracts: Called | None) -> None:
        if extracts is None or not self._undrawn or not self._looking():
            return
        for report in sorted(self._undrawn & extracts.reports):
            self._call(extracts, report)
        self._undrawn.clear()

    def _call(self, called: Called, report: str) -> None:
        self._context.client("lambda").invoke(
            FunctionName=called.function,
            InvocationType="Event",
            Payload=json.dumps(event(called.database, report)),
        )

    def _called(self) -> Mapping[str, Called]:
        """The functions that are deployed."""
        missing = {REFRESH, EXTRACTS, UPDATES} - self._known.keys()
        if missing and self._context.paths.outputs.exists():
            stacks = json.loads(self._context.paths.outputs.read_text())["stacks"].values()
            named = {output: name for stack in stacks for output, name in stack["outputs"].items()}
            for output in sorted(missing & named.keys()):
                self._known[output] = self._read(output, named[output])
        return self._known

    def _read(self, output: str, function: str) -> Called:
        found = self._context.client("lambda").get_function_configuration(FunctionName=function)
        variables = found["Environment"]["Variables"]
        if output == UPDATES:
            return Called(function, UpdatesSettings.from_environ(variables).database, self._reports)
        if output == EXTRACTS:
            site = SiteSettings.from_environ(variables)
            return Called(function, site.database, frozenset(site.reports.split()))
        settings = Settings.from_environ(variables)
        return Called(function, settings.database, frozenset(settings.data_sets))
