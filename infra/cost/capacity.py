"""Which limit a load reaches first, how much of each it takes, and what to raise. Limits are AWS's
documented ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from infra.cost.cost import MB, Assumptions, Load, record_bytes
from infra.deployment import Deployment
from infra.project.project import Project

ON_DEMAND_MB, ON_DEMAND_MB_MOST = 4, 200
SHARD_MB, SHARD_RECORDS = 1, 1_000
PARTITION_MB = 1_000
ACTIVE_PARTITIONS = 500
LAMBDA_PER_SHARD, LAMBDA_ACCOUNT = 5, 1_000
ATHENA_ACTIVE, ATHENA_STARTS = 200, 20
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
    """Every limit, the fullest first."""
    rate, size = load.events_per_second, load.event_bytes
    record_size, _ = record_bytes(load, assume)
    stream_mb = rate * size / MB
    records = rate * size / record_size

    def moved(limit: str, used: float, most: float, unit: str, remedy: str) -> Use:
        return Use(limit, used, most, unit, rate * most / used if used else math.inf, remedy)

    def fixed(limit: str, used: float, most: float, unit: str, remedy: str) -> Use:
        return Use(limit, used, most, unit, math.inf, remedy)

    shards = deployment.shards
    if shards is None:
        stream = [
            moved(
                "Kinesis, new on-demand stream",
                stream_mb,
                ON_DEMAND_MB,
                "MB/s",
                "It doubles with its load every 15 minutes; before a known jump, start with shards.",
            ),
            moved(
                "Kinesis, on-demand stream at most",
                stream_mb,
                ON_DEMAND_MB_MOST,
                "MB/s",
                "Ask AWS for a higher quota, or split the stream by domain.",
            ),
        ]
    else:
        stream = [
            moved("Kinesis, bytes of the shards", stream_mb, shards * SHARD_MB, "MB/s", "Raise `shards`."),
            moved(
                "Kinesis, records of the shards",
                records,
                shards * SHARD_RECORDS,
                "records/s",
                "Let producers aggregate, or raise `shards`.",
            ),
        ]
    transform_load = rate * assume.transform_seconds_per_event
    reserved = deployment.transform_reserved_concurrency or LAMBDA_ACCOUNT
    statements = sum(86_400 / report.max_delay_seconds for report in project.reports.values())
    spice = sum(1 for report in project.reports.values() if report.grain == "event_date")
    hour_mb = rate * size * assume.parquet_share * assume.columns_share * 3600 / MB
    return sorted(
        [
            *stream,
            moved(
                "Firehose, one event hour",
                stream_mb,
                PARTITION_MB,
                "MB/s",
                "Split the stream by domain: one hour is one dynamic partition.",
            ),
            fixed(
                "Firehose, hours written at once",
                2 + 24 * assume.late_share,
                ACTIVE_PARTITIONS,
                "partitions",
                "Replay old files in order of time; ask AWS for 5,000.",
            ),
            moved(
                "Transform, concurrent calls",
                transform_load,
                reserved,
                "calls",
                "Raise `transform_reserved_concurrency` (and the account's quota) or `transform_memory`.",
            ),
            moved(
                "Query function, one report partition",
                hour_mb * 24 * MB,
                deployment.cutoff_bytes,
                "bytes a query",
                "Raise `cutoff_bytes`; read fewer columns in the report.",
            ),
            fixed(
                "Athena, queries started",
                statements / 86_400 * 1.2,
                ATHENA_STARTS,
                "a second",
                "Raise the reports' 'at most every'.",
            ),
            fixed(
                "Athena, queries at once",
                2 * deployment.query_concurrency,
                ATHENA_ACTIVE,
                "queries",
                "Lower `query_concurrency`, or ask AWS; the quota counts queued ones too.",
            ),
            fixed(
                "QuickSight, ingestions of a dataset",
                24 if spice else 0,
                INGESTIONS_PER_DAY,
                "a day",
                "Use direct query for what must be fresher than 45 minutes.",
            ),
            moved(
                "SQS, messages in flight",
                (2 * rate * size / (deployment.buffer_mebibytes * MB) + 1) * 60,
                QUEUE_IN_FLIGHT,
                "messages",
                "Raise `buffer_mebibytes`: fewer, larger objects.",
            ),
        ],
        key=lambda use: -use.share,
    )
