"""The Kinesis adapter of the sink: PutRecords through boto3, with a request body of our own."""

from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from producers.errors import StreamUnavailableError
from producers.sinks.aws_calls import AwsCalls, aws_client, error_code
from producers.sinks.aws_calls import renewed_client as renewed
from producers.sinks.body import put_records_body
from producers.sinks.port import DEFAULT_RECORD_BYTES, Answer, NotTaken, SinkRecord, StreamFacts, Taken
from producers.sinks.shard_map import Shard, ShardMap

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_NOBODY = [{"Data": b"", "PartitionKey": "-"}]


def kinesis_client(**settings: Any) -> Any:
    """A boto3 client whose only retries are ours; see `producers.sinks.aws_calls.aws_client`."""
    return aws_client("kinesis", **settings)


def renewed_client() -> Any:
    """As `kinesis_client`, with credentials that are read anew."""
    return renewed("kinesis")


class KinesisSink:
    """Puts records on one Kinesis stream. See `producers.sinks.port.RecordSink`."""

    def __init__(self, stream: str, client: Any, renew: Callable[[], Any] | None = None) -> None:
        """`stream` is the stream's name or ARN. `renew` makes a client with fresh credentials, for when those
        of `client` are refused.
        """
        self._stream = ("StreamARN" if stream.startswith("arn:") else "StreamName", stream)
        self._named = {self._stream[0]: stream}
        self._calls = AwsCalls("stream", stream, "kinesis.PutRecords", client, renew)

    def describe(self) -> StreamFacts:
        """The open shards, the record size and who distributes the records."""
        with self._calls.translated():
            shards = self._shards()
        summary = self._summary()
        return StreamFacts(
            shards=shards,
            max_record_bytes=summary.get("MaxRecordSizeInKiB", DEFAULT_RECORD_BYTES // 1024) * 1024,
            ignores_keys=summary.get("RecordDistributionStrategy") == "AUTO",
        )

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        """One PutRecords call."""
        with self._calls.translated():
            answer = self._put_swapped(records) if self._calls.swaps else self._put_plainly(records)
        entries = answer["Records"]
        if len(entries) != len(records):
            raise StreamUnavailableError(f"PutRecords answered {len(entries)} of {len(records)} records.")
        return [
            NotTaken(entry["ErrorCode"], entry.get("ErrorMessage", ""))
            if "ErrorCode" in entry
            else Taken(entry["ShardId"], entry["SequenceNumber"])
            for entry in entries
        ]

    def reopen(self) -> None:
        """Forgets pooled connections, for a process that was forked."""
        self._calls.reopen()

    def _put_swapped(self, records: Sequence[SinkRecord]) -> Any:
        return self._calls.put(
            lambda body: put_records_body(self._stream, records, body),
            lambda: self._calls.client.put_records(Records=_NOBODY, **self._named),
        )

    def _put_plainly(self, records: Sequence[SinkRecord]) -> Any:
        entries = [
            {"Data": record.data, "PartitionKey": record.partition_key}
            | ({"ExplicitHashKey": record.explicit_hash_key} if record.explicit_hash_key is not None else {})
            for record in records
        ]
        return self._calls.client.put_records(Records=entries, **self._named)

    def _shards(self) -> ShardMap | None:
        found: list[Shard] = []
        asked: dict[str, Any] = {**self._named, "ShardFilter": {"Type": "AT_LATEST"}}
        try:
            while True:
                page = self._calls.client.list_shards(**asked)
                found += map(_shard, page["Shards"])
                if "NextToken" not in page:
                    return ShardMap(found)
                asked = {"NextToken": page["NextToken"]}
        except ClientError as error:
            if error_code(error) in _DENIED:
                return None
            raise

    def _summary(self) -> dict[str, Any]:
        # A permission that producers can do without; AWS's defaults hold then.
        try:
            summary: dict[str, Any] = self._calls.client.describe_stream_summary(**self._named)[
                "StreamDescriptionSummary"
            ]
        except (ClientError, BotoCoreError):
            return {}
        return summary


def _shard(entry: dict[str, Any]) -> Shard:
    span = entry["HashKeyRange"]
    return Shard(entry["ShardId"], int(span["StartingHashKey"]), int(span["EndingHashKey"]))
