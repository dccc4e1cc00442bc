"""Finds one event by its id at every stage: stream, transform, lake, query, reports."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from infra.local.parts.activity import Happening
from infra.local.parts.context import LocalContext
from infra.local.status.names import Resources
from infra.local.status.timeline import Landed, Reported, timeline
from infra.project.project import Project
from queries.contracts import Report
from queries.hours import hour_of
from queries.ledger.state import PartitionState, Published
from queries.partitions import partitions_reading
from transforms.contracts import LakeTable

_EVENT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HOURS_LOOKED_AT = 8
"""Hours of the lake, the last that were written to, in which the newest event is looked for."""
_READS = 40
"""GetRecords calls that a search in the stream makes at most, per shard."""


class UnknownEventError(LookupError):
    """No event of that id is found. `is_well_formed` is False when it cannot be one's id."""

    def __init__(self, message: str, *, is_well_formed: bool = True) -> None:
        super().__init__(message)
        self.is_well_formed = is_well_formed


class Tracer:
    """Looks for events. Called from worker threads."""

    def __init__(self, context: LocalContext, resources: Resources, project: Project) -> None:
        self._context, self._resources, self._project = context, resources, project

    def newest(self) -> dict[str, str]:
        """Id of an event that landed last. Raises UnknownEventError when none did."""
        landed = ((each.facts["key"].split("/")[0], _hour(each)) for each in reversed(self._happened("lake")))
        # The last hours may hold nothing but totals of producers: those of a file with old events are of now.
        for table, hour in islice(dict.fromkeys(each for each in landed if each[1]), HOURS_LOOKED_AT):
            answer = self._resources.asking.rows(
                f"SELECT event_id FROM {table} WHERE event_hour = '{hour}' AND seq > 0 "  # noqa: S608 - ours
                "ORDER BY arrival_time DESC, seq DESC LIMIT 1"
            )
            for (event_id,) in answer.rows:
                return {"event_id": event_id}
        raise UnknownEventError("No event has landed lately. Send some: penstock produce simulate")

    def trace(self, event_id: str) -> dict[str, Any]:
        """The event's way as far as it has come. Raises UnknownEventError, QueryFailedError."""
        if not _EVENT_ID.fullmatch(event_id):
            message = f"{event_id!r} is not an event id: 36 characters of hexadecimal digits and hyphens."
            raise UnknownEventError(message, is_well_formed=False)
        for table in self._project.tables.values():
            landed = self._in_lake(event_id, table)
            if landed is not None:
                return timeline(landed, self._in_reports(landed, table.name))
        raise UnknownEventError(
            f"Event {event_id} is not in the lake. It may still be on its way, or have failed."
        )

    def _in_lake(self, event_id: str, of: LakeTable) -> Landed | None:
        table, stream = of.name, of.stream.name
        for bound in (f"event_hour BETWEEN '{_near(event_id, -1)}' AND '{_near(event_id, 1)}'", "true"):
            found = self._resources.asking.rows(
                "SELECT event_type, producer_id, epoch, seq, event_hour, "  # noqa: S608 - the id is checked
                "to_unixtime(event_time) * 1000 AS event_ms, to_unixtime(arrival_time) * 1000 AS arrival_ms, "
                f'"$path" AS path FROM {table} '
                f"WHERE {bound} AND event_id = '{event_id}' ORDER BY arrival_time LIMIT 1"
            )
            for row in found.rows:
                return self._landed(stream, event_id, dict(zip(found.columns, row, strict=True)))
        return None

    def _landed(self, stream: str, event_id: str, row: dict[str, Any]) -> Landed:
        bucket, _, key = str(row.pop("path")).removeprefix("s3://").partition("/")
        delivered = next((each for each in self._happened("lake") if each.facts.get("key") == key), None)
        landed_ms = delivered.at * 1000 if delivered else self._written(bucket, key)
        delivery_stream = self._resources.outputs.stream(stream).delivery_stream
        transformed = self._transformed(delivery_stream, row["arrival_ms"], landed_ms)
        return Landed(
            event_id=event_id,
            **row,
            stream=self._in_stream(stream, event_id, row["arrival_ms"]),
            transformed_ms=transformed.at * 1000 if transformed else None,
            transform=_short(transformed),
            landed_ms=landed_ms,
            object={"object": key, **_short(delivered, "key", "partition")},
        )

    def _written(self, bucket: str, key: str) -> float:
        head = self._context.client("s3").head_object(Bucket=bucket, Key=key)
        modified: datetime = head["LastModified"]
        return modified.timestamp() * 1000

    def _transformed(self, delivery_stream: str, arrival_ms: float, landed_ms: float) -> Happening | None:
        """The first invocation that ended after the record arrived: records are validated in order."""
        within = (
            each
            for each in self._happened("transform")
            if each.facts.get("stream") == delivery_stream and arrival_ms <= each.at * 1000 <= landed_ms
        )
        return next(within, None)

    def _in_stream(self, name: str, event_id: str, arrival_ms: float) -> dict[str, Any]:
        """Shard and sequence number of the record that holds the event; empty when the stream has lost it, or
        the event went straight to Firehose.
        """
        kinesis, stream = self._context.client("kinesis"), self._resources.outputs.stream(name).stream_name
        if not stream:
            return {}
        for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
            for record in self._records(kinesis, stream, shard["ShardId"], arrival_ms):
                if event_id.encode() in record["Data"]:
                    return {"shard": shard["ShardId"], "sequence_number": record["SequenceNumber"]}
        return {}

    def _records(self, kinesis: Any, stream: str, shard: str, arrival_ms: float) -> Iterator[dict[str, Any]]:
        iterator = kinesis.get_shard_iterator(
            StreamName=stream,
            ShardId=shard,
            ShardIteratorType="AT_TIMESTAMP",
            Timestamp=datetime.fromtimestamp((arrival_ms - 1) / 1000, UTC),
        )["ShardIterator"]
        for _ in range(_READS):
            answer = kinesis.get_records(ShardIterator=iterator, Limit=1000)
            yield from answer["Records"]
            iterator = answer.get("NextShardIterator")
            last = answer["Records"][-1]["ApproximateArrivalTimestamp"] if answer["Records"] else None
            if iterator is None or last is None or last.timestamp() * 1000 > arrival_ms + 1000:
                return

    def _in_reports(self, landed: Landed, table: str) -> list[Reported]:
        if landed.seq == 0:
            return []  # audit events are in no report
        return [
            self._reported(report, partition, landed.landed_ms or 0)
            for report in self._project.reports.values()
            if table in report.sources
            for partition in partitions_reading(report, landed.event_hour)
        ]

    def _reported(self, report: Report, partition: str, landed_ms: float) -> Reported:
        states = self._resources.ledger.report(report.name)
        state = next((each for each in states if each.partition == partition), None)
        version = _first_with(state, landed_ms) if state else None
        if version is None:
            return Reported(report.name, partition)
        return Reported(
            report.name,
            partition,
            started_ms=float(version.as_of),
            published_ms=float(version.published_at),
            facts={
                "query_execution": version.query_execution_id,
                "folder": version.location,
                "rows": version.rows,
            },
        )

    def _happened(self, stage: str) -> Sequence[Happening]:
        return [each for each in self._context.activity.since(0) if each.stage == stage]


def _first_with(state: PartitionState, landed_ms: float) -> Published | None:
    """The earliest version whose input was listed after the event had landed."""
    versions = [*state.previous, *([state.published] if state.published else [])]
    with_event = [version for version in versions if version.as_of >= int(landed_ms)]
    return min(with_event, key=lambda version: version.published_at, default=None)


def _near(event_id: str, hours: int) -> str:
    """The hour of the time in a UUIDv7, shifted: where the event most likely lies."""
    milliseconds = int(event_id.replace("-", "")[:12], 16)
    try:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError):
        at = datetime(2000, 1, 1, tzinfo=UTC)
    return hour_of(at + timedelta(hours=hours))


def _hour(happening: Happening) -> str:
    key = str(happening.facts.get("key", ""))
    found = re.search(r"event_hour=([0-9-]+)/", key)
    return found[1] if found else ""


def _short(happening: Happening | None, *without: str) -> dict[str, Any]:
    facts = happening.facts if happening else {}
    return {
        name: value for name, value in facts.items() if name not in without and isinstance(value, int | str)
    }
