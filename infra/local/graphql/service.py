"""GraphQLService: AppSync's part of the local server."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from infra.local.access.server_gate import Secrets, is_of_an_api
from infra.local.graphql.apis import Apis
from infra.local.graphql.callers import Callers
from infra.local.graphql.connection import Shared
from infra.local.graphql.counts import Counts
from infra.local.graphql.endpoints import Endpoints
from infra.local.graphql.functions import EmulatorFunctions
from infra.local.graphql.limits import Limits
from infra.local.graphql.people import KeysOf, People, PoolKeys
from infra.local.graphql.principals import EmulatorPrincipals, pool_keys
from infra.local.graphql.programs import Programs
from infra.local.graphql.resources import ApiResource, ResolverResource, SchemaResource, SourceResource
from infra.local.graphql.subscriptions import Hub
from infra.local.parts.context import LocalContext
from infra.local.parts.service import ResourceHandler, Target

_THREADS = 8
_PATHS = ("/graphql", "/graphql/realtime", "/graphql/{api}", "/graphql/{api}/realtime")
"""Without an id the only API is meant. AppSync takes sockets at the address of its queries, too."""


class GraphQLService:
    """APIs, requests and sockets, kept in memory; a restart gets the APIs from the template."""

    def __init__(
        self, context: LocalContext, limits: Limits | None = None, keys_of: KeysOf | None = None
    ) -> None:
        self.apis, self.counts, self.limits = Apis(), Counts(), limits or Limits()
        self._threads = ThreadPoolExecutor(_THREADS, "graphql")
        principals = EmulatorPrincipals(context) if context.enforce_iam else None
        callers = Callers(
            People(PoolKeys(keys_of or partial(pool_keys, context))),
            Programs(Secrets(context), context.account_id, principals),
        )
        functions = EmulatorFunctions(context, self._threads)
        self._hub = Hub(callers, functions, self.counts)
        shared = Shared(self._hub, callers, self.counts, self.limits, self._threads)
        endpoints = Endpoints(self.apis, shared, functions)
        self.targets: Mapping[str, Target] = {}  # AppSync's own API is not served: templates make its APIs
        self.resources: Mapping[str, ResourceHandler] = {
            "AWS::AppSync::GraphQLApi": ApiResource(
                self.apis, context.server_url, context.region, context.account_id
            ),
            "AWS::AppSync::GraphQLSchema": SchemaResource(self.apis),
            "AWS::AppSync::DataSource": SourceResource(self.apis),
            "AWS::AppSync::Resolver": ResolverResource(self.apis),
        }
        self.routes: Sequence[BaseRoute] = [
            *(Route(path, endpoints.post, methods=["POST"]) for path in _PATHS if "realtime" not in path),
            *(WebSocketRoute(path, endpoints.socket) for path in _PATHS),
            Route("/_graphql/counts", self._counts, methods=["GET"]),
        ]

    def foreign(self, scope: Any) -> None:
        """Count what a page of another origin asked of an API."""
        self.counts.foreign += is_of_an_api(scope["path"])

    def is_listened_to(self, field: str) -> bool:
        """Whether somebody has subscribed to this field."""
        return self._hub.has(field)

    async def _counts(self, _: Request) -> Response:
        return JSONResponse({"apis": len(self.apis), **self.counts.as_dict()})

    async def start(self) -> None:
        """Nothing runs by itself."""

    async def stop(self) -> None:
        """Wait for nobody: sockets are closed with the server."""
        self._threads.shutdown(wait=False, cancel_futures=True)
