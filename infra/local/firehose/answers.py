"""The transformation's answer, validated: what each record of the batch becomes."""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from infra.local.firehose.invocation import LARGEST_PAYLOAD
from infra.local.firehose.records import METADATA, PROCESSING, Failure, UserRecord

Partition = tuple[str, ...]
"""Values of the prefix's partition keys, in the prefix's order."""


class FunctionError(Exception):
    """The invocation failed as a whole and is tried again."""


@dataclass
class Judged:
    """What became of one batch.

    Attributes:
        rows: per lake partition, records and the rows that the function made of them.
        failed: records for the error prefix.
        dropped: records that the function dropped on purpose.
    """

    rows: dict[Partition, tuple[list[UserRecord], list[bytes]]] = field(default_factory=dict)
    failed: list[tuple[UserRecord, Failure]] = field(default_factory=list)
    dropped: list[UserRecord] = field(default_factory=list)


class _Metadata(msgspec.Struct, rename="camel", gc=False):
    partition_keys: dict[str, str] = {}


class _Answer(msgspec.Struct, rename="camel", gc=False):
    record_id: str
    result: str
    data: bytes | None = None
    metadata: _Metadata | None = None


class _Answers(msgspec.Struct, gc=False):
    records: list[_Answer]


_DECODER = msgspec.json.Decoder(_Answers)
_MISSING = Failure(
    PROCESSING,
    "Lambda.MissingRecordId",
    "One or more record Ids were not returned. Ensure that the Lambda function returns all received record "
    "Ids.",
)
_DUPLICATED = Failure(
    PROCESSING,
    "Lambda.DuplicatedRecordId",
    "Multiple records were returned with the same record Id. Ensure that the Lambda function returns unique "
    "record Ids for each record.",
)
_FAILED = Failure(PROCESSING, "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record")
_NO_DATA = Failure(
    PROCESSING, "Lambda.InvalidReturnFormat", "The data field cannot be null when the result is Ok."
)
_UNKNOWN = Failure(
    PROCESSING,
    "Lambda.InvalidReturnFormat",
    "The result field must be one of Ok, Dropped, ProcessingFailed.",
)
_NO_PARTITION = Failure(
    METADATA,
    "DynamicPartitioning.MetadataExtractionFailed",
    "partitionKeys values must not be null or empty",
)


def judge(records: Sequence[UserRecord], payload: bytes, partition_keys: Sequence[str]) -> Judged:
    """Match the function's answer with the batch. Raises FunctionError for what is tried again."""
    if len(payload) > LARGEST_PAYLOAD:
        raise FunctionError(f"The answer has {len(payload)} bytes; a function may return {LARGEST_PAYLOAD}.")
    try:
        answers = _DECODER.decode(payload).records
    except (msgspec.DecodeError, UnicodeDecodeError):
        answers = _leniently(payload)
    judged = Judged()
    for record, answer in zip(records, _matched(records, answers), strict=True):
        _sort(judged, record, answer, partition_keys)
    return judged


def _matched(records: Sequence[UserRecord], answers: Sequence[_Answer]) -> list[_Answer | Failure]:
    ids = [record.record_id for record in records]
    if [answer.record_id for answer in answers] == ids:
        return list(answers)
    by_id = {answer.record_id: answer for answer in answers}
    count = Counter(answer.record_id for answer in answers)
    return [_DUPLICATED if count[each] > 1 else by_id.get(each, _MISSING) for each in ids]


def _sort(judged: Judged, record: UserRecord, answer: _Answer | Failure, keys: Sequence[str]) -> None:
    if isinstance(answer, Failure):
        judged.failed.append((record, answer))
    elif answer.result == "Dropped":
        judged.dropped.append(record)
    elif answer.result != "Ok":
        judged.failed.append((record, _FAILED if answer.result == "ProcessingFailed" else _UNKNOWN))
    elif answer.data is None:
        judged.failed.append((record, _NO_DATA))
    else:
        values = answer.metadata.partition_keys if answer.metadata else {}
        partition = tuple([values.get(key, "") for key in keys])
        if not all(partition):
            judged.failed.append((record, _NO_PARTITION))
            return
        rows = judged.rows.get(partition)
        if rows is None:
            rows = judged.rows[partition] = ([], [])
        rows[0].append(record)
        rows[1].append(answer.data)


def _leniently(payload: bytes) -> list[_Answer]:
    """Answers of a payload that is not wholly in order; what is not usable is left out.

    Raises FunctionError when it is not JSON, or data is not base64.
    """
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise FunctionError(f"The answer is not JSON: {error}") from None
    listed = document.get("records") if isinstance(document, dict) else None
    return [
        _lenient(entry)
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("recordId"), str)
    ]


def _lenient(entry: Mapping[str, Any]) -> _Answer:
    data = entry.get("data")
    if isinstance(data, str):
        try:
            data = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise FunctionError(f"Data of record {entry['recordId']} is not base64: {error}") from None
    metadata = entry.get("metadata")
    keys = metadata.get("partitionKeys") if isinstance(metadata, dict) else None
    usable = {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in (keys.items() if isinstance(keys, dict) else ())
        if value is not None
    }
    result = entry.get("result")
    return _Answer(
        entry["recordId"],
        result if isinstance(result, str) else "",
        data if isinstance(data, bytes) else None,
        _Metadata(usable),
    )
