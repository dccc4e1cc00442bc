"""A collector as the libraries' own pages show one: Powertools' HTTP resolver, a pydantic model of each event
type, boto3. One puts each event by itself, the other all of a request at once.

The function sees this file alone, beside its libraries: nothing of Penstock is imported.
"""

import hashlib
import itertools
import os
import time
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import boto3
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import ServiceError, UnauthorizedError
from aws_lambda_powertools.event_handler.openapi.params import Header
from pydantic import BaseModel, Field, StringConstraints

_Name = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
]
_Address = Annotated[str, StringConstraints(min_length=2, max_length=45)]
_Count = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]
_STREAM, _TABLE = os.environ["PEER_STREAM"], os.environ["PEER_TABLE"]
_PUTS_ALL = os.environ["PEER_PUTS"] == "all"
_KEY_SECONDS = 60.0


class _Page(BaseModel):
    url: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    client_address: _Address
    status: Annotated[int, Field(ge=100, le=599, strict=True)]
    referrer: str | None = None
    user_agent: Annotated[str, StringConstraints(max_length=1024)] | None = None
    user_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    bytes_sent: _Count | None = None
    duration_ms: _Count | None = None


class _Product(BaseModel):
    product_id: _Name
    client_address: _Address
    category: str | None = None
    price_minor: _Count | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    user_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None


class _PageEvent(BaseModel):
    type: Literal["page_viewed"]
    payload: _Page


class _ProductEvent(BaseModel):
    type: Literal["product_viewed"]
    payload: _Product


class _Batch(BaseModel):
    events: list[Annotated[_PageEvent | _ProductEvent, Field(discriminator="type")]]


class _Envelope(BaseModel):
    event_type: str
    event_id: str
    schema_version: int = 1
    event_time: str
    source: str
    producer_id: str = "peer"
    epoch: int = 1
    seq: int
    payload: _Page | _Product


app = APIGatewayHttpResolver(enable_validation=True)
kinesis, dynamodb = boto3.client("kinesis"), boto3.client("dynamodb")
_known: dict[str, tuple[float, bool]] = {}
_places = itertools.count(1)


def _is_known(key: str) -> bool:
    until, known = _known.get(key, (0.0, False))
    if time.monotonic() >= until:
        digest = hashlib.sha256(key.encode()).hexdigest()
        known = "Item" in dynamodb.get_item(TableName=_TABLE, Key={"pk": {"S": f"key#{digest}"}})
        _known[key] = time.monotonic() + _KEY_SECONDS, known
    return known


@app.post("/v1/batch")
def batch(body: _Batch, x_write_key: Annotated[str, Header()]) -> dict[str, int]:
    """Validate, give each event its envelope, put it on the stream."""
    if not _is_known(x_write_key):
        raise UnauthorizedError("There is no such key.")
    records: list[Any] = []
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    for event in body.events:
        made = _Envelope(
            event_type=event.type,
            event_id=str(uuid.uuid4()),
            event_time=now,
            source="peer",
            seq=next(_places),
            payload=event.payload,
        )
        data = made.model_dump_json(exclude_none=True).encode()
        records.append({"Data": data, "PartitionKey": event.payload.client_address})
    if _PUTS_ALL:
        if kinesis.put_records(StreamName=_STREAM, Records=records)["FailedRecordCount"]:
            raise ServiceError(503, "Some events were not taken.")
    else:
        for record in records:
            kinesis.put_record(StreamName=_STREAM, **record)
    return {"accepted": len(records)}


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's."""
    return app.resolve(event, context)
