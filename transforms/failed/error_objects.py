"""Firehose's error objects, read with tolerance: documents in, failed records out.

Firehose's pages and what others captured differ in spelling (`errorCode`, `ErrorCode`, `lastErrorCode`), in
the order of members and in whether documents are on lines of their own. So members are found by name without
regard to case, documents are read one after another, and a stretch that cannot be read is kept and counted.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.contracts import FAILED_PREFIX

ROWS_INSIDE = frozenset({"format-conversion-failed", "metadata-extraction-failed", "activePartitionExceeded"})
"""Kinds of error that happen behind the transformation, where `rawData` may be its row and not the event."""


@dataclass(frozen=True)
class FailedRecord:
    """One record that Firehose could not deliver.

    Attributes:
        object_key: the error object that it is in; `number` counts its records from 1.
        kind: Firehose's name of the kind of error, from the object's key.
        code, message: what Firehose says; for what the transformation refused it is always the same.
        arrival_ms: when the stream took the record, epoch milliseconds; 0 when the document does not say.
        attempts: how often it was tried.
        raw: the record.
        origin: what Firehose names of the delivery stream: its function, or the lake table.
    """

    object_key: str
    number: int
    kind: str
    code: str
    message: str
    arrival_ms: int
    attempts: int
    raw: bytes
    origin: str = ""

    @property
    def record_id(self) -> str:
        """A short name for it on the command line: the object's hash, and its number in the object."""
        return f"{object_hash(self.object_key)[:12]}:{self.number}"


@dataclass(frozen=True)
class UnreadableStretch:
    """Bytes of an error object that are not document, or a document without readable `rawData`."""

    object_key: str
    position: int
    text: bytes


def object_hash(object_key: str) -> str:
    """The name under which everything made from an error object is kept."""
    return hashlib.sha256(object_key.encode()).hexdigest()[:32]


def kind_of(object_key: str) -> str:
    """`processing-failed` of `failed/processing-failed/dt=2026-11-24/x`."""
    return object_key.removeprefix(FAILED_PREFIX).partition("/")[0]


def read_error_object(object_key: str, body: bytes) -> Iterator[FailedRecord | UnreadableStretch]:
    """Every record in one error object, in order, and every stretch that cannot be read."""
    number = 0
    for position, document in _documents(body.decode("utf-8", "surrogateescape")):
        members = _members(document) if isinstance(document, Mapping) else {}
        raw = _raw(members.get("rawdata"))
        if raw is None:
            text = document if isinstance(document, str) else json.dumps(document)
            yield UnreadableStretch(object_key, position, text.encode("utf-8", "surrogateescape"))
            continue
        number += 1
        yield FailedRecord(
            object_key,
            number,
            kind_of(object_key),
            str(members.get("errorcode", "")),
            str(members.get("errormessage", "")),
            _whole(members.get("arrivaltimestamp")),
            _whole(members.get("attemptsmade")),
            raw,
            _origin(members),
        )


def _origin(members: Mapping[str, Any]) -> str:
    table = members.get("datacatalogtable")
    if isinstance(table, Mapping):
        return str(_members(table).get("tablename", ""))
    words = str(members.get("lambdaarn", "")).split(":")
    return words[6] if len(words) > 6 else ""


def _documents(text: str) -> Iterator[tuple[int, Any]]:
    """(position, document), with or without newlines between; a str stands for a stretch that is none."""
    decode = json.JSONDecoder().raw_decode
    position = _after_space(text, 0)
    while position < len(text):
        try:
            document, end = decode(text, position)
        except (ValueError, RecursionError):
            following = re.compile(r"\n\s*(?=\{)").search(text, position)
            end = following.end() if following else len(text)
            yield position, text[position:end].rstrip()
        else:
            yield position, document if isinstance(document, dict) else text[position:end]
        position = _after_space(text, end)


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n,":
        position += 1
    return position


def _members(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower().removeprefix("last"): value for name, value in document.items()}


def _raw(value: Any) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None


def _whole(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
