"""Events, error objects and a repair for replays in memory."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.golden.poison.corpus import changed
from tests.shop import TABLES
from tests.transforms.failed.memory_bucket import MemoryObjects
from transforms.failed.arrow import read_parquet

TABLE = TABLES["web_events"]


KINDS = (
    "processing-failed",
    "format-conversion-failed",
    "metadata-extraction-failed",
    "activePartitionExceeded",
)


Mend = Callable[[bytes], bytes | None]


def now() -> datetime:
    return datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def event(number: int, **members: Any) -> bytes:
    return changed(event_id=f"01927f2e-7b1c-7abc-8def-{number:012x}", seq=number, **members)


def broken(number: int) -> bytes:
    """An event that the repair below fixes."""
    return event(number).replace(b'"status":200', b'"status":"200"')


def mend(raw: bytes) -> bytes | None:
    return raw.replace(b'"status":"200"', b'"status":200') if b'"status":"200"' in raw else None


def rows(objects: MemoryObjects) -> list[tuple[str, int]]:
    """(event hour, seq) of every row that the lake has."""
    found = []
    for key, body in objects.bodies.items():
        if key.startswith(TABLE.prefix):
            hour = key.split("event_hour=")[1].partition("/")[0]
            found += [(hour, row["seq"]) for row in read_parquet(body, TABLE).to_pylist()]
    return sorted(found)
