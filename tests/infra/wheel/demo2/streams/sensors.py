"""The `sensors` stream: temperatures in cold rooms, straight to Firehose."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from penstock.contracts import EventType, Identifier, Payload, Stream


class TemperatureRead(Payload):
    """A sensor told the temperature of its room, in tenths of a degree Celsius."""

    room: Identifier
    tenths: Annotated[int, Meta(ge=-600, le=600)]


TEMPERATURE_READ = EventType(TemperatureRead, version=1, partition_key="room")
STREAM = Stream(
    name="sensors",
    event_types=(TEMPERATURE_READ,),
    allowed_lateness=timedelta(hours=6),
    ingest="direct",
    traffic="._simulated:temperatures",
)
