"""Scans and temperatures that never were."""

from collections.abc import Iterator
from random import Random

from penstock.simulation import Happening

from .parcels import PARCEL_SCANNED, ParcelScanned
from .sensors import TEMPERATURE_READ, TemperatureRead


def scans(random: Random, count: int, start_ms: int, span_ms: int) -> Iterator[Happening]:
    """A scan every so many milliseconds."""
    for number in range(count):
        scan = ParcelScanned(
            parcel_id=f"p-{number}",
            depot=random.choice(("north", "south")),
            grams=random.randint(100, 20_000),
        )
        yield Happening(start_ms + span_ms * number // count, PARCEL_SCANNED, scan)


def temperatures(random: Random, count: int, start_ms: int, span_ms: int) -> Iterator[Happening]:
    """Ten rooms in turn."""
    for number in range(count):
        read = TemperatureRead(room=f"room-{number % 10}", tenths=random.randint(-250, 80))
        yield Happening(start_ms + span_ms * number // count, TEMPERATURE_READ, read)
