"""The `weather` stream: what was measured at an airport, hour by hour."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from penstock.contracts import EventType, Payload, Stream

Airport = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Fahrenheit = Annotated[float, Meta(ge=-150, le=150)]


class WeatherMeasured(Payload):
    """The weather at an airport."""

    airport: Airport
    temperature: Fahrenheit | None = None
    wind_mph: Annotated[float, Meta(ge=0, le=2_000)] | None = None
    rain_inches: Annotated[float, Meta(ge=0, le=50)] | None = None
    visibility_miles: Annotated[float, Meta(ge=0, le=10)] | None = None


STREAM = Stream(
    name="weather",
    event_types=(EventType(WeatherMeasured, version=1, partition_key="airport"),),
    allowed_lateness=timedelta(hours=6),
)
