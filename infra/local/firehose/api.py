"""Firehose's API, as far as a delivery stream with a Kinesis source has one."""

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from infra.local.firehose.configuration import InvalidArgumentError

if TYPE_CHECKING:
    from infra.local.firehose.service import FirehoseService

MOST_RECORDS, MOST_BYTES = 500, 4 * 1024 * 1024


class _ApiError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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
            code = error.code if isinstance(error, _ApiError) else "InvalidArgumentException"
            return JSONResponse({"__type": code, "message": str(error)}, status_code=400)

    def _properties(self, body: dict[str, Any]) -> dict[str, Any]:
        name = body.get("DeliveryStreamName", "")
        if name not in self._service.properties:
            message = f"Firehose {name} under account 000000000000 not found."
            raise _ApiError("ResourceNotFoundException", message)
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
        source = _typed(properties["KinesisStreamSourceConfiguration"])
        return {
            "DeliveryStreamDescription": {
                "DeliveryStreamName": name,
                "DeliveryStreamARN": self._service.arn(name),
                "DeliveryStreamStatus": "ACTIVE",
                "DeliveryStreamType": "KinesisStreamAsSource",
                "VersionId": "1",
                "Source": {"KinesisStreamSourceDescription": source},
                "Destinations": [destination],
                "HasMoreDestinations": False,
            }
        }

    def _put(self, body: dict[str, Any]) -> dict[str, Any]:
        self._properties(body)
        raise _refused()

    def _put_batch(self, body: dict[str, Any]) -> dict[str, Any]:
        self._properties(body)
        records = body.get("Records", [])
        size = sum(len(record.get("Data", "")) * 3 // 4 for record in records)
        if not 1 <= len(records) <= MOST_RECORDS or size > MOST_BYTES:
            raise _ApiError(
                "InvalidArgumentException", f"A batch has 1 to {MOST_RECORDS} records and {MOST_BYTES} bytes."
            )
        raise _refused()

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


def _refused() -> _ApiError:
    return _ApiError(
        "InvalidArgumentException",
        "This operation is not permitted on KinesisStreamAsSource delivery stream type.",
    )


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
