"""Which limit a load reaches first, how much of each it takes, and what to raise. Limits are AWS's
documented ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from infra.cost.cost import MB, Assumptions, Load, record_bytes, shares
from infra.deployment import Deployment
from infra.project.project import Project

ON_DEMAND_MB, ON_DEMAND_MB_MOST = 4, 200
SHARD_MB, SHARD_RECORDS = 1, 1_000
PARTITION_MB = 1_000
DIRECT_MB, DIRECT_RECORDS = 1, 100_000
"""Direct puts a second, in the regions where the quota is lowest; it can be raised."""
ACTIVE_PARTITIONS = 500
LAMBDA_PER_SHARD, LAMBDA_ACCOUNT = 5, 1_000
GATEWAY_REQUESTS = 10_000
"""Of all HTTP and REST APIs of an account in a region, a second."""
ATHENA_ACTIVE, ATHENA_STARTS = 200, 20
APPSYNC_REQUESTS = 2_000
"""Tokens of requests a second, in the regions where the quota is lowest."""
INGESTIONS_PER_DAY = 32
QUEUE_IN_FLIGHT = 120_000


@dataclass(frozen=True)
class Use:
    """How much of one limit a load takes.

    Attributes:
        limit: what is limited.
        used, most: in `unit`.
        events_per_second: at which load it is reached; infinite where the load does not move it.
        remedy: what to raise, and how.
    """

    limit: str
    used: float
    most: float
    unit: str
    events_per_second: float
    remedy: str

    @property
    def share(self) -> float:
        """Of the limit."""
        return self.used / self.most


def uses(
    load: Load,
    project: Project,
    deployment: Deployment,
    assume: Assumptions = Assumptions(),  # noqa: B008
) -> Sequence[Use]:
    """Every limit, the fullest first; of each stream its own, where there are several.

    The load is spread evenly over the streams.
    """
    streams = list(project.streams.values())
    found = _shared(load, project, deployment, assume)
    if deployment.collector and load.collected:
        found += _collected(load, assume)
    if deployment.collector and project.hooks and load.webhooks:
        found += _webhooks(load, deployment, assume)
    for stream, share in shares(load, streams):
        whose = f" of {stream.name}" if len(streams) > 1 else ""
        own = _direct(share, assume) if stream.is_direct else _streamed(share, deployment, assume)
        own = [*own, *_of_delivery(share, deployment, assume)]
        found += [
            replace(
                use,
                limit=f"{use.limit}{whose}",
                events_per_second=use.events_per_second * len(streams),
            )
            for use in own
        ]
    return sorted(found, key=lambda use: -use.share)


def _moved(rate: float, limit: str, used: float, most: float, unit: str, remedy: str) -> Use:
    return Use(limit, used, most, unit, rate * most / used if used else math.inf, remedy)


def _fixed(limit: str, used: float, most: float, unit: str, remedy: str) -> Use:
    return Use(limit, used, most, unit, math.inf, remedy)


def _direct(load: Load, assume: Assumptions) -> list[Use]:
    rate, size = load.events_per_second, load.event_bytes
    record_size, _ = record_bytes(load, assume)
    remedy = "Ask AWS for a higher quota, or give the stream ingest = 'kinesis'."
    return [
        _moved(rate, "Firehose, bytes put directly", rate * size / MB, DIRECT_MB, "MB/s", remedy),
        _moved(
            rate,
            "Firehose, records put directly",
            rate * size / record_size,
            DIRECT_RECORDS,
            "records/s",
            remedy,
        ),
    ]


def _streamed(load: Load, deployment: Deployment, assume: Assumptions) -> list[Use]:
    rate, size = load.events_per_second, load.event_bytes
    record_size, _ = record_bytes(load, assume)
    stream_mb, shards = rate * size / MB, deployment.shards
    if shards is None:
        return [
            _moved(
                rate,
                "Kinesis, new on-demand stream",
                stream_mb,
                ON_DEMAND_MB,
                "MB/s",
                "It doubles with its load every 15 minutes; before a known jump, start with shards.",
            ),
            _moved(
                rate,
                "Kinesis, on-demand stream at most",
                stream_mb,
                ON_DEMAND_MB_MOST,
                "MB/s",
                "Ask AWS for a higher quota, or split the stream by domain.",
            ),
        ]
    return [
        _moved(rate, "Kinesis, bytes of the shards", stream_mb, shards * SHARD_MB, "MB/s", "Raise `shards`."),
        _moved(
            rate,
            "Kinesis, records of the shards",
            rate * size / record_size,
            shards * SHARD_RECORDS,
            "records/s",
            "Let producers aggregate, or raise `shards`.",
        ),
    ]


def _webhooks(load: Load, deployment: Deployment, assume: Assumptions) -> list[Use]:
    """Of the share of the load that comes as webhooks, a request each."""
    rate = load.events_per_second
    return [
        _moved(
            rate,
            "Webhooks, requests",
            rate * load.webhooks,
            GATEWAY_REQUESTS,
            "requests/s",
            "Ask AWS for a higher quota.",
        ),
        _moved(
            rate,
            "Webhooks, workers",
            rate * load.webhooks * assume.webhook_seconds,
            deployment.hooks_concurrency,
            "at once",
            "Raise `hooks_concurrency`; until then deliveries wait in their queue.",
        ),
    ]


def _collected(load: Load, assume: Assumptions) -> list[Use]:
    """Of the collector, by the share of the load that comes through it."""
    rate, requests = (
        load.events_per_second,
        load.events_per_second * load.collected / assume.events_per_request,
    )
    seconds = requests * assume.collector_seconds + rate * load.collected * assume.collector_seconds_per_event
    return [
        _moved(
            rate,
            "Collector, requests",
            requests,
            GATEWAY_REQUESTS,
            "requests/s",
            "Send more events in a request; ask AWS for a higher quota.",
        ),
        _moved(
            rate,
            "Collector, concurrent calls",
            seconds,
            LAMBDA_ACCOUNT,
            "calls",
            "Send more events in a request, or raise the account's quota.",
        ),
    ]


def _of_delivery(load: Load, deployment: Deployment, assume: Assumptions) -> list[Use]:
    """Of one stream's delivery and transformation."""
    rate = load.events_per_second
    return [
        _moved(
            rate,
            "Firehose, one event hour",
            rate * load.event_bytes / MB,
            PARTITION_MB,
            "MB/s",
            "Split the stream by domain: one hour is one dynamic partition.",
        ),
        _fixed(
            "Firehose, hours written at once",
            2 + 24 * assume.late_share,
            ACTIVE_PARTITIONS,
            "partitions",
            "Replay old files in order of time; ask AWS for 5,000.",
        ),
        _moved(
            rate,
            "Transform, concurrent calls",
            rate * assume.transform_seconds_per_event,
            deployment.transform_reserved_concurrency or LAMBDA_ACCOUNT,
            "calls",
            "Raise `transform_reserved_concurrency` (and the account's quota) or `transform_memory`.",
        ),
    ]


