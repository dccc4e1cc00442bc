"""A project with two streams that share an event type's name, one on Kinesis, one straight to Firehose, and a
reference table.
"""

from pathlib import Path

from infra.project.loading import load
from infra.project.project import Project

PROJECT_FILE = """[project]
name = "depot"
prefix = "depot"
"""

PARCELS = '''"""Parcels on their way through the depot."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from producers.contracts import EventType, Payload, Stream

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Grams = Annotated[int, Meta(ge=0, le=100_000_000)]


class Scanned(Payload):
    """A parcel passed a gate."""

    parcel: Name
    gate: Name
    grams: Grams


class Beat(Payload):
    """A gate is alive. Counted, and not kept."""

    gate: Name


SCANNED = EventType(Scanned, version=1, partition_key="parcel")
BEAT = EventType(Beat, version=1, partition_key="gate", delivered=False)
STREAM = Stream(
    name="parcels", event_types=(SCANNED, BEAT), allowed_lateness=timedelta(hours=6), owner="depot-team"
)
'''

SENSORS = '''"""What the cold rooms measure."""

from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from producers.contracts import EventType, Payload, Stream

Name = Annotated[str, Meta(min_length=1, max_length=64)]


class Scanned(Payload):
    """A room was measured."""

    room: Name
    celsius: Annotated[float, Meta(ge=-90, le=90)]


class Beat(Payload):
    """A sensor is alive. Counted, and not kept."""

    sensor: Name


SCANNED = EventType(Scanned, version=1, partition_key="room")
BEAT = EventType(Beat, version=1, partition_key="sensor", delivered=False)
STREAM = Stream(
    name="sensors",
    event_types=(SCANNED, BEAT),
    allowed_lateness=timedelta(hours=6),
    ingest="direct",
    owner="climate-team",
)
'''

PARCELS_BY_HOUR = """-- report:   parcels_by_hour
-- title:    Parcels by hour
-- owner:    depot-team
-- source:   parcels_events
-- grain:    event_hour
-- columns:  scans bigint, grams bigint
-- checks:   rows between 0 and 1, scans >= 1
SELECT event_hour, count(*) AS scans, sum(scanned.grams) AS grams
FROM parcels_events
WHERE event_type = 'scanned'
GROUP BY event_hour
"""

ROOMS_BY_HOUR = """-- report:   rooms_by_hour
-- title:    Rooms by hour
-- owner:    climate-team
-- source:   sensors_events
-- grain:    event_hour
-- columns:  room varchar, measured bigint, warmest double
-- keys:     room
-- checks:   unique(room), measured >= 1
SELECT event_hour, scanned.room AS room, count(*) AS measured, max(scanned.celsius) AS warmest
FROM sensors_events
WHERE event_type = 'scanned'
GROUP BY event_hour, scanned.room
"""

DEPOT_BY_HOUR = """-- report:   depot_by_hour
-- title:    Parcels and temperatures by hour
-- owner:    depot-team
-- source:   parcels_events, sensors_events
-- grain:    event_hour
-- columns:  scans bigint, measured bigint, warmest double
-- checks:   rows between 0 and 1
WITH parcels AS (
    SELECT event_hour, count(*) AS scans FROM parcels_events WHERE event_type = 'scanned' GROUP BY event_hour
),
rooms AS (
    SELECT event_hour, count(*) AS measured, max(scanned.celsius) AS warmest
    FROM sensors_events
    WHERE event_type = 'scanned'
    GROUP BY event_hour
)
SELECT coalesce(parcels.event_hour, rooms.event_hour) AS event_hour,
       coalesce(scans, 0) AS scans,
       coalesce(measured, 0) AS measured,
       warmest
FROM parcels
FULL JOIN rooms ON rooms.event_hour = parcels.event_hour
"""


GATES = """title = "Where each gate of the depot is"
owner = "depot-team"
keys = ["gate"]

[columns]
gate = "varchar"
place = "varchar"
floor = "integer"
"""
PLACES = "gate,place,floor\ng-0,North,0\ng-1,South,0\ng-2,Roof,3\n"

PLACES_BY_HOUR = """-- report:    places_by_hour
-- title:     Parcels by hour and place
-- owner:     depot-team
-- source:    parcels_events
-- reference: gates
-- grain:     event_hour
-- columns:   place varchar, floor integer, scans bigint
-- keys:      place
-- checks:    unique(place), not_null(place), scans >= 1
SELECT event_hour, gates.place AS place, max(gates.floor) AS floor, count(*) AS scans
FROM parcels_events
LEFT JOIN reference_gates AS gates ON gates.gate = scanned.gate
WHERE event_type = 'scanned'
GROUP BY event_hour, gates.place
"""


def write(folder: Path) -> Project:
    """Write the project into a folder, and load it."""
    files = {
        "penstock.toml": PROJECT_FILE,
        "streams/parcels.py": PARCELS,
        "streams/sensors.py": SENSORS,
        "reports/parcels_by_hour.sql": PARCELS_BY_HOUR,
        "reports/rooms_by_hour.sql": ROOMS_BY_HOUR,
        "reports/depot_by_hour.sql": DEPOT_BY_HOUR,
        "reports/places_by_hour.sql": PLACES_BY_HOUR,
        "reference/gates.toml": GATES,
        "reference/gates.csv": PLACES,
    }
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return load(folder)
