"""Firehose's API: putting records on a delivery stream that takes them, describing, listing, updating."""

import base64
import binascii
import sqlite3
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.local.firehose.configuration import DIRECT_PUT, KINESIS, InvalidArgumentError

if TYPE_CHECKING:
    from infra.local.firehose.service import FirehoseService

MOST_RECORDS, MOST_BYTES, LARGEST_RECORD = 500, 4 * 1024 * 1024, 1_000 * 1024
THROTTLED = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}


class _ApiError(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.status = code, status


class FirehoseApi:
    """Answers `Firehose_20150804.<operation>`."""

    def __init__(self, service: "FirehoseService") -> None:
        self._service = service
        self._operations = {
            "DescribeDeliveryStream": self._describe,
            "ListDeliveryStreams": self._list,
            "PutRecord": self._put,
            "PutRecordBatch": self._put_batch,
            "UpdateDestination": self._update,
        }

    async def answer(self, operation: str, body: dict[str, Any], request: Request) -> Response:  # noqa: ARG002
        """One call; errors in AWS's shape."""
        try:
            if operation not in self._operations:
                message = f"{operation} is not answered by the local Firehose worker."
                raise _ApiError("UnknownOperationException", message)
            return JSONResponse(await run_in_threadpool(self._operations[operation], body))
        except (_ApiError, InvalidArgumentError) as error:
            code, status = "InvalidArgumentException", 400
            if isinstance(error, _ApiError):
                code, status = error.code, error.status
            return JSONResponse({"__type": code, "message": str(error)}, status_code=status)

    def _properties(self, body: dict[str, Any]) -> dict[str, Any]:
        name = body.get("DeliveryStreamName", "")
        if name not in self._service.properties:
            raise _missing(name)
        return self._service.properties[name]

    def _list(self, body: dict[str, Any]) -> dict[str, Any]:
        limit, after = int(body.get("Limit", 10)), body.get("ExclusiveStartDeliveryStreamName", "")
        names = sorted(name for name in self._service.properties if name > after)
        return {"DeliveryStreamNames": names[:limit], "HasMoreDeliveryStreams": len(names) > limit}

    def _describe(self, body: dict[str, Any]) -> dict[str, Any]:
        properties, name = self._properties(body), body["DeliveryStreamName"]
        destination = {
            "DestinationId": "destinationId-000000000001",
            "ExtendedS3DestinationDescription": _typed(properties["ExtendedS3DestinationConfiguration"]),
        }
        return {
            "DeliveryStreamDescription": {
                "DeliveryStreamName": name,
                "DeliveryStreamARN": self._service.arn(name),
                "DeliveryStreamStatus": "ACTIVE",
                "DeliveryStreamType": properties.get("DeliveryStreamType", DIRECT_PUT),
                "VersionId": "1",
                "CreateTimestamp": self._service.created_at(name) or 0.0,
                **_source(properties),
                "Destinations": [destination],
                "HasMoreDestinations": False,
            }
        }

    def _put(self, body: dict[str, Any]) -> dict[str, Any]:
        self._require_puts(body)
        [answer] = self._kept(body["DeliveryStreamName"], _records([body.get("Record")]))
        if answer is THROTTLED:
            raise _ApiError(answer["ErrorCode"], answer["ErrorMessage"], 503)
        return {**answer, "Encrypted": _is_encrypted(self._properties(body))}

    def _put_batch(self, body: dict[str, Any]) -> dict[str, Any]:
        self._require_puts(body)
        given = body.get("Records")
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_RECORDS:
            raise _ApiError("InvalidArgumentException", f"A batch has 1 to {MOST_RECORDS} records.")
        records = _records(given)
        if sum(map(len, records)) > MOST_BYTES:
            raise _ApiError("InvalidArgumentException", f"A batch has at most {MOST_BYTES} bytes of data.")
        answers = self._kept(body["DeliveryStreamName"], records)
        return {
            "FailedPutCount": sum(answer is THROTTLED for answer in answers),
            "Encrypted": _is_encrypted(self._properties(body)),
            "RequestResponses": answers,
        }

    def _require_puts(self, body: Mapping[str, Any]) -> None:
        self._properties(dict(body))
        if not self._service.takes_puts(body["DeliveryStreamName"]):
            raise _ApiError(
                "InvalidArgumentException",
                "This operation is not permitted on KinesisStreamAsSource delivery stream type.",
            )

    def _kept(self, name: str, records: Sequence[bytes]) -> list[dict[str, str]]:
        """An answer for each record; those that are acknowledged are kept."""
        refuses = self._service.faults.happens
        refused = [refuses("put_throttled") for _ in records]
        kept = [record for record, is_refused in zip(records, refused, strict=True) if not is_refused]
        try:
            ids = iter(self._service.put(name, kept) if kept else ())
        except KeyError:
            raise _missing(name) from None
        except sqlite3.Error as error:  # a full disk, most of all
            raise _ApiError("ServiceUnavailableException", f"Not kept: {error}", 503) from error
        return [THROTTLED if is_refused else {"RecordId": next(ids)} for is_refused in refused]

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        """The processing block is replaced as a whole, the conversion block is merged."""
        properties, changes = self._properties(body), body.get("ExtendedS3DestinationUpdate", {})
        before = properties["ExtendedS3DestinationConfiguration"]
        after = {**before, **changes}
        conversion = "DataFormatConversionConfiguration"
        if conversion in changes and conversion in before:
            after[conversion] = {**before[conversion], **changes[conversion]}
        changed = {**properties, "ExtendedS3DestinationConfiguration": after}
        self._service.update(body["DeliveryStreamName"], changed)
        return {}


def _missing(name: str) -> _ApiError:
    return _ApiError("ResourceNotFoundException", f"Firehose {name} under account 000000000000 not found.")


def _records(given: Sequence[Any]) -> list[bytes]:
    """The data of a request's records."""
    try:
        records = [base64.b64decode(record["Data"], validate=True) for record in given]
    except (TypeError, KeyError, ValueError, binascii.Error):
        raise _ApiError("SerializationException", "Every record has Data in base64.") from None
    if max(map(len, records)) > LARGEST_RECORD:
        raise _ApiError("InvalidArgumentException", f"A record has at most {LARGEST_RECORD} bytes of data.")
    return records


def _is_encrypted(properties: Mapping[str, Any]) -> bool:
    return "DeliveryStreamEncryptionConfigurationInput" in properties


def _source(properties: Mapping[str, Any]) -> dict[str, Any]:
    if properties.get("DeliveryStreamType") == KINESIS:
        source = _typed(properties["KinesisStreamSourceConfiguration"])
        return {"Source": {"KinesisStreamSourceDescription": source}}
    given = properties.get("DeliveryStreamEncryptionConfigurationInput")
    status = {**given, "Status": "ENABLED"} if given else {"Status": "DISABLED"}
    return {"DeliveryStreamEncryptionConfiguration": status}


def _typed(value: Any) -> Any:
    """CloudFormation's texts as the API's booleans and numbers."""
    if isinstance(value, dict):
        return {name: _scalar(name, inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    return value


def _scalar(name: str, value: Any) -> Any:
    if isinstance(value, str) and name in {"Enabled", "CaseInsensitive"}:
        return value.lower() == "true"
    if isinstance(value, str) and name in {"IntervalInSeconds", "SizeInMBs", "DurationInSeconds"}:
        return int(value)
    return _typed(value)
