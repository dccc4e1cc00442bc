"""The Firehose adapter of the sink: PutRecordBatch, for a stream whose `ingest` is `direct`.

A delivery stream that takes records itself has no shards, keeps no order and takes no aggregate apart: one
event is one record, without a newline, as the transformation reads it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from producers.errors import StreamUnavailableError
from producers.sinks.aws_calls import AwsCalls, aws_client
from producers.sinks.body import put_record_batch_body
from producers.sinks.port import Answer, NotTaken, SinkRecord, StreamFacts, Taken

LARGEST_RECORD_BYTES = 1_000 * 1024
"""Of a record's data, before base64. A request holds 500 records and 4 MiB, as one of Kinesis does."""
_NOTHING = [{"Data": b""}]


def firehose_client(**settings: Any) -> Any:
    """A boto3 client whose only retries are ours; see `producers.sinks.aws_calls.aws_client`."""
    return aws_client("firehose", **settings)


class FirehoseSink:
    """Puts records straight on one delivery stream. See `producers.sinks.port.RecordSink`."""

    def __init__(self, delivery_stream: str, client: Any, renew: Callable[[], Any] | None = None) -> None:
        """`delivery_stream` is a name: PutRecordBatch takes no ARN. `renew` makes a client with fresh
        credentials, for when those of `client` are refused.
        """
        self._name = delivery_stream
        self._calls = AwsCalls("delivery stream", delivery_stream, "firehose.PutRecordBatch", client, renew)

    def describe(self) -> StreamFacts:
        """What holds for every delivery stream; nothing is asked, so that a producer needs one permission.

        A partition key counts towards the record here, though it is not sent: at most 1 KiB too strict.
        """
        return StreamFacts(shards=None, max_record_bytes=LARGEST_RECORD_BYTES, takes_aggregates=False)

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        """One PutRecordBatch call."""
        with self._calls.translated():
            answer = self._put_swapped(records) if self._calls.swaps else self._put_plainly(records)
        entries = answer["RequestResponses"]
        if len(entries) != len(records):
            raise StreamUnavailableError(f"PutRecordBatch answered {len(entries)} of {len(records)} records.")
        return [
            NotTaken(entry["ErrorCode"], entry.get("ErrorMessage", ""))
            if "ErrorCode" in entry
            else Taken("", entry["RecordId"])
            for entry in entries
        ]

    def reopen(self) -> None:
        """Forgets pooled connections, for a process that was forked."""
        self._calls.reopen()

    def _put_swapped(self, records: Sequence[SinkRecord]) -> Any:
        return self._calls.put(
            lambda body: put_record_batch_body(self._name, records, body),
            lambda: self._calls.client.put_record_batch(DeliveryStreamName=self._name, Records=_NOTHING),
        )

    def _put_plainly(self, records: Sequence[SinkRecord]) -> Any:
        entries = [{"Data": record.data} for record in records]
        return self._calls.client.put_record_batch(DeliveryStreamName=self._name, Records=entries)
