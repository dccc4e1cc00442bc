"""`POST /graphql` and the socket beside it."""

import asyncio
from inspect import isawaitable
from typing import Any

import msgspec
from graphql import FieldNode, OperationType
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from infra.local.graphql.apis import Apis, Served
from infra.local.graphql.connection import Connection, Shared
from infra.local.graphql.documents import Document, InvalidDocumentError, named
from infra.local.graphql.errors import RefusedError, ResolverError, as_answer, bad_request, invalid
from infra.local.graphql.execution import Asked, Functions, run
from infra.local.graphql.messages import SUBPROTOCOL
from infra.local.graphql.programs import Signed
from infra.local.graphql.rules import Caller
from infra.local.graphql.sockets import ABORT

MOST_BYTES = 1024 * 1024
"""Of a request, as on AWS."""
_TYPES = {OperationType.QUERY: "Query", OperationType.MUTATION: "Mutation"}


class Endpoints:
    """Answers requests and sockets of every API."""

    def __init__(self, apis: Apis, shared: Shared, functions: Functions) -> None:
        self._apis, self._shared, self._functions = apis, shared, functions

    async def post(self, request: Request) -> Response:
        """A query or a mutation."""
        api = self._apis.served(request.path_params.get("api", ""))
        if api is None:
            return _refusal(RefusedError("NotFoundException", "There is no such API here.", 404))
        try:
            return JSONResponse(await self._answer(api, request))
        except RefusedError as error:
            self._shared.counts.refused += error.status in (401, 403)
            return _refusal(error)
        except InvalidDocumentError as error:
            return JSONResponse(invalid(error.errors))

    async def _answer(self, api: Served, request: Request) -> dict[str, Any]:
        body = await _body(request)
        headers = {name: ",".join(request.headers.getlist(name)) for name in request.headers}
        path = request.scope.get("raw_path") or request.url.path.encode()
        signed = Signed(path.decode("latin-1"), headers, body, request.scope["query_string"])
        caller, document, operation, variables = await self._threaded(self._understood, api, signed)
        denied = await self._denied(api, caller, document, operation)
        asked = Asked(api, caller, self._shared.callers, self._functions, headers, denied)
        found = run(asked, document, variables, operation)
        result = await found if isawaitable(found) else found
        for each in asked.published:
            self._shared.hub.publish(api, each)
        return as_answer(result.data, result.errors)

    def _understood(self, api: Served, signed: Signed) -> tuple[Caller, Document, str | None, dict[str, Any]]:
        """Who asks, and what: in one turn of a thread, since both may take long. Raises as their parts do."""
        caller = self._shared.callers.of(api, signed)
        return caller, *_read(api, signed.body)

    async def _denied(
        self, api: Served, caller: Caller, document: Document, operation: str | None
    ) -> frozenset[str]:
        """Fields of the operation that IAM does not let the caller use, asked before it runs."""
        asked = document.operation(operation)
        if asked.operation not in _TYPES:
            raise bad_request("Subscriptions go over the real-time endpoint.")
        kind, denied = _TYPES[asked.operation], set[str]()
        if not self._shared.callers.programs.asks_iam(caller):
            return frozenset()  # each field is checked as it is resolved
        for node in asked.selection_set.selections:
            if not isinstance(node, FieldNode):
                raise bad_request("Where IAM decides, name the fields of an operation outside of fragments.")
            name = node.name.value
            try:
                if not name.startswith("__"):
                    await self._threaded(self._shared.callers.check_root, api, caller, kind, name)
            except ResolverError:
                denied.add(name)
        return frozenset(denied)

    async def _threaded(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._shared.threads, work, *arguments)

    async def socket(self, socket: WebSocket) -> None:
        """Subscriptions."""
        shared = self._shared
        api = self._apis.served(socket.path_params.get("api", ""))
        subprotocols = [str(each) for each in socket.scope.get("subprotocols", ())]
        if api is None or SUBPROTOCOL not in subprotocols:
            shared.counts.refused += 1
            await socket.close()
            return
        if shared.counts.connections >= shared.limits.connections:
            shared.counts.crowded += 1
            await socket.close()
            return
        await socket.accept(SUBPROTOCOL)
        abort = socket.scope["extensions"][ABORT]["abort"]
        query = socket.scope["query_string"].decode("latin-1")
        await Connection(socket, api, shared, abort).serve(query, subprotocols)


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise RefusedError("PayloadTooLargeException", f"The limit is {MOST_BYTES} bytes.", 413)
        parts.append(part)
    return b"".join(parts)


def _read(api: Served, body: bytes) -> tuple[Document, str | None, dict[str, Any]]:
    """(document, operation's name, variables) of a request. Raises RefusedError, InvalidDocumentError."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RefusedError("MalformedHttpRequestException", "The body is not a JSON object.")
    name, variables = named(found)
    return api.documents.read(found.get("query")), name, variables


def _refusal(error: RefusedError) -> Response:
    return JSONResponse(error.over_http, error.status, {"x-amzn-ErrorType": error.kind})
