"""Answers of GetRecords, parsed in one pass: botocore takes longer for them than all that follows."""

from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import msgspec


class _Record(msgspec.Struct, gc=False, rename="pascal"):
    sequence_number: str
    partition_key: str
    data: bytes
    approximate_arrival_timestamp: float


class _Answer(msgspec.Struct, rename="pascal"):
    records: list[_Record]
    next_shard_iterator: str | None = None
    millis_behind_latest: int = 0


_DECODER = msgspec.json.Decoder(_Answer)
_EMPTY = b"{}"


def quicken(kinesis: Any) -> None:
    """Make this client parse the answers of GetRecords so. What it returns is what it would return."""
    kinesis.meta.events.register("before-parse.kinesis.GetRecords", _parse, unique_id="penstock-get-records")


def _parse(
    response_dict: MutableMapping[str, Any], customized_response_dict: MutableMapping[str, Any], **_: object
) -> None:
    if response_dict["status_code"] != 200:
        return
    try:
        answer = _DECODER.decode(response_dict["body"])
    except msgspec.DecodeError:
        return  # botocore's parser says what is wrong with it
    customized_response_dict["Records"] = [
        {
            "SequenceNumber": record.sequence_number,
            "PartitionKey": record.partition_key,
            "Data": record.data,
            "ApproximateArrivalTimestamp": datetime.fromtimestamp(record.approximate_arrival_timestamp, UTC),
        }
        for record in answer.records
    ]
    customized_response_dict["MillisBehindLatest"] = answer.millis_behind_latest
    if answer.next_shard_iterator is not None:
        customized_response_dict["NextShardIterator"] = answer.next_shard_iterator
    response_dict["body"] = _EMPTY
