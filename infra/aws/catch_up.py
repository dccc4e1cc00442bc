"""Puts what a kept stream took without a delivery stream on the stream once more, so that it is delivered.

From where each shard is delivered is proved first, by an event that comes to the lake. What lies before it,
since the delivery stream before ended, is put again as it is. An event that had been delivered already comes
twice by this, which reports and views take out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from infra.aws.canary import Pace, canary, how_many_landed
from infra.aws.deployed import Client
from infra.aws.gap import CREATION, Gap, gap_of
from infra.aws.outputs import Outputs, StreamOutputs
from infra.project.project import Project
from queries.commands.delivery import delivered_until

TAG = "penstock:put-again-before"
"""Tag of a stream: the time at which the delivery stream was made, before which nothing is left."""
LOOK_BACK = timedelta(hours=6)
"""Before the end of a delivery stream, where its last report of itself is looked for."""
LANDING_SECONDS = 300
MOST_RECORDS, MOST_BYTES = 500, 4_000_000
"""Of one PutRecords; Kinesis takes 5 MiB with the keys."""
MOST_TRIES = 12


class NotCaughtUpError(RuntimeError):
    """What lies on the stream could not be brought into the lake yet. Nothing of it is lost."""


@dataclass(frozen=True)
class Caught:
    """How many records (aggregates count as one) were put again of one stream; `gap` is None for no gap."""

    stream: str
    records: int
    gap: Gap | None


def is_caught_up(client: Client, stream: StreamOutputs) -> bool:
    """Whether nothing lies on the stream that came before its delivery stream and was not put again."""
    if stream.is_direct:
        return True
    made, found = _made_at(client, stream), _summary(client, stream)
    is_first = made - found["StreamCreationTimestamp"] < CREATION
    return is_first or _told(client, stream) == made.isoformat()


def catch_up(
    client: Client,
    outputs: Outputs,
    project: Project,
    stacks: Mapping[str, str],
    new_id: Callable[[], str],
    pace: Pace,
) -> Iterator[Caught]:
    """Bring into the lake what no delivery stream took, stream by stream. May be called again at any time.

    `stacks` has the name of each stream's stack, `new_id` makes ids of events. Raises NotCaughtUpError,
    ClientError.
    """
    for stream in outputs.streams.values():
        if stream.is_direct:
            continue  # there is no stream that would keep what nobody delivers
        made = _made_at(client, stream)
        if _told(client, stream) == made.isoformat():
            yield Caught(stream.name, 0, None)
            continue
        gap = _gap(client, stream, stacks[stream.name], made, datetime.now(UTC))
        count = 0
        if gap is not None:
            ends = _delivered_from(client, outputs, stream, project.streams[stream.name].table, new_id, pace)
            count = sum(_put_again(client("kinesis"), stream.stream_name, gap, ends, pace))
        client("kinesis").add_tags_to_stream(StreamName=stream.stream_name, Tags={TAG: made.isoformat()})
        yield Caught(stream.name, count, gap)


def _made_at(client: Client, stream: StreamOutputs) -> datetime:
    answer = client("firehose").describe_delivery_stream(DeliveryStreamName=stream.delivery_stream)
    made: datetime = answer["DeliveryStreamDescription"]["CreateTimestamp"]
    return made.astimezone(UTC)


def _summary(client: Client, stream: StreamOutputs) -> dict[str, Any]:
    found: dict[str, Any] = client("kinesis").describe_stream_summary(StreamName=stream.stream_name)
    return dict(found["StreamDescriptionSummary"])


def _told(client: Client, stream: StreamOutputs) -> str:
    tags = client("kinesis").list_tags_for_stream(StreamName=stream.stream_name)["Tags"]
    return next((str(each["Value"]) for each in tags if each["Key"] == TAG), "")


def _gap(client: Client, stream: StreamOutputs, stack: str, made: datetime, now: datetime) -> Gap | None:
    """CloudFormation remembers for 90 days when a stack was deleted, CloudWatch how far its delivery was."""
    pages = (
        client("cloudformation").get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    )
    ends = [
        each["DeletionTime"]
        for page in pages
        for each in page["StackSummaries"]
        if each["StackName"] == stack and each["DeletionTime"] <= made
    ]
    ended = max(ends, default=None)
    delivered = None
    if ended is not None:
        until = delivered_until(
            client("cloudwatch"),
            stream.delivery_stream,
            since=(ended - LOOK_BACK).timestamp(),
            now=ended.timestamp(),
        )
        delivered = datetime.fromtimestamp(until, UTC) if until else None
    kept = timedelta(hours=_summary(client, stream)["RetentionPeriodHours"])
    return gap_of(made=made, ended=ended, delivered=delivered, kept=kept, now=now)


def _delivered_from(
    client: Client, outputs: Outputs, stream: StreamOutputs, table: str, new_id: Callable[[], str], pace: Pace
) -> dict[str, int | None]:
    """Each shard with a number from which on its records are delivered; None for one that is closed.

    An event is put on every open shard. When all of them are in the lake, so is whatever comes after them.
    """
    kinesis = client("kinesis")
    ends: dict[str, int | None] = {}
    ids, now = [], datetime.now(UTC)
    for shard in _shards(kinesis, stream.stream_name):
        ends.setdefault(shard["ShardId"])  # also when it is split before the event is put: it is closed then
        if "EndingSequenceNumber" in shard["SequenceNumberRange"]:
            continue
        ids.append(new_id())
        put = kinesis.put_record(
            StreamName=stream.stream_name,
            Data=canary(ids[-1], now),
            PartitionKey=ids[-1],
            ExplicitHashKey=shard["HashKeyRange"]["StartingHashKey"],
        )
        ends[put["ShardId"]] = int(put["SequenceNumber"])
    until = pace.monotonic() + LANDING_SECONDS
    while how_many_landed(client("athena"), outputs, table, ids, now, pace) < len(ids):
        if pace.monotonic() > until:
            raise NotCaughtUpError(
                f"Events that were put on {stream.stream_name} did not come to the lake within "
                f"{LANDING_SECONDS // 60} minutes, so what lies before them was left where it is: the stream "
                "keeps it. See docs/runbook.md#delivery-stale, then run: penstock catch-up"
            )
        pace.sleep(pace.seconds_between)
    return ends


def _shards(kinesis: Any, stream: str) -> Iterator[dict[str, Any]]:
    for page in kinesis.get_paginator("list_shards").paginate(StreamName=stream):
        yield from page["Shards"]


def _put_again(
    kinesis: Any, stream: str, gap: Gap, ends: Mapping[str, int | None], pace: Pace
) -> Iterator[int]:
    """Puts the gap's records again, under the keys that they had; how many, for each request."""
    for shard, end in ends.items():
        records = _records(kinesis, stream, shard, gap, end)
        while batch := list(islice(records, MOST_RECORDS)):
            for part in _within(batch, MOST_BYTES):
                _put(kinesis, stream, part, pace)
                yield len(part)


