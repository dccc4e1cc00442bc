"""Example events of an inferred type: a row of the sample that passes, and the same one broken (pure)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from producers.inference.model import Inferred
from producers.inference.names import event_name

_LATEST = datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)
"""Examples are validated as of this day: no example is later."""
_ID = "01927f2e-7b1c-7abc-8def-0123456789ab"


def examples_of(made: Inferred, stream: str, payload: Mapping[str, Any], event_us: int) -> Mapping[str, str]:
    """The texts of both examples by their paths in the project. Personal values are replaced: examples are
    files that people share.
    """
    event = event_name(stream)
    moment = min(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=event_us), _LATEST)
    shown = {
        field.name: f"somebody's {field.name.replace('_', ' ')}"[: field.longest]
        if field.is_personal
        else payload[field.name]
        for field in made.fields
        if field.name in payload
    }
    case, broken = _broken(made, shown)
    return {
        f"streams/examples/{event}.1.from_the_sample.pass.json": _text(event, stream, moment, shown),
        f"streams/examples/{event}.1.{case}.fail.json": _text(event, stream, moment, broken),
    }


def _broken(made: Inferred, shown: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The reason for which the event fails with what it lacks or has, and its payload."""
    required = next((field.name for field in made.fields if not field.is_optional), None)
    if required is not None:
        return f"missing_field_{required}", {name: shown[name] for name in shown if name != required}
    name = made.fields[0].name
    return f"wrong_type_{name}", {**shown, name: {"not": "a value"}}


def _text(event: str, stream: str, moment: datetime, payload: Mapping[str, Any]) -> str:
    document = {
        "event_type": event,
        "event_id": _ID,
        "schema_version": 1,
        "event_time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "source": "import",
        "producer_id": f"{stream.replace('_', '-')}-1",
        "epoch": 1_795_510_000_000,
        "seq": 17,
        "payload": payload,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
