"""A project that is nothing like the shop: one stream, one report, one dashboard, written by hand."""

from pathlib import Path

STREAM = '''"""The `rides` stream: what bicycles of a rental report."""

from datetime import timedelta

from penstock.contracts import Count, EventType, Identifier, Payload, Stream

from ._units import Metres


class RideEnded(Payload):
    """A rented bicycle was locked again."""

    bicycle: Identifier
    station: Identifier
    metres: Metres
    seconds: Count


STREAM = Stream(
    name="rides",
    event_types=(EventType(RideEnded, version=1, partition_key="bicycle"),),
    allowed_lateness=timedelta(hours=6),
)
'''
UNITS = '''"""Kinds of field that streams share."""

from typing import Annotated

from msgspec import Meta

Metres = Annotated[int, Meta(ge=0, le=1_000_000)]
'''
REPORT = """-- report: rides_by_hour
-- title: Rides and metres by station
-- owner: operations
-- source: rides_events
-- grain: event_hour
-- columns: station varchar, rides bigint, metres bigint
-- keys: station
-- checks: unique(station), not_null(station)
SELECT event_hour, ride_ended.station AS station, count(*) AS rides, sum(ride_ended.metres) AS metres
FROM rides_events
WHERE event_type = 'ride_ended'
GROUP BY event_hour, ride_ended.station
"""
DASHBOARD = """title = "Rides"
about = "How many rides ended where."

[report.rides_by_hour]
import_mode = "direct"
stale_after = "2h"

[report.rides_by_hour.measures]
rides = { title = "Rides", expression = "sum({rides})", format = "integer" }

[[sheet]]
id = "stations"
title = "Stations"

[[sheet.visual]]
id = "rides-by-station"
kind = "bar"
report = "rides_by_hour"
title = "Rides by station"
x = "station"
y = ["rides"]
span = [18, 9]
"""
_EVENT = (
    '{"event_type": "ride_ended", "schema_version": 1, "event_id": "01927f2e-7b1c-7abc-8def-0123456789ab", '
    '"event_time": "2026-11-24T10:11:12.000Z", "source": "lock", "producer_id": "p", "epoch": 1, "seq": 1, '
    '"payload": {"bicycle": "b-1", "station": "s-1", "metres": METRES, "seconds": 60}}'
)
FILES = {
    "penstock.toml": '[project]\nname = "rides"\n',
    "streams/rides.py": STREAM,
    "streams/_units.py": UNITS,
    "streams/examples/ride_ended.1.short.pass.json": _EVENT.replace("METRES", "12"),
    "streams/examples/ride_ended.1.out_of_range.fail.json": _EVENT.replace("METRES", "-1"),
    "reports/rides_by_hour.sql": REPORT,
    "dashboards/rides.toml": DASHBOARD,
}


def write(folder: Path, **changed: str) -> Path:
    """The project in a folder; `changed` has other texts of files, by name without its ending."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(changed.get(Path(name).stem, text), encoding="utf-8")
    return folder