def _records(kinesis: Any, stream: str, shard: str, gap: Gap, end: int | None) -> Iterator[dict[str, Any]]:
    start = (
        {"ShardIteratorType": "TRIM_HORIZON"}
        if gap.begin is None
        else {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": gap.begin}
    )
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, **start)["ShardIterator"]
    while iterator:
        answer = kinesis.get_records(ShardIterator=iterator)
        for each in answer["Records"]:
            is_delivered = end is not None and int(each["SequenceNumber"]) >= end
            if is_delivered or each["ApproximateArrivalTimestamp"] > gap.end:
                return
            yield {"Data": each["Data"], "PartitionKey": each["PartitionKey"]}
        is_read = end is None and not answer["Records"] and not answer.get("MillisBehindLatest")
        iterator = None if is_read else answer.get("NextShardIterator")


def _within(records: Sequence[dict[str, Any]], most_bytes: int) -> Iterator[list[dict[str, Any]]]:
    part: list[dict[str, Any]] = []
    size = 0
    for record in records:
        if part and size + len(record["Data"]) > most_bytes:
            yield part
            part, size = [], 0
        part.append(record)
        size += len(record["Data"])
    yield part


def _put(kinesis: Any, stream: str, records: list[dict[str, Any]], pace: Pace) -> None:
    """All of them, those that are throttled again after a pause."""
    for attempt in range(MOST_TRIES):
        answers = kinesis.put_records(StreamName=stream, Records=records)["Records"]
        records = [each for each, said in zip(records, answers, strict=True) if "ErrorCode" in said]
        if not records:
            return
        pace.sleep(min(5.0, 0.1 * 2**attempt))
    raise NotCaughtUpError(
        f"{stream} took no more records. Nothing is lost: what was put again already comes twice, which "
        "reports take out. Run again when the stream takes records: penstock catch-up"
    )