def _shared(load: Load, project: Project, deployment: Deployment, assume: Assumptions) -> list[Use]:
    rate, size = load.events_per_second, load.event_bytes
    statements = sum(86_400 / report.max_delay_seconds for report in project.reports.values())
    told = statements / 86_400 * 1.2  # a publish of a report is a mutation, and jobs add next to nothing
    live = [
        _fixed(
            "Live updates, requests to AppSync",
            told,
            APPSYNC_REQUESTS,
            "a second",
            "Ask AWS for a higher quota.",
        ),
    ]
    spice = sum(1 for report in project.reports.values() if report.grain == "event_date")
    hour_mb = rate * size * assume.parquet_share * assume.columns_share * 3600 / MB
    return [
        *(live if deployment.jobs else []),
        _moved(
            rate,
            "Query function, one report partition",
            hour_mb * 24 * MB,
            deployment.cutoff_bytes,
            "bytes a query",
            "Raise `cutoff_bytes`; read fewer columns in the report.",
        ),
        _fixed(
            "Athena, queries started",
            statements / 86_400 * 1.2,
            ATHENA_STARTS,
            "a second",
            "Raise the reports' 'at most every'.",
        ),
        _fixed(
            "Athena, queries at once",
            2 * deployment.query_concurrency,
            ATHENA_ACTIVE,
            "queries",
            "Lower `query_concurrency`, or ask AWS; the quota counts queued ones too.",
        ),
        _fixed(
            "QuickSight, ingestions of a dataset",
            24 if spice else 0,
            INGESTIONS_PER_DAY,
            "a day",
            "Use direct query for what must be fresher than 45 minutes.",
        ),
        _moved(
            rate,
            "SQS, messages in flight",
            (2 * rate * size / (deployment.buffer_mebibytes * MB) + 1) * 60,
            QUEUE_IN_FLIGHT,
            "messages",
            "Raise `buffer_mebibytes`: fewer, larger objects.",
        ),
    ]
