"""Random events of the shop and of the flights project, some of them sent twice, some of them late."""

from random import Random
from typing import Any

from tests.queries.events import event, order_placed, page_viewed

DAY = "2024-11-24"
HOURS = tuple(f"{DAY}-{hour:02}" for hour in (8, 9, 10, 17))
FLOWN = ("2013-03-09-23", "2013-03-10-05", "2013-03-10-06", "2013-03-10-12")
"""Hours around a day of New York that has 23 of them."""
Event = dict[str, Any]


def shop_events(rng: Random, in_hour: int) -> list[Event]:
    """Events of every type that becomes rows, in a few hours of a day."""
    return [_shop_event(rng, hour, number) for hour in HOURS for number in range(1, in_hour + 1)]


def _shop_event(rng: Random, hour: str, number: int) -> Event:
    producer, client = f"p-{rng.randrange(3)}", f"198.18.0.{rng.randrange(12)}"
    second, kind = number * 3_600 // 700, rng.random()
    if kind < 0.6:
        payload: dict[str, Any] = {"client_address": client, "status": rng.choice([200, 200, 301, 404, 503])}
        if rng.random() < 0.8:
            payload["bytes_sent"] = rng.randrange(10_000)
        if rng.random() < 0.1:
            payload["url"] = "//odd"
        return _at(page_viewed(hour, number, producer=producer, **payload), second)
    if kind < 0.75:
        total, currency = rng.randrange(1, 90_000), rng.choice(["EUR", "USD", "JPY"])
        sold = {"client_address": client, "total_minor": total, "currency": currency}
        return _at(order_placed(hour, number, producer=producer, **sold), second)
    if kind < 0.9:
        seen = {"client_address": client, "product_id": "rug-1", "category": "rugs"}
        return _at(
            event("product_viewed", hour, number, producer, seen | {"price_minor": 5, "currency": "EUR"}),
            second,
        )
    put = {
        "client_address": client,
        "cart_id": "c-1",
        "product_id": "rug-1",
        "action": "added",
        "quantity": 1,
    }
    return _at(event("cart_updated", hour, number, producer, put), second)


def flight_events(rng: Random, in_hour: int) -> list[Event]:
    """Departures, a tenth of them cancelled."""
    made = []
    for hour in FLOWN:
        for number in range(1, in_hour + 1):
            payload: dict[str, Any] = {
                "carrier": rng.choice(["AA", "UA", "B6"]),
                "flight": number,
                "origin": rng.choice(["JFK", "LGA", "EWR"]),
                "destination": "BOS",
                "miles": 187,
            }
            if rng.random() < 0.9:
                payload["departure_delay"] = rng.randrange(-20, 300)
            made.append(event("flight_scheduled", hour, number, "airport", payload))
    return made


def weather_events(rng: Random) -> list[Event]:
    """Several measurements in an hour, some without a figure."""
    made = []
    for hour in FLOWN:
        for number in range(1, 13):
            payload: dict[str, Any] = {"airport": ("JFK", "LGA", "EWR")[number % 3]}
            for name, most in (("temperature", 90.0), ("wind_mph", 40.0), ("rain_inches", 1.0)):
                if rng.random() < 0.85:
                    payload[name] = round(rng.random() * most, 2)
            made.append(event("weather_measured", hour, number, "station", payload))
    return made


def _at(made: Event, second: int) -> Event:
    hour = made["event_time"][:14]
    made["event_time"] = f"{hour}{second // 60 % 60:02}:{second % 60:02}.000Z"
    return made
