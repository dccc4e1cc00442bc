"""Data sources that are functions, called in the emulator with the data source's own role."""

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import Executor
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.graphql.apis import Served
from infra.local.graphql.definitions import Source
from infra.local.graphql.errors import ResolverError
from infra.local.graphql.execution import returned
from infra.local.parts.context import LocalContext, ServiceRole


class EmulatorFunctions:
    """Calls functions; several at once, each in a thread of its own."""

    def __init__(self, context: LocalContext, threads: Executor) -> None:
        self._context, self._threads = context, threads

    async def call(self, api: Served, source: Source, event: Mapping[str, Any]) -> Any:
        """What the function returns. Raises ResolverError."""
        loop = asyncio.get_running_loop()
        payload, error = await loop.run_in_executor(self._threads, self._invoke, api, source, event)
        return returned(payload, error)

    def _invoke(self, api: Served, source: Source, event: Mapping[str, Any]) -> tuple[bytes, str | None]:
        role = ServiceRole(source.role, "appsync.amazonaws.com", api.arn) if source.role else None
        try:
            client = self._context.client("lambda", role=role)
            answer = client.invoke(FunctionName=source.function, Payload=json.dumps(event))
            return answer["Payload"].read(), answer.get("FunctionError")
        except (ClientError, BotoCoreError) as error:
            raise ResolverError("Lambda:AWSLambdaException", str(error)) from None
