"""A local cloud of its own for benchmarks of jobs and of the read API, with hours of page views published."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.shop import SHOP
from infra.local import cloud, processes
from infra.local.paths import LocalPaths
from infra.local.settings import LocalSettings
from tests.end_to_end.jobs_rig import World
from tests.queries.events import page_viewed

REPORT = "traffic_by_hour"
HOURS_AT_ONCE = 400
"""Firehose has 500 partitions open at a time, and takes the events of others for failed."""


@dataclass
class JobsCloud:
    """The cloud: `world` asks it as clients do, and is another one after it was down."""

    paths: LocalPaths
    settings: LocalSettings
    world: World

    def restart(self) -> None:
        """Down and up again."""
        cloud.down(self.paths, _silent)
        self.world = World(_up(self.paths, self.settings))


@contextmanager
def jobs_cloud() -> Iterator[JobsCloud]:
    """Start it on ports and in a folder of its own; end it with the block."""
    with tempfile.TemporaryDirectory() as scratch:
        port, server_port, collector_port, jobs_port, site_port = processes.free_ports(5)
        settings = LocalSettings(
            port=port,
            server_port=server_port,
            collector_port=collector_port,
            jobs_port=jobs_port,
            site_port=site_port,
        )
        paths = LocalPaths.of(Path(scratch))
        try:
            yield JobsCloud(paths, settings, World(_up(paths, settings)))
        finally:
            cloud.down(paths, _silent)


def publish(world: World, hours: Sequence[str], events_an_hour: int) -> None:
    """Have events in each of these hours, and their reports published."""
    counted = range(1, events_an_hour + 1)
    for start in range(0, len(hours), HOURS_AT_ONCE):
        some = hours[start : start + HOURS_AT_ONCE]
        world.chain.put([page_viewed(hour, n, producer="bench") for hour in some for n in counted])
        world.chain.deliver()
    world.chain.refresh()


def hours_of(days: int, ago: int) -> list[str]:
    """The hours of so many days that began so many days ago, in order."""
    start = (datetime.now(UTC) - timedelta(days=ago)).replace(hour=0)
    return [f"{start + timedelta(hours=hour):%Y-%m-%d-%H}" for hour in range(24 * days)]


def queries(world: World) -> int:
    """Query executions so far."""
    athena = world.chain.client("athena")
    pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=world.outputs.work_group)
    return sum(len(page["QueryExecutionIds"]) for page in pages)


def verdict(name: str, found: float, limit: float, unit: str = "") -> tuple[str, bool]:
    """(a line to print, whether the figure is within its limit)"""
    is_met = found <= limit
    return f"{'met   ' if is_met else 'MISSED'} {name}: {found:.4g}{unit} (limit {limit:g})", is_met


def _up(paths: LocalPaths, settings: LocalSettings) -> cloud.LocalCloud:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return cloud.up(paths, settings, _silent, environ=environ, project=SHOP)


def _silent(_: str) -> None:
    """Progress is nobody's business here."""
