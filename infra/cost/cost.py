"""What a load costs a month, by service: arithmetic over a price file, with every assumption a named
number.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infra.cost.collector import collector, webhooks
from infra.cost.jobs import lines_of
from infra.deployment import Deployment
from infra.project.project import Project
from infra.stacks.alarms import alarm_rules
from producers.contracts import Stream
from queries.contracts import Report

GB, MB, KB = 2**30, 2**20, 2**10
MINUTES, DAYS = 43_200, 30
TRANSACTION = 2
"""Writes that DynamoDB counts for each item of a transaction, as which the ledger makes all of its own."""


@dataclass(frozen=True)
class Load:
    """What goes through the pipeline.

    Attributes:
        events_per_second, event_bytes: of the month's average; a month has 30 days. With no events the
            deployment rests: what it costs to have it.
        aggregated: whether producers pack events into records of about 40 KB, as Penstock's do.
        lake_months: how many months of events the lake keeps in the price.
        collected: share of the events, from 0 to 1, that come through the collector.
        webhooks: share of the events that come as deliveries of webhooks.
    """

    events_per_second: float
    event_bytes: int = 1024
    aggregated: bool = True
    lake_months: float = 1
    collected: float = 0
    webhooks: float = 0

    @property
    def events(self) -> float:
        """Events of a month."""
        return self.events_per_second * 86_400 * DAYS


@dataclass(frozen=True)
class Assumptions:
    """Measured or chosen, and everybody's to change.

    Attributes:
        packed_bytes: of an aggregated record; the producer packs up to 50 kB and flushes every 100 ms.
        parquet_share: of the JSON's size that the same events take in Parquet with Snappy.
        columns_share: of those bytes that a report's columns take.
        late_share: of the refreshes that make one more, older hour stale.
        transform_seconds_per_event: at the deployed memory size.
        tick_seconds: of a tick that finds nothing to do.
        queries_seconds_per_minute: how long the query function runs in each minute, waiting for Athena.
        buffer_minutes: how long Firehose really takes to fill a buffer, at most.
        events_per_request: to the collector.
        collector_seconds, collector_seconds_per_event: of its function, for a request and an event in it.
        webhook_seconds: of the worker for a delivery, which it takes one by one where they come seldom.
        job_chunks, imported_gigabytes: of jobs in a month: chunks of 96 partitions, and files.
        requests_per_read: of Athena to S3 for one lake object: its footer, and the columns that are needed.
    """

    packed_bytes: int = 40_000
    parquet_share: float = 0.25
    columns_share: float = 0.2
    late_share: float = 0.2
    transform_seconds_per_event: float = 0.00014
    tick_seconds: float = 0.5
    queries_seconds_per_minute: float = 15
    buffer_minutes: float = 1.0
    events_per_request: float = 20
    collector_seconds: float = 0.012
    collector_seconds_per_event: float = 0.00004
    webhook_seconds: float = 0.03
    job_chunks: float = 92
    imported_gigabytes: float = 1
    requests_per_read: float = 2
    custom_metrics: int = 30


@dataclass(frozen=True)
class Line:
    """One service's share: dollars a month, and what they are made of."""

    service: str
    dollars: float
    because: str


def monthly(
    load: Load,
    project: Project,
    deployment: Deployment,
    prices: Mapping[str, Any],
    assume: Assumptions = Assumptions(),
) -> list[Line]:
    """Every service's line, in the order of the data's way; of each stream its own, where there are several.

    The load is spread evenly over the streams.
    """
    streams = list(project.streams.values())
    lines: list[Line] = []
    objects = 0.0
    for stream, share in shares(load, streams):
        delivered = delivered_objects(share, deployment, assume)
        objects += delivered
        own = [] if stream.is_direct else [kinesis(share, deployment, prices, assume)]
        own += [
            _firehose(share, delivered, prices, assume),
            _transform(share, deployment, prices, assume),
        ]
        whose = f" of {stream.name}" if len(streams) > 1 else ""
        lines += [replace(line, service=f"{line.service}{whose}") for line in own]
    collected = [Line("Collector", *collector(load, deployment, prices, assume))] if load.collected else []
    if load.webhooks and project.hooks:
        collected.append(Line("Webhooks", *webhooks(load, deployment, prices, assume)))
    return [
        *(collected if deployment.collector else []),
        *lines,
        _storage(load, project, objects, prices, assume),
        _athena(load, project, prices, assume),
        _refresh(project, deployment, objects, prices, assume),
        *(Line(name, *cost(deployment, prices, assume)) for name, cost in lines_of(deployment).items()),
        _operations(load, project, deployment, prices, assume),
    ]


