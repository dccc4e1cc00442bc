"""A repair as an operator writes one: undoes what `producers.simulation.damage` calls repairable, and nothing else."""

import ast
import json
from typing import Any

_NUMBERS = frozenset(
    {
        "status",
        "bytes_sent",
        "duration_ms",
        "price_minor",
        "total_minor",
        "quantity",
        "uptime_seconds",
        "schema_version",
    }
)
_TRAILING = frozenset({"", ",", ";", "}", "\\n"})


def mend(raw: bytes) -> bytes | None:
    """The event as it was meant, or None when that is not known."""
    document = _read(raw)
    if document is None or not isinstance(document.get("payload"), dict):
        return None
    document["payload"] = _numbers(document["payload"])
    document = _numbers(document)
    moment = document.get("event_time")
    if isinstance(moment, str) and moment[10:11] == " ":
        document["event_time"] = f"{moment.replace(' ', 'T')}Z"
    return json.dumps(document, separators=(",", ":")).encode()


def _read(raw: bytes) -> dict[str, Any] | None:
    try:
        text = raw.decode("utf-8-sig")
        if text.startswith("{'event_"):  # the text of a dict of Python
            document, rest = ast.literal_eval(text), ""
        else:
            document, end = json.JSONDecoder().raw_decode(text)
            rest = text[end:]
    except (ValueError, SyntaxError, RecursionError):
        return None
    return document if isinstance(document, dict) and rest in _TRAILING else None


def _numbers(members: dict[str, Any]) -> dict[str, Any]:
    return {
        name: int(value) if name in _NUMBERS and isinstance(value, str) and value.isdecimal() else value
        for name, value in members.items()
    }
