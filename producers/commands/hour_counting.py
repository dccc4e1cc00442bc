"""Counts the event hours of a file before its events are sent.

Lines are not parsed for it as long as the times in their text name few hours, which is nearly always.
"""

import io
import re
from collections.abc import Iterator
from contextlib import closing

from producers.commands.hour_pacing import HOUR_MS, Delivery, Plan, plan
from producers.contracts import UNREADABLE_LINE, Stream
from producers.sources.files import Format, opened, shown_path, sniff
from producers.sources.read import NewEvent, read

_CHUNK = 1 << 20
_OVERLAP = 64
_JSON_TIME = re.compile(rb'"event_time"\s*:\s*"([^"]{13})')  # 2026-11-24T10
_LOG_TIME = re.compile(rb"\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d)")


def counted(path: str, stream: Stream, form: Format | None, delivery: Delivery) -> Plan:
    """What the file's lines, events of `stream`, mean for its delivery. Raises SourceError."""
    with opened(path) as content:
        known = form or sniff(content, shown_path(path))
        times = {"ndjson": _JSON_TIME, "access-log": _LOG_TIME}.get(known)
        if times is not None and (few := _few(content, times, delivery.hours)) is not None:
            return Plan(few)
    return plan(_hours(path, stream, form), delivery)


def _hours(path: str, stream: Stream, form: Format | None) -> Iterator[int]:
    with closing(read(path, stream, form)) as items:
        for item in items:
            # A line that cannot be read goes to the error prefix in any case, and opens no hour.
            if not (isinstance(item, NewEvent) and item.event_type is UNREADABLE_LINE):
                yield int(item.event_time.timestamp() * 1000) // HOUR_MS


def _few(content: io.BufferedReader, times: re.Pattern[bytes], most: int) -> int | None:
    """How many hours the text names; None when there are more than `most`."""
    found: set[bytes] = set()
    kept = b""
    while chunk := content.read(_CHUNK):
        found.update(times.findall(kept + chunk))
        kept = chunk[-_OVERLAP:]
        if len(found) > most:
            return None
    return len(found)
