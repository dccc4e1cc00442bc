"""What would make a load cheaper and stay safe, by the same arithmetic as its cost."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from infra.cost.cost import MB, Assumptions, Load, monthly, record_bytes, scanned_per_month, shares, total
from infra.deployment import Deployment
from infra.project.project import Project

_ASSUMED = Assumptions()


@dataclass(frozen=True)
class Suggestion:
    """A change that makes it cheaper and stays safe; `saves` is dollars a month."""

    text: str
    saves: float


def suggestions(
    load: Load,
    project: Project,
    deployment: Deployment,
    prices: Mapping[str, Any],
    assume: Assumptions = _ASSUMED,
) -> list[Suggestion]:
    """What would be cheaper, the largest saving first."""
    now = total(monthly(load, project, deployment, prices, assume))

    def saved(changed_load: Load, changed: Deployment) -> float:
        return now - total(monthly(changed_load, project, changed, prices, assume))

    found = []
    if not load.aggregated:
        found.append(
            Suggestion(
                "Let producers aggregate (they do by default).",
                saved(replace(load, aggregated=True), deployment),
            )
        )
    streamed = [
        share for stream, share in shares(load, list(project.streams.values())) if not stream.is_direct
    ]
    shards = safe_shards(streamed[0], assume) if streamed else 0
    if deployment.shards is None and streamed:
        text = (
            f"Provision {shards} shard{'s' * (shards > 1)} (twice the average load) and watch "
            "stream-throttled; on demand needs no watching."
        )
        found.append(Suggestion(text, saved(load, replace(deployment, shards=shards))))
    daily = sum(
        scanned_per_month(report, load, assume)
        for report in project.reports.values()
        if report.grain == "event_date"
    )
    if daily:
        text = "Refresh daily reports every 30 minutes: '-- refresh: at most every 30m'."
        found.append(Suggestion(text, daily * 5 / 6 / 1e12 * prices["athena"]["terabyte"]))
    if deployment.stream_retention_hours > 24 and streamed:
        text = "Keep the stream for 24 hours: less time to fix a delivery that stands."
        found.append(Suggestion(text, saved(load, replace(deployment, stream_retention_hours=24))))
    return sorted((each for each in found if each.saves > 0.5), key=lambda each: -each.saves)


def safe_shards(load: Load, assume: Assumptions = _ASSUMED) -> int:
    """Shards for twice the average load: each takes 1 MB and 1,000 records a second."""
    size, _ = record_bytes(load, assume)
    bytes_per_second = load.events_per_second * load.event_bytes
    return max(1, math.ceil(2 * max(bytes_per_second / MB, bytes_per_second / size / 1000)))
