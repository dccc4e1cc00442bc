"""Events that tests put on the stream: old ones, as a replay sends them, of a producer of their own."""

import uuid
from typing import Any


def page_viewed(hour: str, number: int, *, producer: str, **payload: Any) -> dict[str, Any]:
    """The page view `number` of a producer in the hour; the same arguments give the same event."""
    given = {"url": f"/page-{number % 3}", "client_address": f"198.18.0.{number % 5}", "status": 200}
    return event("page_viewed", hour, number, producer, given | payload)


def order_placed(hour: str, number: int, *, producer: str, **payload: Any) -> dict[str, Any]:
    """An order of two items."""
    given: dict[str, Any] = {
        "order_id": f"order-{number}",
        "client_address": "198.18.0.1",
        "items": [
            {"product_id": "rug-1", "quantity": 2, "price_minor": 500},
            {"product_id": "mug-2", "quantity": 1, "price_minor": 900},
        ],
        "total_minor": 1900,
        "currency": "EUR",
    }
    return event("order_placed", hour, number, producer, given | payload)


def event(kind: str, hour: str, number: int, producer: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The event in its envelope, `number` seconds after the hour begins."""
    day, _, clock = hour.rpartition("-")
    return {
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{producer}/{hour}/{number}")),
        "event_type": kind,
        "schema_version": 1,
        "event_time": f"{day}T{clock}:{number // 60:02d}:{number % 60:02d}.000Z",
        "source": "replay",
        "producer_id": producer,
        "epoch": int(hour.replace("-", "")),
        "seq": number,
        "payload": payload,
    }
