"""QuickSightService: the endpoint as a part of the local server."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.routing import BaseRoute

from infra.local.parts.context import LocalContext
from infra.local.parts.service import ResourceHandler, Target
from infra.local.quicksight.operations import KINDS, Operations
from infra.local.quicksight.protocol import routes
from infra.local.quicksight.resources import AssetHandler, ScheduleHandler
from infra.local.quicksight.store import AssetStore

INGESTION_SECONDS = 2.0
_NEXT = {"QUEUED": "RUNNING", "RUNNING": "COMPLETED"}


class QuickSightService:
    """QuickSight's API and CloudFormation types over assets kept in memory; a restart gets them from the
    template.
    """

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        self.store = AssetStore(context.account_id, context.region, context.clock)
        self.operations = Operations(self.store)
        self.targets: Mapping[str, Target] = {}  # the API is REST
        self.resources: Mapping[str, ResourceHandler] = {
            **{f"AWS::QuickSight::{kind}": AssetHandler(kind, self.operations, self.store) for kind in KINDS},
            "AWS::QuickSight::RefreshSchedule": ScheduleHandler(self.operations, self.store),
        }
        self.routes: Sequence[BaseRoute] = routes(self.operations.table, self._answer)
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Let ingestions go on in the background."""
        self._work = asyncio.create_task(self._ingest())

    async def stop(self) -> None:
        """Stop them."""
        if self._work is not None:
            self._work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._work

    def _answer(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = self.operations.answer(operation, request)
        if operation == "CreateIngestion":
            self._context.activity.add(
                "dashboard", "ingestion", at=self._context.clock(), data_set=request["DataSetId"],
                ingestion=request["IngestionId"],
            )  # fmt: skip
        return answer

    async def _ingest(self) -> None:
        while True:
            await asyncio.sleep(INGESTION_SECONDS / 2)
            for ingestion in list(self.store.ingestions.values()):
                ingestion.status = _NEXT.get(ingestion.status, ingestion.status)
