"""The refresh function: a publish or a tick in, SPICE ingestions within their budget out.

It keeps nothing between calls: Glue has the newest version, QuickSight has the history.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import EventBridgeEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext

from dashboards import telemetry
from dashboards.ingestions import Controller, Decision, Start, Wait
from dashboards.publishes import versions
from dashboards.settings import Settings

logger = Logger(service=telemetry.SERVICE)
metrics = Metrics(namespace=telemetry.NAMESPACE, service=telemetry.SERVICE)
tracer = Tracer(service=telemetry.SERVICE, patch_modules=["botocore"])  # a subsegment for each AWS call
VERSION_LETTERS = 16


@dataclass(frozen=True)
class Refresh:
    """The controllers of a deployment's SPICE datasets. `clock` gives epoch seconds."""

    settings: Settings
    quicksight: Any
    glue: Any
    clock: Callable[[], float]
    alarm: Callable[[str], None]

    def step(self, published: str | None = None) -> dict[str, Decision]:
        """One decision per dataset, acted upon; only for the report that was published, when one is named.

        Raises ClientError.
        """
        names = [name for name in self.settings.data_sets if published in (None, name)]
        newest = versions(self.glue, self.settings.database, names)
        return {name: self._decide(name, newest[name]) for name in names}

    def _decide(self, report: str, version: str) -> Decision:
        controller = Controller(
            self.quicksight,
            account=self.settings.account,
            data_set=self.settings.data_sets[report],
            clock=self.clock,
            alarm=self.alarm,
        )
        if version:
            controller.published(version[:VERSION_LETTERS])
        return controller.step()


@lru_cache(maxsize=1)
def refresh() -> Refresh:
    """The controllers on AWS's clients, built on first use."""
    import boto3

    return Refresh(
        Settings.from_environ(os.environ),
        boto3.client("quicksight"),
        boto3.client("glue"),
        time.time,
        lambda what: logger.warning(telemetry.BEHIND, data_set=what),
    )


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler(capture_response=False)
@event_source(data_class=EventBridgeEvent)
def lambda_handler(event: EventBridgeEvent, _: LambdaContext) -> dict[str, str]:
    """Take the catalogue's change of a report's partitions, or a tick that ends a wait.

    Answers with what was decided for each report.
    """
    changed = (event.get("detail") or {}).get("tableName")
    decisions = refresh().step(changed)
    started = sum(isinstance(decision, Start) for decision in decisions.values())
    metrics.add_metric(telemetry.INGESTIONS_STARTED, MetricUnit.Count, started)
    decided = {name: said(decision) for name, decision in decisions.items()}
    logger.info("refreshes decided", cause=changed or "tick", decided=decided)
    return decided


def said(decision: Decision) -> str:
    """The decision in words."""
    match decision:
        case Start(id=ingestion):
            return f"started {ingestion}"
        case Wait(until=until, why=why):
            return f"waits until {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(until))}: {why}"
        case _:
            return "newest version is in"
