"""The events that producers are compared on: the same for all, made before anything is timed."""

from random import Random
from typing import Any

USERS = 10_000


def events(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """So many events of about 300 bytes of compact JSON; a few users are much busier than the others."""
    random = Random(seed)
    return [_event(random, number) for number in range(count)]


def _event(random: Random, number: int) -> dict[str, Any]:
    return {
        "event_id": f"019{number:05x}-7a5d-7dcb-84e8-{random.getrandbits(48):012x}",
        "event_type": random.choice(("page_viewed", "product_viewed", "cart_updated")),
        "event_time": f"2026-11-24T10:{random.randrange(60):02}:{random.randrange(60):02}.210Z",
        "user_id": f"user-{int(USERS * random.random() ** 2):05}",
        "session": f"s{random.getrandbits(40):x}",
        "url": f"https://shop.example.com/product/{random.randrange(10_000)}",
        "referrer": random.choice((None, "https://www.google.com/")),
        "status": 200,
        "bytes_sent": random.randrange(90_000),
        "seq": number,
        "device": {"os": random.choice(("ios", "android")), "width": 390, "height": 844},
    }
