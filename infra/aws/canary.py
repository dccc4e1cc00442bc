"""One event's way through a deployment: put on the stream, seen in the lake, seen in a report, each with its
time.

It is a producer's audit event, about a producer that sent nothing: it becomes a row, and no count of events
changes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from infra.aws.deployed import Client, Finding
from infra.aws.outputs import Outputs, StreamOutputs
from infra.project.project import Project
from producers.contracts import PRODUCER_AUDITED, ProducerAudited
from producers.packing.codec import encode
from queries.contracts import Report
from transforms.contracts import EVENT_HOUR, EVENT_HOUR_FORMAT

LAKE_PROMISE = "an event reaches the lake within three minutes"
REPORT_PROMISE = "an event reaches a report within ten minutes"
SWAP_PROMISE = "a query sees a switched report partition at once, and only its new run"
LAKE_SECONDS, REPORT_SECONDS = 180, 600
PRODUCER = "penstock-doctor"


@dataclass(frozen=True)
class Pace:
    """Clock and pause, for a test to replace. `monotonic` and `sleep` are in seconds."""

    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    seconds_between: float = 2.0


def canary(event_id: str, now: datetime) -> bytes:
    """The event's bytes. `now` has a zone."""
    event = PRODUCER_AUDITED.event_class(  # type: ignore[call-arg]
        event_id=event_id,
        schema_version=PRODUCER_AUDITED.version,
        event_time=now,
        source="doctor",
        producer_id=PRODUCER,
        epoch=int(now.timestamp()),
        seq=0,
        payload=ProducerAudited(producer=PRODUCER, last_seq=0, closed=True),
    )
    return encode(event)


def follow(
    client: Client, outputs: Outputs, project: Project, event_id: str, now: datetime, pace: Pace
) -> Iterator[Finding]:
    """Put the canary on every stream and follow it; each finding comes as soon as it is known."""
    for stream in outputs.streams.values():
        for finding in _follow(client, outputs, stream, project, event_id, now, pace):
            named = f"{stream.name}: {finding.promise}" if len(outputs.streams) > 1 else finding.promise
            yield replace(finding, promise=named)


def _put(client: Client, stream: StreamOutputs, data: bytes) -> None:
    if stream.is_direct:
        client("firehose").put_record(DeliveryStreamName=stream.delivery_stream, Record={"Data": data})
    else:
        client("kinesis").put_record(StreamName=stream.stream_name, Data=data, PartitionKey=PRODUCER)


def _follow(
    client: Client,
    outputs: Outputs,
    stream: StreamOutputs,
    project: Project,
    event_id: str,
    now: datetime,
    pace: Pace,
) -> Iterator[Finding]:
    hour = now.strftime(EVENT_HOUR_FORMAT)
    _put(client, stream, canary(event_id, now))
    started = pace.monotonic()

    def waited_for(condition: Callable[[], Any], limit: float) -> tuple[Any, float]:
        while True:
            found, passed = condition(), pace.monotonic() - started
            if found or passed > limit:
                return found, passed
            pace.sleep(pace.seconds_between)

    table = project.streams[stream.name].table
    landed, seconds = waited_for(
        lambda: how_many_landed(client("athena"), outputs, table, [event_id], now, pace), LAKE_SECONDS
    )
    seen = f"after {seconds:.0f} s" if landed else f"not after {seconds:.0f} s"
    yield Finding(LAKE_PROMISE, bool(landed), seen, "See docs/runbook.md#delivery-stale")
    report = hourly_report(project, table)
    if not landed or report is None:
        return
    put_ms = int(now.timestamp() * 1000)
    location, seconds = waited_for(
        lambda: _published(client("glue"), outputs, report.name, hour, put_ms), REPORT_SECONDS
    )
    seen = f"after {seconds:.0f} s" if location else f"not after {seconds:.0f} s"
    yield Finding(REPORT_PROMISE, bool(location), seen, "See docs/runbook.md#reports-stale")
    if location:
        yield _swap(client, outputs, report.name, hour, location, pace)


def hourly_report(project: Project, table: str) -> Report | None:
    """The report by the hour that reads the table and is kept freshest; by name among equals (pure)."""
    reading = [
        each for each in project.reports.values() if each.grain == EVENT_HOUR and table in each.sources
    ]
    return min(reading, key=lambda each: (each.max_delay_seconds, each.name), default=None)


def _swap(client: Client, outputs: Outputs, report: str, hour: str, location: str, pace: Pace) -> Finding:
    strangers = f"count_if(NOT starts_with(\"$path\", '{location}'))"
    sql = f"SELECT {strangers} FROM {report} WHERE {EVENT_HOUR} = '{hour}'"  # noqa: S608
    strays = _one_value(client("athena"), outputs, sql, pace)
    return Finding(
        SWAP_PROMISE,
        strays == "0",
        f"{strays or 'no'} rows of another run",
        "See docs/runbook.md#reports-stale",
    )


def _published(glue: Any, outputs: Outputs, report: str, hour: str, since_ms: int) -> str:
    """Location of the report partition, when it was computed after `since_ms`; else nothing."""
    try:
        found = glue.get_partition(DatabaseName=outputs.database, TableName=report, PartitionValues=[hour])[
            "Partition"
        ]
    except glue.exceptions.EntityNotFoundException:
        return ""
    fresh = int(found.get("Parameters", {}).get("as_of", 0)) >= since_ms
    return str(found["StorageDescriptor"]["Location"]) if fresh else ""


def how_many_landed(
    athena: Any, outputs: Outputs, table: str, event_ids: Sequence[str], now: datetime, pace: Pace
) -> int:
    """How many of these canaries, all made at `now`, are in the lake table."""
    hour, listed = now.strftime(EVENT_HOUR_FORMAT), ", ".join(f"'{each}'" for each in event_ids)
    sql = (
        f"SELECT count(DISTINCT event_id) FROM {table} "  # noqa: S608
        f"WHERE {EVENT_HOUR} = '{hour}' AND event_id IN ({listed})"
    )
    return int(_one_value(athena, outputs, sql, pace) or 0)


def _one_value(athena: Any, outputs: Outputs, sql: str, pace: Pace) -> str:
    """The one value that the query gives; nothing when it fails."""
    started = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=outputs.analyst_work_group,
        QueryExecutionContext={"Database": outputs.database},
    )
    key = {"QueryExecutionId": started["QueryExecutionId"]}
    while (state := athena.get_query_execution(**key)["QueryExecution"]["Status"]["State"]) in (
        "QUEUED",
        "RUNNING",
    ):
        pace.sleep(min(0.5, pace.seconds_between))
    if state != "SUCCEEDED":
        return ""
    rows = athena.get_query_results(**key)["ResultSet"]["Rows"]
    return str(rows[1]["Data"][0].get("VarCharValue", "")) if len(rows) > 1 else ""


def untold() -> Iterator[Finding]:
    """What no call can tell: each with the command that looks later."""
    yield Finding(
        "Firehose does not round packed records up to 5 KB each",
        None,
        "only a bill shows it: compare billed GB with the stream's IncomingBytes after a day",
        "Run: aws ce get-cost-and-usage --granularity DAILY --metrics UsageQuantity --group-by "
        "Type=DIMENSION,Key=USAGE_TYPE --time-period Start=YESTERDAY,End=TODAY",
    )
    yield Finding(
        "Firehose's error objects have the members that `penstock failed` reads",
        None,
        "the first real failed record shows it",
        "Run: penstock failed list --target aws",
    )
