"""The Athena endpoint: answers AmazonAthena calls and creates Athena's CloudFormation resources."""

import asyncio
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from shutil import rmtree
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from infra.local.athena.api_catalog import MetadataApi, SavedQueryApi, WorkGroupApi
from infra.local.athena.api_executions import ExecutionApi
from infra.local.athena.engine import Engine
from infra.local.athena.errors import ApiError
from infra.local.athena.executions import Execution, Executions
from infra.local.athena.objects import ObjectCache
from infra.local.athena.resources import NamedQueryResource, PreparedStatementResource, WorkGroupResource
from infra.local.athena.results import ResultFiles
from infra.local.athena.runner import StatementRunner
from infra.local.athena.sandbox_pool import SandboxPool
from infra.local.athena.store import Store
from infra.local.athena.work_groups import WorkGroups
from infra.local.context import LocalContext
from infra.local.service import ResourceHandler, Target

CACHE_BYTES = 4 << 30
WORKERS = max(2, min(4, os.cpu_count() or 2))
"""Queries at a time: more than there are cores would not end sooner, and each holds its rows in memory."""
THREADS = 2
MEMORY = "1500MB"
PATIENCE_SECONDS = 0.02
"""So long GetQueryExecution waits for the end, about what a call to AWS takes: who polls learns of it at once."""
Operation = Callable[[dict[str, Any]], dict[str, Any]]


class AthenaService:
    """Athena over DuckDB: catalog and objects are the emulator's, state is in one sqlite file."""

    def __init__(self, context: LocalContext) -> None:
        self._context = context
        paths = context.paths
        paths.make()
        self._scratch = paths.scratch / "athena"
        rmtree(self._scratch, ignore_errors=True)
        self._pool = SandboxPool(self._scratch, threads=THREADS, memory=MEMORY, kept=WORKERS)
        self._store = Store(paths.database("athena"))
        groups = WorkGroups(self._store, context.clock)
        saved = SavedQueryApi(self._store, groups, context.clock)
        self._results = results = ResultFiles(paths.state / "athena-results", context.client("s3"))
        engine = Engine(
            context.client("glue"),
            context.client("s3"),
            pool=self._pool,
            cache=ObjectCache(paths.root / "cache" / "athena", CACHE_BYTES),
            new_name=self._file_name,
        )
        runner = StatementRunner(engine, results, self._store)
        self._executions = Executions(self._store, runner, context.clock, workers=WORKERS, watch=self._tell)
        api = ExecutionApi(self._store, groups, self._executions, results, context.clock)
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
        """Settle what an earlier process left behind, and make the first sandbox."""
        await asyncio.to_thread(self._executions.recover)
        self._pool.warm()

    async def stop(self) -> None:
        """Cancel what runs; state stays."""
        await asyncio.to_thread(self._executions.close)
        self._pool.close()
        self._results.close()
        self._store.close()
        rmtree(self._scratch, ignore_errors=True)

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
        except KeyError as error:
            return _error("InvalidRequestException", f"The request lacks {error}.", "INVALID_INPUT")

    def _file_name(self) -> str:
        moment = datetime.fromtimestamp(self._context.clock(), UTC)
        return f"{moment:%Y%m%d_%H%M%S}_{secrets.randbelow(100_000):05}_{secrets.token_hex(3)}_{secrets.token_hex(16)}"

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


def _error(code: str, message: str, athena_error_code: str) -> Response:
    body = {"__type": code, "message": message, "Message": message}
    return _json(body | ({"AthenaErrorCode": athena_error_code} if athena_error_code else {}), 400)
