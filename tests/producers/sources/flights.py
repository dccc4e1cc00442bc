"""A stream of flights, for sources: a contract of the kind that a team writes, and files in its shape."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from producers.contracts import EventType, Payload, Stream, UtcTime
from producers.contracts.fields import Count, Identifier, ShortText
from producers.sources.definition import SourceDefinition, parse_source
from producers.sources.reader import SourceReader
from producers.sources.results import SourceEvent, SourceFailure

Delay = Annotated[float, Meta(ge=-1440, le=10_080)]


class FlightDeparted(Payload, kw_only=True):
    """A flight left, or was cancelled."""

    carrier: Identifier
    flight: Count
    origin: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
    delay: Delay | None = None
    is_cancelled: bool | None = None
    scheduled: UtcTime | None = None
    tail: ShortText | None = None
    stops: list[str] | None = None


class FlightLanded(Payload, kw_only=True):
    """A flight landed."""

    carrier: Identifier
    flight: Count
    gate: Literal["A", "B"] | None = None


DEPARTED = EventType(FlightDeparted, version=1, partition_key="carrier")
LANDED = EventType(FlightLanded, version=1, partition_key="carrier")
FLIGHTS = Stream("flights", (DEPARTED, LANDED), allowed_lateness=timedelta(hours=6))

HEADER = """\
-- source:      flights
-- stream:      flights
-- event:       flight_departed
-- format:      csv
-- key:         time_hour, carrier, flight
-- event_time:  time_hour
-- nulls:       NA
"""
SELECT = """\
SELECT carrier, flight, origin, dep_delay AS delay
FROM file
"""
CSV = """\
time_hour,carrier,flight,origin,dep_delay
2013-01-01T10:00:00Z,UA,1545,EWR,2
2013-01-01T10:00:00Z,UA,1714,LGA,-4.5
2013-01-01T11:00:00Z,B6,0461,JFK,NA
"""


def source(header: str = HEADER, select: str = SELECT) -> SourceDefinition:
    """A source from its two parts."""
    return parse_source(header + select, "sources/flights.sql")


@contextmanager
def reader(definition: SourceDefinition) -> Iterator[SourceReader]:
    """A reader for flights."""
    with SourceReader(definition, FLIGHTS) as made:
        yield made


def read(
    definition: SourceDefinition, folder: Path, content: str | bytes, name: str = "flights.csv"
) -> tuple[list[SourceEvent], list[SourceFailure]]:
    """The events and failures of a file with this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with reader(definition) as made:
        batches = list(made.batches(str(path)))
    return [each for batch in batches for each in batch.events], [
        each for batch in batches for each in batch.failures
    ]
