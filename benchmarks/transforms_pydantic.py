"""The same job with Powertools' parser and pydantic."""

import base64
import json
from typing import Annotated, Any, Literal

from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import KinesisFirehoseModel
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, TypeAdapter

from benchmarks.transforms_peers import DropError, Handler, counted, plain_row

_Name = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
]
_Address = Annotated[str, StringConstraints(min_length=2, max_length=45)]
_User = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Count = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]


class _Page(BaseModel):
    url: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    client_address: _Address
    status: Annotated[int, Field(ge=100, le=599, strict=True)]
    referrer: str | None = None
    user_agent: Annotated[str, StringConstraints(max_length=1024)] | None = None
    user_id: _User | None = None
    bytes_sent: _Count | None = None
    duration_ms: _Count | None = None


class _Product(BaseModel):
    product_id: _Name
    client_address: _Address
    category: str | None = None
    price_minor: _Count | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    user_id: _User | None = None


class _Cart(BaseModel):
    cart_id: _Name
    product_id: _Name
    client_address: _Address
    action: Literal["added", "removed"]
    quantity: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    user_id: _User | None = None


class _Item(BaseModel):
    product_id: _Name
    quantity: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    price_minor: _Count


class _Order(BaseModel):
    order_id: _Name
    client_address: _Address
    items: Annotated[list[_Item], Field(min_length=1, max_length=500)]
    total_minor: _Count
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    user_id: _User | None = None


class _Beat(BaseModel):
    host: _Name
    uptime_seconds: _Count


class _Envelope(BaseModel):
    event_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    schema_version: Literal[1]
    event_time: AwareDatetime
    source: _Name
    producer_id: _Name
    epoch: _Count
    seq: _Count


class _PageEvent(_Envelope):
    event_type: Literal["page_viewed"]
    payload: _Page


class _ProductEvent(_Envelope):
    event_type: Literal["product_viewed"]
    payload: _Product


class _CartEvent(_Envelope):
    event_type: Literal["cart_updated"]
    payload: _Cart


class _OrderEvent(_Envelope):
    event_type: Literal["order_placed"]
    payload: _Order


class _BeatEvent(_Envelope):
    event_type: Literal["heartbeat"]
    payload: _Beat


_AnyEvent = Annotated[
    _PageEvent | _ProductEvent | _CartEvent | _OrderEvent | _BeatEvent, Field(discriminator="event_type")
]


def parser(key: bytes) -> Handler:
    """KinesisFirehoseModel by `parse`, and a model of each event, record by record."""
    adapter: TypeAdapter[Any] = TypeAdapter(_AnyEvent)

    def handler(event: dict[str, Any]) -> dict[str, Any]:
        output: list[dict[str, Any]] = []
        for record in parse(event=event, model=KinesisFirehoseModel).records:
            data = record.data if isinstance(record.data, bytes) else b""
            try:
                parsed = adapter.validate_json(data).model_dump(exclude_none=True)
                row, hour = plain_row(parsed, record.approximateArrivalTimestamp, key)
                encoded = base64.b64encode((json.dumps(row) + "\n").encode()).decode()
                metadata = {"partitionKeys": {"event_hour": hour}}
                output.append(
                    {"recordId": record.recordId, "result": "Ok", "data": encoded, "metadata": metadata}
                )
            except DropError:
                output.append({"recordId": record.recordId, "result": "Dropped"})
            except Exception:
                failed = base64.b64encode(data).decode()
                output.append({"recordId": record.recordId, "result": "ProcessingFailed", "data": failed})
        answer = {"records": output}
        counted(answer)
        return answer

    return handler
