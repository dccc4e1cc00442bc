"""`/v1/keys` in the collector's OpenAPI document."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from producers.collector.keys import WriteKey
from producers.keys.administration import Limits
from producers.keys.settings import PATH
from transforms.schema.json_schema import translated

CODES = ("no_such_key", "invalid_key")
"""Problems of these routes alone."""
SECURITY = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "Signature Version 4 of AWS, for the service execute-api, with a policy that allows it.",
    "x-amazon-apigateway-authtype": "awsSigv4",
}
_REF = "#/components/schemas/{name}"

Problems = Callable[[Iterable[int]], Mapping[str, Any]]
"""Statuses -> the answers of problems with them."""


def paths(problems: Problems) -> dict[str, Any]:
    """The routes."""
    key_id = {"name": "key_id", "in": "path", "required": True, "schema": {"type": "string"}}
    limits = {"application/json": {"schema": {"$ref": _REF.format(name="Limits")}}}
    listed = _route("listKeys", "Every key: its id, and what it allows.", 200, "Keys", problems((503,)))
    create = _route("createKey", "Make a key. It is shown once.", 201, "NewKey", problems((400, 422, 503)))
    changed = problems((404, 503))
    disable = _route("disableKey", "Refuse the key: within a minute everywhere.", 200, "DisabledKey", changed)
    rotate = _route("rotateKey", "Make another key that allows the same.", 201, "NewKey", changed)
    return {
        PATH: {
            "get": listed,
            "post": {**create, "requestBody": {"required": True, "content": limits}},
        },
        f"{PATH}/{{key_id}}/disable": {"parameters": [key_id], "post": disable},
        f"{PATH}/{{key_id}}/rotate": {"parameters": [key_id], "post": rotate},
    }


def schemas() -> dict[str, Any]:
    """What the routes take and give."""
    _, made = msgspec.json.schema_components([Limits, WriteKey], ref_template=_REF)
    found = msgspec.json.decode(msgspec.json.encode(made))  # defaults are tuples
    key, text = translated(found["WriteKey"]), {"type": "string"}
    return {
        "Limits": translated(found["Limits"]),
        "Key": {
            **key,
            "properties": {"key_id": text, **key["properties"]},
            "required": ["key_id", *key["required"]],
        },
        "Keys": {
            "type": "object",
            "required": ["keys"],
            "properties": {"keys": {"type": "array", "items": {"$ref": _REF.format(name="Key")}}},
        },
        "NewKey": {
            "type": "object",
            "required": ["key", "key_id"],
            "properties": {"key": {**text, "description": "Kept nowhere: only its hash is."}, "key_id": text},
        },
        "DisabledKey": {
            "type": "object",
            "required": ["key_id", "disabled"],
            "properties": {"key_id": text, "disabled": {"const": True}},
        },
    }


def _route(name: str, summary: str, status: int, answer: str, refused: Mapping[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": _REF.format(name=answer)}}}
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"signature": []}],
        "responses": {str(status): {"description": "Done.", "content": content}, **refused},
    }
