"""Reading inputs from the field, and what came of them."""

from pathlib import Path
from typing import Any

from producers.contracts import UNREADABLE_LINE, UnreadableLine
from producers.sources.read import NewEvent, read
from tests.shop import WEB


def found(path: Path, content: bytes | str) -> list[NewEvent]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_all(str(path))


def read_all(path: str) -> list[NewEvent]:
    return [item for item in read(path, WEB) if isinstance(item, NewEvent)]


def payloads(events: list[NewEvent]) -> list[dict[str, Any]]:
    return [
        {name: getattr(event.payload, name) for name in event.payload.__struct_fields__} for event in events
    ]


def reasons(events: list[NewEvent]) -> dict[int, str]:
    """Line or row number to why it could not be read."""
    return {
        event.number: event.payload.reason
        for event in events
        if isinstance(event.payload, UnreadableLine) and event.event_type is UNREADABLE_LINE
    }
