"""The request that is measured with: 5,500 mixed events of about 400 bytes, 2 % of them bad."""

import base64
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

ARRIVAL = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
RECORDS = 5_500

_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{n}.0) Gecko/20100101 Firefox/{n}.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_{n}) Version/17.4 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_{n} like Mac OS X) Mobile/15E148",
    "Mozilla/5.0 (compatible; Googlebot/2.{n}; +http://www.google.com/bot.html)",
)


def request(seed: int = 7, records: int = RECORDS) -> bytes:
    """Firehose's request for a Kinesis source, as the runtime receives it."""
    rng = random.Random(seed)
    made = [_record(rng, number, _data(rng, number)) for number in range(records)]
    return json.dumps(
        {
            "invocationId": str(UUID(int=rng.getrandbits(128))),
            "deliveryStreamArn": "arn:aws:firehose:eu-central-1:111122223333:deliverystream/penstock-web",
            "sourceKinesisStreamArn": "arn:aws:kinesis:eu-central-1:111122223333:stream/penstock-web",
            "region": "eu-central-1",
            "records": made,
        },
        separators=(",", ":"),
    ).encode()


def _record(rng: random.Random, number: int, data: bytes) -> dict[str, Any]:
    arrival_ms = int(ARRIVAL.timestamp() * 1000) + number // 10
    return {
        "recordId": f"{rng.getrandbits(240):062d}"[:62],
        "approximateArrivalTimestamp": arrival_ms,
        "data": base64.b64encode(data).decode(),
        "kinesisRecordMetadata": {
            "sequenceNumber": f"{rng.getrandbits(180):056d}"[:56],
            "subsequenceNumber": 0,
            "partitionKey": f"client-{rng.getrandbits(36):011d}",
            "shardId": f"shardId-{rng.randrange(4):012d}",
            "approximateArrivalTimestamp": arrival_ms,
        },
    }


def _data(rng: random.Random, number: int) -> bytes:
    event = _event(rng, number)
    data = json.dumps(event, separators=(",", ":")).encode()
    if rng.random() >= 0.021:
        return data
    bad = (
        lambda: data[: len(data) // 2],
        lambda: b"",
        lambda: b"\xff\xfe" + data,
        lambda: data.replace(b'"schema_version":1', b'"schema_version":"1"'),
        lambda: data.replace(b'"event_id"', b'"id"'),
        lambda: data.replace(event["event_type"].encode(), b"page_burned"),
        lambda: data.replace(b"2026-11", b"1999-11"),
        lambda: data.replace(b'"source":"web"', b'"source":"../web"'),
    )
    return rng.choice(bad)()


def _event(rng: random.Random, number: int) -> dict[str, Any]:
    age = timedelta(milliseconds=int(rng.expovariate(1 / 30_000)))
    if rng.random() < 0.03:
        age = timedelta(milliseconds=rng.randrange(8 * 3_600_000))
    name, payload = _payload(rng)
    return {
        "event_type": name,
        "event_id": str(UUID(int=rng.getrandbits(128))),
        "schema_version": 1,
        "event_time": f"{(ARRIVAL - age).isoformat(timespec='milliseconds')[:23]}Z",
        "source": "web",
        "producer_id": f"web-{number % 8}",
        "epoch": 1795510000000,
        "seq": number // 8 + 1,
        "payload": payload,
    }


def _payload(rng: random.Random) -> tuple[str, dict[str, Any]]:
    user = rng.randrange(2_134)
    who: dict[str, Any] = {"client_address": f"198.51.{user % 100}.{user // 100}"}
    if user % 3:
        who["user_id"] = f"user-{user:06d}"
    product = f"sku-{rng.randrange(500):05d}"
    kind = rng.random()
    if kind < 0.028:
        return "heartbeat", {"host": f"web-{rng.randrange(8)}", "uptime_seconds": rng.randrange(10**6)}
    if kind < 0.15:
        price = {"price_minor": rng.randrange(100_000), "currency": "EUR"}
        return "product_viewed", {"product_id": product, **who, "category": "garden/tools", **price}
    if kind < 0.22:
        cart = {"cart_id": f"cart-{rng.getrandbits(40):012d}", "product_id": product, "quantity": 1}
        return "cart_updated", {**cart, **who, "action": "added"}
    if kind < 0.26:
        item = {"product_id": product, "quantity": 2, "price_minor": 1999}
        order = {"order_id": f"order-{rng.getrandbits(40):012d}", "items": [item] * rng.randrange(1, 4)}
        return "order_placed", {**order, **who, "total_minor": 3998, "currency": "EUR"}
    return "page_viewed", {
        "url": f"https://shop.example/products/{product}?page={rng.randrange(40)}",
        **who,
        "status": rng.choice((200, 200, 200, 304, 404)),
        "referrer": "https://www.google.com/",
        "user_agent": rng.choice(_BROWSERS).format(n=rng.randrange(59)),
        "bytes_sent": rng.randrange(100_000),
        "duration_ms": rng.randrange(2_000),
    }
