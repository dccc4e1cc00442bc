"""Seeded traffic for the chaos runs, and the ways in which it is written down.

Nothing of the product is used: what the oracle expects must not come from the code that it checks.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal

CLIENTS = 400
CURRENCIES = ("EUR", "USD", "JPY")
POISON = ("this is not JSON", '{"event_type": "page_viewed"', '{"event_type": "no_such_type", "url": "/"}')
_NAMESPACE = uuid.UUID("6f1f6e52-6d0c-4b7e-9f0e-0c8d6a1f4a55")

Kind = Literal["page_viewed", "product_viewed", "cart_updated", "order_placed"]


@dataclass(frozen=True)
class Happening:
    """One thing that happened, before anybody has sent it."""

    number: int
    kind: Kind
    time: datetime
    payload: dict[str, Any]

    @property
    def client(self) -> str:
        """The visitor's address."""
        return str(self.payload["client_address"])


def happenings(seed: str, count: int, start: datetime, span: timedelta) -> list[Happening]:
    """`count` things that happened in `span` after `start`, in order of time; the same for the same seed."""
    random = Random(seed)
    times = sorted(random.randrange(int(span.total_seconds() * 1000)) for _ in range(count))
    return [
        _happening(random, number, start + timedelta(milliseconds=time))
        for number, time in enumerate(times, start=1)
    ]


def _happening(random: Random, number: int, time: datetime) -> Happening:
    client = (
        f"203.0.113.{random.randrange(256)}"
        if random.random() < 0.6
        else f"2001:db8::{random.randrange(CLIENTS):x}"
    )
    draw = random.random()
    if draw < 0.7:
        payload: dict[str, Any] = {
            "url": f"/{random.choice(('p', 'blog', 'cart'))}/{random.randrange(40)}",
            "client_address": client,
            "status": random.choices((200, 304, 404, 500), (90, 5, 4, 1))[0],
            "bytes_sent": random.randrange(200_000),
        }
        return Happening(number, "page_viewed", time, payload)
    product = f"product-{random.randrange(60)}"
    if draw < 0.85:
        return Happening(number, "product_viewed", time, {"product_id": product, "client_address": client})
    if draw < 0.95:
        payload = {
            "cart_id": f"cart-{random.randrange(10_000)}",
            "product_id": product,
            "client_address": client,
            "action": random.choice(("added", "removed")),
            "quantity": random.randrange(1, 5),
        }
        return Happening(number, "cart_updated", time, payload)
    quantity, price = random.randrange(1, 4), random.randrange(100, 20_000)
    payload = {
        "order_id": f"order-{number}",
        "client_address": client,
        "items": [{"product_id": product, "quantity": quantity, "price_minor": price}],
        "total_minor": quantity * price,
        "currency": random.choice(CURRENCIES),
    }
    return Happening(number, "order_placed", time, payload)


def write_whole(path: Path, found: Sequence[Happening], producer: str) -> dict[str, Happening]:
    """NDJSON of events in their envelopes, closed by their producer's audit; event id to what happened."""
    epoch = int(found[0].time.timestamp() * 1000)
    ids: dict[str, Happening] = {}
    with path.open("w", encoding="utf-8") as file:
        for seq, happening in enumerate(found, start=1):
            event_id = str(uuid.uuid5(_NAMESPACE, f"{producer}/{epoch}/{seq}"))
            ids[event_id] = happening
            file.write(
                _envelope(event_id, happening.kind, happening.time, producer, epoch, seq, happening.payload)
            )
        audit = {"producer": producer, "last_seq": len(found), "closed": True}
        audit_id = str(uuid.uuid5(_NAMESPACE, f"{producer}/{epoch}/audit"))
        file.write(_envelope(audit_id, "producer_audited", found[-1].time, producer, epoch, 0, audit))
    return ids


def write_documents(path: Path, found: Sequence[Happening], poison: int, random: Random) -> None:
    """NDJSON without envelopes, with `poison` lines among it that nobody can read."""
    lines = [
        json.dumps({"event_type": each.kind, "event_time": _instant(each.time), "payload": each.payload})
        for each in found
    ]
    for number in range(poison):
        lines.insert(random.randrange(len(lines) + 1), f"{random.choice(POISON)}  # {path.name} {number}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_access_log(path: Path, found: Sequence[Happening]) -> list[Happening]:
    """The page views as lines of the combined format, whose times are whole seconds; what those lines say."""
    views = [each for each in found if each.kind == "page_viewed"]
    said = []
    with path.open("w", encoding="utf-8") as file:
        for view in views:
            time = view.time.replace(microsecond=0)
            payload = view.payload
            file.write(
                f'{view.client} - - [{time:%d/%b/%Y:%H:%M:%S %z}] "GET {payload["url"]} HTTP/1.1" '
                f'{payload["status"]} {payload["bytes_sent"]} "-" "chaos/1.0"\n'
            )
            said.append(Happening(view.number, view.kind, time, payload))
    return said


def parts(found: Sequence[Happening], count: int) -> Iterator[list[Happening]]:
    """`count` parts of nearly equal size, one after the other."""
    for part in range(count):
        yield list(found[len(found) * part // count : len(found) * (part + 1) // count])


def _envelope(
    event_id: str, kind: str, time: datetime, producer: str, epoch: int, seq: int, payload: dict[str, Any]
) -> str:
    event = {
        "event_id": event_id,
        "event_type": kind,
        "schema_version": 1,
        "event_time": _instant(time),
        "source": "chaos",
        "producer_id": producer,
        "epoch": epoch,
        "seq": seq,
        "payload": payload,
    }
    return json.dumps(event) + "\n"


def _instant(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"
