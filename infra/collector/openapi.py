"""The collector's HTTP API as OpenAPI 3.1, made of the streams' contracts and the collector's own limits."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from infra.collector import key_routes
from producers.collector.body import MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_EVENTS
from producers.collector.events import REQUEST_FIELDS
from producers.collector.problems import MEDIA_TYPE, TITLES
from producers.contracts import AUDIT_TYPE, EventId, EventType, Stream
from transforms.schema.json_schema import translated

_REF = "#/components/schemas/{name}"
_ON_EVERY_ROUTE = ("empty_body", "unreadable_body", "keys_unavailable")
_TAKEN = {
    200: ("Every event is safe.", "Accepted"),
    207: (
        "The others break their contract. They are kept as failed records: do not send them again.",
        "Partly",
    ),
}


def openapi(streams: Mapping[str, Stream], version: str) -> dict[str, Any]:
    """The document for these streams; those whose events go straight to delivery take none over HTTP."""
    taken = [stream for stream in streams.values() if not stream.is_direct]
    schemas = _schemas(taken)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Penstock collector",
            "version": version,
            "description": "Events over HTTP: validated by their contract, acknowledged once they are safe.",
        },
        "paths": {
            "/v1/batch": {"post": _batch([stream.name for stream in taken])},
            "/v1/health": {"get": _state("health", "Whether the function answers.", ())},
            "/v1/ready": {"get": _state("ready", "Whether the streams answer.", (503,))},
            **key_routes.paths(lambda statuses: _problems(statuses, of_keys=True)),
        },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "header": {"type": "apiKey", "in": "header", "name": "X-Write-Key"},
                "basic": {"type": "http", "scheme": "basic", "description": "The key is the user."},
                "query": {
                    "type": "apiKey", "in": "query", "name": "k",
                    "description": "For beacons of pages, which cannot set headers.",
                },
                "signature": key_routes.SECURITY,
            },
        },
    }  # fmt: skip


def _batch(streams: list[str]) -> dict[str, Any]:
    document = {"schema": {"$ref": _REF.format(name="Batch")}}
    text = {"schema": {"type": "string"}}
    return {
        "operationId": "batch",
        "summary": f"Send 1 to {MAX_EVENTS} events.",
        "description": f"At most {MAX_EVENT_BYTES} bytes an event, {MAX_BODY_BYTES} bytes in all, unpacked. "
        "`application/x-ndjson` holds one event per line. It and `application/octet-stream` may be "
        "compressed with gzip.",
        "security": [{"header": []}, {"basic": []}, {"query": []}],
        "parameters": [
            {
                "name": "stream",
                "in": "query",
                "description": "May be left out where the key allows one stream only.",
                "schema": {"type": "string", "enum": streams},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": document,
                "text/plain": document,
                "application/x-ndjson": text,
                "application/octet-stream": text,
            },
        },
        "responses": {
            **{
                str(status): {"description": words, "content": _json(name)}
                for status, (words, name) in _TAKEN.items()
            },
            **_problems(status for status, _ in TITLES.values() if status not in (404, 405)),
        },
    }


def _state(name: str, summary: str, refused: Iterable[int]) -> dict[str, Any]:
    return {
        "operationId": name,
        "summary": summary,
        "responses": {
            "200": {"description": "It does.", "content": _json("State")},
            **_problems(refused),
        },
    }


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}


def _problems(statuses: Iterable[int], *, of_keys: bool = False) -> dict[str, Any]:
    titles: defaultdict[int, list[str]] = defaultdict(list)
    for code, (status, title) in TITLES.items():
        if code in _ON_EVERY_ROUTE or (code in key_routes.CODES) == of_keys:
            titles[status].append(f"{code}: {title}.")
    made = {}
    for status in sorted(set(statuses)):
        made[str(status)] = {
            "description": " ".join(titles[status]),
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}},
        }
        if status in (429, 503):
            made[str(status)]["headers"] = {
                "Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}
            }
    return made


def _schemas(streams: list[Stream]) -> dict[str, Any]:
    types = {(each.name, each.version): each for stream in streams for each in stream.event_types}
    latest = {name: each.version for stream in streams for name, each in stream.latest.items()}
    latest.pop(AUDIT_TYPE, None)
    found, components = msgspec.json.schema_components(
        [each.event_class for each in types.values()], ref_template=_REF
    )
    made: dict[str, Any] = {name: translated(schema) for name, schema in components.items()}
    shorts = []
    for (name, version), declared in sorted(types.items()):
        title = declared.payload.__name__
        made[f"{title}Sent"] = _sent(made[title])
        made[f"{title}Short"] = _short(name, version, f"{title}Sent", is_newest=version == latest[name])
        shorts.append({"$ref": _REF.format(name=f"{title}Short")})
    fault = {
        "type": "object",
        "required": ["index", "code", "field", "detail"],
        "properties": {
            "index": {"type": "integer", "minimum": 0},
            "code": {"type": "string"},
            "field": {"type": "string"},
            "detail": {"type": "string"},
        },
    }
    count = {"type": "integer", "minimum": 0}
    kept = {"type": "array", "items": {"$ref": _REF.format(name="Fault")}}
    one = {"anyOf": [*shorts, *found]}
    events = {"type": "array", "minItems": 1, "maxItems": MAX_EVENTS, "items": one}
    state = {
        "status": {"enum": ["ok", "ready"]},
        "time": {"type": "integer", "description": "Of health: the server's clock, milliseconds since 1970."},
    }
    return made | key_routes.schemas() | {
        "Batch": {"type": "object", "required": ["events"], "properties": {"events": events}},
        "Accepted": {"type": "object", "required": ["accepted"], "properties": {"accepted": count}},
        "Partly": {
            "type": "object",
            "required": ["accepted", "kept"],
            "properties": {"accepted": count, "kept": kept},
        },
        "Fault": fault,
        "State": {"type": "object", "required": ["status"], "properties": state},
        "Problem": {
            "type": "object",
            "description": "A problem of RFC 9457.",
            "required": ["type", "title", "status", "code", "detail", "request_id"],
            "properties": {
                "type": {"type": "string", "pattern": "^urn:penstock:problem:"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "code": {"enum": sorted(TITLES)},
                "detail": {"type": "string"},
                "request_id": {"type": "string"},
                "index": count,
                "accepted": count,
                "kept": kept,
            },
        },
    }  # fmt: skip


def _sent(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload as it may be sent: the collector fills in what the request says."""
    required = [name for name in payload.get("required", ()) if name not in REQUEST_FIELDS]
    return {**{key: value for key, value in payload.items() if key != "required"}, "required": required}


def _short(name: str, version: int, payload: str, *, is_newest: bool) -> dict[str, Any]:
    event_id = translated(msgspec.json.schema(EventId))
    return {
        "type": "object",
        "required": ["type", "payload", *([] if is_newest else ["schema_version"])],
        "properties": {
            "type": {"const": name},
            "schema_version": {"const": version},
            "event_id": event_id,
            "event_time": {"type": "string", "format": "date-time"},
            "payload": {"$ref": _REF.format(name=payload)},
        },
        "additionalProperties": False,
    }


def declared(streams: Mapping[str, Stream]) -> list[EventType]:
    """The newest version of every event type that may be sent over HTTP, by name."""
    found = {
        name: each
        for stream in streams.values()
        if not stream.is_direct
        for name, each in stream.latest.items()
        if name != AUDIT_TYPE
    }
    return [found[name] for name in sorted(found)]