def shares(load: Load, streams: Sequence[Stream]) -> Iterator[tuple[Stream, Load]]:
    """Each stream with its even share of the load. Where there is no Kinesis stream, nothing is packed."""
    for stream in streams:
        rate = load.events_per_second / len(streams)
        yield (
            stream,
            replace(load, events_per_second=rate, aggregated=load.aggregated and not stream.is_direct),
        )


def total(lines: Sequence[Line]) -> float:
    """Dollars a month."""
    return sum(line.dollars for line in lines)


def record_bytes(load: Load, assume: Assumptions) -> tuple[float, float]:
    """(bytes of one record, records of a month)."""
    size = float(max(assume.packed_bytes, load.event_bytes) if load.aggregated else load.event_bytes)
    return size, load.events * load.event_bytes / size


def kinesis(load: Load, deployment: Deployment, prices: Mapping[str, Any], assume: Assumptions) -> Line:
    """The stream, in the deployment's mode."""
    rate, hours = prices["kinesis"], prices["hours_of_month"]
    size, records = record_bytes(load, assume)
    if deployment.shards is not None:
        units = records * math.ceil(size / (25 * KB)) / 1e6
        longer = rate["longer_shard_hour"] if deployment.stream_retention_hours > 24 else 0
        dollars = (
            deployment.shards * hours * (rate["shard_hour"] + longer) + units * rate["put_units_million"]
        )
        return Line("Kinesis", dollars, f"{deployment.shards} shards, {units:,.1f} M PUT units")
    metered = records * math.ceil(size / KB) * KB / GB
    kept = metered / DAYS * max(0, deployment.stream_retention_hours - 24) / 24
    dollars = (
        hours * rate["on_demand_stream_hour"]
        + metered * (rate["on_demand_in_gb"] + rate["on_demand_out_gb"])
        + kept * rate["on_demand_longer_gb_month"]
    )
    return Line(
        "Kinesis", dollars, f"on demand, {metered:,.0f} GB in and out, {kept:,.0f} GB kept beyond a day"
    )


def delivered_objects(load: Load, deployment: Deployment, assume: Assumptions) -> float:
    """Lake objects of a month: by time at low volume, by size at high volume; none of no events."""
    if not load.events:
        return 0.0
    by_time = MINUTES / assume.buffer_minutes * 60 / deployment.buffer_seconds
    by_size = load.events * load.event_bytes / (deployment.buffer_mebibytes * MB)
    return max(by_time, by_size) * (1 + assume.late_share)


def _firehose(load: Load, objects: float, prices: Mapping[str, Any], assume: Assumptions) -> Line:
    rate = prices["firehose"]
    size, records = record_bytes(load, assume)
    metered = records * math.ceil(size / (5 * KB)) * 5 * KB / GB
    raw = load.events * load.event_bytes / GB
    dollars = (
        metered * (rate["in_gb"] + rate["conversion_gb"])
        + raw * rate["partitioning_gb"]
        + objects / 1000 * rate["partitioned_objects_thousand"]
    )
    return Line("Firehose", dollars, f"{raw:,.0f} GB counted as {metered:,.0f} GB, converted and partitioned")


def _transform(load: Load, deployment: Deployment, prices: Mapping[str, Any], assume: Assumptions) -> Line:
    rate = prices["lambda"]
    by_size = load.events * load.event_bytes / (deployment.transform_batch_mebibytes * MB)
    calls = max(by_size, MINUTES * 60 / deployment.buffer_seconds) if load.events else 0
    seconds = load.events * assume.transform_seconds_per_event
    dollars = (
        seconds * deployment.transform_memory / 1024 * rate["arm_gb_second"]
        + calls / 1e6 * rate["requests_million"]
    )
    return Line(
        "Transform", dollars, f"{calls:,.0f} calls, {seconds:,.0f} s at {deployment.transform_memory} MB"
    )


