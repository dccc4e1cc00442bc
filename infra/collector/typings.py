"""`penstock.d.ts`: the events of the streams as TypeScript, for pages that send them with `penstock.js`."""

from collections.abc import Mapping
from typing import Any

import msgspec

from infra.collector.openapi import declared
from producers.collector.events import REQUEST_FIELDS
from producers.contracts import Stream

_SCALARS = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_HEAD = """// Made from the contracts by `penstock collector typings`.

export interface PenstockSettings {
  /** Address of the collector, without a path. */
  url: string;
  /** A write key for the origins of these pages. */
  key: string;
  /** Needed where the key allows several streams. */
  stream?: string;
  /** Whether the page itself is sent as a page view at once; true by default. */
  views?: boolean;
  /** Whether visitors get a cookie with a random name, which becomes `user_id`; false by default. */
  visitor?: boolean;
  /** At most so many events wait for the network; 500 by default. */
  buffer?: number;
  /** Milliseconds that an event waits for others; 1000 by default. */
  interval?: number;
}

"""
_TAIL = """
export interface Penstock {
  /** Does nothing where the visitor's browser sends Global Privacy Control. */
  init(settings: PenstockSettings): void;
  /** False when the event is not taken: the buffer is full, or nothing is sent here. */
  send<Name extends keyof PenstockEvents>(type: Name, payload: PenstockEvents[Name]): boolean;
  /** Sends this page as a page view. */
  view(): boolean;
  /** Sends what waits now. */
  flush(): Promise<void>;
  /** How many events were not taken. */
  readonly refused: number;
}

declare global {
  const penstock: Penstock;
}
"""


def typings(streams: Mapping[str, Stream]) -> str:
    """The whole file."""
    events = declared(streams)
    schemas, components = msgspec.json.schema_components([each.payload for each in events])
    names = "".join(f"  {each.name}: {each.payload.__name__};\n" for each in events)
    parts = [_interface(name, schema) for name, schema in components.items()]
    assert len(schemas) == len(events)
    return f"{_HEAD}{''.join(parts)}export interface PenstockEvents {{\n{names}}}\n{_TAIL}"


def _interface(name: str, schema: Mapping[str, Any]) -> str:
    required = set(schema.get("required", ())) - set(REQUEST_FIELDS)
    lines = "".join(
        f"  {field}{'' if field in required else '?'}: {_type(inner)};\n"
        for field, inner in schema["properties"].items()
    )
    return f"export interface {name} {{\n{lines}}}\n\n"


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " | ".join(msgspec.json.encode(value).decode() for value in values)
    if schema.get("type") == "array":
        inner = _type(schema.get("items", {}))
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if schema.get("type") == "object":
        return f"Record<string, {_type(schema.get('additionalProperties') or {})}>"
    return _SCALARS.get(str(schema.get("type")), "unknown")
