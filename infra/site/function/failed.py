"""What failed lately, for operators: read from error objects, by the contracts that the zip has."""

import os
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from infra.site.function.asking import AskedError
from infra.site.function.clients import client
from infra.site.function.declarations import PROJECT
from infra.site.function.settings import Settings
from queries.api.site_answers import MOST_DAYS, USUAL_DAYS
from transforms.contracts import lake_tables, load_streams
from transforms.failed.event_review import EventReviewer, keyless_gates
from transforms.failed.index import IndexEntry
from transforms.failed.recent import Recent, recent
from transforms.failed.s3_bucket import S3Objects


@lru_cache(maxsize=1)
def reviewer() -> EventReviewer:
    """Finds out why events failed, by the project's streams."""
    return EventReviewer(keyless_gates(lake_tables(load_streams(PROJECT / "streams")).values()))


def failed_lately(query: str) -> dict[str, Any]:
    """What failed in the days that a query string asks for. Raises AskedError and ClientError."""
    today = datetime.now(UTC).date()
    since = today - timedelta(days=days_asked(query) - 1)
    objects = S3Objects(client("s3"), Settings.from_environ(os.environ).lake_bucket)
    return shown(recent(objects, reviewer(), since, today, time.monotonic))


def days_asked(query: str) -> int:
    """How many days, today included. Raises AskedError."""
    given = parse_qsl(query, keep_blank_values=True)
    if not given:
        return USUAL_DAYS
    name, text = given[0]
    if len(given) > 1 or name != "days" or not _is_number(text) or not 1 <= int(text) <= MOST_DAYS:
        raise AskedError(f"Say how many days: days=1 to days={MOST_DAYS}, and nothing else.")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 4


def shown(found: Recent) -> dict[str, Any]:
    """The answer (pure)."""
    return {
        "since": found.since.isoformat(),
        "objects": found.objects,
        "is_complete": found.is_complete,
        "unreadable": found.unreadable,
        "reasons": [
            {**asdict(each), "samples": [_sample(entry) for entry in each.samples]} for each in found.reasons
        ],
    }


_OF_A_SAMPLE = (
    *("record_id", "arrival_time", "kind", "code", "attempts", "stream", "event_type", "event_time"),
    *("place", "producer_id", "epoch", "seq", "line", "line_length", "line_reason", "is_replayed"),
)


def _sample(entry: IndexEntry) -> Mapping[str, Any]:
    return {name: getattr(entry, name) for name in _OF_A_SAMPLE}
