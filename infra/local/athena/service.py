"""The Athena endpoint: answers AmazonAthena calls and creates Athena's CloudFormation resources."""

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from shutil import rmtree
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.local.athena.api_catalog import MetadataApi, SavedQueryApi, WorkGroupApi
from infra.local.athena.api_executions import ExecutionApi
from infra.local.athena.errors import ApiError
from infra.local.athena.execution import Execution
from infra.local.athena.executions import Executions
from infra.local.athena.nursery_messages import Setup
from infra.local.athena.resources import NamedQueryResource, PreparedStatementResource, WorkGroupResource
from infra.local.athena.results import ResultPages
from infra.local.athena.store import NotKeptError, Store
from infra.local.athena.work_groups import WorkGroups
from infra.local.athena.workers import Workers
from infra.local.parts.context import LocalContext
from infra.local.parts.service import ResourceHandler, Target

WORKERS = max(2, min(4, os.cpu_count() or 2))
"""Queries at a time: more than there are cores would not end sooner, and each holds its rows in memory."""
PATIENCE_SECONDS = 0.02
"""So long GetQueryExecution waits for the end, about what a call to AWS takes: who polls learns of it at once."""
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class AthenaService:
    """Athena over DuckDB: catalog and objects are the emulator's, state is in one sqlite file."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        paths = context.paths
        paths.make()
        scratch = paths.scratch / "athena"
        rmtree(scratch, ignore_errors=True)
        self._workers = Workers(Setup.of(context, scratch), kept=WORKERS)
        self._store = Store(paths.database("athena"))
        groups = WorkGroups(self._store, context.clock)
        saved = SavedQueryApi(self._store, groups, context.clock)
        self._executions = Executions(
            self._store, self._workers, context.clock, workers=WORKERS, watch=self._tell
        )
        api = ExecutionApi(
            self._store, groups, self._executions, ResultPages(paths.state / "athena-results"), context.clock
        )
        self._operations = _operations(
            api, WorkGroupApi(self._store, groups), saved, MetadataApi(lambda: context.client("glue"))
        )
        self.targets: Mapping[str, Target] = {"AmazonAthena": self._answer}
        self.resources: Mapping[str, ResourceHandler] = {
            "AWS::Athena::WorkGroup": WorkGroupResource(groups, context.clock),
            "AWS::Athena::NamedQuery": NamedQueryResource(self._store, saved),
            "AWS::Athena::PreparedStatement": PreparedStatementResource(self._store, saved),
        }
        self.routes: Sequence[BaseRoute] = ()

    async def start(self) -> None:
        """Settle what an earlier process left behind, and have a first worker forked."""
        await asyncio.to_thread(self._executions.recover)
        self._workers.warm()

    async def stop(self) -> None:
        """Cancel what runs; state stays."""
        await asyncio.to_thread(self._executions.close)
        await asyncio.to_thread(self._workers.close)
        self._store.close()

    async def _answer(self, operation: str, body: dict[str, Any], _: Request) -> Response:
        handler = self._operations.get(operation)
        if handler is None:
            return _error("UnknownOperationException", f"The local Athena does not serve {operation}.", "")
        try:
            if operation == "GetQueryExecution":
                await self._executions.ended(body["QueryExecutionId"], PATIENCE_SECONDS)
            return _json(await asyncio.to_thread(handler, body))
        except ApiError as error:
            return _error(error.code, error.message, error.athena_error_code)
        except NotKeptError as error:
            return _error("InternalServerException", str(error), "INTERNAL_ERROR_QUERY_ENGINE", 500)
        except KeyError as error:
            return _error("InvalidRequestException", f"The request lacks {error}.", "INVALID_INPUT")

    def _tell(self, execution: Execution) -> None:
        self._context.activity.add(
            "query",
            f"{execution.kind} {execution.state.lower()}",
            at=self._context.clock(),
            query_execution_id=execution.id,
            work_group=execution.work_group,
            query=execution.query[:2000],
            data_scanned_bytes=execution.bytes_scanned,
            rows=execution.rows,
            milliseconds=round(((execution.completed or 0) - execution.submitted) * 1000),
            reason=execution.reason,
        )


def _operations(
    api: ExecutionApi, groups: WorkGroupApi, saved: SavedQueryApi, metadata: MetadataApi
) -> Mapping[str, Operation]:
    return {
        "StartQueryExecution": api.start,
        "GetQueryExecution": api.get,
        "BatchGetQueryExecution": api.batch_get,
        "ListQueryExecutions": api.list,
        "StopQueryExecution": api.stop,
        "GetQueryResults": api.results,
        "GetQueryRuntimeStatistics": api.runtime,
        "GetWorkGroup": groups.get,
        "ListWorkGroups": groups.list,
        "CreateWorkGroup": groups.create,
        "UpdateWorkGroup": groups.update,
        "DeleteWorkGroup": groups.delete,
        "CreateNamedQuery": saved.create_named,
        "GetNamedQuery": saved.get_named,
        "BatchGetNamedQuery": saved.batch_named,
        "ListNamedQueries": saved.list_named,
        "UpdateNamedQuery": saved.update_named,
        "DeleteNamedQuery": saved.delete_named,
        "CreatePreparedStatement": saved.create_prepared,
        "GetPreparedStatement": saved.get_prepared,
        "BatchGetPreparedStatement": saved.batch_prepared,
        "ListPreparedStatements": saved.list_prepared,
        "UpdatePreparedStatement": saved.update_prepared,
        "DeletePreparedStatement": saved.delete_prepared,
        "ListDataCatalogs": metadata.data_catalogs,
        "GetDataCatalog": metadata.data_catalog,
        "ListDatabases": metadata.databases,
        "GetDatabase": metadata.database,
        "ListTableMetadata": metadata.tables,
        "GetTableMetadata": metadata.table,
    }


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, media_type="application/x-amz-json-1.1")


def _error(code: str, message: str, athena_error_code: str, status: int = 400) -> Response:
    body = {"__type": code, "message": message, "Message": message}
    return _json(body | ({"AthenaErrorCode": athena_error_code} if athena_error_code else {}), status)
