"""Failed records of an import, kept as those of the stream: in error objects that `penstock failed` reads."""

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from producers.contracts import ImportedLine
from transforms.failed.bucket import Objects
from transforms.importing.lake_objects import PROCESSING_FAILED, digest_of, failed_key
from transforms.importing.sender import Sender

_CODE, _MESSAGE = "Lambda.ProcessingFailedStatus", "ProcessingFailed status set for record"
"""What Firehose says of every record that the transformation refused."""


class FailedRow(NamedTuple):
    """An event that has no row: what it says, and the record that it would have been."""

    line: ImportedLine
    record: bytes


class FailedRecords:
    """Keeps failed records in objects that are named for what their records say, less who sent them."""

    def __init__(self, objects: Objects, sender: Sender) -> None:
        self._objects, self._sender = objects, sender
        self._day = f"{datetime.fromtimestamp(sender.arrival_ms / 1000, UTC):%Y-%m-%d}"
        self._names: frozenset[str] | None = None

    def digest(self, lines: Sequence[ImportedLine]) -> str:
        """The name of the object with just these."""
        return digest_of(b"%b\t%b" % (line.event_id.encode(), line.content) for line in lines)

    def are_kept(self, lines: Sequence[ImportedLine]) -> bool:
        """Whether an object of an earlier day or import holds just these."""
        if self._names is None:
            keys = (name.key for name in self._objects.names(PROCESSING_FAILED))
            self._names = frozenset(key.rpartition("/")[2] for key in keys)
        return failed_key("", self.digest(lines)).rpartition("/")[2] in self._names

    def keep(self, failed: Sequence[FailedRow]) -> None:
        """Write them as one object."""
        body = b"".join(self._document(each.record) for each in failed)
        key = failed_key(self._day, self.digest([each.line for each in failed]))
        self._objects.put(key, body)

    def _document(self, record: bytes) -> bytes:
        document = {
            "rawData": base64.b64encode(record).decode(),
            "errorCode": _CODE,
            "errorMessage": _MESSAGE,
            "attemptsMade": 1,
            "arrivalTimestamp": self._sender.arrival_ms,
            "attemptEndingTimestamp": self._sender.arrival_ms,
            "lambdaARN": "",
        }
        return json.dumps(document, separators=(",", ":")).encode() + b"\n"
