"""The `flights` stream: departures from an airport, as scheduled and as they were."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from penstock.contracts import Count, EventType, Identifier, Payload, Stream

Airport = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
DelayMinutes = Annotated[int, Meta(ge=-1_440, le=10_080)]


class FlightScheduled(Payload):
    """A flight was scheduled. It has left when it has a delay; a cancelled one has none."""

    carrier: Identifier
    flight: Count
    origin: Airport
    destination: Airport
    miles: Count
    tail_number: Identifier | None = None
    departure_delay: DelayMinutes | None = None
    arrival_delay: DelayMinutes | None = None


STREAM = Stream(
    name="flights",
    event_types=(EventType(FlightScheduled, version=1, partition_key="carrier"),),
    allowed_lateness=timedelta(hours=6),
)
