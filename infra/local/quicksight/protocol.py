"""QuickSight's REST protocol from the service model: routes, parameters in path and query, JSON bodies
and errors.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from botocore.model import OperationModel, StructureShape
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashboards.lint.shape import service_model
from infra.local.quicksight.errors import QuickSightError

Answerer = Callable[[str, dict[str, Any]], dict[str, Any]]


def routes(names: Iterable[str], answer: Answerer) -> list[Route]:
    """One route per operation, the longest path first, so that no route hides a more exact one."""
    models = [service_model().operation_model(name) for name in names]
    models.sort(key=lambda model: (-model.http["requestUri"].count("/"), model.http["requestUri"]))
    return [_route(model, answer) for model in models]


def _route(model: OperationModel, answer: Answerer) -> Route:
    async def respond(request: Request) -> Response:
        try:
            decoded = _decoded(model, request, await request.body())
            # The whole walk of a large definition takes a while; other parts of the server go on meanwhile.
            found = await asyncio.to_thread(answer, model.name, decoded)
        except QuickSightError as error:
            return _json({"Message": error.message, "__type": error.code}, error.status, error.code)
        return _json(found, 200)

    path = re.sub(r"{(\w+)\+?}", r"{\1}", model.http["requestUri"].split("?")[0])
    path = path.replace("{ResourceArn}", "{ResourceArn:path}")  # an ARN has slashes of its own
    return Route(path, respond, methods=[model.http["method"]], name=f"quicksight-{model.name}")


def _decoded(model: OperationModel, request: Request, body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body) if body else {}
    shape = model.input_shape
    assert isinstance(shape, StructureShape)
    for name, member in shape.members.items():
        location, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if location == "uri" and wire in request.path_params:
            found[name] = _typed(member.type_name, request.path_params[wire])
        elif location == "querystring" and wire in request.query_params:
            found[name] = _typed(member.type_name, request.query_params[wire])
    return found


def _typed(type_name: str, text: str) -> Any:
    if type_name in ("integer", "long"):
        return int(text)
    return text == "true" if type_name == "boolean" else text


def _json(found: dict[str, Any], status: int, code: str = "") -> Response:
    headers = {"x-amzn-RequestId": "local", **({"x-amzn-ErrorType": code} if code else {})}
    return Response(json.dumps(found), status, headers, "application/json")