def _storage(
    load: Load, project: Project, objects: float, prices: Mapping[str, Any], assume: Assumptions
) -> Line:
    rate = prices["s3"]
    stored = load.events * load.event_bytes * assume.parquet_share * load.lake_months / GB
    # Each object is read by every run of a report that comes while its hour or day lasts: half of them on
    # average. It is listed besides, and each run writes a few of its own.
    runs = sum(
        partition_seconds(report) / 2 / report.max_delay_seconds for report in project.reports.values()
    )
    reads = objects * runs * assume.requests_per_read
    dollars = (
        stored * rate["storage_gb_month"]
        + objects * 3 / 1000 * rate["puts_thousand"]
        + reads / 1000 * rate["gets_thousand"]
    )
    return Line("S3", dollars, f"{stored:,.0f} GB of Parquet, {objects:,.0f} objects, {reads:,.0f} reads")


def partition_seconds(report: Report) -> int:
    """How long a partition of the report takes in input."""
    return 3600 if report.grain == "event_hour" else 86_400


def scanned_per_month(report: Report, load: Load, assume: Assumptions, least_bytes: int = 0) -> float:
    """Bytes that Athena bills a report's refreshes of a month, each at least `least_bytes`."""
    refreshes = 86_400 * DAYS / report.max_delay_seconds if load.events else 0
    hours = partition_seconds(report) // 3600
    per_hour = load.events_per_second * 3600 * load.event_bytes * assume.parquet_share * assume.columns_share
    # The partition that is open holds half of itself on average, and the context around it is read as well.
    whole = per_hour * (hours / 2 + 2 * report.context_seconds / 3600)
    late = per_hour * hours * assume.late_share
    return refreshes * max(whole + late, least_bytes)


def _athena(load: Load, project: Project, prices: Mapping[str, Any], assume: Assumptions) -> Line:
    rate = prices["athena"]
    scanned = sum(
        scanned_per_month(report, load, assume, rate["least_bytes"]) for report in project.reports.values()
    )
    return Line(
        "Athena",
        scanned / 1e12 * rate["terabyte"],
        f"{scanned / 1e9:,.0f} GB by {len(project.reports)} reports",
    )


def _refresh(
    project: Project, deployment: Deployment, objects: float, prices: Mapping[str, Any], assume: Assumptions
) -> Line:
    reports = project.reports.values() if objects else ()
    refreshes = sum(86_400 * DAYS / report.max_delay_seconds for report in reports)
    seconds = MINUTES * (assume.queries_seconds_per_minute if objects else assume.tick_seconds)
    polls = deployment.query_concurrency * 86_400 * DAYS / 20
    writes = refreshes * 8 + objects * len(project.reports)
    dollars = (
        seconds * deployment.query_memory / 1024 * prices["lambda"]["arm_gb_second"]
        + (objects * 2 + polls) / 1e6 * prices["sqs"]["requests_million"]
        + TRANSACTION * writes / 1e6 * prices["dynamodb"]["writes_million"]
        + refreshes * 12 / 1e6 * prices["dynamodb"]["reads_million"]
        + refreshes * 6 / 1e6 * prices["glue"]["requests_million"]
    )
    return Line("Refresh", dollars, f"query function, queue, ledger, catalog for {refreshes:,.0f} refreshes")


def _operations(
    load: Load, project: Project, deployment: Deployment, prices: Mapping[str, Any], assume: Assumptions
) -> Line:
    rate = prices["cloudwatch"]
    streams = project.streams.values()
    alarms = len(alarm_rules(deployment, streams, hooks=bool(project.hooks), imports=bool(project.sources)))
    dashboards = 1 + sum(not stream.plain_names for stream in streams)
    metrics = assume.custom_metrics * len(streams)
    calls = load.events * load.event_bytes / (deployment.transform_batch_mebibytes * MB) + 2 * MINUTES
    dollars = (
        alarms * rate["alarm_month"]
        + metrics * rate["metric_month"]
        + dashboards * rate["dashboard_month"]
        + (logs := calls * 1_500 / GB) * rate["logs_gb"]
        + len(streams) * (prices["secrets"]["secret_month"] + prices["kms"]["key_month"])
        + (len(project.hooks) if deployment.collector else 0) * prices["secrets"]["secret_month"]
    )
    return Line("Operations", dollars, f"{alarms} alarms, {metrics} metrics, {logs:,.1f} GB of logs")
