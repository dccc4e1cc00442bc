"""Error objects: one JSON document per failed record and line, with AWS's members in AWS's order."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from infra.local.firehose.records import CONVERSION, Failure, UserRecord


@dataclass(frozen=True)
class ErrorOrigin:
    """What error objects say of the delivery stream: its function, and the table of its schema."""

    lambda_arn: str
    catalog_id: str = ""
    database: str = ""
    table: str = ""
    region: str = ""
    version: str = "LATEST"


def error_line(record: UserRecord, failure: Failure, origin: ErrorOrigin, *, ended_ms: int) -> bytes:
    """One line of an error object. `ended_ms` is when the last attempt ended (epoch milliseconds)."""
    raw = base64.b64encode(record.data if failure.raw is None else failure.raw).decode()
    if failure.output_type == CONVERSION:
        document = _conversion(record, failure, origin, ended_ms, raw)
    else:
        document = {
            "rawData": raw,
            "errorCode": failure.code,
            "errorMessage": failure.message,
            "attemptsMade": failure.attempts,
            "arrivalTimestamp": record.place.arrival_ms,
            "attemptEndingTimestamp": ended_ms,
            "lambdaARN": origin.lambda_arn,
        }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _conversion(
    record: UserRecord, failure: Failure, origin: ErrorOrigin, ended_ms: int, raw: str
) -> dict[str, Any]:
    return {
        "attemptsMade": failure.attempts,
        "arrivalTimestamp": record.place.arrival_ms,
        "lastErrorCode": failure.code,
        "lastErrorMessage": failure.message,
        "attemptEndingTimestamp": ended_ms,
        "rawData": raw,
        "sequenceNumber": record.place.sequence_number,
        "subSequenceNumber": record.sub,
        "dataCatalogTable": {
            "catalogId": origin.catalog_id,
            "databaseName": origin.database,
            "tableName": origin.table,
            "region": origin.region,
            "versionId": origin.version,
            "catalogArn": f"arn:aws:glue:{origin.region}:{origin.catalog_id}:catalog",
        },
    }
