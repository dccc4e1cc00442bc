"""The stream as the collector's function puts records on it: PutRecords without boto3."""

from collections.abc import Sequence

import msgspec

from producers.collector.signed_calls import CallError, SignedCalls
from producers.errors import ProducerError, RequestRefusedError, StreamRefusedError, StreamUnavailableError
from producers.sinks.aws_errors import SIGNATURE, SKEWED, is_content, is_retryable
from producers.sinks.body import put_records_body
from producers.sinks.port import Answer, NotTaken, SinkRecord, StreamFacts, Taken

VERSION, PROTOCOL = "Kinesis_20131202", "1.1"


class SignedKinesisSink:
    """A `RecordSink` over signed calls."""

    def __init__(self, stream: str, calls: SignedCalls) -> None:
        self._stream, self._calls = stream, calls
        self._body = bytearray()

    def describe(self) -> StreamFacts:
        """Nothing but that the stream answers."""
        try:
            self._calls.call("ListShards", msgspec.json.encode({"StreamName": self._stream, "MaxResults": 1}))
        except CallError as error:
            raise _meaning(error) from error
        return StreamFacts(None)

    def put_records(self, records: Sequence[SinkRecord]) -> Sequence[Answer]:
        """One PutRecords call."""
        put_records_body(("StreamName", self._stream), records, self._body)
        try:
            entries = self._calls.call("PutRecords", self._body)["Records"]
        except CallError as error:
            raise _meaning(error) from error
        except KeyError as error:
            raise StreamUnavailableError("PutRecords answered without records.") from error
        if len(entries) != len(records):
            raise StreamUnavailableError(f"PutRecords answered {len(entries)} of {len(records)} records.")
        return [
            NotTaken(entry["ErrorCode"], entry.get("ErrorMessage", ""))
            if "ErrorCode" in entry
            else Taken(entry["ShardId"], entry["SequenceNumber"])
            for entry in entries
        ]

    def reopen(self) -> None:
        """End the connection; the next call makes another."""
        self._calls.close()


def _meaning(error: CallError) -> ProducerError:
    # Every attempt is signed anew: a signature that came too late is none the next time.
    is_signature = error.code in SKEWED | SIGNATURE
    if not error.status or is_signature or is_retryable(error.code, error.status):
        return StreamUnavailableError(str(error))
    if is_content(error.code, error.status):
        return RequestRefusedError(str(error))
    return StreamRefusedError(str(error))
