"""The `parcels` stream: what scanners in depots read."""

from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta

from penstock.contracts import EventType, Identifier, Payload, Stream


class ParcelScanned(Payload):
    """A scanner read a parcel's label."""

    parcel_id: Identifier
    depot: Literal["north", "south"]
    grams: Annotated[int, Meta(ge=1, le=40_000)]


PARCEL_SCANNED = EventType(ParcelScanned, version=1, partition_key="parcel_id")
STREAM = Stream(
    name="parcels",
    event_types=(PARCEL_SCANNED,),
    allowed_lateness=timedelta(hours=6),
    traffic="._simulated:scans",
)
