"""The contracts of streams as files for other languages: one JSON Schema a type and version (pure)."""

import json
from collections.abc import Iterable, Mapping

from producers.contracts import Stream
from transforms.schema.json_schema import json_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_files(streams: Iterable[Stream]) -> Mapping[str, str]:
    """Texts by path, `STREAM/TYPE.vVERSION.json`; names are those of declarations, never of events."""
    return {
        f"{stream.name}/{each.name}.v{each.version}.json": _text(stream.name, each.name, each.event_class)
        for stream in streams
        for each in stream.all_types
    }


def _text(stream: str, name: str, event_class: type) -> str:
    document = {"$schema": DIALECT, "title": f"{name}, on the stream {stream}", **json_schema(event_class)}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
